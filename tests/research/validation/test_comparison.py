"""Reality check, SPA and confidence set: more is better, luck is luck, against another's."""

import re
from xml.etree import ElementTree

import holdout
import numpy as np
import pandas as pd
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation import comparison

LUCK = "chance of luck"
FAST = {"draws": 300}


def noise(seed, rows=500, columns=20, edge=0.0):
    matrix = np.random.default_rng(seed).normal(size=(rows, columns))
    matrix[:, 3] += edge
    return matrix


def test_planted_truths_and_another_implementation():
    """Some noise, some edges: ours and theirs differ by what 300 draws leave open."""
    passed = {"reality_check": 0, "spa": 0}
    for seed in range(12):
        matrix = noise(seed)
        same = {"n_bootstrap": 300, "block_length": 1, "seed": seed}
        theirs = {
            "reality_check": holdout.reality_check(matrix, **same).pvalue,
            "spa": holdout.superior_predictive_ability(matrix, **same).consistent,
        }
        for name, chance in theirs.items():
            question = getattr(hft.validation, name)
            verdict = question(matrix, block=1, **FAST)
            assert verdict.figures[LUCK] == pytest.approx(chance, abs=0.13)
            passed[name] += bool(verdict)
            better = question(noise(seed, edge=0.3), **FAST)
            assert better.passed is True and better.figures["best trial"] == "3"
            assert "chance of less than" in better.sentence
    assert max(passed.values()) <= 3


def test_more_is_better():
    """Losses the wrong way round would make the worst trial the best."""
    bad = noise(2, edge=-0.5)
    bad[:, 3] -= 0.1
    for question in (hft.validation.reality_check, hft.validation.spa):
        assert question(bad[:, 3:4], **FAST).figures[LUCK] > 0.9
        assert question(-bad[:, 3:4], **FAST).figures[LUCK] < 0.01
    assert hft.validation.confidence_set(bad, **FAST).passed is False
    kept = hft.validation.confidence_set(noise(2, edge=0.5), **FAST)
    assert kept.passed is True and kept.tables[0].rows == [("3",)]


def test_against_a_standard_that_is_as_good():
    matrix = noise(4, edge=0.4)
    times = pd.date_range("2026-01-05", periods=500, freq="1D")
    frame = pd.DataFrame(matrix, index=times)
    standard = pd.Series(matrix[:, 3] + 0.05 * noise(5)[:, 0], index=times)
    for question in (
        hft.validation.reality_check,
        hft.validation.spa,
        hft.validation.confidence_set,
    ):
        assert question(frame, **FAST).passed is True
        verdict = question(frame, standard, **FAST)
        assert verdict.passed is False and "the standard" in verdict.sentence
    with pytest.raises(InputError, match="not of the same times"):
        hft.validation.spa(frame, standard.shift(1, freq="1D"))


def test_a_trial_of_many_sizes_is_seen_by_its_own_spread():
    """In money a wild trial drowns a quiet good one; `spa` divides each by its spread."""
    matrix = noise(6, columns=5, edge=0.25)
    matrix[:, 0] *= 100.0
    assert hft.validation.reality_check(matrix, **FAST).passed is False
    assert hft.validation.spa(matrix, **FAST).passed is True


def test_the_spread_is_that_of_the_draws():
    """The variance of the mean of stationary draws, by drawing them."""
    drawn = np.random.default_rng(3)
    values = np.convolve(drawn.normal(size=309), np.ones(10), "valid")[:, None]
    rows, length, means = len(values), 8, []
    for _ in range(4_000):
        jumps = drawn.random(rows) < 1 / length
        jumps[0] = True
        starts = drawn.integers(0, rows, rows)
        begun = np.maximum.accumulate(np.where(jumps, np.arange(rows), 0))
        means.append(values[(starts[begun] + np.arange(rows) - begun) % rows, 0].mean())
    spread = float(comparison._spread(values, length)[0]) / np.sqrt(rows)
    assert spread == pytest.approx(np.std(means), rel=0.05)


def test_a_long_record_is_added_up_to_longer_steps():
    matrix = noise(7, 5_000, 6, edge=0.1)
    verdict = hft.validation.reality_check(matrix, block=3, **FAST)
    assert verdict.figures["block, steps"] == 15 and verdict.passed is True
    assert verdict.figures["its advantage a step"] == pytest.approx(matrix[:, 3].mean())
    ElementTree.fromstring(verdict.picture)


def test_the_same_seed_draws_the_same_and_pieces_of_draws_are_all_of_them(monkeypatch):
    matrix = noise(8)
    first, second = (hft.validation.spa(matrix, seed=3, **FAST).figures[LUCK] for _ in range(2))
    assert first == second
    monkeypatch.setattr(comparison, "_AT_ONCE", 10)
    in_pieces = hft.validation.spa(matrix, seed=3, **FAST).figures[LUCK]
    assert in_pieces == pytest.approx(first, abs=0.08)
    assert (in_pieces * 300) % 1 == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_another_implementation_finds_about_the_same_set(seed):
    matrix = np.random.default_rng(seed).normal(size=(500, 10)) + np.linspace(0, 0.25, 10)
    with_standard = np.column_stack([np.zeros(500), matrix])
    theirs = holdout.model_confidence_set(
        with_standard, block_length=1, n_bootstrap=600, seed=1, statistic="range"
    )
    verdict = hft.validation.confidence_set(matrix, block=1, draws=600)
    kept = {int(row[0]) + 1 for row in verdict.tables[0].rows}
    assert len(kept ^ set(theirs.included.tolist())) <= 1
    assert verdict.passed is (0 not in theirs.included)


def test_two_that_brought_the_same_by_other_ways_may_both_be_the_best():
    values = np.clip(np.round(noise(3, 120, 4)[:, 3]) + 1.0, -2, 2)  # of exact halves
    verdict = hft.validation.confidence_set(np.column_stack([values, values[::-1]]), **FAST)
    assert verdict.passed is True and verdict.tables[0].rows == [("0",), ("1",)]


def test_a_set_of_many_compares_the_best_and_takes_twins_once():
    matrix = noise(9, 300, 100, edge=0.6)
    matrix[:, 50] = matrix[:, 3]
    verdict = hft.validation.confidence_set(matrix, draws=100)
    assert verdict.figures["different trials compared"] == comparison.SET_MAX
    assert verdict.passed is True and verdict.tables[0].rows == [("3",)]
    assert "(the best ones)" in verdict.sentence
    ElementTree.fromstring(verdict.picture)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.zeros((100, 3)), "All 3 trials brought what not trading did"),
        (noise(1, 29, 4), "4 trials over 29 steps .* 30 steps"),
        (np.zeros((0, 0)), "0 trials"),
    ],
)
def test_what_cannot_be_told(matrix, said):
    for name in ("reality_check", "spa", "confidence_set"):
        verdict = getattr(hft.validation, name)(matrix, **FAST)
        assert verdict.passed is None and re.search(said, verdict.sentence)


def test_trials_without_a_spread_break_nothing():
    matrix = noise(1, 100, 4)
    matrix[:, 1] = 0.0
    for name in ("reality_check", "spa", "confidence_set"):
        assert getattr(hft.validation, name)(matrix, **FAST).passed is not None
    matrix[:, 2] = 0.5  # as much more in each step
    alike = hft.validation.confidence_set(matrix, **FAST)
    assert alike.passed is None and "no spread" in alike.sentence
    assert hft.validation.spa(matrix, **FAST).passed is True
