"""The sequencer against its slow twin: random loss, reorder, duplication, skew, recovery, nonsense.

A schedule is a few sessions of numbered messages, cut into packets differently for each line, and a
random walk over what may happen next. Every verdict, every delivery, every request, the state and
the counts must be the same after every step.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from sequencer_twin import SlowSequencer

from hftlib.core import jit
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.sequencer import Delivery, Sequencer

SESSIONS = [b"TODAY     ", b"TOMORROW  ", bytes(10)]


class Walk:
    """One random schedule, offered to both."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.settings: dict[str, Any] = {
            "session": (session := chance.choice([None, None, SESSIONS[0]])),
            "first_sequence": chance.choice([0, 1, 1, 5 if session else 0]),
            "recovery": chance.random() < 0.6,
            "capacity": chance.choice([1, 2, 8, 8, 32, 256]),
            "message_bytes_max": 14,  # all that fits a slot of 32
            "patience_ns": chance.choice([0, 3, 20]),
            "repeat_ns": chance.choice([1, 10, 50, 2_000, 20_000]),
            "tries_max": chance.choice([1, 2, 3]),
            "silence_ns": chance.choice([60, 200]),
        }
        self.fast, self.slow = Sequencer(**self.settings), SlowSequencer(**self.settings)
        self.now, self.out = 100, []
        self.server_answers = chance.random() < 0.8
        self.server_fits = chance.choice([1, 2, 5, 20])
        self.server_loses = chance.choice([0, 0, 0.1, 0.5])
        self.server_cuts = 0.2
        self.asks_after_each = chance.random() < 0.7
        self.replies: list[bytes] = []
        self.window_most = 1
        self.begin(0)

    def begin(self, session: int) -> None:
        """The next session: its messages, and for each line the packets still to come."""
        chance = self.chance
        self.number, self.session = session, SESSIONS[session]
        size = chance.choice([chance.randrange(1, 60), 60, 600])
        self.texts = [chance.randbytes(chance.choice([0, 1, 5, 14, 14, 15])) for _ in range(size)]
        self.to_come = [self.cut(), self.cut()]
        self.held_back: list[tuple[int, bytes]] = []

    def cut(self) -> list[bytes]:
        """All messages in packets of some size, with a heartbeat here and there, and the end."""
        made, at = [], 0
        while at < len(self.texts):
            step = self.chance.choice([1, 1, 2, 3, 7])
            made.append(p.encode(self.session, 1 + at, self.texts[at : at + step]))
            at = min(at + step, len(self.texts))
            if self.chance.random() < 0.2:
                made.append(p.header(self.session, 1 + at, 0))
        return [*made, p.header(self.session, 1 + at, p.END_COUNT)]

    def step(self) -> None:
        chance = self.chance
        self.now += chance.choice([0, 1, 1, 2, 10, 30])
        what = chance.random()
        line = chance.randrange(2)
        if what < 0.55 and self.to_come[line]:
            self.sent(line, self.to_come[line].pop(0))
        elif what < 0.65 and self.held_back:
            self.offer(*self.held_back.pop(chance.randrange(len(self.held_back))))
        elif what < 0.78 and self.replies:
            place = 0 if chance.random() < 0.8 else chance.randrange(len(self.replies))
            self.offer(m.LINE_RECOVERY, self.replies.pop(place))
        elif what < 0.93:
            self.tick()
        elif what < 0.95:
            self.fast.repaired(self.now)
            self.slow.repaired(self.now)
            self.compare(list(self.fast.drain()), self.slow.told_so_far())
        elif what < 0.99:
            self.offer(chance.randrange(4), self.nonsense())
        elif self.number + 1 < len(SESSIONS):
            self.begin(self.number + 1)

    def sent(self, line: int, datagram: bytes) -> None:
        fate = self.chance.random()
        if fate < 0.15:
            return  # lost
        if fate < 0.3:
            self.held_back.append((line, datagram))
            return
        self.offer(line, datagram)
        if fate > 0.95:
            self.offer(line, datagram)

    def nonsense(self) -> bytes:
        chance = self.chance
        far = p.encode(self.session, chance.choice([0, 40, 200, 201, 1 << 61]), [b"far", b"off"])
        other = p.encode(chance.choice([*SESSIONS, b"ELSEWHERE "]), chance.randrange(9), [b"what"])
        end = p.header(self.session, chance.randrange(1, 80), p.END_COUNT)
        cut = far[: chance.randrange(len(far))]
        return chance.choice([far, far, other, end, cut, far + b"more", b"", bytes(20)])

    def tick(self) -> None:
        request = self.fast.tick(self.now)
        assert request == self.slow.tick(self.now)
        self.compare(list(self.fast.drain()), self.slow.told_so_far())
        if not request:
            return
        session, first, count = p.header_of(request)
        self.window_most = max(self.window_most, len(self.slow.under_way))
        reached = self.server_answers and self.chance.random() >= self.server_loses
        if reached and session == self.session and first <= len(self.texts):
            fits = (
                self.chance.choice([1, 2, 5])
                if self.chance.random() < self.server_cuts
                else self.server_fits
            )
            count = min(count, fits, len(self.texts) + 1 - first)
            reply = p.encode(session, first, self.texts[first - 1 : first - 1 + count])
            self.replies += [reply] * (2 if self.chance.random() < 0.05 else 1)

    def offer(self, line: int, datagram: bytes) -> None:
        received = self.chance.randrange(1 << 40)
        fast = self.fast.take(line, datagram, received, self.now)
        self.compare(fast, self.slow.take(line, datagram, received, self.now))
        if self.asks_after_each:
            self.tick()

    def compare(self, fast: list[Delivery], slow: list[Delivery]) -> None:
        assert fast == slow
        assert (self.fast.state, self.fast.reason) == (self.slow.state, self.slow.reason)
        assert self.fast.expected == self.slow.expected
        state = self.fast.state_record
        names = ["messages", "late", "gaps", "lost", "unrepaired", "sessions", "reopened"]
        names += ["asked_at"] if self.fast.state == "GAP" else []
        names += ["requests", "unanswered", "cut_short", "window", "threshold", "mended"]
        for name in names:
            assert state[name] == getattr(self.slow, name), name
        assert state["fit"] == self.slow.sixteenths
        assert state["wait_ns"] == self.slow.wait
        held = self.fast._memory["numbers"][0]
        assert state["held"] == len(self.slow.held)
        assert sorted(held[held != 0].tolist()) == sorted(self.slow.held)
        lines = self.fast._memory["lines"][0]
        for name in ("first", "again", "before", "not_held"):
            assert lines[name].tolist() == getattr(self.slow, name), name
        verdicts = lines["verdicts"].sum(axis=0).tolist()
        assert verdicts == [self.slow.verdicts.count(n) for n in range(len(p.VERDICTS))]
        self.out += fast


