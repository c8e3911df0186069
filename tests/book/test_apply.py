"""A slow twin duels the books over millions of random events, whatever they hold and forget."""

from __future__ import annotations

import os
import time
from random import Random

import numpy as np
import pytest
from checks import agree, answered, made
from flows import ORDERS, Flow
from fuzzing import fuzz_seconds

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.tables import REASONS
from hftlib.core import events, jit
from hftlib.core.events import EVENT

# Prices of garbage overflow on their way to no level; uncompiled, numpy says so.
WRAPS = pytest.mark.filterwarnings("ignore:overflow encountered")
ROOMY = Capacity(instruments=4, orders=1 << 13, levels=1 << 12, pages=1 << 10, homes=1 << 11)
CASES: dict[str, tuple[int, Flow, list[int]]] = {
    # name: events, how they look, ticks
    "a few prices": (300_000, Flow(width=3), [1, 1, 1]),
    "many prices, cent ticks": (200_000, Flow(width=600, step=100), [100, 100, 100]),
    "one price, long queues": (200_000, Flow(width=0, pool=500), [1, 1, 1]),
    "several prices in a slot": (200_000, Flow(off_grid=99, width=4, step=100), [100, 1000, 7]),
    "below zero": (150_000, Flow(center=-70, width=40), [1, 3, 10]),
    "around zero, sides apart": (150_000, Flow(center=0, apart=9, width=9), [1, 2, 5]),
    "far pages": (150_000, Flow(step=32 * 977, width=200), [1, 1, 977]),
    "pages everywhere": (60_000, Flow(step=2**44, width=2**11, center=0, pool=600), [1, 10, 100]),
    "at the highest price": (100_000, Flow(center=2**56 - 20), [1, 100, 2**40]),
    "at the lowest price": (100_000, Flow(center=20 - 2**56), [1, 100, 2**62]),
    "a pool that moves on": (300_000, Flow(moving=3, pool=4_000), [1, 1, 1]),
    "sparse references": (200_000, Flow(references="sparse"), [1, 1, 1]),
    "any references": (200_000, Flow(references="random"), [1, 1, 1]),
    "one home for all": (150_000, Flow(references="one home", pool=300), [1, 1, 1]),
    "levels and orders mixed": (
        200_000,
        Flow(kinds=ORDERS | {events.LEVEL: 20, events.QUOTE: 0.2, events.CLEAR: 0.02}),
        [1, 1, 1],
    ),
    "only levels": (100_000, Flow(kinds={events.LEVEL: 1}, width=400), [1, 7, 100]),
    "garbage": (200_000, Flow(garbage=0.03), [1, 100, 7]),
    "nothing but garbage": (100_000, Flow(garbage=0.4, pool=50), [1, 100, 7]),
}


def duel(count: int, flow: Flow, ticks: list[int], capacity: Capacity, seed: int = 1) -> Books:
    """Each answer is compared; the whole of the books now and then, and at the end."""
    books, twin = made(ticks, capacity)
    array, at = flow.made(count, seed), 0
    looks = [count // 50, count // 7, count // 3, count]  # early, while little is there, and late
    for look in looks:
        part = array[at:look]
        ours, theirs = answered(books, part), twin.apply(part)
        if ours != theirs:
            (first, *_) = np.flatnonzero(np.array(ours) != np.array(theirs))
            told = dict(zip(EVENT.names or (), part[first].tolist(), strict=True))
            raise AssertionError(f"event {at + first}: {ours[first]} for {theirs[first]}: {told}")
        agree(books, twin)
        at = look
    return books


@pytest.mark.parametrize("case", CASES)
def test_a_slow_twin_agrees_with_every_answer_and_with_the_whole_books(case: str) -> None:
    count, flow, ticks = CASES[case]
    duel(count, flow, ticks, ROOMY)


@WRAPS
@pytest.mark.modes
@pytest.mark.parametrize("case", ["several prices in a slot", "one home for all", "garbage"])
def test_a_slow_twin_agrees_in_every_mode(case: str) -> None:
    _, flow, ticks = CASES[case]
    capacity = Capacity(instruments=4, orders=60, levels=40, pages=20, homes=16)
    duel(5_000 if jit.COMPILED else 1_500, flow, ticks, capacity, seed=2)


def test_the_duels_meet_every_reason_and_every_kind():
    """What random events never reach, they prove nothing about."""
    met, kinds = np.zeros(16, np.int64), set()
    for capacity in (ROOMY, Capacity(4, 60, 400, 90, 16), Capacity(4, 900, 40, 60, 16)):
        for flow in (Flow(garbage=0.02), Flow(garbage=0.02, step=40)):
            met += duel(10_000, flow, [1, 100, 7], capacity, seed=3).header["impossible"]
            kinds |= set(flow.made(10_000, 3)["kind"].tolist())
    assert not met[0] and met[1 : len(REASONS)].all() and not met[len(REASONS) :].any()
    assert kinds > set(range(len(events.KINDS)))


@pytest.mark.fuzz
def test_a_slow_twin_agrees_in_books_and_flows_of_any_kind():
    """As long as there is time: capacities of one or of thousands, and any mixture of flows."""
    chance = Random(int(os.environ.get("HFT_FUZZ_SEED") or 1))
    end, rounds = time.monotonic() + fuzz_seconds(), 0
    while rounds < 5 or time.monotonic() < end:
        room = [chance.choice((1, 2, 5, 30, 200, 2_000, 9_000)) for _ in range(4)]
        capacity = Capacity(chance.choice((1, 2, 4, 60)), *room)
        ticks = [chance.choice((1, 2, 7, 100, 2**62)) for _ in range(capacity.instruments)]
        flow = Flow(
            pool=chance.choice((3, 30, 500, 5_000)),
            references=chance.choice(("dense", "sparse", "one home", "random")),
            moving=chance.choice((0, 0, 1, 7)),
            instruments=chance.choice((1, 3, 50)),
            center=chance.choice((0, 1_000_000, -50, 2**56 - 50, 50 - 2**56)),
            width=chance.choice((0, 3, 50, 2_000)),
            step=chance.choice((1, 10, 100, 3_200, 2**40)),
            off_grid=chance.choice((0, 0, 1, 99)),
            apart=chance.choice((0, 5)),
            sizes=chance.choice((1, 8, 2**40)),
            garbage=chance.choice((0, 0, 0.01, 0.3)),
        )
        duel(20_000, flow, ticks, capacity, seed=chance.randrange(10**9))
        rounds += 1
