"""Queues and clocks from a tape: a slow twin, planted truths."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import hftlib as hft
from hftlib.book.reading import NO_PRICE
from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.orders import FILL
from hftlib.research.journal_market import around, clocks_of, queues
from hftlib.research.tape import to_tape

S = 1_000_000_000


def naive(tape: Any) -> tuple[dict[int, tuple[int, int]], list[dict[int, int | None]]]:
    """When each order came and what stood before it; middles after each event, by instrument."""
    orders: dict[int, list[int]] = {}
    places, middles = {}, []
    for one in tape.events:
        kind, number = int(one["kind"]), int(one["reference"])
        if kind in (events.ADD, events.REPLACE):
            place = [int(one[name]) for name in ("instrument", "side", "price", "quantity")]
            if kind == events.REPLACE:
                old = orders.pop(number)
                place[0], place[1], number = old[0], old[1], int(one["other"])
            same = [other[3] for other in orders.values() if other[:3] == place[:3]]
            places[number] = int(one["time"]), sum(same)
            orders[number] = place
        elif kind in (events.EXECUTE, events.CANCEL):
            orders[number][3] -= int(one["quantity"])
            if orders[number][3] == 0:
                del orders[number]
        elif kind == events.DELETE:
            del orders[number]
        held = dict(middles[-1]) if middles else {0: None, 1: None}
        rows = (0, 1) if one["instrument"] == events.ALL else (int(one["instrument"]),)
        middles.append(held | {row: twice(orders, row) for row in rows})
    return places, middles


def twice(orders: dict[int, list[int]], row: int) -> int | None:
    bids = [one[2] for one in orders.values() if one[:2] == [row, events.BUY]]
    asks = [one[2] for one in orders.values() if one[:2] == [row, events.SELL]]
    return max(bids) + min(asks) if bids and asks else None


def fills_of(chosen: Any) -> Any:
    """These executions, as if they were ours."""
    fills = np.zeros(len(chosen), FILL)
    for name, field in (("time", "time"), ("instrument", "instrument"), ("match", "other")):
        fills[name] = chosen[field]
    fills["quantity"], fills["number"] = chosen["quantity"], np.arange(1, len(chosen) + 1)[::-1]
    return fills


@pytest.mark.parametrize("seed", [3, 4])
def test_queues_and_middles_are_a_slow_twins(seed: int) -> None:
    tape = to_tape(hft.synthetic(symbols=2, seconds=200, seed=seed))
    places, middles = naive(tape)
    every = tape.events
    done = every[every["kind"] == events.EXECUTE]
    crossed = Counter(done["other"].tolist())
    single = np.array([crossed[number] == 1 for number in done["other"].tolist()])
    chance, pick = random.Random(seed), []
    for some, count in ((np.flatnonzero(single), 50), (np.flatnonzero(~single), 10)):
        pick += chance.sample(some.tolist(), min(count, len(some)))
    chosen = done[sorted(pick)]
    fills = fills_of(chosen)
    fills["taker"][::7] = 1
    fills["match"][1] = 123_456_789  # of a hidden order: the feed names no order that stood
    entered, ahead = queues(tape, fills)
    # A cross fills several under one number, which then names none of them.
    behind, alone = 0, single[sorted(pick)]
    for n, (fill, one) in enumerate(zip(fills, chosen, strict=True)):
        known = n % 7 and n != 1 and alone[n]
        want = places[int(one["reference"])] if known else (0, 0)
        assert (entered[fill["number"]], ahead[fill["number"]]) == want
        behind += want[1] > 0
    assert behind > 5 and entered[0] == 0
    horizons = (1_000, 50_000_000, 10 * S)
    before, marks = around(tape, fills, horizons)
    found = {(one["fill"], one["horizon"]): one["twice_mid"] for one in marks}
    times = np.maximum.accumulate(every["time"])
    for fill in fills:
        row, at = int(fill["instrument"]), int(fill["time"])
        assert before[fill["number"]] == middle(middles, times, row, at - 1)
        for h, later in enumerate(horizons):
            mark = found.pop((fill["number"], h), None)
            assert mark == (
                middle(middles, times, row, at + later) if at + later < tape.end else None
            )
    assert not found and len(marks) > len(fills)


def middle(middles: list[dict[int, int | None]], times: Any, row: int, moment: int) -> int:
    """After the last event at or before this moment."""
    at = int(np.searchsorted(times, moment, side="right")) - 1
    value = middles[at][row] if at >= 0 else None
    return NO_PRICE if value is None else value


def heard(times: list[int], late: list[int]) -> Any:
    """A tape of messages of these times, each so much later with us."""
    chunk = np.zeros(len(times), EVENT)
    chunk["time"], chunk["kind"] = times, events.ADD
    chunk["received"] = chunk["time"] + np.array(late)
    return SimpleNamespace(
        instruments=[],
        chunks=lambda: iter([chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]]),
    )


def test_one_clock_or_two() -> None:
    times = [1_000 * S + n * S for n in range(160)]
    same = clocks_of(heard(times, [40_000 + 1_000 * (n % 5) for n in range(160)]))
    assert same.is_one and same.least_ns == 40_000
    assert "40 µs after the venue's time, at the least" in str(same)
    assert clocks_of(heard(times, [-900_000] * 160)).is_one, "a little behind, as clocks are"
    assert "-900 µs" in str(clocks_of(heard(times, [-900_000] * 160)))
    joined_late = [(70 - n) * S if n < 70 else 30_000 for n in range(160)]
    assert clocks_of(heard(times, joined_late)).is_one, "the beginning was asked for again"
    assert not clocks_of(heard(times, [5 * 3_600 * S] * 160)).is_one, "another zone"
    assert not clocks_of(heard(times, [-5 * 3_600 * S] * 160)).is_one
    assert not clocks_of(heard(times, [n * S // 10 for n in range(160)])).is_one, "it runs slower"
    assert not clocks_of(heard(times, [-n * S // 10 for n in range(160)])).is_one, "it runs faster"
    assert not clocks_of(SimpleNamespace(instruments=[], chunks=lambda: iter([]))).is_one
