"""Sizes against exact fractions, a published example, and inputs that are none."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tapes import OPEN, ArraySource, event

import hftlib as hft
from hftlib.core.instruments import Instruments
from hftlib.research.tape import to_tape
from hftlib.risk.sizing import LOTS_MAX, by_equity, by_kelly, by_volatility

pytestmark = pytest.mark.modes

money = st.floats(1e-3, 1e15)
prices = st.floats(1e-2, 1e9)
shares = st.floats(-10.0, 10.0)
spreads = st.floats(1e-6, 10.0)
any_float = st.floats(allow_nan=True, allow_infinity=True)


def exactly(equity, share, price):
    lots = Fraction(equity) * Fraction(share) / Fraction(price)
    return max(-LOTS_MAX, min(LOTS_MAX, math.trunc(lots)))


def near(lots, exact):
    """Floats may round across a whole lot, and lose the last of sixteen digits."""
    return abs(lots - exact) <= 1 + abs(exact) * 1e-14


@given(money, shares, prices)
def test_a_share_of_equity_buys_what_exact_fractions_say(equity, share, price):
    assert near(by_equity(equity, share, price), exactly(equity, share, price))


@given(money, st.floats(0.0, 1.0), prices, spreads)
def test_one_deviation_of_the_holding_is_the_share_at_risk(equity, risked, price, volatility):
    exact = exactly(equity, Fraction(risked) / Fraction(volatility), price)
    assert near(by_volatility(equity, risked, price, volatility), exact)


@given(money, st.floats(0.01, 1.0), prices, st.floats(-1.0, 1.0), spreads, st.floats(0.01, 3.0))
def test_kelly_is_edge_over_variance_and_never_beyond_its_cap(
    equity, part, price, edge, volatility, cap
):
    share = Fraction(part) * Fraction(edge) / Fraction(volatility) ** 2
    share = max(-Fraction(cap), min(Fraction(cap), share))
    lots = by_kelly(equity, part, price, edge, volatility, cap)
    assert near(lots, exactly(equity, share, price))
    assert abs(lots) * price <= cap * equity * (1 + 1e-12) + price or abs(lots) == LOTS_MAX


def test_the_stock_market_of_thorp():
    """E. O. Thorp, 2006: drift 11 %, interest 6 %, deviation 15 %: 2.22 times the wealth."""
    assert by_kelly(1_000_000.0, 1.0, 1.0, 0.11 - 0.06, 0.15, 10.0) == 2_222_222
    assert by_kelly(1_000_000.0, 0.5, 1.0, 0.11 - 0.06, 0.15, 10.0) == 1_111_111
    assert by_kelly(1_000_000.0, 1.0, 1.0, 0.11 - 0.06, 0.15, 1.0) == 1_000_000
    assert by_kelly(1_000_000.0, 1.0, 1.0, -0.05, 0.15, 1.0) == -1_000_000


@given(any_float, any_float, any_float, any_float, any_float, any_float)
def test_whatever_comes_in_a_size_comes_out(equity, part, price, edge, volatility, cap):
    given_to = (equity, part, price, edge, volatility, cap)
    for lots in (
        by_equity(equity, part, price),
        by_volatility(equity, part, price, volatility),
        by_kelly(*given_to),
    ):
        assert -LOTS_MAX <= lots <= LOTS_MAX
        if not (equity > 0 and price > 0):
            assert lots == 0


@hft.strategy
class BuysATwentieth:
    """One order: a twentieth of a million."""

    sent: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if self.sent == 0 and b.has_both:
            self.sent = 1
            ctx.buy(i, b.ask, hft.sizing.by_equity(1_000_000.0, 0.05, b.ask))


@pytest.mark.parametrize("compiled", [True, False])
def test_a_strategy_asks_for_its_size(compiled):
    table = Instruments()
    table.add("ONE", venue="HERE", tick=1, round_lot=1)
    rows = [
        event("LEVEL", time=OPEN + n, side=side, price=price, quantity=5)
        for n, (side, price) in enumerate([(1, 99), (2, 100)])
    ]
    tape = to_tape(ArraySource(np.concatenate(rows), table))
    result = hft.backtest(BuysATwentieth, tape, compiled=compiled)
    assert result.records["orders"]["quantity"].tolist() == [500]
