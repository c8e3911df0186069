"""Sharpe and drawdown: by hand, and against slow twins in plain Python."""

import math
import random

import numpy as np
import pytest
from result_ledger import T0, S

from hftlib.research.result_curve import (
    QUIET_NS,
    Curve,
    Series,
    curve_of,
    drawdown_of,
    sharpe_of,
)

YEAR_S = 252 * 6.5 * 3600


def curve(times, net, moved=None) -> Curve:
    times, net = np.array(times, np.int64), np.array(net, float)
    moved = np.ones(len(times), bool) if moved is None else np.array(moved)
    return Curve(times, net, net, np.abs(net), net, moved)


def series(times, position, cash, mid, fees=None) -> Series:
    fees = np.zeros(len(times)) if fees is None else np.array(fees, float)
    columns = [np.array(one, float) for one in (position, cash)]
    volume = np.arange(len(times)) * 1.0
    return Series(np.array(times), *columns, fees, np.array(mid, float), volume, 1.0)


def test_a_drawdown_by_hand():
    values = [0.0, 5, 3, 4, 1, 6, 5, 7, 2]
    fall = drawdown_of(np.arange(9) * S, np.array(values))
    assert (fall.depth, fall.begin, fall.trough, fall.end) == (5, 7 * S, 8 * S, 8 * S)
    fall = drawdown_of(np.arange(8) * S, np.array(values[:8]))
    # From 5 at second 1 down to 1 at second 4, above 5 again at second 5.
    assert (fall.depth, fall.begin, fall.trough, fall.end) == (4, S, 4 * S, 5 * S)
    assert fall.duration_ns == 4 * S and fall.longest_ns == 4 * S


def test_a_loss_from_the_start_is_a_drawdown_and_a_rise_is_none():
    fall = drawdown_of(np.arange(3) * S, np.array([0.0, -1, -3]))
    assert (fall.depth, fall.duration_ns, fall.longest_ns) == (3, 2 * S, 2 * S)
    assert drawdown_of(np.arange(3) * S, np.array([0.0, 1, 3])).depth == 0
    assert drawdown_of(np.zeros(0, np.int64), np.zeros(0)).depth == 0
    assert drawdown_of(np.arange(2), np.array([math.nan, math.nan])).longest_ns == 0


@pytest.mark.parametrize("seed", range(40))
def test_drawdowns_against_a_twin(seed):
    dice = random.Random(seed)
    times = np.cumsum([dice.randrange(1, 9) for _ in range(50)])
    values = [float(dice.randrange(-5, 6)) for _ in range(50)]
    deepest, longest = 0.0, 0
    top, since = values[0], int(times[0])
    for time, value in zip(times.tolist(), values, strict=True):
        longest = max(longest, time - since) if top > value else longest
        if value >= top:
            # Under water until now, if there was anything lower between.
            between = [v for t, v in zip(times.tolist(), values, strict=True) if since < t < time]
            longest = max(longest, time - since) if any(v < top for v in between) else longest
            top, since = value, time
        deepest = max(deepest, top - value)
    fall = drawdown_of(times, np.array(values))
    assert (fall.depth, fall.longest_ns) == (deepest, longest)
    assert 0 <= fall.duration_ns <= fall.longest_ns


def test_a_sharpe_by_hand():
    # Changes of a minute: 1, 2, 3, 2. Mean 2, deviation sqrt(2/3).
    minutes = [T0 + n * 60 * S for n in range(1, 5)]
    got = sharpe_of(curve(minutes, [1, 3, 6, 8]), T0, YEAR_S, 60 * S)
    ratio = 2 / math.sqrt(2 / 3)
    assert got.changes == 4 and got.step_ns == 60 * S
    assert got.ratio == pytest.approx(ratio * math.sqrt(252 * 390))
    # Symmetric: no skew; kurtosis is the mean fourth power 0.5 over the square of the variance 0.5.
    assert got.skew == pytest.approx(0) and got.kurtosis == pytest.approx(2)
    error = math.sqrt((1 + (2 - 1) / 4 * ratio**2) / 4)
    assert got.error == pytest.approx(error * math.sqrt(252 * 390))
    # Centred: -1, 0, 1, 0.
    assert got.autocorrelation == pytest.approx(0)


