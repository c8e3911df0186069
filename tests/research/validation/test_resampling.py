"""Bootstrap of the P&L: a span that holds the truth as often as it says, and honest bounds."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation.resampling import drawdown, ratio

FAST = {"draws": 300}


def noise(seed, steps=400):
    return np.random.default_rng(seed).normal(size=steps)


def test_the_span_holds_the_truth_about_as_often_as_it_says():
    held = []
    for seed in range(100):
        figures = hft.validation.bootstrap(noise(seed) + 0.1, "pnl", confidence=0.8, **FAST).figures
        held.append(figures["lower end"] <= 40 <= figures["upper end"])
    assert 0.68 <= np.mean(held) <= 0.9


def test_luck_is_refused_and_an_edge_passes():
    lucky = [bool(hft.validation.bootstrap(noise(seed), **FAST)) for seed in range(40)]
    assert np.mean(lucky) <= 0.12
    edge = [bool(hft.validation.bootstrap(noise(seed) + 0.3, **FAST)) for seed in range(20)]
    assert np.mean(edge) == 1.0


def test_the_spread_of_a_sum_is_what_theory_says():
    values = noise(1, 2_000)
    verdict = hft.validation.bootstrap(values, "pnl", draws=2_000, block=1, confidence=0.95)
    span = verdict.figures["upper end"] - verdict.figures["lower end"]
    assert span == pytest.approx(2 * 1.96 * values.std() * math.sqrt(2_000), rel=0.08)
    assert verdict.figures["P&L"] == pytest.approx(values.sum())


def test_steps_that_move_together_make_the_span_wider():
    values = np.repeat(noise(2, 200), 5)
    chosen, apart = (
        hft.validation.bootstrap(values, block=one, **FAST).figures for one in (None, 1)
    )
    assert chosen["block, steps"] > 3
    spans = [one["upper end"] - one["lower end"] for one in (chosen, apart)]
    assert spans[0] > 1.5 * spans[1]


@pytest.mark.parametrize("seed", range(5))
def test_drawdown_is_the_largest_fall_from_any_earlier_peak(seed):
    values = noise(seed, 60)
    curve = [0.0, *np.cumsum(values)]
    falls = [curve[peak] - later for peak in range(61) for later in curve[peak:]]
    assert drawdown(values) == pytest.approx(max(falls))
    assert drawdown(np.ones(5)) == 0.0 and drawdown(-np.ones(5)) == 5.0


def test_a_drawdown_is_judged_by_what_is_allowed():
    values = noise(3) + 0.1
    open_end = hft.validation.bootstrap(values, "drawdown", **FAST)
    assert open_end.passed is None and "at_most=" in open_end.sentence
    upper = open_end.figures["upper end"]
    assert hft.validation.bootstrap(values, "drawdown", at_most=upper * 1.01, **FAST).passed is True
    refused = hft.validation.bootstrap(values, "drawdown", at_most=upper * 0.99, **FAST)
    assert refused.passed is False and "not surely within" in refused.sentence
    ElementTree.fromstring(refused.picture)


def test_a_function_of_ones_own():
    def typical(steps):
        return np.median(steps)

    verdict = hft.validation.bootstrap(noise(4) + 0.4, typical, at_least=0.0, **FAST)
    assert verdict.passed is True and verdict.figures["typical"] > 0.2
    named = hft.validation.bootstrap(noise(4), lambda steps: steps.max(), at_most=99.0, **FAST)
    assert named.passed is True and "statistic" in named.figures
    with pytest.raises(InputError, match=r"statistic failed: ZeroDivisionError"):
        hft.validation.bootstrap(noise(4), lambda steps: 1 / 0)
    for wrong in (lambda steps: math.nan, lambda steps: steps, lambda steps: "much"):
        with pytest.raises(InputError, match="statistic"):
            hft.validation.bootstrap(noise(4), wrong)


def test_the_same_seed_draws_the_same():
    one, same, other = (
        hft.validation.bootstrap(noise(5), seed=seed, **FAST).figures for seed in (1, 1, 2)
    )
    assert one == same != other


def test_what_cannot_be_told_and_what_hardly_trades():
    assert "at least 30" in hft.validation.bootstrap(noise(1, 29)).sentence
    still = hft.validation.bootstrap(np.zeros(100))
    assert still.passed is None and "the same in all steps" in still.sentence
    rarely = np.zeros(100)
    rarely[50] = 1.0
    assert hft.validation.bootstrap(rarely, **FAST).passed is False
    assert ratio(np.zeros(9)) == ratio(np.ones(9)) == ratio(np.ones(1)) == 0.0
