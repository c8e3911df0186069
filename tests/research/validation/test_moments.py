"""Sharpe ratios and how sure they are: examples as published, another's implementation, edges."""

import math

import holdout
import numpy as np
import pytest

from hftlib.research.validation.moments import (
    Moments,
    expected_best,
    moments,
    neighbours,
    probability,
    sharpes,
    steps_needed,
)


def test_the_published_example_of_the_deflated_ratio():
    """Bailey and Lopez de Prado 2014: 2.5 a year, five years of days, 100 trials, variance 1/2."""
    known = Moments(2.5 / math.sqrt(250), skew=-3.0, kurtosis=10.0, steps=1_250)
    best = expected_best(100, 0.5 / 250)
    assert best == pytest.approx(0.1132, abs=5e-5)
    assert probability(known, best) == pytest.approx(0.9004, abs=5e-5)
    assert probability(known, expected_best(46, 0.5 / 250)) == pytest.approx(0.9505, abs=5e-5)


def test_the_published_examples_of_the_probabilistic_ratio():
    """Bailey and Lopez de Prado 2012: 0.458 a month over two years, and over three."""
    assert probability(Moments(0.458, 0.0, 3.0, 24)) == pytest.approx(0.982, abs=5e-4)
    assert probability(Moments(0.458, -2.448, 10.164, 24)) == pytest.approx(0.913, abs=5e-4)
    assert probability(Moments(0.458, -2.448, 10.164, 36)) == pytest.approx(0.953, abs=6e-4)


@pytest.mark.parametrize(
    ("steps_a_year", "skew", "kurtosis", "years"),
    [(252, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_published_least_lengths_of_a_record(steps_a_year, skew, kurtosis, years):
    """2 a year is above 1 with 95 %: by days, weeks, months, and months of a hedge fund."""
    root = math.sqrt(steps_a_year)
    needed = steps_needed(Moments(2 / root, skew, kurtosis, 10), 1 / root, 0.95)
    assert needed / steps_a_year == pytest.approx(years, abs=5e-3)


@pytest.mark.parametrize("seed", range(8))
def test_another_implementation_finds_the_same(seed):
    drawn = np.random.default_rng(seed)
    values = drawn.standard_t(5, size=300) + 0.3 * drawn.exponential(size=300) * (-1) ** seed
    known, theirs = moments(values), holdout.estimate_sharpe(values)
    assert known.sharpe == pytest.approx(theirs.value)
    assert known.skew == pytest.approx(theirs.skewness)
    assert known.kurtosis == pytest.approx(theirs.kurtosis)
    shape = {"skewness": theirs.skewness, "kurtosis": theirs.kurtosis}
    for against in (-0.1, 0.0, 0.05):
        expected = holdout.probabilistic_sharpe_ratio(theirs.value, 300, benchmark=against, **shape)
        assert probability(known, against) == pytest.approx(expected)
    low = known.sharpe - 0.1
    needed = holdout.minimum_track_record_length(theirs.value, benchmark=low, **shape)
    assert steps_needed(known, low, 0.95) == pytest.approx(needed)
    for trials in (2, 10, 1_000, 10**7):
        expected = holdout.expected_maximum_sharpe(trials, 0.3)
        assert expected_best(trials, 0.3) == pytest.approx(expected)


def test_what_the_best_of_many_does_by_luck_is_what_it_does():
    best = np.random.default_rng(1).normal(size=(4_000, 50)).max(axis=1).mean()
    assert expected_best(50, 1.0) == pytest.approx(best, rel=0.02)
    assert expected_best(1, 1.0) == 0.0 and expected_best(50, 0.0) == 0.0


def test_a_record_of_the_length_that_is_needed_is_just_enough():
    known = Moments(0.1, -1.0, 8.0, 50)
    needed = steps_needed(known, 0.02, 0.99)
    enough = Moments(0.1, -1.0, 8.0, math.ceil(needed))
    assert (
        probability(enough, 0.02) >= 0.99 > probability(Moments(0.1, -1.0, 8.0, int(needed)), 0.02)
    )
    assert steps_needed(known, 0.1, 0.95) == steps_needed(known, 0.2, 0.95) == math.inf


@pytest.mark.parametrize("factor", [1e-150, 1e-9, 1.0, 1e12, 1e99])
def test_the_size_of_an_account_changes_nothing(factor):
    values = np.random.default_rng(4).normal(size=200) + 0.1
    known, plain = moments(values * factor), moments(values)
    assert known.sharpe == pytest.approx(plain.sharpe) and known.skew == pytest.approx(plain.skew)
    assert known.kurtosis == pytest.approx(plain.kurtosis)
    assert sharpes(values[:, None] * factor) == pytest.approx([plain.sharpe])


@pytest.mark.parametrize("values", [[], [1.0], [0.0] * 50, [0.1] * 50, [1e9 + 0.1] * 50])
def test_what_never_changes_has_no_ratio(values):
    known = moments(np.array(values, float))
    assert math.isnan(known.sharpe) and math.isnan(probability(known))
    assert steps_needed(known, 0.0, 0.95) == math.inf


def test_ratios_of_columns_are_those_of_each():
    values = np.random.default_rng(2).normal(size=(80, 3))
    values = np.column_stack([values, np.zeros(80), np.full(80, 0.3)])
    made = sharpes(values)
    assert made[:3] == pytest.approx([moments(one).sharpe for one in values.T[:3]])
    assert made[3] == 0.0 and math.isnan(made[4])


def test_what_a_step_says_about_the_next():
    assert neighbours(np.array([1.0, -1.0] * 50)) == pytest.approx(-0.99)
    assert neighbours(np.repeat([1.0, -1.0], 50)) > 0.9
    assert math.isnan(neighbours(np.ones(9)))
