"""Portfolio risk against a published example, sums, and what sorting by hand says."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.risk.portfolio import METHODS, portfolio_risk


def two_stocks(count=4000, seed=3):
    """Daily deviations of 2 % and 1 %, a correlation of 0.3: exactly, by whitening a sample."""
    drawn = np.random.default_rng(seed).standard_normal((count, 2))
    drawn -= drawn.mean(axis=0)
    plain = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn, rowvar=False))).T
    wanted = np.array([[0.02**2, 0.3 * 0.02 * 0.01], [0.3 * 0.02 * 0.01, 0.01**2]])
    made = plain @ np.linalg.cholesky(wanted).T
    return {"MSFT": made[:, 0], "T": made[:, 1]}


def test_the_two_stocks_of_hull():
    """J. Hull, Options, Futures and Other Derivatives: 10 and 5 million, deviations of 2 % and 1 %,
    correlation 0.3: a deviation of 220,227 a day; 99 % over ten days, at 2.33: 1,622,657."""
    held, seen = {"MSFT": 10e6, "T": 5e6}, two_stocks()
    day = portfolio_risk(held, seen, method="parametric", confidence=0.99)
    assert day.volatility == pytest.approx(220_227, abs=1)
    ten = portfolio_risk(held, seen, method="parametric", confidence=0.99, horizon=10)
    assert ten.value_at_risk == pytest.approx(1_622_657 * 2.326348 / 2.33, rel=1e-5)
    alone = [
        portfolio_risk({name: held[name]}, seen, method="parametric", horizon=10).value_at_risk
        for name in held
    ]
    # The book's own benefit of diversification: 1,473,621 + 368,405 - 1,622,657.
    assert sum(alone) - ten.value_at_risk == pytest.approx(219_369 * 2.326348 / 2.33, rel=1e-4)
    assert ten.expected_shortfall == pytest.approx(220_227 * math.sqrt(10) * 2.665214, rel=1e-5)
    assert sum(ten.parts.values()) == pytest.approx(ten.value_at_risk)
    assert (day.gross, day.net) == (15e6, 15e6)
    assert 1 / day.concentration == pytest.approx(1.8)


@given(
    st.lists(st.integers(-1000, 1000), min_size=2, max_size=60),
    st.sampled_from([0.75, 0.9, 0.95, 0.99]),
)
def test_history_is_what_sorting_by_hand_says(thousandths, confidence):
    made = portfolio_risk({"A": 1000.0}, {"A": np.array(thousandths) / 1000}, confidence=confidence)
    losses = sorted((Fraction(-one) for one in thousandths), reverse=True)
    tail = len(losses) * (1 - Fraction(str(confidence)))
    whole = math.floor(tail)
    assert made.value_at_risk == pytest.approx(float(losses[min(whole, len(losses) - 1)]))
    beyond = sum(losses[:whole]) + (tail - whole) * losses[min(whole, len(losses) - 1)]
    assert made.expected_shortfall == pytest.approx(float(beyond / tail), abs=1e-6)
    assert made.expected_shortfall >= made.value_at_risk - 1e-6


def test_the_last_returns_weigh_most():
    calm, wild = np.tile([0.001, -0.001], 50), np.tile([0.03, -0.03], 5)
    later = portfolio_risk({"A": 1e6}, {"A": np.r_[calm, wild]}, method="ewma")
    before = portfolio_risk({"A": 1e6}, {"A": np.r_[wild, calm]}, method="ewma")
    assert later.volatility > 5 * before.volatility
    weights = [0.94**k for k in range(110)]
    squares = np.r_[calm, wild][::-1] ** 2
    by_hand = math.sqrt(sum(w * s for w, s in zip(weights, squares, strict=True)) / sum(weights))
    assert later.volatility == pytest.approx(1e6 * by_hand)


@pytest.mark.parametrize("method", METHODS)
def test_a_hedge_leaves_nothing_and_parts_sum_to_the_whole(method):
    seen = two_stocks(500)
    seen["TWIN"] = seen["MSFT"]
    hedged = portfolio_risk({"MSFT": 1e6, "TWIN": -1e6}, seen, method=method)
    assert abs(hedged.value_at_risk) < 1e-3
    assert (hedged.gross, hedged.net) == (2e6, 0.0)
    mixed = portfolio_risk({"MSFT": 1e6, "T": -3e6}, seen, method=method, horizon=4)
    assert sum(mixed.parts.values()) == pytest.approx(mixed.value_at_risk)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"method": "guess"}, "no method 'guess'.*historical, parametric, ewma"),
        ({"confidence": 1.0}, "1.0 is no confidence"),
        ({"horizon": 0}, "0 is no horizon"),
        ({"decay": 1.5}, "1.5 is no decay"),
        ({"exposures": {}}, "no holding"),
        ({"exposures": {"B": 1.0}}, "no returns of B"),
        ({"exposures": {"A": math.nan}}, "A has a value that is no number"),
        ({"returns": {"A": [0.1, math.inf]}}, "A has a value that is no number"),
        ({"returns": {"A": [0.1]}}, "two at least: A 1"),
        ({"exposures": {"A": 1, "C": 1}, "returns": {"A": [0, 1], "C": [0]}}, "A 2, C 1"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(changed, sentence):
    given_to = {"exposures": {"A": 1.0}, "returns": {"A": [0.1, -0.1]}} | changed
    with pytest.raises(InputError, match=sentence):
        portfolio_risk(given_to.pop("exposures"), given_to.pop("returns"), **given_to)
