"""A sequencer the slow way: a dict of what is held, a list of what goes out, and no cleverness.

It follows the rules as `hftlib.feed.mold.machine` words them and shares none of its code but the
names of states, verdicts and deliveries.
"""

from __future__ import annotations

import struct
from typing import Any

from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.sequencer import Delivery


def read(datagram: bytes) -> tuple[int, bytes, int, list[bytes]]:
    """Verdict, session, sequence and messages, by struct and slices."""
    if len(datagram) < 20:
        return p.SHORT, b"", 0, []
    session, sequence, count = struct.unpack(">10sQH", datagram[:20])
    if sequence > 2**62:
        return p.BEYOND, session, sequence, []
    rest, messages = datagram[20:], []
    if count in (0, 0xFFFF):
        good = p.END if count else p.HEARTBEAT
        return p.TRAILING if rest else good, session, sequence, []
    while len(messages) < count:
        if not rest:
            return p.TOO_FEW, session, sequence, []
        if len(rest) < 2 or len(rest) < 2 + struct.unpack(">H", rest[:2])[0]:
            return p.CUT_OFF, session, sequence, []
        (length,) = struct.unpack(">H", rest[:2])
        messages.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    return p.TRAILING if rest else p.MESSAGES, session, sequence, messages


def block(message: bytes) -> bytes:
    return struct.pack(">H", len(message)) + message


