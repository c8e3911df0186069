"""Which parameters a sweep tries, and the sentences for spaces that are none."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.sweep.space import GRID_POINTS, space_of
from tests.research.sweep_desk import Chancy


def made(space):
    return space_of(space, Chancy())


def test_a_grid_takes_each_combination_once_and_the_last_parameter_changes_fastest():
    space = made({"lean": [2.0, 0.5], "edge": (1, 3)})
    every = [space.grid_at(number) for number in range(space.grid_size)]
    assert every == [{"edge": e, "lean": x} for e in (1, 2, 3) for x in (0.5, 2.0)]


def test_a_long_range_has_some_points_in_a_grid_both_ends_among_them():
    whole, number = made({"clip": (100, 1000)}), made({"lean": (0.0, 3.0)})
    points = [one.grid_at(n) for one in (whole, number) for n in range(one.grid_size)]
    assert len(points) == 2 * GRID_POINTS
    assert points[0] == {"clip": 100} and points[GRID_POINTS - 1] == {"clip": 1000}
    assert points[GRID_POINTS] == {"lean": 0.0} and points[-1] == {"lean": 3.0}


def test_without_a_space_parameters_say_themselves_what_they_may_be():
    assert made(None).names == ["edge", "lean", "careful", "wait"]  # clip has no end
    assert [one.count for one in made(None).dimensions[::2]] == [20, 2]
    assert made({"edge": None}).count == 20


def test_durations_may_be_text():
    assert made({"wait": ["1s", "5ms"]}).grid_at(0) == {"wait": 5_000_000}
    assert made({"wait": ("1ms", "2ms")}).dimensions[0].high == 2_000_000


def test_chance_draws_nothing_twice_within_its_bounds_and_a_longer_draw_goes_on():
    space = made({"edge": (1, 20), "lean": (0.0, 3.0)})
    long, short = space.drawn(200, 5), space.drawn(20, 5)
    assert long[:20] == short and space.drawn(20, 6) != short
    assert len({tuple(one.values()) for one in long}) == 200
    assert all(1 <= one["edge"] <= 20 and 0.0 <= one["lean"] <= 3.0 for one in long)


@pytest.mark.parametrize("count", [39, 40])
def test_chance_can_draw_nearly_all_there_is(count):
    space = made({"edge": (1, 20), "careful": None})
    drawn = space.drawn(count, 1)
    assert len({tuple(one.values()) for one in drawn}) == count
    with pytest.raises(InputError, match="40 combinations, and 41"):
        space.drawn(41, 1)


def test_places_run_from_nothing_to_one():
    space = made({"edge": [2, 4, 10], "lean": (0.0, 2.0)})
    edge, lean = space.dimensions
    assert [edge.place_of(value) for value in (2, 4, 10)] == [0.0, 0.5, 1.0]
    assert lean.place_of(0.5) == 0.25


@pytest.mark.parametrize(
    "space, what",
    [
        ({"edg": [1]}, "no parameter 'edg'"),
        ({"edge": [1, 21]}, "above its bound 20"),
        ({"edge": (0, 3)}, "below its bound 1"),
        ({"edge": (3, 1)}, "from 3 to 1"),
        ({"edge": (3, 3)}, "from 3 to 3"),
        ({"edge": []}, "no values"),
        ({"edge": [1, 2, 1]}, "1 twice"),
        ({"edge": 3}, "neither which values"),
        ({"edge": "123"}, "neither which values"),
        ({"edge": (1, 2, 3)}, "neither which values"),
        ({"edge": [1.5]}, "is a whole number"),
        ({"lean": (0.0, float("nan"))}, "is not a number"),
        ({"careful": (False, True)}, "no number with a range"),
        ({"wait": ["soon"]}, "soon"),
        ({"clip": None}, "does not say from where"),
        ({}, "nothing to vary"),
        ([1, 2], "no space"),
        ({1: [2]}, "no space"),
    ],
)
def test_what_is_no_space_is_said(space, what):
    with pytest.raises(InputError, match=what):
        made(space)


def test_a_strategy_without_parameters_has_nothing_to_vary():
    @hft.strategy
    class Plain:
        def on_book(self, ctx, i):
            pass

    with pytest.raises(InputError, match="nothing to vary of Plain"):
        space_of(None, Plain())


def test_numbers_of_numpy_are_numbers():
    assert made({"edge": np.arange(1, 4)}).grid_size == 3
