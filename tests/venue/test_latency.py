"""Latencies: drawn alike in every mode, spread as they were told, searched as a slow twin would."""

from __future__ import annotations

import bisect
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.venue.delays import Delay, Latency, laid
from hftlib.venue.latency import (
    CANCEL,
    ENTRY,
    FEED,
    LATENCY,
    LATENCY_BYTES,
    LATENCY_NS_MAX,
    REPLACE,
    RESPONSE,
    feed_latency_at,
    latency_at,
    mixed,
    quantile_at,
)
from hftlib.venue.quantiles import STEPS, lognormal

EXAMPLES = settings(max_examples=500 if jit.COMPILED else 80)
DRAWS = 200_000 if jit.COMPILED else 4_000
NOON = 1_795_262_400 * 10**9
WORD = (1 << 32) - 1
SPREAD_OUT = lognormal(10**6, 10**8, LATENCY_NS_MAX)


class Block:
    """Five legs in memory of their own."""

    def __init__(self, entry: Delay, feed: Delay | None = None, seed: int = 0) -> None:
        zero = Latency.constant(0)
        order = Latency(entry, cancel="2us", replace="3us", response="4us")
        self.memory = laid(zero if feed is None else feed, order, seed)

    def leg(self, leg: int, time: int, key: int = 0) -> int:
        return int(latency_at(self.memory.ctypes.data + leg * LATENCY_BYTES, time, key))

    def entry(self, time: int, key: int = 0) -> int:
        return self.leg(ENTRY, time, key)


def stirred(bits: int) -> int:
    for factor, shift in ((1, 16), (0x7FEB352D, 15), (0x846CA68B, 16)):
        bits = bits * factor & WORD
        bits ^= bits >> shift
    return bits


@pytest.mark.modes
@EXAMPLES
@given(st.integers(0, WORD), st.integers(0, 1 << 62), st.integers(0, (1 << 63) - 1))
def test_the_bits_of_a_draw_are_the_hash_of_seed_time_and_key(seed, time, key):
    bits = stirred(seed ^ (time & WORD))
    bits = stirred(bits ^ (time >> 32))
    bits = stirred(bits ^ (key & WORD))
    bits = stirred((seed + (bits ^ (key >> 32))) & WORD)
    assert mixed(seed, time, key) == bits


@pytest.mark.modes
@EXAMPLES
@given(st.integers(0, WORD) | st.integers(0, 1 << 23).map(lambda below: WORD - below))
@example(1023 << 22)
@example((1023 << 22) - 1)
@example(WORD)
@example(0)
def test_a_draw_is_the_quantile_at_its_share_up_to_the_tail(bits):
    table = SPREAD_OUT
    at, left = divmod(bits * STEPS, 1 << 32)
    if at == STEPS - 1:
        at, left = divmod(left * STEPS, 1 << 32)
        at += STEPS + 1
    low, high = int(table[at]), int(table[at + 1])
    exact = low + Fraction((high - low) * left, 1 << 32)
    # A way along a step has 20 bits.
    slack = Fraction(high - low, 1 << 20) + 1
    assert exact - slack <= quantile_at(table.ctypes.data, bits) <= exact


@pytest.mark.modes
def test_the_very_draws_are_those_of_any_machine():
    """Recorded once: compiled, uncompiled and elsewhere must find the same ones."""
    block = Block(Latency.lognormal("200us", "2ms"), seed=7)
    assert [block.entry(NOON + n, n) for n in range(6)] == [
        193378,
        993720,
        21014,
        193661,
        173052,
        328850,
    ]


@pytest.mark.modes
def test_each_leg_has_its_own_latency():
    block = Block(Latency.constant("1us"), Latency.constant("5us"))
    legs = (FEED, ENTRY, CANCEL, REPLACE, RESPONSE)
    assert [block.leg(leg, NOON) for leg in legs] == [5_000, 1_000, 2_000, 3_000, 4_000]


@pytest.mark.modes
def test_memory_of_zeros_is_no_latency():
    place = np.zeros(1, LATENCY)
    assert latency_at(place.ctypes.data, NOON, 1) == 0
    assert feed_latency_at(place.ctypes.data, NOON, NOON + 5, 1) == 0


@pytest.mark.modes
def test_drawn_latencies_have_the_quantiles_that_were_asked_for():
    block = Block(Latency.lognormal("200us", "2ms"))
    drawn = np.array([block.entry(NOON + 1000 * n) for n in range(DRAWS)])
    below = [(drawn <= bound).mean() for bound in (200_000, 2_000_000)]
    # Five standard deviations of a count of so many draws.
    assert abs(below[0] - 0.5) < 5 * (0.25 / DRAWS) ** 0.5
    assert abs(below[1] - 0.99) < 5 * (0.0099 / DRAWS) ** 0.5
    assert drawn.min() > 0
    assert drawn.max() > 4_000_000


