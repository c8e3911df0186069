"""Probabilistic Sharpe ratio: passes as often by luck as it says, and says what is missing."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import hftlib as hft


def test_luck_passes_as_often_as_was_allowed_and_an_edge_always():
    drawn = np.random.default_rng(1)
    lucky = [bool(hft.validation.sharpe(drawn.normal(size=250))) for _ in range(300)]
    assert 0.02 <= np.mean(lucky) <= 0.085
    edge = [bool(hft.validation.sharpe(drawn.normal(size=1_000) + 0.25)) for _ in range(40)]
    assert np.mean(edge) == 1.0


def test_the_sentence_says_how_long_a_record_would_do():
    values = np.random.default_rng(3).normal(size=500)
    values += 0.04 - values.mean()
    short = hft.validation.sharpe(values)
    needed = short.figures["steps needed"]
    assert short.passed is False and f"would need {needed:,} steps" in short.sentence
    longer = np.tile(values, math.ceil(needed / 500))
    assert hft.validation.sharpe(longer).passed is True
    loss = hft.validation.sharpe(values - 0.1)
    assert loss.passed is False and "No length" in loss.sentence
    assert loss.as_json()["figures"]["steps needed"] is None


def test_against_another_ratio_and_by_the_year():
    times = pd.date_range("2026-01-05", periods=600, freq="1D")
    values = np.random.default_rng(3).normal(size=600)
    pnl = pd.Series(values + 0.2 - values.mean(), index=times)
    assert hft.validation.sharpe(pnl).passed and not hft.validation.sharpe(pnl, against=0.19)
    year = hft.validation.sharpe(pnl, steps_a_year=252).figures
    assert year["Sharpe ratio of a year"] == year["Sharpe ratio of a step"] * math.sqrt(252)
    picture = hft.validation.sharpe(pnl).picture
    ElementTree.fromstring(picture)
    assert "polyline" in picture


def test_steps_that_move_together_are_warned_of():
    values = np.repeat(np.random.default_rng(5).normal(size=200) + 0.2, 5)
    assert "move together" in hft.validation.sharpe(values).sentence
    assert "move together" not in hft.validation.sharpe(values[::5]).sentence


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.5, -0.2] * 10, "20 steps of time .* at least 30"),
        ([], "0 steps"),
        ([0.0] * 100, "the same in all 100 steps"),
        ([0.1] * 100, "the same in all 100 steps"),
    ],
)
def test_what_cannot_be_told(values, said):
    verdict = hft.validation.sharpe(values)
    assert verdict.passed is None and re.search(said, verdict.sentence)


def test_a_record_of_two_values_breaks_nothing():
    for values in ([1.0, -1.0] * 50, [1.0] * 99 + [-1.0], [0.0] * 99 + [1.0]):
        verdict = hft.validation.sharpe(values)
        assert verdict.passed in (None, False, True) and verdict.sentence
