"""How often the judge is wrong about noise, whatever follows itself in it; steps; objectives."""

import math

import numpy as np
import pytest
from planted_market import VENUE, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation.judging import (
    T_WANTED,
    best_of,
    brief_of,
    joined,
    objective,
    ratio,
    step_of,
    t_of,
    too_few,
    year_steps,
)


@pytest.mark.parametrize("follows", [0.0, 0.5])
def test_of_noise_one_in_twenty_passes_even_where_steps_follow_each_other(follows):
    chance = np.random.default_rng(5)
    shocks, passed, plainly = chance.standard_normal((2_000, 400)), 0, 0
    for one in shocks:
        made = np.convolve(one, follows ** np.arange(12))[: len(one)] if follows else one
        passed += t_of(made) >= T_WANTED
        plainly += ratio(made) * math.sqrt(len(made)) >= T_WANTED
    assert 0.03 < passed / 2_000 < 0.09
    if follows:
        assert plainly > 1.5 * passed, "a plain error is fooled"


def test_t_is_the_plain_one_of_a_slow_twin():
    changes = np.random.default_rng(1).standard_normal(50) + 0.2
    count, mean, lags = len(changes), changes.mean(), round(50 ** (1 / 3))
    total = 0.0
    for i in range(count):
        for j in range(count):
            weight = max(0.0, 1 - abs(i - j) / (lags + 1))
            total += weight * (changes[i] - mean) * (changes[j] - mean)
    assert t_of(changes) == pytest.approx(mean / math.sqrt(total / count**2))


def test_what_never_moves_has_no_t_and_what_only_gains_has_no_error():
    assert math.isnan(t_of(np.zeros(10))) and math.isnan(ratio(np.zeros(10)))
    assert t_of(np.ones(10)) == math.inf and math.isnan(ratio(np.ones(10)))
    assert math.isnan(t_of(np.ones(1))) and math.isnan(ratio(np.ones(1)))


def test_objectives_by_name_and_by_function():
    gain, risky = np.array([1.0, 1.1, 0.9, 1.0]), np.array([9.0, -5.0, 9.0, -5.0])
    matrix = np.stack([gain, risky, np.zeros(4)], axis=1)
    assert best_of(matrix, objective("sharpe")) == 0
    assert best_of(matrix, objective("pnl")) == 1
    assert best_of(matrix, objective("calmar")) == 0
    assert best_of(matrix, objective(lambda changes: -abs(changes).sum())) == 2
    for bad in ("beauty", 7, None):
        with pytest.raises(InputError, match="is no objective"):
            objective(bad)


def test_a_step_is_said_or_leaves_some_hundred():
    tapes = days(2, seconds=130)
    assert step_of(None, tapes) == 10**9
    assert step_of("5s", tapes) == 5 * 10**9
    for bad in ("0s", -1, "soon"):
        with pytest.raises(InputError):
            step_of(bad, tapes)
    assert year_steps(tapes, 60 * 10**9) == 252 * 390


def test_a_run_is_kept_as_steps_that_add_up():
    tape = market(seconds=20)
    result = hft.backtest(Follow, tape, venue=VENUE, every="1s")
    brief = brief_of(result, 10**9)
    assert brief.total == pytest.approx(result.stats["pnl_net"]) and len(brief.pnl) == 20
    assert brief.times[0] == tape.begin + 10**9
    assert (brief.fills, brief.orders) == (len(result.fills), len(result.orders))
    twice = joined([brief, brief])
    assert twice.total == pytest.approx(2 * brief.total) and twice.fills == 2 * brief.fills


def test_too_few_fills_or_steps_tell_nothing():
    moving = np.ones(30)
    assert too_few(20, moving) == ""
    assert "19 fills" in too_few(19, moving) and "in 0 steps" in too_few(20, np.zeros(30))
