"""A venue's settings: what is accepted, what is refused, and how they read."""

from __future__ import annotations

import dataclasses
import pickle
import re

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.venue.delays import Latency
from hftlib.venue.exchange import queue_rule
from hftlib.venue.latency import ENTRY, LATENCY_BYTES, RESPONSE, latency_at
from hftlib.venue.venue import POWER_MAX, QUEUES, Venue


def test_a_venue_without_settings_is_near_free_and_careful():
    venue = hft.Venue()
    assert venue.feed == venue.order.entry == Latency.constant(0)
    assert venue.queue == "auto"
    assert venue.partial_fills
    assert venue.fees == hft.Fees()
    assert venue.impact is None
    assert venue.self_match == "cancel newest"


def test_latencies_are_taken_as_times_or_as_models():
    venue = Venue(feed_latency="recorded", order_latency="250us")
    assert venue.feed == Latency.recorded()
    assert venue.order == Latency("250us")
    drawn = Latency.lognormal("200us", p99="2ms")
    assert Venue(order_latency=drawn).order.response == drawn
    assert Venue(order_latency=Latency("1us", response=drawn)).order.response == drawn


def test_the_block_of_latencies_has_the_legs_and_hangs_on_the_seed():
    venue = Venue(order_latency=hft.Latency("250us", response=Latency.lognormal("1ms", "5ms")))
    block = venue.latencies()
    assert latency_at(block.ctypes.data + ENTRY * LATENCY_BYTES, 1, 1) == 250_000
    assert (block == venue.latencies()).all()
    other = dataclasses.replace(venue, seed=1).latencies()
    answers = [
        latency_at(memory.ctypes.data + RESPONSE * LATENCY_BYTES, 1, 1) for memory in (block, other)
    ]
    assert answers[0] != answers[1]


@pytest.mark.parametrize("queue", [*QUEUES, "power(1)", f"power({POWER_MAX})"])
def test_a_queue_that_is_taken_here_is_known_to_the_exchange(queue):
    rule, power = queue_rule(Venue(queue=queue).queue)
    assert rule >= 0
    assert str(power) == (re.sub(r"\D", "", queue) or "0")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"queue": "risk averse"}, "Did you mean 'risk-averse'"),
        ({"queue": "power(0)"}, "no setting of queue"),
        ({"queue": "power(9)"}, "no setting of queue"),
        ({"queue": None}, "no setting of queue"),
        ({"self_match": "newest"}, "Did you mean 'cancel newest'"),
        ({"self_match": 1}, "no setting of self_match"),
        ({"partial_fills": 1}, "partial_fills"),
        ({"fees": 0.001}, "hft.Fees"),
        ({"fees": None}, "hft.Fees"),
        ({"impact": 0.5}, "hft.Impact"),
        ({"seed": 1.5}, "whole number"),
        ({"order_latency": "recorded"}, "records no latency of orders"),
        ({"order_latency": -5}, "is none"),
        ({"feed_latency": Latency("1us")}, "Four latencies"),
    ],
)
def test_a_setting_that_is_none_is_refused_with_a_sentence(wrong, named):
    with pytest.raises(InputError, match=named):
        Venue(**wrong)


def test_settings_do_not_change_and_are_named():
    venue = Venue()
    with pytest.raises(dataclasses.FrozenInstanceError):
        venue.seed = 5
    with pytest.raises(InputError, match="by its name"):
        Venue("250us")


def test_a_venue_goes_to_another_process_whole():
    fees, impact = hft.Fees(taker="1bp"), hft.Impact(transient=1, per=100)
    delay = Latency.sampled(np.array([5, 7, 9]))
    venue = Venue(order_latency=delay, fees=fees, impact=impact)
    there = pickle.loads(pickle.dumps(venue))
    assert there == venue
    assert there.digest == venue.digest


def test_each_setting_shows_in_the_digest_and_a_measured_value_too():
    measured = [Latency.measured(np.arange(3), np.array([1, middle, 9])) for middle in (4, 5)]
    assert str(measured[0]) == str(measured[1])
    venues = [
        Venue(),
        Venue(queue="log"),
        Venue(partial_fills=False),
        Venue(fees=hft.Fees(taker="1bp")),
        Venue(impact=hft.Impact(transient=1, per=100)),
        Venue(self_match="cancel both"),
        Venue(seed=1),
        Venue(feed_latency="1us"),
        Venue(order_latency="1us"),
        *(Venue(order_latency=delay) for delay in measured),
    ]
    assert len({venue.digest for venue in venues}) == len(venues)
    assert Venue().digest == Venue(feed_latency="0ns").digest


def test_a_venue_reads_as_a_table_with_units():
    venue = Venue(
        feed_latency="recorded",
        order_latency=hft.Latency("250us", response="1.5ms"),
        queue="power(2)",
        partial_fills=False,
        fees=hft.Fees(maker="-0.2bp", taker="1.5bp"),
        impact=hft.Impact(transient=1, half_life="30s", exponent=0.5, per=1000),
        self_match="cancel both",
        seed=7,
    )
    assert repr(venue) == (
        "Venue\n"
        "  feed latency      as recorded, 0 ns where it is not\n"
        "  entry latency     250 µs\n"
        "  cancel latency    250 µs\n"
        "  replace latency   250 µs\n"
        "  response latency  1.5 ms\n"
        "  queue             power(2)\n"
        "  partial fills     no: an order fills whole\n"
        "  fees              maker -0.2 bp, taker 1.5 bp\n"
        "  impact            ticks: 0 for good and 1 with a half life of 30 s, per 1000 taken, "
        "by the root of the quantity\n"
        "  own orders meet   cancel both\n"
        "  seed              7"
    )
    page = venue._repr_html_()
    assert all(text in page for _, text in venue.rows)
    assert page.count("<tr>") == len(venue.rows) == 11


def test_an_unknown_setting_is_told_with_the_likely_ones():
    with pytest.raises(InputError, match="'feed_latency' or 'order_latency'"):
        Venue(latency="1us")
    with pytest.raises(InputError, match="Did you mean 'queue'"):
        Venue(que="fifo")
    assert repr(dataclasses.replace(Venue(), seed=3)) == repr(Venue(seed=3))
