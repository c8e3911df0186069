"""A hill is a plateau, a spike is a lonely peak, and of one trial nobody can tell."""

import numpy as np
import pytest

from hftlib.research.sweep.plateau import ALIKE, LONELY, PLATEAU, UNKNOWN, Land
from hftlib.research.sweep.space import space_of
from tests.research.sweep_desk import Chancy

SPACE = space_of({"edge": (1, 7), "clip": [1, 2, 3, 4, 5, 6, 7]}, Chancy())
EDGE, CLIP = np.divmod(np.arange(49), 7)


def land(heights, space=SPACE, params=None):
    rows = [space.grid_at(n) for n in range(len(heights))] if params is None else params
    return Land(space, np.arange(len(heights)), rows, np.asarray(heights, float))


def test_a_hill_is_a_plateau():
    hill = 10 - np.hypot(EDGE - 3, CLIP - 3)
    found = land(hill).standing("sharpe")
    assert (found.word, found.number, set(found.neighbours)) == (PLATEAU, 24, {17, 23, 25, 31})
    median = np.median(hill)
    assert found.keeps == pytest.approx((9 - median) / (10 - median))
    assert "stands on a plateau" in found.sentence and "edge of" not in found.sentence


def test_a_spike_is_a_lonely_peak():
    chance = np.random.default_rng(1).normal(size=49)
    chance[24] = 9.0
    found = land(chance).standing("pnl_net")
    assert found.word == LONELY and found.keeps < 0.3
    assert "trial 24 (pnl_net 9) is a lonely peak" in found.sentence.replace(",", "")


def test_a_summit_at_the_edge_says_so():
    assert (
        "at the edge of edge: try further"
        in land(EDGE + 0.0 - abs(CLIP - 3)).standing("x").sentence
    )


def test_what_is_not_a_number_is_no_trial():
    heights = 10 - np.hypot(EDGE - 3, CLIP - 3)
    heights[24] = np.nan
    found = land(heights).standing("sharpe")
    assert found.number in (17, 23, 25, 31)
    assert land(np.full(49, np.nan)).standing("sharpe").word == UNKNOWN


def test_of_one_trial_nobody_can_tell_and_of_equal_ones_none_is_best():
    one = {"edge": 3, "clip": 3}
    assert land([1.0], params=[one]).standing("sharpe").word == UNKNOWN
    assert land(np.ones(49)).standing("sharpe").word == ALIKE


def test_neighbours_off_a_grid_are_the_nearest_of_a_slow_look():
    chance = np.random.default_rng(3)
    space = space_of({"edge": (1, 20), "lean": (0.0, 3.0)}, Chancy())
    params = space.drawn(60, 3)
    made = land(chance.normal(size=60), space, params)
    for row in range(60):
        apart = [
            (((a["edge"] - b["edge"]) / 19) ** 2 + ((a["lean"] - b["lean"]) / 3) ** 2, n)
            for n, b in enumerate(params)
            for a in [params[row]]
            if n != row
        ]
        assert set(made.near(row).tolist()) == {n for _, n in sorted(apart)[:5]}
    rows, means = made.around()
    assert made.heights[rows[0]] == made.heights.max()
    assert means[0] == made.heights[made.near(rows[0])].mean()
