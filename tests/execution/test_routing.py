"""Routes against brute force: nothing costs less than the plan, and nothing is planned twice."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.events import BUY, SELL
from hftlib.core.fees import FEES
from hftlib.core.parents import ONE
from hftlib.execution import routing
from hftlib.execution.routing import OFFER, OFFERS_MAX

pytestmark = pytest.mark.modes
EXAMPLES = settings(max_examples=300 if jit.COMPILED else 100)
sides = st.sampled_from((BUY, SELL))


def table(count):
    rows = np.zeros(OFFERS_MAX, OFFER)
    rows["instrument"][:count] = np.arange(count)
    return rows


def fees_of(rate, per_lot):
    fees = np.zeros(1, FEES)
    fees["maker_rate"], fees["maker_per_lot"] = -rate, -per_lot
    fees["taker_rate"], fees["taker_per_lot"] = rate, per_lot
    return fees


def put_cost(rows, n, fees, side, taker):
    _put(rows[n : n + 1].ctypes.data, fees.ctypes.data, side, taker)


@jit.compiled("void(int64, int64, int64, int64)")
def _put(offer, fees, side, taker):
    routing.put_cost(routing.offer_at(offer), fees, side, taker)


@EXAMPLES
@given(
    st.integers(-(2**53), 2**53),
    st.integers(-ONE // 2, ONE // 2),
    st.integers(-(2**40), 2**40),
    sides,
    st.integers(0, 1),
)
def test_what_a_lot_costs_is_exact(price, rate, per_lot, side, taker):
    rows, sign = table(1), 1 if taker else -1
    rows["price"][0] = price
    put_cost(rows, 0, fees_of(rate, per_lot), side, taker)
    fee = Fraction(sign * abs(price) * rate, ONE) + Fraction(sign * per_lot, 10**6)
    exact = (price if side == BUY else -price) + fee
    assert rows["cost"][0] + Fraction(int(rows["rest"][0]), ONE) == exact
    assert 0 <= rows["rest"][0] < ONE


@st.composite
def markets(draw):
    """Two or three venues with a few levels each, and fees that may turn their order round."""
    side = draw(sides)
    made = []
    for venue in range(draw(st.integers(1, 3))):
        fees = fees_of(draw(st.integers(-(10**7), 10**7)), draw(st.integers(-(10**6), 10**6)))
        price = draw(st.integers(1_000, 1_005))
        for _ in range(draw(st.integers(1, 3))):
            made.append((venue, price, draw(st.integers(0, 3)), fees))
            price += draw(st.integers(1, 3)) if side == BUY else -draw(st.integers(1, 3))
    return side, made


def laid(side, market):
    rows = table(len(market))
    for n, (venue, price, available, fees) in enumerate(market):
        rows["instrument"][n], rows["price"][n], rows["available"][n] = venue, price, available
        put_cost(rows, n, fees, side, 1)
    return rows


def costs(rows, count):
    return [int(c) * ONE + int(r) for c, r in zip(rows["cost"], rows["rest"], strict=True)][:count]


@EXAMPLES
@given(markets(), st.integers(0, 12))
def test_no_other_plan_costs_less(market, lots):
    side, offers = market
    rows, count = laid(side, offers), len(offers)
    placed = routing.take_cheapest(rows.ctypes.data, count, lots)
    available = rows["available"][:count].tolist()
    assert placed == min(lots, sum(available))
    take, each = rows["take"][:count].tolist(), costs(rows, count)
    assert all(0 <= t <= a for t, a in zip(take, available, strict=True))
    ours = sum(t * c for t, c in zip(take, each, strict=True))
    least = min(
        sum(t * c for t, c in zip(plan, each, strict=True))
        for plan in itertools.product(*(range(a + 1) for a in available))
        if sum(plan) == placed
    )
    assert ours == least
    # A worse level of a venue is taken only behind all better ones: one order can do it.
    for venue in {venue for venue, *_ in offers}:
        mine = [n for n in range(count) if offers[n][0] == venue and available[n] > 0]
        for better, worse in itertools.pairwise(mine):
            assert take[worse] == 0 or take[better] == available[better]


def test_at_the_same_cost_the_nearer_venue_is_taken():
    rows = table(3)
    rows["cost"][:3], rows["available"][:3], rows["latency"][:3] = 100, 5, (300, 100, 200)
    assert routing.take_cheapest(rows.ctypes.data, 3, 7) == 7
    assert rows["take"][:3].tolist() == [0, 5, 2]


@EXAMPLES
@given(
    st.lists(st.integers(1, 2**54), min_size=1, max_size=8),
    st.integers(1, 2**53),
    st.integers(1, 100),
)
def test_a_split_is_whole_and_in_proportion(weights, lots, clip):
    rows = table(len(weights))
    rows["weight"][: len(weights)] = weights
    assert routing.split(rows.ctypes.data, len(weights), lots, clip) == lots
    take = rows["take"][: len(weights)].tolist()
    assert sum(take) == lots and min(take) >= 0
    heaviest = weights.index(max(weights))
    for n, weight in enumerate(weights):
        fair = Fraction(lots * weight, sum(weights))
        if n != heaviest:
            assert take[n] % clip == 0
            assert fair - clip - 1 - Fraction(lots, ONE) <= take[n] <= fair


@EXAMPLES
@given(st.integers(0, 2**53), st.integers(0, 10**15), st.integers(-1, 10**12))
def test_what_still_stands_is_life_over_life_and_latency(shown, life, latency):
    got = routing.still_there(shown, life, latency)
    if life == 0 or latency <= 0:
        assert got == shown
    else:
        exact = Fraction(shown * life, life + latency)
        assert exact - 1 - Fraction(shown, ONE) <= got <= exact


@EXAMPLES
@given(st.integers(0, 2**53), st.integers(0, 2**50), st.data())
def test_hidden_is_as_it_printed_and_at_most_what_shows(shown, printed, data):
    hidden = data.draw(st.integers(0, printed))
    got = routing.expected_hidden(shown, printed, hidden)
    assert 0 <= got <= shown
    if 0 < hidden < printed - hidden:
        exact = Fraction(shown * hidden, printed - hidden)
        assert exact - 1 - Fraction(shown, ONE) <= got <= exact


def test_standing_is_worth_most_where_it_saves_most_and_is_filled():
    """Two lots of the same price: a rebate of 2 there, of 1 here; half as likely there."""
    rows = table(2)
    rows["cost"][:2], rows["weight"][:2] = (98, 99), (100, 210)
    worth = [_worth(rows[n : n + 1].ctypes.data, 101, 0) for n in range(2)]
    assert worth == [300.0, 420.0]
    assert routing.fill_weight(1_000, 99) > routing.fill_weight(1_000, 199)
    assert routing.fill_weight(0, 10**15) == 1


@jit.compiled("float64(int64, int64, int64)")
def _worth(offer, cost, rest):
    return routing.worth_standing(routing.offer_at(offer), cost, rest)
