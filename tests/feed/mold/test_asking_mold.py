"""Asking for what was lost: several requests at a time, never many more than are answered."""

from __future__ import annotations

import random

import numpy as np
import pytest
from mold_market import message

from hftlib.core import jit
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.memory import LINE_A, LINE_RECOVERY
from hftlib.feed.mold.sequencer import Delivery, Sequencer

MS, SECOND = 1_000_000, 1_000_000_000


class Asker:
    """A sequencer that has missed `count` messages, and a server that says only what it is told."""

    def __init__(self, count: int, **settings: object) -> None:
        given = {"session": "S", "first_sequence": 1, "recovery": True, **settings}
        self.it = Sequencer(**given)  # type: ignore[arg-type]
        self.count, self.now = count, 0
        self.asked: list[tuple[int, int]] = []
        self.out: list[Delivery] = []
        self.heard(p.header("S", count + 1, 0), LINE_A)

    def turn(self) -> None:
        """What a driver does after each datagram, and when time has passed."""
        request = self.it.tick(self.now)
        self.out += self.it.drain()
        if request:
            _, first, count = p.header_of(request)
            self.asked.append((first, count))

    def heard(self, datagram: bytes, line: int = LINE_RECOVERY) -> None:
        self.out += self.it.take(line, datagram, self.now, self.now)
        self.turn()

    def answer(self, first: int, count: int) -> None:
        after = min(first + count, self.count + 1)
        self.heard(p.encode("S", first, [message(number) for number in range(first, after)]))

    def after(self, ns: int) -> None:
        self.now += ns
        self.turn()

    def new(self) -> list[tuple[int, int]]:
        """What was asked for since the last time."""
        made, self.asked = self.asked, []
        return made

    def flows(self, fits: int, answers: int) -> None:
        """So many answers of a server that answers at once, a tick between two of them."""
        for _ in range(answers):
            first, count = self.asked.pop(0)
            self.now += 100_000
            self.answer(first, min(count, fits))
            self.turn()


