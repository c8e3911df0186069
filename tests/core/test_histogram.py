"""The histogram loses nothing, errs by at most 1 % upwards, and speaks HdrHistogram's language."""

from __future__ import annotations

import math
import sys
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from histogram_process import FAST, SLOW, record_turns, recorded
from hypothesis import example, given, settings
from hypothesis import strategies as st
from processes import PATIENCE_S, SIGKILL, answer_of, shared_arena, started

from hftlib.core import jit
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError, StateError
from hftlib.core.histogram import (
    BUCKETS,
    HISTOGRAM,
    SIGNIFICANT_DIGITS,
    VALUE_MAX,
    Histogram,
    bucket_bounds,
)
from hftlib.core.layout import Layout

EXAMPLES = settings(max_examples=200 if jit.COMPILED else 40)
LAYOUT = Layout(latency=HISTOGRAM)
PERCENTS = (0, 1e-9, 0.1, 1, 25, 50, 75, 90, 99, 99.9, 99.99, 99.999999999, 100)

near_a_boundary = st.builds(
    lambda power, part, off: (1 << power) + (part << power >> 7) + off,
    st.integers(0, 42),
    st.integers(0, 127),
    st.integers(-2, 2),
)
inside = st.one_of(
    st.integers(0, VALUE_MAX),
    st.integers(0, 300),
    st.integers(0, 42).flatmap(lambda bits: st.integers(0, (1 << bits) - 1)),
    near_a_boundary.filter(lambda value: 0 <= value <= VALUE_MAX),
)
outside = st.sampled_from([-1, -(2**63), VALUE_MAX + 1, 2**63 - 1]) | near_a_boundary
percents = st.sampled_from(PERCENTS) | st.floats(0, 100, allow_nan=False)


def exact(values: Any, percent: float) -> int:
    """The smallest value that at least `percent` of the values do not exceed, without rounding."""
    rank = math.ceil(Fraction(repr(percent)) * len(values) / 100)
    return int(np.sort(values)[max(rank, 1) - 1])


def holds_exactly(made: Histogram, values: Any) -> None:
    """All that can be known exactly of the values is known exactly."""
    array = np.asarray(values, np.int64)
    kept = array[(array >= 0) & (array <= VALUE_MAX)]
    assert made.outside == ((array < 0).sum(), (array > VALUE_MAX).sum())
    assert made.count + sum(made.outside) == len(array)
    assert made.count == len(kept) == sum(count for _, _, count in made.picture())
    told = made.summary()
    assert [*told.values()][:3] == [made.count, *made.outside]
    if len(kept):
        assert (told["min"], told["max"]) == (kept.min(), kept.max())
        assert made.memory["sum"][0] == sum(kept.tolist())
        assert told["mean"] == made.mean == pytest.approx(sum(kept.tolist()) / len(kept), rel=1e-15)


def errs_by_one_percent_upwards(made: Histogram, values: Any, percent: float) -> None:
    true, found = exact(values, percent), made.percentile(percent)
    assert true <= found <= true + true / 100
    assert found <= np.max(values)


@pytest.mark.modes
@EXAMPLES
@given(st.lists(inside, min_size=1, max_size=100), percents)
def test_a_percentile_is_never_too_low_and_at_most_1_percent_too_high(
    values: list[int], percent: float
) -> None:
    made = recorded(values)
    errs_by_one_percent_upwards(made, values, percent)
    holds_exactly(made, values)
    # numpy means the same by inverted_cdf, where its own floats do not round: at the quarters.
    for quarter in (0, 25, 50, 75, 100):
        assert exact(values, quarter) == np.percentile(values, quarter, method="inverted_cdf")


@pytest.mark.modes
@pytest.mark.parametrize("shape", ["lognormal", "bimodal", "constant", "uniform", "pareto"])
def test_percentiles_of_the_usual_shapes(shape: str) -> None:
    chance, size = np.random.default_rng(7), 200_000 if jit.COMPILED else 2_000
    samples = {
        "lognormal": lambda: chance.lognormal(8, 2, size),
        "bimodal": lambda: np.where(chance.random(size) < 0.99, 850, 3.2e9 + chance.random(size)),
        "constant": lambda: np.full(size, 1_234_567),
        "uniform": lambda: chance.integers(0, VALUE_MAX, size),
        "pareto": lambda: (1 + chance.pareto(1, size)) * 500,
    }
    values = samples[shape]().astype(np.int64)
    made = recorded(values)
    kept = values[values <= VALUE_MAX]
    for percent in PERCENTS:
        errs_by_one_percent_upwards(made, kept, percent)
    holds_exactly(made, values)


