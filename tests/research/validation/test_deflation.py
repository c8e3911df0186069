"""Deflated Sharpe ratio: planted truths, what is counted as a trial, and what is missing."""

import math
from xml.etree import ElementTree

import holdout
import numpy as np
import pandas as pd
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation import deflation


def noise(seed, rows=1_000, columns=200):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def best_of(matrix):
    return matrix[:, (matrix.mean(axis=0) / matrix.std(axis=0)).argmax()]


def test_planted_truths_over_a_hundred_seeds():
    """The best of 200 without an edge passes hardly ever, though alone it nearly always does."""
    lucky, alone, edge = [], [], []
    for seed in range(100):
        matrix = noise(seed, rows=500)
        best = best_of(matrix)
        lucky.append(bool(hft.validation.deflated_sharpe(best, all=matrix)))
        alone.append(bool(hft.validation.sharpe(best)))
        matrix[:, 17] += 0.3
        edge.append(bool(hft.validation.deflated_sharpe(best_of(matrix), all=matrix)))
    assert np.mean(lucky) <= 0.05 and np.mean(alone) >= 0.95
    assert np.mean(edge) >= 0.95


@pytest.mark.parametrize("seed", range(4))
def test_another_implementation_finds_the_same(seed):
    matrix = noise(seed, 300, 20) + np.linspace(0, 0.1, 20)
    figures = hft.validation.deflated_sharpe(best_of(matrix), all=matrix).figures
    theirs = holdout.deflate_trials(matrix)
    assert figures["probability"] == pytest.approx(theirs.deflated)
    assert figures["best by luck"] == pytest.approx(theirs.expected_maximum)
    assert figures["variance of trials' ratios"] == pytest.approx(theirs.trials_variance)


def test_trials_of_earlier_days_count_as_well():
    matrix = noise(2, 400, 20)
    matrix[:, 3] += 0.22
    best = matrix[:, 3]
    few, many = (
        hft.validation.deflated_sharpe(best, all=matrix, trials=count) for count in (20, 10**6)
    )
    assert few.figures["probability"] > many.figures["probability"]
    assert many.figures["trials"] == 10**6 and many.figures["independent trials"] == 20
    with pytest.raises(InputError, match=r"10 trials were said, and the matrix has 20"):
        hft.validation.deflated_sharpe(best, all=matrix, trials=10)


def test_without_their_pnl_luck_alone_is_assumed_and_said():
    best = best_of(noise(1, 500, 50))
    guessed = hft.validation.deflated_sharpe(best, trials=50)
    assert "luck alone is assumed" in guessed.sentence
    assert guessed.figures["variance of trials' ratios"] == pytest.approx(1 / 499)
    known = hft.validation.deflated_sharpe(best, trials=50, variance=1 / 499)
    assert known.figures["probability"] == guessed.figures["probability"]
    assert "assumed" not in known.sentence
    one = hft.validation.deflated_sharpe(best, trials=1)
    alone = hft.validation.sharpe(best).figures["probability"]
    assert one.figures["probability"] == pytest.approx(alone) and "1 trial " in one.sentence


def test_trials_that_are_alike_count_as_one():
    ideas = noise(4, 600, 5)
    drawn = np.random.default_rng(9)
    alike = [ideas[:, one % 5] * (1 + one) + 0.3 * drawn.normal(size=600) for one in range(60)]
    assert hft.validation.independent_trials(np.column_stack(alike)) == 5
    assert hft.validation.independent_trials(ideas) == 5
    assert hft.validation.independent_trials(np.column_stack([ideas, -ideas])) == 10
    assert hft.validation.independent_trials(np.column_stack([ideas, np.zeros((600, 3))])) == 5
    assert hft.validation.independent_trials(np.zeros((600, 3))) == 0
    verdict = hft.validation.deflated_sharpe(alike[7], all=np.column_stack(alike))
    assert (verdict.figures["trials"], verdict.figures["independent trials"]) == (60, 5)
    more = verdict.figures["probability with those"]
    assert (
        more > verdict.figures["probability"] and "With the 5 that move apart" in verdict.sentence
    )


def test_no_two_of_those_counted_are_alike(monkeypatch):
    """A slow count: from the best down, one is taken if it is alike with none taken before."""
    base = noise(6, 200, 8)
    mixed = base @ np.random.default_rng(3).normal(size=(8, 40)) + 0.2 * noise(7, 200, 40)
    order = np.argsort(-(mixed.mean(axis=0) / mixed.std(axis=0)))
    taken = []
    for one in order:
        if all(np.corrcoef(mixed[:, one], mixed[:, other])[0, 1] < 0.5 for other in taken):
            taken.append(one)
    assert hft.validation.independent_trials(mixed) == len(taken) < 40
    monkeypatch.setattr(deflation, "_BLOCK", 7)
    assert hft.validation.independent_trials(mixed) == len(taken)


def test_pictures_and_times():
    times = pd.date_range("2026-01-05", periods=300, freq="1D")
    frame = pd.DataFrame(noise(1, 300, 10), index=times)
    verdict = hft.validation.deflated_sharpe(frame[4], all=frame)
    ElementTree.fromstring(verdict.picture)
    assert "best by luck" in verdict.picture and "this one" in verdict.picture
    ElementTree.fromstring(hft.validation.deflated_sharpe(frame[4], trials=9).picture)
    with pytest.raises(InputError, match="not of the same times"):
        hft.validation.deflated_sharpe(frame[4].shift(1, freq="1D"), all=frame)


def test_what_cannot_be_told():
    matrix = noise(1, 100, 5)
    assert hft.validation.deflated_sharpe(np.zeros(100), all=matrix).passed is None
    short = hft.validation.deflated_sharpe(matrix[:20, 0], all=matrix[:20])
    assert short.passed is None and "at least 30" in short.sentence
    idle = np.zeros((100, 3))
    idle[:, 0] = matrix[:, 0]
    assert math.isfinite(
        hft.validation.deflated_sharpe(idle[:, 0], all=idle).figures["probability"]
    )