class SlowSequencer:
    def __init__(self, **settings: Any) -> None:
        self.set = settings
        self.session = settings["session"]
        self.expected = settings["first_sequence"]
        self.known_end = self.told = self.far = self.end = 0
        self.state, self.reason = "WAITING", "start"
        self.held: dict[int, Delivery] = {}
        self.old_session = self.candidate = None
        self.now = self.heard = 0
        self.tries, self.ask_at = 0, 0
        self.answered, self.silent = True, False
        self.unrepaired = self.lost = self.messages = self.late = self.gaps = self.sessions = 0
        self.out: list[Delivery] = []
        self.first, self.again, self.not_held = [0] * 4, [0] * 4, [0] * 4
        self.before, self.began, self.reopened = [0] * 4, 0, 0
        self.books_wait = False  # told that something is missing, and not that all is well
        self.verdicts: list[int] = []

    @property
    def recovery(self) -> bool:
        return bool(self.set["recovery"])

    def told_so_far(self) -> list[Delivery]:
        out, self.out = self.out, []
        return out

    def take(self, line: int, datagram: bytes, received: int, now: int) -> list[Delivery]:
        self.now = max(self.now, now)
        verdict, session, first, messages = read(datagram)
        if verdict <= p.END:
            verdict = self.believe(verdict, session, first, len(messages))
        self.verdicts.append(verdict)
        if verdict > p.END:
            return self.told_so_far()
        self.heard, self.silent = self.now, False
        if line == m.LINE_RECOVERY:
            self.answered = True
        if verdict == p.END:
            self.end = first
        self.known_end = max(self.known_end, first + len(messages))
        late = line == m.LINE_RECOVERY
        numbered = dict(enumerate(messages, first))
        if messages and first <= self.expected:
            for number in numbered:
                if number < self.began:
                    self.before[line] += 1
                elif number < self.expected or number in self.held:
                    self.again[line] += 1
                else:
                    self.first[line] += 1
            fresh = [block(text) for number, text in numbered.items() if number >= self.expected]
            if fresh:
                after = first + len(messages)
                for number in numbered:
                    self.held.pop(number, None)
                whole = b"".join(fresh)
                self.send(Delivery(m.OUT_MESSAGES, self.expected, after, whole, received, late))
        else:
            for number, text in numbered.items():
                room = number < self.expected + self.set["capacity"]
                if not room or len(text) > self.set["message_bytes_max"]:
                    self.not_held[line] += 1
                elif number in self.held:
                    self.again[line] += 1
                else:
                    self.first[line] += 1
                    self.held[number] = Delivery(
                        m.OUT_MESSAGES, number, number + 1, block(text), received, late
                    )
        self.settle()
        return self.told_so_far()

    def believe(self, verdict: int, session: bytes, first: int, count: int) -> int:
        if first == 0:
            return p.UNNUMBERED
        if self.session is not None and session != self.session:
            if self.set["session"] is not None or session == self.old_session:
                return p.OTHER_SESSION
            begins = self.state == "ENDED" and first == 1
            if session != self.candidate and not begins:
                self.candidate = session
                return p.OTHER_SESSION
            while self.expected < self.known_end:
                self.lose(m.NEW_SESSION)
            self.old_session, self.session, self.candidate = self.session, session, None
            self.expected = self.known_end = self.began = 1
            self.end = self.told = self.far = self.unrepaired = 0
            self.silent, self.heard = False, self.now
            self.held.clear()
            self.sessions += 1
            self.enter("LIVE", m.NEW_SESSION)
            self.say(m.OUT_SESSION, 1, 1)
            if self.books_wait:
                self.say(m.OUT_RECOVERED, 1, 1)
        self.candidate = None
        if self.state == "WAITING":
            self.session = session
            late, self.expected = self.expected == 0 and first > 1, self.expected or first
            self.began = self.expected
            self.known_end = max(self.expected, first)
            self.sessions, self.heard = 1, self.now
            self.enter("LIVE", m.FIRST_PACKET)
            if late:
                self.forgo(1, first, m.JOINED_LATE)
        if verdict == p.END and first < self.known_end:
            return p.END_TOO_EARLY
        if first > self.known_end + self.set["capacity"]:
            far, self.far = self.far, first
            if abs(far - first) > self.set["capacity"]:
                return p.FAR_AHEAD
        if 0 < self.end < first + count:
            self.end, self.reopened = 0, self.reopened + 1
            if self.state == "ENDED":
                self.enter("LOST" if self.unrepaired else "LIVE", m.GOES_ON)
        hopeless = not self.recovery or not self.answered
        while hopeless and count and self.expected < first:
            if first + count <= self.expected + self.set["capacity"]:
                break
            self.known_end = max(self.known_end, first)
            self.lose(m.NO_ROOM)
        return verdict

    def settle(self) -> None:
        """Send what is held and next; then say what is to be said about where that ends."""
        while self.expected in self.held:
            self.send(self.held.pop(self.expected))
        good = "LOST" if self.unrepaired else "LIVE"
        if self.expected < self.known_end:
            if self.expected >= self.told:
                self.told, self.gaps, self.tries = self.hole_end(), self.gaps + 1, 0
                self.ask_at = self.now + self.set["patience_ns"]
                if self.state == "GAP":
                    self.ask_at = self.now + self.hurry()
                else:
                    self.enter("GAP", m.MISSING)
                self.say(m.OUT_GAP, self.expected, self.told)
            return
        before = self.state
        if before == "GAP":
            self.enter(good, m.FILLED)
        elif before == "SILENT" and not self.silent:
            self.enter(good, m.HEARD_AGAIN)
        elif before == "LOST" and good == "LIVE":
            self.enter("LIVE", m.REPAIRED)
        if self.books_wait and good == "LIVE" and self.state != "SILENT":
            self.say(m.OUT_RECOVERED, self.expected, self.expected)
        if self.silent and self.state in ("LIVE", "LOST"):
            self.enter("SILENT", m.SILENCE)
            self.say(m.OUT_SILENT, self.expected, self.expected)
        if self.end and self.expected == self.end and self.state != "ENDED":
            self.enter("ENDED", m.END_OF_SESSION)
            self.say(m.OUT_ENDED, self.expected, self.expected)

    def send(self, delivery: Delivery) -> None:
        self.out.append(delivery)
        self.expected = delivery.after
        self.messages += delivery.after - delivery.first
        self.late += (delivery.after - delivery.first) * delivery.late
        if self.state == "GAP":
            self.tries, self.ask_at = 0, self.now + self.hurry()

    def hurry(self) -> int:
        return 0 if self.recovery and self.answered else self.set["patience_ns"]

    def hole_end(self) -> int:
        return min([*self.held, self.known_end])

    def lose(self, reason: int) -> None:
        first, self.expected = self.expected, self.hole_end()
        self.tries = 0
        self.forgo(first, self.expected, reason)
        self.settle()

    def forgo(self, first: int, after: int, reason: int) -> None:
        self.lost += after - first
        self.unrepaired += after - first
        self.enter("LOST", reason)
        self.say(m.OUT_LOST, first, after, reason)

    def say(self, kind: int, first: int, after: int, reason: int = 0) -> None:
        self.out.append(Delivery(kind, first, after, reason=reason))
        if kind in (m.OUT_GAP, m.OUT_LOST, m.OUT_SILENT, m.OUT_RECOVERED):
            self.books_wait = kind != m.OUT_RECOVERED

    def enter(self, state: str, reason: int) -> None:
        self.state, self.reason = state, m.REASONS[reason]

    def tick(self, now: int) -> bytes:
        self.now = max(self.now, now)
        quiet = self.now - self.heard >= self.set["silence_ns"]
        if self.state in ("LIVE", "LOST") and quiet:
            self.silent = True
            self.settle()
        elif self.state == "GAP" and self.now >= self.ask_at:
            if not self.recovery:
                self.lose(m.NOBODY_TO_ASK)
            elif self.tries >= (self.set["tries_max"] if self.answered else 1):
                self.answered = False
                self.lose(m.UNANSWERED)
            else:
                self.tries += 1
                wait = self.set["repeat_ns"] if self.answered else self.set["patience_ns"]
                self.ask_at = self.now + wait
                count = min(self.hole_end() - self.expected, 0xFFFE)
                return struct.pack(">10sQH", self.session, self.expected, count)
        return b""

    def repaired(self, now: int) -> None:
        self.now = max(self.now, now)
        self.unrepaired = 0
        self.settle()
