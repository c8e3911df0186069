"""A sequencer the slow way: a dict of what is held, a list of what goes out, and no cleverness.

It follows the rules as `hftlib.feed.mold.machine` words them and shares none of its code but the
names of states, verdicts and deliveries.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
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


@dataclass
class Asked:
    """A request under way."""

    numbers: set[int]
    at: int
    until: int
    serial: int
    again: bool


class SlowSequencer:
    def __init__(self, **settings: Any) -> None:
        self.set = settings
        self.under_way: list[Asked] = []
        self.window, self.threshold, self.credit = 1, 64, 0
        self.cursor = self.asked_top = self.requests = self.unanswered = self.cut_short = 0
        self.sixteenths = self.round = self.mended = 0
        self.wait = settings["repeat_ns"]
        self.ripe, self.ripening, self.ripe_at = 0, 0, 0
        self.session = settings["session"]
        self.expected = settings["first_sequence"]
        self.known_end = self.told = self.far = self.end = 0
        self.state, self.reason = "WAITING", "start"
        self.held: dict[int, Delivery] = {}
        self.old_session = self.candidate = None
        self.now = self.heard = 0
        self.asked_at, self.ask_at = -1, 0
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
        if messages and late and self.state == "GAP":
            self.learn(first, first + len(messages))
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
            self.end = self.told = self.far = self.unrepaired = self.asked_top = 0
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
                self.told, self.gaps, self.asked_at = self.hole_end(), self.gaps + 1, -1
                self.ask_at = self.now + self.set["patience_ns"]
                if self.state == "GAP":
                    self.ask_at = self.now + self.hurry()
                else:
                    self.ask_anew()
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
            self.asked_at, self.ask_at = -1, self.now + self.hurry()

    def hurry(self) -> int:
        return 0 if self.recovery and self.answered else self.set["patience_ns"]

    def hole_end(self) -> int:
        return min([*self.held, self.known_end])

    def lose(self, reason: int) -> None:
        first, self.expected = self.expected, self.hole_end()
        self.ask_anew()
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
            else:
                return self.ask()
        return b""

    def ask_anew(self) -> None:
        self.under_way.clear()
        self.window, self.threshold, self.credit = 1, 64, 0
        self.cursor = self.ripe = 0
        self.ripening, self.ripe_at = self.known_end, self.now + self.set["patience_ns"]
        self.mended = self.requests

    def ask(self) -> bytes:
        """The lowest that is wanted, as much as fits, if one more request may be under way."""
        self.under_way = [one for one in self.under_way if max(one.numbers) >= self.expected]
        late = [one for one in self.under_way if self.now >= one.until]
        if self.put_back(late):
            self.threshold, self.window, self.credit = max(1, self.window // 2), 1, 0
            self.wait = max(self.wait, min(2 * self.wait, self.set["repeat_ns"] // 16))
        wanted = {number for one in self.under_way for number in one.numbers}
        long = self.set["tries_max"] * self.set["repeat_ns"] if self.answered else 0
        if self.asked_at >= 0 and self.expected not in wanted and self.now >= self.asked_at + long:
            self.answered = False
            self.lose(m.UNANSWERED)
            return b""
        if self.now >= self.ripe_at:
            self.ripe, self.ripening = self.ripening, self.known_end
            self.ripe_at = self.now + self.set["patience_ns"]
        if len(self.under_way) >= (self.window if self.answered else 1):
            return b""
        limit = min(self.ripe, self.expected + self.set["capacity"])
        if self.expected not in wanted:
            first, limit = self.expected, self.known_end
        else:
            there = wanted | set(self.held)
            begin = max(self.cursor, self.expected)
            free = [number for number in range(begin, limit) if number not in there]
            if not free:
                self.cursor = max(begin, limit)
                return b""
            first = free[0]
        numbers = {first}
        size = max(1, self.sixteenths // 16) if self.sixteenths else 0xFFFE
        for number in range(first + 1, min(limit, first + size)):
            if number in self.held or number in wanted:
                break
            numbers.add(number)
        wait = self.wait if self.answered else self.set["patience_ns"]
        again = first < self.asked_top
        self.under_way.append(Asked(numbers, self.now, self.now + wait, self.requests, again))
        if first == self.expected and self.asked_at < 0:
            self.asked_at = self.now
        self.requests += 1
        self.cursor = max(numbers) + 1
        self.asked_top = max(self.asked_top, self.cursor)
        return struct.pack(">10sQH", self.session, first, len(numbers))

    def put_back(self, lost: list[Asked]) -> bool:
        """These are wanted again; whether that is news."""
        news = any(one.serial >= self.mended for one in lost)
        for one in lost:
            self.under_way.remove(one)
            self.cursor = min(self.cursor, *one.numbers)
        self.unanswered += len(lost)
        if news:
            self.mended = self.requests
        return news

    def learn(self, first: int, after: int) -> None:
        """An answer of the recovery server."""
        found = [one for one in self.under_way if min(one.numbers) == first]
        if not found:
            return
        (one,) = found
        self.under_way.remove(one)
        if not one.again:
            took = self.now - one.at
            self.round = max(took, (7 * self.round + took) // 8)
        if self.round:
            self.wait = max(4 * self.round, 10 * self.set["patience_ns"])
            self.wait = min(self.wait, self.set["repeat_ns"])
        if after <= max(one.numbers):
            self.sixteenths = 16 * (after - first)
            self.cursor = min(self.cursor, after)
            self.cut_short += 1
        elif self.sixteenths and 16 * len(one.numbers) > self.sixteenths - 16:
            self.sixteenths += 1
        self.credit += 1
        if self.window < self.threshold or self.credit >= self.window:
            self.window, self.credit = min(self.window + 1, 64), 0
        if self.put_back([old for old in self.under_way if old.serial + 8 <= one.serial]):
            self.threshold = self.window = max(1, self.window // 2)
            self.credit = 0

    def repaired(self, now: int) -> None:
        self.now = max(self.now, now)
        self.unrepaired = 0
        self.settle()
