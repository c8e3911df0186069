"""Indicators against their formulas, over random streams and over a market, in both modes."""

import math

import numpy as np
import pytest
import slow_indicators as slow
from indicator_probes import Probe

from tests.strategy.desk import Desk

NO_PRICE = -(2**60)
LATER = 700
# How often time moves how, and how often a number is none.
STEPS, VALUES = [0.2, 0.2, 0.3, 0.2, 0.08, 0.02], [0.9, 0.04, 0.02, 0.02, 0.02]
SIZES = [0.9, 0.04, 0.03, 0.03]


class Twins:
    """The slow one of each answer of the probe."""

    def __init__(self):
        self.ema, self.by_update = slow.SlowEMA(3_000), slow.SlowEMAByUpdate(2.5)
        self.seven, self.one = slow.SlowRolling(7), slow.SlowRolling(1)
        self.trades, self.young = slow.SlowVWAP(5, 0), slow.SlowVWAP(6, 4_000)
        self.flow, self.rate = slow.SlowOrderFlow(2_000), slow.SlowHawkes(2.0, 3.0, 1_000)
        self.moves = slow.SlowVolatility(9_000, 1_000, False)
        self.shares = slow.SlowVolatility(9_000, 1_000, True)
        self.micro = slow.SlowMicroprice()

    def answers(self, now, x, y, quotes):
        told = [self.ema.update(now, x), self.by_update.update(x)]
        z = self.seven.z(x)
        self.seven.update(x)
        self.one.update(x)
        told += [self.seven.mean(), self.one.mean(), z, self.seven.variance(), math.nan]
        told += [self.trades.update(now, x, y), self.young.update(now, x, y)]
        told += [self.flow.update(now, *quotes), self.rate.update(now, y)]
        told += [self.rate.at(now + LATER), self.moves.update(now, x), self.shares.update(now, x)]
        told += [self.micro.update(*quotes, 2)]
        moment = max(now + LATER, self.flow.now)
        told += [self.flow.value() * 0.5 ** ((moment - self.flow.now) / 2_000), self.seven.mean()]
        return told


def stream(seed, count=300):
    """Times that stand still, rarely go back, and numbers of which some are none."""
    chance = np.random.default_rng(seed)
    now, x = 10**15, 1_000.0
    for _ in range(count):
        now += int(chance.choice([0, 1, 300, 2_000, 9_000, -500], p=STEPS))
        x += float(chance.normal(0, 3))
        value = float(chance.choice([x, math.nan, math.inf, -math.inf, -x], p=VALUES))
        y = float(chance.choice([chance.integers(1, 50), 0, math.nan, -3], p=SIZES))
        bid = 1_000 + 2 * int(chance.integers(0, 4))
        ask = bid + 2 * int(chance.integers(1, 6))
        sizes = [int(one) for one in chance.integers(0, 60, 2)]
        if chance.random() < 0.05:
            bid, sizes[0] = NO_PRICE, 0
        if chance.random() < 0.05:
            ask, sizes[1] = NO_PRICE, 0
        yield now, value, y, (bid, sizes[0], ask, sizes[1])


def feed(desk, now, x, y, quotes):
    desk.state["now"], desk.state["x"], desk.state["y"] = now, x, y
    for name, value in zip(("bid", "bid_quantity", "ask", "ask_quantity"), quotes, strict=True):
        desk.markets[0][name] = value
    assert desk.call("on_book", 0) == 0
    return desk.state["answers"][0][:17].copy()


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(6))
def test_each_answer_is_its_formulas_and_the_same_in_both_modes(seed):
    fast, plain, twins = Desk(Probe()), Desk(Probe(), compiled=False), Twins()
    for row in stream(seed):
        told = feed(fast, *row)
        feed(plain, *row)
        assert fast.state.tobytes() == plain.state.tobytes()
        assert told.tolist() == pytest.approx(twins.answers(*row), rel=1e-9, abs=1e-7, nan_ok=True)


@pytest.mark.modes
@pytest.mark.parametrize("compiled", [True, False])
def test_of_nothing_is_known_nothing(compiled):
    desk = Desk(Probe(), compiled)
    told = feed(desk, 5, math.nan, math.nan, (NO_PRICE, 0, NO_PRICE, 0))
    is_flow = np.isin(np.arange(17), [9, 15])
    is_base = np.arange(17) == 11
    assert (told[is_flow] == 0).all() and told[11] == 2.0
    assert np.isnan(told[~is_flow & ~is_base]).all()


@pytest.mark.modes
@pytest.mark.parametrize("compiled", [True, False])
def test_of_several_values_at_one_moment_the_last_one_counts(compiled):
    desk, other = Desk(Probe(), compiled), Desk(Probe(), compiled)
    book = (1_000, 5, 1_002, 5)
    for target in (desk, other):
        feed(target, 1_000, 8.0, 1.0, book)
    for x in (100.0, -7.0):
        feed(desk, 4_000, x, 1.0, book)
    assert feed(desk, 4_000, 16.0, 1.0, book)[0] == feed(other, 4_000, 16.0, 1.0, book)[0] == 12.0


@pytest.mark.modes
def test_sums_do_not_drift():
    """A value of 1e12 comes and goes; one lap later nothing of it is left."""
    desk, book = Desk(Probe()), (1_000, 5, 1_002, 5)
    chance = np.random.default_rng(3)
    for k in range(2_000):
        feed(desk, 10**6 + k, float(chance.normal(0, 1e12)), 3.7, book)
    for k in range(14):
        told = feed(desk, 10**7 + 10_000 * k, 0.25, 3.0, book)
    assert told[2] == told[3] == told[7] == told[8] == told[16] == 0.25
    assert told[5] == 0.0 and math.isnan(told[4])


@pytest.mark.modes
def test_a_full_window_of_trades_says_so():
    desk = Desk(Probe())
    for k in range(9):
        feed(desk, 1_000 + k, 10.0 + k, 1.0, (1_000, 5, 1_002, 5))
    assert desk.state["young"]["crowded"][0] == 3
    assert desk.state["trades"]["crowded"][0] == 0, "without a window none leaves too early"


@pytest.mark.modes
def test_one_event_brings_so_many_more():
    """The children of an event are the area under its kernel."""
    desk = Desk(Probe())
    told = feed(desk, 1_000, 1.0, 1.0, (1_000, 5, 1_002, 5))
    step_s = 1e-9
    area = sum(3.0 * 0.5 ** (k / 1_000) * step_s for k in range(40_000))
    assert told[10] == 5.0
    assert 3.0 * 1e-6 / math.log(2.0) == pytest.approx(area, rel=1e-3)
