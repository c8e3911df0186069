"""Schedules against plain Python and fractions, and Almgren and Chriss' own example."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.parents import ONE, SLICES_MAX
from hftlib.execution import schedules
from hftlib.execution.schedules import DAY_NS, OTHERS_MAX, RATE_MAX

pytestmark = pytest.mark.modes
EXAMPLES = settings(max_examples=1000 if jit.COMPILED else 200)
wholes = st.integers(1, 2**58)
lots = st.integers(0, 2**53 - 1)
shares = st.integers(0, ONE)
durations = st.integers(SLICES_MAX * 1000, 10**17)


@EXAMPLES
@given(st.integers(-(2**58), 2**58), wholes)
def test_a_share_is_the_fraction_rounded_down(part, whole):
    exact = min(max(Fraction(part, whole), 0), 1)
    assert schedules.share_of(part, whole) == math.floor(exact * ONE)


@EXAMPLES
@given(lots, shares)
def test_a_part_is_exact_and_never_more_than_the_whole(quantity, share):
    assert schedules.part_of(quantity, share) == quantity * share // ONE <= quantity


@EXAMPLES
@given(lots, st.integers(1, SLICES_MAX), st.data())
def test_slices_add_up_to_the_quantity(quantity, slices, data):
    number = data.draw(st.integers(0, slices))
    assert schedules.slice_of(quantity, number, slices) == quantity * number // slices
    assert schedules.slice_of(quantity, slices, slices) == quantity


@EXAMPLES
@given(durations, st.integers(1, 200), st.integers(0, ONE - 1), st.integers(0, 2**62), st.data())
def test_slices_begin_in_order_within_their_own_time(duration, slices, jitter, seed, data):
    begins = [
        schedules.slice_begin(n, slices, duration, jitter, seed) for n in range(min(slices, 40))
    ]
    for n, begin in enumerate(begins):
        own = duration * n // slices
        assert own <= begin <= own + duration // slices * jitter // ONE < duration
    assert begins == sorted(begins)
    after = data.draw(st.integers(-1000, duration + 1000))
    twin = sum(
        schedules.slice_begin(n, slices, duration, jitter, seed) <= after for n in range(slices)
    )
    twin = slices if after >= duration else twin
    assert schedules.slices_begun(after, slices, duration, jitter, seed) == twin


def test_jitter_is_even_and_another_for_another_seed():
    draws = np.array([schedules.drawn(7, n) for n in range(2_000)])
    assert draws.min() >= 0 and draws.max() < ONE
    counts = np.histogram(draws, 10, (0, ONE))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 30  # chi squared, 9 degrees: one in 2,000
    assert len({schedules.drawn(seed, 3) for seed in range(100)}) == 100


@EXAMPLES
@given(st.integers(0, OTHERS_MAX), st.integers(1, RATE_MAX))
def test_our_share_of_all_volume_is_the_rate(others, rate):
    own = schedules.of_volume(others, rate)
    assert own == others * rate // (ONE - rate)
    # The most that is no more than the rate: one lot more would be above it.
    assert own * ONE <= rate * (own + others)
    assert (own + 1) * ONE > rate * (own + 1 + others)


@EXAMPLES
@given(shares, st.floats(0, 1e6))
def test_the_trajectory_is_that_of_hyperbolic_sines(share, urgency):
    done = schedules.front_loaded(share, urgency)
    assert 0 <= done <= ONE
    assert done >= share - 2, "it is never behind a straight line"
    if 1e-3 < urgency < 300:
        left = math.sinh(urgency * (1 - share / ONE)) / math.sinh(urgency)
        assert done == pytest.approx(ONE * (1 - left), abs=2 + 1e-6 * ONE)


@EXAMPLES
@given(shares, shares, st.floats(0, 1e4))
def test_the_trajectory_only_rises(one, other, urgency):
    one, other = sorted((one, other))
    assert schedules.front_loaded(one, urgency) <= schedules.front_loaded(other, urgency)


def test_the_example_of_almgren_and_chriss():
    """Their table 1: a million shares in five days, kappa about 0.61 a day, half-life 1.6 days.

    Price 50, 30 % a year: 0.95 a share per root of a day; eta 2.5e-6, gamma 2.5e-7, lambda 1e-6.
    """
    days, steps = 5.0, 5
    urgency = schedules.urgency(1e-6, 0.95, 2.5e-6, days, steps, 2.5e-7)
    kappa = urgency / days
    assert kappa == pytest.approx(0.61, abs=0.005)
    assert 1 / kappa == pytest.approx(1.6, abs=0.06)
    held = [
        10**6 - schedules.part_of(10**6, schedules.front_loaded(n * ONE // 5, urgency))
        for n in range(6)
    ]
    # The minimum of cost + lambda variance, by the tridiagonal equations of their section 2.1.
    tilde = 1e-6 * 0.95**2 / (2.5e-6 - 0.5 * 2.5e-7)
    system = np.diag([-(2 + tilde)] * 4) + np.diag([1.0] * 3, 1) + np.diag([1.0] * 3, -1)
    solved = np.linalg.solve(system, [-1e6, 0, 0, 0])
    assert held[0] == 10**6 and held[-1] == 0
    assert np.allclose(held[1:-1], solved, atol=2)


def test_a_trajectory_without_a_setting_is_a_straight_line():
    assert schedules.urgency(0.0, 1.0, 1.0, 10.0, 5, 0.0) == 0.0
    assert schedules.urgency(1.0, 1.0, 1.0, 10.0, 5, 2.0) == 0.0, "no temporary impact is left"
    assert schedules.urgency(math.nan, 1.0, 1.0, 10.0, 5, 0.0) == 0.0
    assert schedules.front_loaded(ONE // 4, 0.0) == ONE // 4


@EXAMPLES
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30), st.integers(1, 10**12), st.data())
def test_a_curve_is_a_line_from_point_to_point(steps, step, data):
    total = sum(steps) or 1
    points = np.array([sum(steps[: n + 1]) * ONE // total for n in range(len(steps))], np.int64)
    points[-1] = ONE
    time = data.draw(st.integers(0, 3 * DAY_NS))
    got = schedules.curve_volume(points.ctypes.data, len(points), step, 0, time)
    day, into = divmod(time, DAY_NS)
    ends = np.concatenate([[0], points])
    twin = day * ONE + np.interp(into / step, np.arange(len(ends)), ends)
    assert got == pytest.approx(twin, abs=3)
    later = schedules.curve_volume(points.ctypes.data, len(points), step, 0, time + 12_345)
    assert later >= got
