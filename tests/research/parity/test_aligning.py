"""Which order is which: the same thing wanted at about the same time, each order once."""

import random
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

from hftlib.core import orders as o
from hftlib.core.events import BUY, SELL
from hftlib.research.parity.aligning import aligned, heard_times

MS = 1_000_000


def orders(*rows):
    """(time, side, price, quantity), all of one instrument and strategy."""
    made = np.zeros(len(rows), o.ORDER)
    for n, (time, side, price, quantity) in enumerate(rows):
        made[n]["id"], made[n]["sent"], made[n]["side"] = n + 1, time, side
        made[n]["price"], made[n]["quantity"] = price, quantity
        made[n]["state"], made[n]["kind"], made[n]["lasts"] = o.LIVE, o.LIMIT, o.DAY
    return made


def pair(left, right, within=10 * MS):
    return aligned(left, right, left["sent"], right["sent"], within)


def test_the_nearest_of_the_same_price_is_the_other_even_if_another_price_is_nearer():
    left = orders((100 * MS, BUY, 50, 10))
    right = orders((100 * MS, BUY, 49, 10), (103 * MS, BUY, 50, 10), (104 * MS, BUY, 50, 10))
    made = pair(left, right)
    assert made.session.tolist() == [0] and made.backtest.tolist() == [1]
    assert made.only_backtest.tolist() == [0, 2] and made.shared == 2 / 4


def test_another_side_or_instrument_or_an_ioc_is_another_decision():
    left = orders((100, BUY, 50, 10))
    for name, value in (("side", SELL), ("instrument", 3), ("lasts", o.IOC), ("strategy", 2)):
        right = orders((100, BUY, 50, 10))
        right[name] = value
        made = pair(left, right)
        assert len(made.session) == 0 and made.shared == 0.0


def test_what_never_left_is_no_decision_and_nothing_on_either_side_is_all_shared():
    left = orders((100, BUY, 50, 10), (200, BUY, 50, 10), (0, BUY, 50, 10))
    left["state"][0] = o.WAS_REFUSED
    right = orders((200, BUY, 50, 10))
    made = pair(left, right)
    assert made.session.tolist() == [1] and made.shared == 1.0
    assert pair(left[:1], right[:0]).shared == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_no_order_is_in_two_pairs_and_none_is_beyond_the_window(seed):
    dice = random.Random(seed)

    def some():
        return [
            (dice.randrange(200) * MS, dice.choice((BUY, SELL)), dice.randrange(48, 51), 10)
            for _ in range(dice.randrange(40))
        ]

    left, right = orders(*some()), orders(*some())
    made = pair(left, right)
    assert len(set(made.session.tolist())) == len(made.session)
    assert len(set(made.backtest.tolist())) == len(made.backtest)
    apart = np.abs(left["sent"][made.session] - right["sent"][made.backtest])
    assert (apart <= 10 * MS).all()
    assert (left["side"][made.session] == right["side"][made.backtest]).all()
    for one in made.only_session:  # nothing that would fit is left over on both sides
        fits = (right["side"] == left["side"][one]) & (
            np.abs(right["sent"] - left["sent"][one]) <= 10 * MS
        )
        assert not np.intersect1d(np.flatnonzero(fits), made.only_backtest).size


@pytest.mark.parametrize("seed", range(10))
def test_few_orders_of_one_price_pair_as_well_as_any_pairing_does(seed):
    dice = random.Random(seed)
    count = 5
    left = orders(*[(n * 20 * MS + dice.randrange(MS), BUY, 50, 10) for n in range(count)])
    right = orders(*[(n * 20 * MS + dice.randrange(MS), BUY, 50, 10) for n in range(count)])
    made = pair(left, right)
    best = min(
        sum(abs(int(left["sent"][a] - right["sent"][b])) for a, b in enumerate(one))
        for one in permutations(range(count))
    )
    found = np.abs(left["sent"][made.session] - right["sent"][made.backtest]).sum()
    assert len(made.session) == count and found == best


def tape(*rows):
    """(the venue's time, when it was heard)."""
    made = np.zeros(len(rows), [("time", np.int64), ("received", np.int64)])
    made["time"], made["received"] = np.array(rows, np.int64).T
    return SimpleNamespace(events=made)


def test_our_clock_becomes_the_venues_and_goes_on_where_nothing_is_heard():
    heard = tape((1_000, 5_000), (1_100, 5_150), (1_200, 5_190))
    moments = np.array([4_000, 5_000, 5_040, 5_140, 5_150, 5_170, 5_190, 5_200, 9_190])
    found = heard_times(heard, moments).tolist()
    assert found == [1_000, 1_000, 1_040, 1_100, 1_100, 1_120, 1_200, 1_210, 5_200]
    nothing = tape((1_000, 0), (1_100, 0))
    assert heard_times(nothing, moments).tolist() == moments.tolist()


def test_hundreds_of_orders_in_a_silent_market_find_their_others():
    times = [(one + 1) * MS for one in range(300)]
    left, right = (orders(*((one, BUY, 50, 10) for one in times)) for _ in "ab")
    left["sent"] += 7 * MS  # our clock, another one
    made = aligned(
        left, right, heard_times(tape((0, 7 * MS)), left["sent"]), right["sent"], MS // 2
    )
    assert made.shared == 1.0 and made.session.tolist() == made.backtest.tolist()