@pytest.mark.modes
def test_the_first_answer_says_how_much_fits_and_each_one_makes_room_for_two() -> None:
    one = Asker(100_000)
    one.after(MS)
    assert one.new() == [(1, 65_534)]
    one.after(SECOND // 2)
    assert one.new() == [], "nobody has answered: one at a time"
    one.answer(1, 40)
    one.turn()
    one.turn()
    assert one.new() == [(41, 40), (81, 40)]
    one.answer(41, 40)
    one.turn()
    assert one.new() == [(121, 40), (161, 40)]
    assert one.it.state_record["window"] == 3


@pytest.mark.modes
def test_what_an_answer_left_out_is_asked_for_at_once_and_teaches() -> None:
    one = Asker(10_000)
    one.after(MS)
    one.flows(40, 4)
    open_ones = one.new()
    first, count = open_ones[0]
    assert count == 40
    one.answer(first, 33)
    one.turn()
    assert one.new() == [(first + 33, 7), (open_ones[-1][0] + 40, 33)]
    assert one.it.counts["cut_short"] == 2
    for _ in range(24):  # whole answers: a message more
        one.answer(*open_ones.pop(1) if len(open_ones) > 1 else one.asked.pop(0))
        one.turn()
    assert max(count for _, count in one.new()) == 34


@pytest.mark.modes
def test_a_request_that_later_ones_have_passed_is_lost_and_halves_the_window() -> None:
    one = Asker(100_000)
    one.after(MS)
    one.flows(40, 20)
    window = int(one.it.state_record["window"])
    assert window == len(one.asked) == 21
    under_way = one.new()
    lost = under_way.pop(0)
    for _ in range(7):
        one.answer(*under_way.pop(0))
        under_way += one.new()
    assert one.it.state_record["window"] == 28 and "unanswered" not in one.it.counts
    one.answer(*under_way.pop(0))
    assert one.it.state_record["window"] == 14 and one.it.counts["unanswered"] == 1
    while len(under_way) >= 14:  # the others under way are more than the window now
        assert not one.asked
        one.answer(*under_way.pop(0))
    assert one.new() == [lost], "before anything new"
    one.answer(*lost)
    assert one.it.expected > lost[0] + 9 * 40, "and what was held behind it is out"


@pytest.mark.modes
def test_a_server_that_stops_is_asked_a_few_times_a_second_and_given_up() -> None:
    one = Asker(100_000)
    one.after(MS)
    one.flows(40, 30)
    one.new()
    stopped, expected = one.now, one.it.expected
    while one.it.state == "GAP":
        one.after(MS)
    requests = len(one.new())
    assert 3 * SECOND <= one.now - stopped < 4 * SECOND
    assert one.it.state == "LOST" and one.it.reason == "the recovery server did not answer"
    assert 16 < requests < 3 * 16 + 10
    assert one.out[-1].kind == m.OUT_LOST and one.out[-1].first == expected


@pytest.mark.modes
def test_a_server_that_answers_so_many_a_second_and_no_more_is_not_given_up() -> None:
    one = Asker(20_000)
    one.after(MS)
    budget, ends = 100, 0
    while one.it.state == "GAP":
        assert one.now < 60 * SECOND
        if one.now >= ends:
            budget, ends = 100, one.now + SECOND
        for first, count in one.new():
            if budget:
                budget -= 1
                one.answer(first, min(count, 40))
        one.after(MS)
    assert one.it.state == "LIVE" and "lost" not in one.it.counts
    # 520 answers are five budgets and some, and each new one is found within a sixteenth.
    assert one.now < 7 * SECOND
    assert one.it.counts["requests"] < 2 * 520


@pytest.mark.modes
@pytest.mark.parametrize("capacity", [64, 4_096])
def test_no_more_is_under_way_than_the_window_and_nothing_beyond_what_can_be_held(
    capacity: int,
) -> None:
    one = Asker(50_000, capacity=capacity)
    one.after(MS)
    under_way: list[tuple[int, int]] = []
    turns = 2_000 if jit.COMPILED else 100
    for _ in range(turns):
        one.now += 10_000
        under_way += one.new()
        assert len(under_way) <= one.it.state_record["window"] <= m.ASKS_MAX
        assert all(first + count <= one.it.expected + capacity for first, count in under_way[1:])
        if under_way:
            first, count = under_way.pop(0)
            one.answer(first, min(count, 12))
        one.turn()
        one.turn()
    assert one.it.counts["line recovery: first"] > 6 * turns
    assert "line recovery: not held" not in one.it.counts
    assert one.it.state_record["window"] == m.ASKS_MAX or capacity == 64 or not jit.COMPILED


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(6))
def test_every_message_goes_out_once_whatever_is_lost_doubled_or_late(seed: int) -> None:
    chance = random.Random(seed)
    count = 4_000 if jit.COMPILED else 400
    one = Asker(count, capacity=1_024, repeat_ns=20 * MS, tries_max=1_000)
    loses, fits = chance.choice([0.02, 0.2, 0.5]), chance.choice([1, 7, 40])
    under_way: list[tuple[int, int, int]] = []
    while one.it.state != "LIVE":
        assert one.now < 3_600 * SECOND
        one.after(chance.choice([0, 20_000, MS]))
        for first, size in one.new():
            if chance.random() >= loses:
                due = one.now + chance.choice([0, 50_000, 50_000, 2 * MS, 60 * MS])
                under_way += [(due, first, size)] * (1 + (chance.random() < 0.1))
        here = [one_ for one_ in under_way if one_[0] <= one.now]
        under_way = [one_ for one_ in under_way if one_[0] > one.now]
        chance.shuffle(here)
        for _, first, size in here:
            one.answer(first, min(size, max(1, fits - chance.randrange(3))))
        if chance.random() < 0.1:  # the other line brings a piece of it, wherever that is
            first = chance.randrange(1, count)
            texts = [message(number) for number in range(first, min(first + 5, count + 1))]
            one.heard(p.encode("S", first, texts), LINE_A)
    texts = [text for each in one.out for text in each.messages]
    assert texts == [message(number) for number in range(1, count + 1)]
    assert "lost" not in one.it.counts


@pytest.mark.modes
def test_a_copy_of_its_memory_goes_on_asking_for_the_same() -> None:
    one = Asker(50_000)
    one.after(MS)
    one.flows(40, 25)
    other = Asker(50_000)
    other.it.memory[:] = one.it.memory
    other.now, other.asked = one.now, list(one.asked)
    one.out.clear()
    other.out.clear()
    for each in (one, other):
        each.asked.pop(2)  # and one of them is lost
        each.flows(37, 60)
    assert one.asked == other.asked and len(one.asked) > 10
    assert one.out == other.out and one.it.expected > 40 * 25
    settled = np.flatnonzero(one.it.memory != other.it.memory)
    at = m.SEQUENCER.fields
    assert at is not None
    addresses = {n + at["current"][1] for n in range(8)}
    addresses |= {n + at["delivery"][1] + m.DELIVERY.fields["address"][1] for n in range(8)}  # type: ignore[index]
    assert set(settled.tolist()) <= addresses


@pytest.mark.modes
def test_another_gap_right_behind_has_its_patience_before_anybody_is_asked() -> None:
    one = Asker(0)
    one.it.take(LINE_A, p.encode("S", 3, [b"c"]), 0, 0)  # 1 and 2 are missing
    one.after(MS)
    assert one.new() == [(1, 2)]
    one.heard(p.encode("S", 5, [b"e"]), LINE_A)
    one.it._memory["state"]["window"] = 9
    one.after(MS // 2)
    assert one.new() == [], "the other line may bring 4 any moment"
    one.after(MS)
    one.after(MS)
    assert one.new() == [(4, 1)]
