"""The follower of best prices: stories, and a slow judge's book beside it on a synthetic day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exchange_judge import Judge

import hftlib as hft
from hftlib.core import events as ev
from hftlib.core.events import BUY, EVENT, SELL
from hftlib.research.inside import Followed, followed

S = 10**9


def tape(*rows: dict[str, int]) -> np.ndarray[Any, Any]:
    made = np.zeros(len(rows), EVENT)
    for event, row in zip(made, rows, strict=True):
        for name, value in row.items():
            event[name] = value
    return made


def add(time: int, reference: int, side: int, price: int, quantity: int = 100) -> dict[str, int]:
    return {
        "time": time,
        "kind": ev.ADD,
        "reference": reference,
        "side": side,
        "price": price * 100,
        "quantity": quantity,
    }


def other(time: int, kind: int, reference: int = 0, **more: int) -> dict[str, int]:
    return {"time": time, "kind": kind, "reference": reference, **more}


def follow(*rows: dict[str, int]) -> Followed:
    return followed(tape(*rows), 100, 0, 60 * S)


@pytest.mark.modes
def test_best_prices_are_told_when_they_change() -> None:
    seen = follow(
        add(1, 1, BUY, 1000),
        add(2, 2, SELL, 1003),
        add(3, 3, BUY, 999),  # behind the best: no change
        add(4, 4, BUY, 1001),
        other(5, ev.EXECUTE, 4, quantity=40),
        other(6, ev.EXECUTE, 4, quantity=60),
        other(7, ev.REPLACE, 2, other=5, price=100_200, quantity=10),
        other(8, ev.CANCEL, 1, quantity=100),
        other(9, ev.DELETE, 5),
        other(10, ev.TRADE, quantity=7),
    )
    assert [tuple(row) for row in seen.insides.tolist()] == [
        (1, 1000, 0),
        (2, 1000, 1003),
        (4, 1001, 1003),
        (6, 1000, 1003),
        (7, 1000, 1002),
        (8, 999, 1002),
        (9, 999, 0),
    ]
    assert seen.trades.tolist() == [(5, -1, 40), (6, -1, 60), (10, 0, 7)]
    assert seen.lives_ns.tolist() == [5, 2]
    assert (seen.unknown, seen.repaired, seen.outside) == (0, 0, 0)


@pytest.mark.modes
def test_what_an_event_proves_gone_is_repaired_and_counted() -> None:
    seen = follow(
        add(1, 1, SELL, 1000),
        add(2, 2, SELL, 1001),
        add(3, 3, SELL, 1005),
        add(4, 4, BUY, 1001),  # nobody sells at 1000 or 1001 any more
        add(5, 5, BUY, 998),
        other(6, ev.EXECUTE, 5, quantity=10),  # so nobody bids 1001
        other(7, ev.DELETE, 1),  # long gone: takes nothing from anybody
        add(8, 6, SELL, 1000),
        other(9, ev.DELETE, 77),
        other(10, ev.EXECUTE, 2, quantity=10**6),
        add(11, 7, BUY, 10**6),
    )
    assert [tuple(row) for row in seen.insides.tolist()][2:] == [
        (6, 998, 1005),
        (8, 998, 1000),
        (10, 998, 1005),
    ]
    assert (seen.unknown, seen.repaired, seen.outside) == (1, 4, 1)


@pytest.mark.modes
def test_the_depth_is_a_mean_over_the_seconds_of_the_span() -> None:
    seen = follow(
        add(0, 1, BUY, 1000, 100),
        add(0, 2, BUY, 990, 300),
        add(0, 3, SELL, 1001, 500),
        other(10 * S + 1, ev.CANCEL, 3, quantity=400),
        other(20 * S + 1, ev.TRADE),
    )
    # Twenty looks at two sides: ten with 500 to sell, ten with 100.
    assert seen.depth.tolist() == [(20 * 100 + 10 * 500 + 10 * 100) / 40, 150, 0, 0, 0]


def test_a_slow_judge_sees_the_same_best_prices_all_day() -> None:
    market = hft.synthetic(symbols=2, seconds=120, seed=9, rate=100, halts=2)
    judge = Judge().day(market.itch_bytes())
    whole = np.concatenate([chunk.copy() for chunk in market.chunks()])
    midnight = int(whole["time"][0]) - (34_200 - 31) * S
    for row in range(2):
        mine = whole[(whole["instrument"] == row) & (whole["kind"] <= ev.TRADE)]
        seen = followed(np.ascontiguousarray(mine), 100, 0, 0)
        assert (seen.unknown, seen.outside, seen.repaired) == (0, 0, 0)
        got = [(t - midnight, bid * 100, ask * 100) for t, bid, ask in seen.insides.tolist()]
        # A replacement takes off and adds at once for the judge, one after the other for us.
        assert got == [one for one in judge.insides[row + 1] if one[1] or one[2]]
        assert len(seen.lives_ns) > 1000