@pytest.mark.parametrize(("size", "percent"), [(250, 64.4), (375, 8.8), (25, 28.0), (50, 14.0)])
def test_a_whole_rank_is_not_rounded_up_by_a_float_just_above_it(size: int, percent: float) -> None:
    values = range(size)  # the product of the two in floats is 161.00000000000003, and so on
    assert recorded(values).percentile(percent) == exact(values, percent)


@pytest.mark.modes
@EXAMPLES
@given(st.lists(inside, min_size=1, max_size=50), st.lists(percents, min_size=2, max_size=6))
def test_percentiles_rise_with_the_percent(values: list[int], asked: list[float]) -> None:
    found = [recorded(values).percentile(percent) for percent in sorted(asked)]
    assert found == sorted(found)


@pytest.mark.modes
@EXAMPLES
@given(st.lists(inside | outside, max_size=60))
@example([0, 255, 256, VALUE_MAX, VALUE_MAX + 1, -1, 2**63 - 1, -(2**63)])
def test_every_value_is_counted_once_inside_or_out(values: list[int]) -> None:
    compiled, python = recorded(values), Histogram()
    for value in values:
        python.record(value)
    assert compiled.memory.tobytes() == python.memory.tobytes()
    holds_exactly(compiled, values)


def test_each_bucket_ends_where_the_next_begins_and_counts_its_own_values() -> None:
    first, last = bucket_bounds()
    assert (first[0], last[-1], len(first)) == (0, VALUE_MAX, BUCKETS)
    assert (first[1:] == last[:-1] + 1).all()
    assert ((last - first) * 100 <= first)[256:].all() and (last == first)[:256].all()
    for offset in (-1, 0, 1):
        bound = np.clip(first + offset, 0, VALUE_MAX)
        bucket = np.searchsorted(first, bound, side="right") - 1
        held = np.bincount(bucket, minlength=BUCKETS)
        assert (recorded(bound).counts == held).all()
    assert (recorded(first).counts == 1).all() and (recorded(last).counts == 1).all()
    assert (recorded((first + last) // 2).counts == 1).all()


@pytest.mark.parametrize("value", [2**63, 10**30, -(2**63) - 1, -(10**30)])
def test_what_no_int64_holds_is_counted_outside(value: int) -> None:
    made = Histogram()
    made.record(value)
    assert made.outside == (int(value < 0), int(value > 0)) and made.count == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.9, 5.0, True, "5", None, [1]])
def test_what_is_no_whole_number_is_refused_and_not_counted(value: Any) -> None:
    made = Histogram(name="acks")
    with pytest.raises(InputError, match=r"not a whole number of nanoseconds.*'acks'.*Record ints"):
        made.record(value)
    assert not made.memory.view(np.uint8).any()


@settings(max_examples=100)
@given(st.lists(inside, max_size=60))
@example([0])
@example([VALUE_MAX])
def test_hdrhistogram_has_the_same_count_in_every_bucket(values: list[int]) -> None:
    theirs = HdrHistogram(1, VALUE_MAX, SIGNIFICANT_DIGITS)
    assert theirs.counts_len == BUCKETS and all(map(theirs.record_value, values))
    made = recorded(values).to_hdr()
    assert list(made.counts) == list(theirs.counts) == recorded(values).counts.tolist()
    assert made.get_total_count() == theirs.get_total_count() == len(values)
    assert made.get_min_value() == theirs.get_min_value()
    assert made.get_max_value() == theirs.get_max_value()
    back = HdrHistogram.decode(made.encode())
    assert [back.get_count_at_index(n) for n in range(BUCKETS)] == list(theirs.counts)


def test_without_the_package_hdrhistogram_the_refusal_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "hdrh.histogram", None)  # what Python keeps for "not there"
    with pytest.raises(InputError, match=r"pip install 'hftlib\[research\]'"):
        Histogram().to_hdr()


@pytest.mark.modes
@EXAMPLES
@given(st.lists(inside | outside, max_size=40), st.lists(inside | outside, max_size=40))
def test_adding_two_is_recording_both(ours: list[int], theirs: list[int]) -> None:
    made, other = recorded(ours), recorded(theirs)
    before = other.memory.tobytes()
    made.add(other)
    assert made.memory.tobytes() == recorded(ours + theirs).memory.tobytes()
    assert other.memory.tobytes() == before