def test_a_skewed_sharpe_by_hand():
    # Changes 1, 1, 1, 5: mean 2, deviation 2. Centred -1, -1, -1, 3, whose variance is 3.
    minutes = [T0 + n * 60 * S for n in range(1, 5)]
    got = sharpe_of(curve(minutes, [1, 2, 3, 8]), T0, YEAR_S, 60 * S)
    assert got.ratio == pytest.approx(math.sqrt(252 * 390))
    assert got.skew == pytest.approx(6 / 3**1.5) and got.kurtosis == pytest.approx(21 / 9)
    variance = (1 - 6 / 3**1.5 + (21 / 9 - 1) / 4) / 4
    assert got.error == pytest.approx(math.sqrt(variance * 252 * 390))
    # (1 + 1 - 3) over 12.
    assert got.autocorrelation == pytest.approx(-1 / 12)


def test_normal_changes_have_the_error_that_is_seen():
    """The stated error is how far the ratios of many random curves really lie apart."""
    dice = np.random.default_rng(11)
    times = T0 + np.arange(1, 501) * 60 * S
    found = [
        sharpe_of(curve(times, np.cumsum(dice.normal(0.1, 1, 500))), T0, YEAR_S, 60 * S)
        for _ in range(400)
    ]
    seen = np.std([one.ratio for one in found])
    assert seen == pytest.approx(np.mean([one.error for one in found]), rel=0.1)


def test_nights_are_no_trading_time():
    """Two days of ten minutes, an hour between them, give what twenty minutes give."""
    changes = [1.0, 3, 2, 5, 1, 2, 2, 4, 1, 3] * 2
    net = np.cumsum(changes)
    through = [T0 + n * 60 * S for n in range(1, 21)]
    nights = [time + (QUIET_NS * 2 if n >= 10 else 0) for n, time in enumerate(through)]
    one = sharpe_of(curve(through, net), T0, YEAR_S, 60 * S)
    # What the first minute of the second day brought falls into the moment of its first sample.
    awake = [*nights[:10], nights[10] - 60 * S, *nights[10:]]
    other = sharpe_of(curve(awake, [*net[:10], net[9], *net[10:]]), T0, YEAR_S, 60 * S)
    assert (other.ratio, other.changes) == (pytest.approx(one.ratio), one.changes)
    # Samples taken all through the night change nothing, for nothing moved.
    asleep = list(range(nights[9] + 60 * S, nights[10] - 60 * S, 60 * S))
    more = [*nights[:10], *asleep, *awake[10:]]
    values = [*net[:10], *[net[9]] * len(asleep), net[9], *net[10:]]
    moved = [True] * 10 + [False] * len(asleep) + [True] * 11
    third = sharpe_of(curve(more, values, moved), T0, YEAR_S, 60 * S)
    assert (third.ratio, third.changes) == (pytest.approx(one.ratio), one.changes)


def test_the_step_leaves_a_hundred_changes_and_is_none_finer_than_the_samples():
    times = T0 + np.arange(1, 1_001) * S
    net = np.cumsum(np.random.default_rng(1).normal(size=1_000))
    got = sharpe_of(curve(times, net), T0, YEAR_S)
    assert (got.step_ns, got.changes) == (10 * S, 100)
    assert sharpe_of(curve(times[:20], net[:20]), T0, YEAR_S).step_ns == S
    ten = sharpe_of(curve(times[::10], net[::10]), T0, YEAR_S)
    assert ten.step_ns == 10 * S


def test_a_ratio_of_nothing_is_none():
    for net in ([0.0] * 9, np.arange(1, 10) * 1.0, [math.nan] * 9):
        got = sharpe_of(curve(T0 + np.arange(1, 10) * S, net), T0, YEAR_S, S)
        assert math.isnan(got.ratio) and math.isnan(got.error)
    assert math.isnan(sharpe_of(curve([], []), T0, YEAR_S).ratio)
    assert math.isnan(sharpe_of(curve([T0], [1.0]), T0, YEAR_S).ratio)


def test_curves_add_up_at_every_time_of_any():
    one = series([10, 30], [1, 1], [-5, -5], [6, 7])
    two = series([20, 40], [-2, 0], [8, 1], [3, 3], fees=[0, 2])
    total = curve_of([one, two])
    assert total.times.tolist() == [10, 20, 30, 40]
    assert total.gross.tolist() == [1, 1 + 2, 2 + 2, 2 + 1]
    assert total.net.tolist() == [1, 3, 4, 1]
    assert total.exposure.tolist() == [6, 6 + 6, 7 + 6, 7]
    assert total.exposure_net.tolist() == [6, 0, 1, 7]


def test_what_has_no_value_has_no_number_and_nothing_held_needs_none():
    held = series([10, 20, 30], [0, 1, 1], [0, -5, -5], [math.nan, math.nan, 6])
    assert [repr(value) for value in curve_of([held]).gross.tolist()] == ["0.0", "nan", "1.0"]