@pytest.mark.modes
def test_every_measured_step_is_drawn_about_as_often():
    block = Block(Latency.sampled(np.arange(1025) * 1000))
    drawn = np.array([block.entry(NOON, key) for key in range(DRAWS)])
    counts = np.bincount(drawn * 16 // (1024 * 1000 + 1), minlength=16)
    expected = DRAWS / 16
    # The sum of squares has 15 degrees of freedom: 60 is beyond one in a million.
    assert ((counts - expected) ** 2 / expected).sum() < 60
    assert drawn.min() >= 0
    assert drawn.max() <= 1024 * 1000


@pytest.mark.modes
def test_draws_at_one_time_next_times_and_of_two_legs_and_seeds_do_not_follow_each_other():
    delay = Latency.sampled(np.arange(1025) * 1000)
    count = DRAWS // 4
    one, other = Block(delay, delay, seed=1), Block(delay, delay, seed=2)
    base = np.array([one.entry(NOON + n, 3) for n in range(count)])
    for series in (
        [one.entry(NOON + n + 1, 3) for n in range(count)],
        [one.entry(NOON + n, 4) for n in range(count)],
        [one.leg(FEED, NOON + n, 3) for n in range(count)],
        [other.entry(NOON + n, 3) for n in range(count)],
    ):
        assert abs(np.corrcoef(base, series)[0, 1]) < 5 / count**0.5


@pytest.mark.modes
def test_a_slice_has_the_draws_of_the_whole_and_a_moved_block_too():
    delay = Latency.lognormal("1ms", "9ms")
    whole, part = Block(delay), Block(delay)
    drawn = [whole.entry(NOON + n, n % 3) for n in range(100)]
    part.memory = part.memory.copy()
    assert [part.entry(NOON + n, n % 3) for n in range(60, 100)] == drawn[60:]


@pytest.mark.modes
@EXAMPLES
@given(st.lists(st.integers(0, LATENCY_NS_MAX), min_size=1, max_size=50), st.integers(0, 1 << 62))
def test_a_draw_is_never_outside_of_what_was_measured(values, key):
    drawn = Block(Latency.sampled(np.array(values))).entry(NOON, key)
    assert min(values) <= drawn <= max(values)


def found(times: list[int], values: list[int], between: str, time: int) -> tuple[int, int]:
    """What a measured latency may be at a time, as its bounds."""
    at = bisect.bisect_right(times, time) - 1
    if at < 0 or at == len(times) - 1 or between == "last" or time == times[at]:
        return values[max(at, 0)], values[max(at, 0)]
    span, rise = times[at + 1] - times[at], values[at + 1] - values[at]
    exact = values[at] + rise * (time - times[at]) // span
    # The part of the span is kept to 20 bits.
    slack = (abs(rise) >> 20) + 1
    return exact - slack, exact + slack


@pytest.mark.modes
@pytest.mark.parametrize("between", ["line", "last"])
@pytest.mark.parametrize("gap", [3, 10**9, 1 << 50])
def test_measured_latencies_agree_with_a_slow_twin_in_any_order_of_times(between, gap):
    chance = random.Random(gap)
    times = sorted(chance.randrange(200 * gap) for _ in range(200))
    values = [chance.choice((0, chance.randrange(1000), LATENCY_NS_MAX)) for _ in times]
    block = Block(Latency.measured(np.array(times), np.array(values), between=between))
    forward = sorted(chance.randrange(-gap, 201 * gap) for _ in range(300))
    for time in [*forward, *chance.choices(forward, k=300), *times]:
        low, high = found(times, values, between, time)
        answer = block.entry(time)
        assert max(low, 0) <= answer <= high


@pytest.mark.modes
def test_of_two_measurements_at_one_time_the_later_holds():
    block = Block(Latency.measured(np.array([10, 10, 20]), np.array([1, 5, 9])))
    assert [block.entry(time) for time in (9, 10, 15, 20, 99)] == [1, 5, 7, 9, 9]


@pytest.mark.modes
def test_a_feed_arrives_as_recorded_where_the_tape_says_when():
    address = Block(Latency.constant(0), Latency.recorded("7us")).memory.ctypes.data
    assert feed_latency_at(address, NOON, NOON + 123, 1) == 123
    assert feed_latency_at(address, NOON, NOON - 5, 1) == 0  # a clock that was behind
    assert feed_latency_at(address, NOON, 0, 1) == 7_000
    assert feed_latency_at(address, NOON, NOON + 2 * LATENCY_NS_MAX, 1) == LATENCY_NS_MAX


@pytest.mark.modes
def test_a_feed_that_is_drawn_takes_no_notice_of_what_was_recorded():
    delay = Latency.lognormal("1ms", "9ms")
    block = Block(Latency.constant(0), delay)
    answer = feed_latency_at(block.memory.ctypes.data, NOON, NOON + 5, 3)
    assert answer == block.leg(FEED, NOON, 3)
