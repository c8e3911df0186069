"""How long drawn pieces are: longer where P&L moves together, and coarser steps add up."""

import holdout
import numpy as np
import pytest

from hftlib.core.errors import InputError
from hftlib.research.validation.blocks import block_length, coarser


def moving(seed, stay, steps=2_000):
    drawn = np.random.default_rng(seed).normal(size=steps)
    for one in range(1, steps):
        drawn[one] += stay * drawn[one - 1]
    return drawn


def test_what_moves_together_is_drawn_in_longer_pieces():
    apart, together = (
        np.mean([block_length(moving(seed, stay)) for seed in range(5)]) for stay in (0.0, 0.9)
    )
    assert apart < 10 < 20 < together
    assert block_length(moving(1, 0.9) * 1e90) == block_length(moving(1, 0.9))


@pytest.mark.parametrize("stay", [0.6, 0.9])
def test_another_implementation_finds_about_the_same_length(stay):
    """They search the correlations a little differently; for circular pieces it is 14 % more."""
    series = [moving(seed, stay) for seed in range(4)]
    theirs = np.mean([holdout.bootstrap.optimal_block_length(one) for one in series])
    assert np.mean([block_length(one) for one in series]) == pytest.approx(theirs, rel=0.05)


@pytest.mark.parametrize("values", [np.zeros(100), np.full(100, 0.3), np.r_[1.0, np.zeros(99)]])
def test_what_hardly_moves_is_drawn_step_by_step(values):
    assert 1 <= block_length(values) <= 33


def test_a_given_length_is_kept_and_one_that_is_too_long_refused():
    assert block_length(np.zeros(90), 30) == 30
    for block in (0, 31, 2.5, "a"):
        with pytest.raises(InputError, match=r"from 1 to 30"):
            block_length(np.zeros(90), block)


def test_longer_steps_are_sums_and_the_last_ones_are_kept():
    values = np.arange(23.0)[:, None] * [1.0, 10.0]
    steps, each = coarser(values, 6)
    assert each == 4 and steps.shape == (5, 2)
    assert steps[:, 0].tolist() == [18, 34, 50, 66, 82]
    assert np.array_equal(coarser(values, 23)[0], values) and coarser(values, 100)[1] == 1
    assert coarser(np.zeros((0, 3)), 10)[0].shape == (0, 3)
