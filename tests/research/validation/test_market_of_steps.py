"""The market at each step: prices of samples, thirds of volatility, trends beyond chance."""

import numpy as np
import pandas as pd
import pytest
from sampled_day import MINUTE, T0, day

from hftlib.core.errors import InputError
from hftlib.research.validation.market import market_of, trend, volatility


def ends(count, step=MINUTE):
    at = T0 + step * np.arange(1, count + 1)
    return pd.DatetimeIndex(at.view("datetime64[ns]"), tz="UTC").tz_convert("America/New_York")


def test_prices_are_those_known_at_the_end_of_each_step():
    result = day([10_000, 10_100, 10_302, 10_302])
    assert market_of(result, ends(4)) == pytest.approx([1.0, 1.01, 1.0302, 1.0302])
    # In steps of half a minute the last price known counts; before the first, the first.
    assert market_of(result, ends(8, MINUTE // 2)) == pytest.approx(
        [1.0, 1.0, 1.0, 1.01, 1.01, 1.0302, 1.0302, 1.0302]
    )


def test_several_instruments_move_it_by_their_mean():
    result = day([[10_000, 500], [11_000, 500], [11_000, 550]])
    assert market_of(result, ends(3)) == pytest.approx([1.0, np.sqrt(1.1), 1.1])


def test_a_result_that_knows_no_price_says_so():
    with pytest.raises(InputError, match="knows no price"):
        market_of(day(np.zeros((0, 1))), ends(3))


def test_thirds_of_volatility_by_a_slow_twin():
    moves = np.random.default_rng(1).normal(size=300) * np.repeat([1, 5, 2], 100)
    prices = 1_000 * np.exp(np.cumsum(moves) / 1e4)
    made = volatility(prices, 20)
    known = np.diff(np.log(prices))
    spread = [np.sum(known[at - 20 : at] ** 2) for at in range(20, 300)]
    order = np.argsort(np.argsort(spread))
    assert np.isnan(made[:20]).all() and not np.isnan(made[20:]).any()
    assert np.mean(made[20:] == order * 3 // 280) > 0.98


def test_a_trend_is_more_than_chance_would_do():
    moves = np.random.default_rng(2).normal(size=600)
    moves[200:300] += 2.0
    moves[400:500] -= 2.0
    made = trend(1_000 + np.cumsum(moves), 30)
    assert (made[240:300] == 1).all() and (made[440:500] == -1).all()
    assert np.isnan(made[:30]).all() and set(made[30:]) == {-1.0, 0.0, 1.0}


def test_prices_below_zero_are_taken_by_their_differences():
    prices = np.cumsum(np.random.default_rng(3).normal(size=200))
    assert prices.min() < 0
    assert set(volatility(prices, 10)[10:]) == {0.0, 1.0, 2.0}
    assert np.array_equal(trend(prices, 10), trend(prices * 7, 10), equal_nan=True)


def test_hardly_any_prices_have_neither():
    for prices in (np.ones(5), np.arange(1.0, 6.0), np.zeros(0), None):
        for made in (volatility(prices, 10), trend(prices, 10)):
            assert np.isnan(made).all()