def test_one_process_records_while_another_reads(record_property: Any) -> None:
    turns = 5_000
    with shared_arena(LAYOUT) as arena:
        reader, reads, count = Histogram(Arena.open(arena.path)["latency"]), 0, 0
        until = time.monotonic() + PATIENCE_S
        with started("histogram_process", "record", arena.path, turns) as child:
            while child.poll() is None and time.monotonic() < until:
                told = reader.summary()
                assert told["count"] >= count
                count, reads = told["count"], reads + (told["count"] > count)
                if count:
                    ladder = [told[name] for name in told if name[0] in "pm" and name != "mean"]
                    assert ladder == sorted(ladder), told
                    assert str(reader).startswith("latency: ")
            answer_of(child)
        alone = Histogram()
        record_turns(alone.address, turns, 0)
        assert reader.memory.tobytes() == alone.memory.tobytes()
        assert reader.count + sum(reader.outside) == turns * (SLOW + FAST)
        assert min(reader.outside) > 0
    record_property("reads_while_recording", reads)
    print(f"histogram: {reads} different summaries read while {turns * (SLOW + FAST):,} recorded")


def test_what_a_killed_recorder_counted_stays_and_another_carries_on() -> None:
    with shared_arena(LAYOUT) as arena:
        latency, alone = Histogram(arena["latency"]), Histogram()
        with started("histogram_process", "die", arena.path, 100) as child:
            assert child.wait() == -SIGKILL
        record_turns(alone.address, 100, 0)
        assert latency.memory.tobytes() == alone.memory.tobytes()
        latency.record(7)
        assert latency.count == alone.count + 1


@pytest.mark.parametrize("most", [0, 5, 999, 10**6])
def test_a_writer_dead_within_a_record_makes_no_percentile_too_low(most: int) -> None:
    made = Histogram()
    made.counts[np.searchsorted(bucket_bounds()[0], 1000, side="right") - 1] = 1
    made.memory["most"] = most
    told = made.summary()
    assert told["min"] <= 1000 <= told["p50"] == told["max"] <= 1010


@pytest.mark.parametrize("percent", [-1e-9, -1, 100.000001, math.nan, math.inf, None, "many", [50]])
def test_there_are_percentiles_from_0_to_100_only(percent: Any) -> None:
    with pytest.raises(InputError, match=r"percent|histogram 'latency'"):
        recorded([1]).percentile(percent)


def test_an_empty_histogram_says_so() -> None:
    empty = Histogram(name="<ack & fill>")
    with pytest.raises(
        InputError, match=r"empty histogram has no percentiles.*Record values first"
    ):
        empty.percentile(50)
    assert (empty.summary(), empty.picture()) == ({"count": 0, "below": 0, "above": 0}, [])
    assert math.isnan(empty.mean) and repr(empty) == "<Histogram <ack & fill>: nothing recorded>"
    assert empty._repr_html_() == (
        "<table><caption>&lt;ack &amp; fill&gt;: nothing recorded</caption></table>"
    )


def test_a_picture_has_a_bar_for_every_power_of_two_between_the_extremes() -> None:
    made = recorded([0, 1, 1, *[9] * 1000, 15, 64])
    rows = [(text, len(bar), count) for text, bar, count in made.picture(width=10)]
    assert rows == [
        ("0 ns to 2 ns", 1, 3),
        ("2 ns to 4 ns", 0, 0),
        ("4 ns to 8 ns", 0, 0),
        ("8 ns to 16 ns", 10, 1001),
        ("16 ns to 32 ns", 0, 0),
        ("32 ns to 64 ns", 0, 0),
        ("64 ns to 128 ns", 1, 1),
    ]
    page = made._repr_html_()
    assert page.count("<tr>") == 7 and "1,001" in page and "latency: 1,005 values, p50 9 ns" in page
    assert all(row in page for row, _, _ in made.picture())


def test_a_read_only_histogram_is_read_and_not_recorded_to() -> None:
    with shared_arena(LAYOUT) as arena:
        Histogram(arena["latency"]).record(5)
        onlooker = Histogram(Arena.open(arena.path)["latency"])
        assert onlooker.percentile(100) == 5
        for write in (lambda: onlooker.record(6), lambda: onlooker.add(recorded([6]))):
            with pytest.raises(StateError, match="opened read-only"):
                write()
        assert onlooker.count == 1


def test_memory_that_is_no_single_histogram_is_refused() -> None:
    two = np.zeros(2, HISTOGRAM)
    for memory in (two, np.zeros(0, HISTOGRAM), np.zeros(1), np.zeros(1, [("counts", "i8", 9)])):
        with pytest.raises(InputError, match=r"no single histogram: \d items of .*name=HISTOGRAM"):
            Histogram(memory)
    Histogram(two[1:]).record(3)
    assert two["counts"].sum(axis=1).tolist() == [0, 1]
