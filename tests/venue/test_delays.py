"""A latency may be written in many ways, and what is none is refused with a sentence."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from hftlib.core.errors import InputError
from hftlib.venue.delays import Delay, Latency, as_delay, laid
from hftlib.venue.latency import LATENCY_NS_MAX

QUARTER_MS = Latency.constant(250_000)


@pytest.mark.parametrize(
    "value", ["250us", "0.25ms", 250_000, np.int64(250_000), timedelta(microseconds=250)]
)
def test_a_constant_may_be_written_in_each_of_these_ways(value):
    assert as_delay(value, "feed_latency") == QUARTER_MS
    assert Latency(value).entry == QUARTER_MS


def test_a_leg_that_is_not_given_is_like_entry():
    latency = Latency("250us", response="1ms")
    assert latency.cancel == latency.replace == latency.entry == QUARTER_MS
    assert latency.response == Latency.constant("1ms")
    assert Latency() == Latency(0)


def test_one_latency_for_all_legs_is_drawn_for_each_by_itself_from_one_table():
    delay = Latency.sampled(np.arange(100))
    alone, all_legs = laid(QUARTER_MS, Latency(0, cancel=delay), 0), laid(delay, Latency(delay), 0)
    assert alone.nbytes == all_legs.nbytes
    assert len({int(seed) for seed in all_legs[2:40:8]}) == 5


def test_another_seed_is_another_block_and_the_same_seed_the_same():
    delay = Latency(Latency.lognormal("1ms", "2ms"))
    blocks = [laid(QUARTER_MS, delay, seed).tobytes() for seed in (1, 2, 1, -1)]
    assert blocks[0] == blocks[2]
    assert len(set(blocks)) == 3


def test_measured_times_may_be_numpys():
    times = np.array(["2026-01-05T14:30", "2026-01-05T14:31"], "datetime64[s]")
    values = np.array([5, 7], "timedelta64[us]")
    plain = Latency.measured(times.astype("M8[ns]").astype(np.int64), np.array([5000, 7000]))
    assert Latency.measured(times, values) == plain


def test_a_latency_reads_as_text():
    assert str(Latency("250us")) == "250 µs each way"
    assert str(Latency("250us", response="1ms")) == (
        "entry 250 µs, cancel 250 µs, replace 250 µs, response 1 ms"
    )
    assert str(Latency.lognormal("200us", "2ms")) == "lognormal, median 200 µs, p99 2 ms"
    assert str(Latency.sampled(np.array([5000, 9000]))) == (
        "drawn from 2 measurements from 5 µs to 9 µs"
    )
    assert str(Latency.recorded("1us")) == "as recorded, 1 µs where it is not"
    assert "table" not in repr(Latency.sampled(np.arange(9)))


NS = np.arange(3)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Latency("soon"), "does not read as a duration"),
        (lambda: Latency(-1), "is none"),
        (lambda: Latency(LATENCY_NS_MAX + 1), "is none"),
        (lambda: Latency(0.25), "is not taken as a duration"),
        (lambda: Latency("recorded"), "records no latency of orders"),
        (lambda: Latency(Latency("1us")), "Four latencies"),
        (lambda: Latency.lognormal("2ms", p99="1ms"), "do not agree"),
        (lambda: Latency.lognormal(0, p99="1ms"), "do not agree"),
        (lambda: Latency.sampled(np.zeros(0, np.int64)), "no measured latencies"),
        (lambda: Latency.sampled(np.array([1.5])), "not a list of whole numbers"),
        (lambda: Latency.sampled(np.array([3, -2, -7])), "first of 2 such"),
        (lambda: Latency.sampled(np.array(["NaT"], "m8[ns]")), "first of 1 such"),
        (lambda: Latency.measured(NS, np.arange(4)), "3 times for 4 latencies"),
        (lambda: Latency.measured(NS[::-1], NS), "not in order"),
        (lambda: Latency.measured(NS - 5, NS), "before 1970"),
        (lambda: Latency.measured(NS, NS, between="spline"), "between two measurements"),
        (lambda: as_delay("2 parsecs", "feed_latency"), "feed_latency"),
    ],
)
def test_what_is_no_latency_is_refused_with_a_sentence(make, named):
    with pytest.raises(InputError, match=named):
        make()


def test_a_delay_is_a_value():
    one, two = (Latency.sampled(np.array([1, 5, 9])) for _ in range(2))
    assert isinstance(one, Delay)
    assert one == two
    assert hash(one) == hash(two)