class Late(Walk):
    """One who has missed much, and a server that answers: requests pass each other, are lost."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        chance = self.chance
        self.settings |= {"session": SESSIONS[0], "first_sequence": 1, "recovery": True}
        self.settings |= {"capacity": chance.choice([64, 256, 4_096]), "tries_max": 3}
        self.settings |= {"repeat_ns": chance.choice([500, 20_000]), "silence_ns": 1 << 40}
        self.fast, self.slow = Sequencer(**self.settings), SlowSequencer(**self.settings)
        self.texts = [chance.randbytes(chance.choice([1, 5, 14])) for _ in range(1_500)]
        self.to_come = [self.cut()[-60:], self.cut()[-60:]]
        self.server_answers, self.asks_after_each = True, True
        self.server_fits, self.server_loses = chance.choice([3, 9, 20]), chance.choice([0, 0.05])
        self.server_cuts, self.most_passed = 0.02, 0
        for _ in range(2):
            self.offer(0, p.header(self.session, 1_300, 0))

    def step(self) -> None:
        chance = self.chance
        self.now += chance.choice([0, 1, 1, 3])
        what, line = chance.random(), chance.randrange(2)
        before, late = self.slow.unanswered, self.slow.window
        if what < 0.35 and self.replies:
            self.offer(m.LINE_RECOVERY, self.replies.pop(0 if what < 0.33 else -1))
            self.most_passed += self.slow.unanswered - before if late > 8 else 0
        elif what < 0.4 and self.to_come[line]:
            self.sent(line, self.to_come[line].pop(0))
        elif what < 0.41:
            self.now += 100
        else:
            self.tick()


@pytest.mark.modes
def test_a_slow_twin_asks_for_the_same_when_much_is_missing() -> None:
    windows: list[int] = []
    passed = whole = 0
    for seed in range(60 if jit.COMPILED else 3):
        late = Late(seed)
        for _ in range(1_500):
            late.step()
        windows.append(late.window_most)
        passed += late.most_passed
        whole += late.fast.expected > 1_300
        whole_and_in_order(late.out)
    assert max(windows) > (30 if jit.COMPILED else 8)
    assert not jit.COMPILED or (passed > 20 and whole > 9), (passed, whole)


@pytest.mark.modes
def test_a_slow_twin_agrees_at_every_step_of_any_schedule() -> None:
    met: set[str] = set()
    verdicts: set[int] = set()
    kinds: set[int] = set()
    windows: list[int] = []
    for seed in range(600 if jit.COMPILED else 40):
        walk = Walk(seed)
        for _ in range(150):
            walk.step()
        windows.append(walk.window_most)
        met |= {reason for _, _, _, reason in walk.fast.changes}
        verdicts |= set(walk.slow.verdicts)
        kinds |= {delivery.kind for delivery in walk.out}
        whole_and_in_order(walk.out)
    assert kinds == set(range(1, len(m.DELIVERIES)))
    assert max(windows) > 3
    if jit.COMPILED:  # a schedule that never meets a rule says nothing about it
        assert met == set(m.REASONS) - {"start"}
        assert set(range(1, len(p.VERDICTS))) - verdicts == {p.BEYOND, p.TRUNCATED, p.NO_SUCH_LINE}


def whole_and_in_order(out: list[Delivery]) -> None:
    """Each number once, in order, and none missing but those told to be lost."""
    at = 0
    for delivery in out:
        if delivery.kind == m.OUT_SESSION:
            at = 1
        elif delivery.kind in (m.OUT_MESSAGES, m.OUT_LOST):
            assert delivery.first == (at or delivery.first) < delivery.after
            at = delivery.after
        if delivery.kind == m.OUT_MESSAGES:
            assert len(delivery.messages) == delivery.after - delivery.first
