"""The market around our orders against a slow twin: every span and every moment, one by one."""

import random

import numpy as np
import pytest
from slow_market import SlowBooks, flow_of_orders
from tapes import OPEN, SECOND, ArraySource, event

from hftlib.book.reading import NO_PRICE
from hftlib.core import events
from hftlib.core.jit import COMPILED
from hftlib.research.tape import to_tape
from hftlib.research.tca_market import watched

pytestmark = pytest.mark.modes
COUNT = 3_000 if COMPILED else 300


def slow(array, moments):
    """All prints as (row, time, price, quantity), and twice the middle at each (time, row)."""
    books, prints, clock = SlowBooks(), [], 0
    middles, left = {}, sorted(set(moments))
    for one in array:
        if one["time"] > clock:
            clock = int(one["time"])
            while left and left[0][0] < clock:
                asked = left.pop(0)
                middles[asked] = middle(books, asked[1])
        _, traded = books.apply(one)
        if traded and not one["flags"] & events.NOT_PRINTABLE:
            prints.append((int(one["instrument"]), clock, *traded))
    return prints, middles | {at: middle(books, at[1]) for at in left}


def middle(books, row):
    bid, ask = books.best(row, events.BUY), books.best(row, events.SELL)
    return NO_PRICE if bid is None or ask is None else bid[0] + ask[0]


@pytest.mark.parametrize("seed", range(4))
def test_it_sees_what_its_slow_twin_sees(seed):
    array, dice = flow_of_orders(COUNT, seed), random.Random(seed)
    times = array["time"].tolist()
    # At events, between them, before the first and after the last.
    moments = [
        (dice.choice(times) + dice.choice((-1, 0, 0, 1)), dice.randrange(2)) for _ in range(200)
    ]
    moments += [(OPEN - SECOND, 0), (times[-1] + SECOND, 1)]
    prints, middles = slow(array, moments)
    tape = to_tape(ArraySource(array))
    at, rows = (np.array(column, np.int64) for column in zip(*moments, strict=True))
    market = watched(tape, [0, 1], at, rows)
    assert market.middles.tolist() == [middles[moment] for moment in moments]
    assert len({middles[moment] for moment in moments}) >= 4
    assert len(prints) > COUNT // 20
    for row in (0, 1):
        begins = np.array([dice.choice(times) + dice.randrange(-1, 2) for _ in range(100)])
        ends = begins + np.array([dice.choice((0, 10**6, SECOND, 60 * SECOND)) for _ in range(100)])
        found, volumes = market.vwap(row, begins, ends)
        for begin, end, price, volume in zip(begins, ends, found, volumes, strict=True):
            mine = [(p, q) for r, time, p, q in prints if r == row and begin <= time <= end]
            assert volume == sum(q for _, q in mine)
            if mine:
                assert price == sum(p * q for p, q in mine) / sum(q for _, q in mine)
            else:
                assert np.isnan(price)


def test_an_instrument_that_was_not_asked_for_has_no_prints():
    array = flow_of_orders(COUNT, 1)
    none = np.zeros(0, np.int64)
    market = watched(to_tape(ArraySource(array)), [1], none, none)
    span = np.array([0]), np.array([2**62])
    assert market.vwap(0, *span)[1] == 0 < market.vwap(1, *span)[1]


def test_a_moment_is_after_all_that_bears_its_time():
    made = [
        event("LEVEL", time=OPEN + n // 2, side=1 + n % 2, price=100 + n, quantity=5, sequence=n)
        for n in range(6)
    ]
    tape = to_tape(ArraySource(np.concatenate(made)))
    at = np.array([OPEN - 1, OPEN, OPEN + 1, OPEN + 2, OPEN + 3])
    market = watched(tape, [0], at, np.zeros(5, np.int64))
    # Bids 100, 102, 104 one after the other, all of them standing; the ask stays at 101.
    assert market.middles.tolist() == [NO_PRICE, 201, 203, 205, 205]
