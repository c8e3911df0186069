"""Venues slower, dearer and drawn: each leg and each fee as told, and nothing else."""

from fractions import Fraction

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.fees import FEES
from hftlib.core.instruments import Instruments
from hftlib.research.validation.venues import (
    charges,
    dearer,
    drawn,
    entry_text,
    has_latency,
    slower,
)
from hftlib.venue.latency import CONSTANT, DRAWN, LATENCY_BYTES, latency_at

LEGS = ("entry", "cancel", "replace", "response")


def legs_at(venue, time=10**18, key=7):
    block = venue.latencies()
    return [latency_at(block.ctypes.data + n * LATENCY_BYTES, time, key) for n in range(5)]


@pytest.mark.parametrize("factor", [0, 0.5, 1, 3])
def test_every_leg_takes_so_many_times_as_long(factor):
    times = np.array([10**18, 10**18 + 10**9], np.int64)
    venue = hft.Venue(
        feed_latency=hft.Latency.lognormal("100us", "1ms"),
        order_latency=hft.Latency(
            "250us",
            cancel=hft.Latency.sampled(np.arange(1_000, 9_000)),
            replace=hft.Latency.measured(times, np.array([4_000, 8_000])),
        ),
        seed=3,
    )
    for key in range(50):
        now, then = legs_at(venue, key=key), legs_at(slower(venue, factor), key=key)
        assert then == pytest.approx([factor * one for one in now], abs=2)
    assert slower(venue, factor).queue == venue.queue and slower(venue, 1).seed == 3


def test_a_recorded_feed_stays_as_it_was_recorded():
    venue = hft.Venue(feed_latency="recorded", order_latency="1ms")
    other = slower(venue, 5)
    assert other.feed.kind == venue.feed.kind and other.order.entry.constant == 5_000_000


def laid(fees):
    instruments = Instruments()
    instruments.add("AAA", venue="XNAS", tick=100)
    place = np.zeros(1, FEES)
    fees.lay(place, instruments[0])
    return [int(place[0][name]) for name in FEES.names]


@pytest.mark.parametrize(
    ("fees", "factor", "told"),
    [
        (hft.Fees(taker="1.5bp"), 2, hft.Fees(taker="3bp")),
        (hft.Fees(taker="0.02%", maker=0.0001), 1.5, hft.Fees(taker="0.03%", maker=0.00015)),
        (hft.Fees(maker="-0.2bp", taker="1bp"), 2, hft.Fees(maker="-0.1bp", taker="2bp")),
        (hft.Fees(maker="-0.2bp", taker="1bp"), 0, hft.Fees(maker="-0.2bp")),
        (hft.Fees(maker="-0.2bp", taker="1bp"), 0.5, hft.Fees(maker="-0.2bp", taker="0.5bp")),
        (
            hft.Fees(maker_per_unit="-0.0020", taker_per_unit="0.0030", minimum="0.01"),
            2,
            hft.Fees(maker_per_unit="-0.0010", taker_per_unit="0.0060", minimum="0.02"),
        ),
    ],
)
def test_charges_grow_and_rebates_shrink(fees, factor, told):
    venue = hft.Venue(fees=fees, order_latency="1ms")
    assert laid(dearer(venue, factor).fees) == laid(told)
    assert dearer(venue, factor).order == venue.order
    assert laid(dearer(venue, 1).fees) == laid(fees)


def test_a_constant_leg_is_drawn_around_its_time():
    venue = drawn(hft.Venue(order_latency="200us", feed_latency=0), 3, seed=5)
    assert venue.feed.kind == CONSTANT and venue.seed == 5
    assert all(getattr(venue.order, leg).kind == DRAWN for leg in LEGS)
    many = np.array([legs_at(venue, key=key)[1] for key in range(4_000)])
    assert np.median(many) == pytest.approx(200_000, rel=0.05)
    assert np.quantile(many, 0.99) == pytest.approx(600_000, rel=0.15)


def test_what_a_venue_has():
    assert not has_latency(hft.Venue()) and has_latency(hft.Venue(feed_latency="1us"))
    assert has_latency(hft.Venue(order_latency=hft.Latency.lognormal("1us", "2us")))
    assert not charges(hft.Venue(fees=hft.Fees(maker="-1bp")))
    assert charges(hft.Venue(fees=hft.Fees(taker=Fraction(1, 10_000))))
    assert charges(hft.Venue(fees=hft.Fees(minimum="0.01")))
    assert entry_text(hft.Venue(order_latency="250us"), 4) == "1 ms"
    assert entry_text(hft.Venue(), 4) == ""
