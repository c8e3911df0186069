"""Cheats of each kind are caught with time and field; honest strategies pass."""

import json

import numpy as np
import pytest
from tapes import ArraySource

import hftlib as hft
from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.research.futures import CHANGED, ENDED, Future, time_before
from hftlib.research.tape import to_tape
from hftlib.strategy import library
from tests.engine.restless import Restless
from tests.strategy.sample_strategies import Everything, QueueImbalance

VENUE = hft.Venue(order_latency="250us", feed_latency="40us")
HEARD = np.zeros(1, np.int64)


@pytest.fixture(scope="module")
def tape():
    return to_tape(hft.synthetic(symbols=2, seconds=8, seed=7))


class Oracle:
    """Something of Python's around a tape, which no rule of a strategy's lines can look through."""

    def __init__(self, tape):
        self.tape = tape

    def next_price(self, time):
        later = self.tape.between(time + 1)
        return int(later[0]["price"]) if len(later) else 0


def peeking(tape):
    """Quotes by the price of the next event; it runs uncompiled only."""
    oracle = Oracle(tape)

    @hft.strategy
    class PeeksAtTheTape:
        def on_book(self, ctx, i):
            if oracle.next_price(ctx.time) % 300 == 0:
                ctx.quote(i, bid=ctx.book(i).bid, ask=ctx.book(i).ask, quantity=100)

    return PeeksAtTheTape


@hft.strategy
class RemembersTheLastRun:
    """Its state lies outside, where the next run finds it."""

    def on_book(self, ctx, i):
        HEARD[0] += 1
        if HEARD[0] % 5 == 0:
            ctx.buy(i, ctx.book(i).bid, 1)


def with_signal(tape, ahead):
    """Research as it happens: the mean of each price and those `ahead` of it, all at once."""
    prices = tape.events["price"].astype(np.float64)
    times = tape.events["time"].astype(np.int64)
    sums = np.concatenate([[0.0], np.cumsum(prices)])
    if ahead:
        signal = (sums[np.minimum(np.arange(len(prices)) + 50, len(prices))] - sums[:-1]) % 2_000.0
    else:
        signal = sums[1:] % 2_000.0

    @hft.strategy
    class Signal:
        seen: int = hft.state()

        def on_book(self, ctx, i):
            while self.seen + 1 < len(times) and times[self.seen + 1] <= ctx.venue_time:
                self.seen += 1
            if signal[self.seen] > 1_000.0:
                ctx.buy(i, ctx.book(i).ask, 10, lasts=hft.IOC)

    return Signal


@pytest.mark.parametrize("strategy", [QueueImbalance, Everything, Restless()], ids=str)
def test_honest_strategies_pass(tape, strategy):
    report = hft.check_lookahead(strategy, tape, venue=VENUE, cuts=4)
    assert report.ok, str(report)
    assert report.findings == () and report.runs == 10
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True
    if strategy is QueueImbalance:
        assert report.compared > 500
        assert f"{report.compared:,} decisions" in str(report) and report._repr_html_()


@pytest.mark.parametrize("name", library.__all__)
def test_no_strategy_of_the_library_looks_ahead(tape, name):
    report = hft.check_lookahead(getattr(library, name), tape, venue=VENUE, cuts=2)
    assert report.ok, str(report)


def test_a_slice_and_a_drawn_latency_change_nothing_about_that(tape):
    slow = hft.Latency.lognormal("200us", "2ms")
    venue = hft.Venue(order_latency=hft.Latency(slow, response=slow), feed_latency=slow, seed=3)
    part = tape.only(tape.symbols[1])[200:]
    report = hft.check_lookahead(QueueImbalance, part, venue=venue, cuts=3, seed=5)
    assert report.ok and report.compared > 50, str(report)


def test_a_strategy_that_looks_up_the_next_event_is_caught(tape):
    before = (len(tape), tape.digest, tape.end)
    report = hft.check_lookahead(peeking(tape), tape, cuts=3, compiled=False)
    assert not report.ok
    first = report.findings[0]
    assert first.what in ("command", "end of an order") and 0 < first.time < first.cut
    assert first.future in (CHANGED, ENDED) and first.symbol in tape.symbols
    assert "order" in first.before + first.after and first.before != first.after
    assert first.symbol in str(report) and "with the future" in repr(report)
    assert "does not stand by itself" in report._repr_html_()
    assert (len(tape), tape.digest, tape.end) == before, "the tape is its own again"


def test_a_signal_made_from_all_of_the_tape_is_caught_and_one_of_the_past_is_not(tape):
    cheat = hft.check_lookahead(lambda tape: with_signal(tape, True), tape, cuts=3, compiled=False)
    assert not cheat.ok and cheat.findings[0].what == "command"
    honest = hft.check_lookahead(
        lambda tape: with_signal(tape, False), tape, cuts=3, compiled=False
    )
    assert honest.ok and honest.compared > 50, str(honest)


def test_a_table_that_no_function_made_is_a_finding(tape):
    report = hft.check_lookahead(with_signal(tape, False), tape, cuts=1, compiled=False)
    assert not report.ok
    said = str(report)
    assert "'signal'" in said and "'times'" in said and "pass a function" in said


def test_state_outside_is_caught_because_nothing_repeats(tape):
    HEARD[0] = 1
    report = hft.check_lookahead(RemembersTheLastRun, tape[:601], cuts=2, compiled=False)
    assert not report.ok and report.runs == 2
    assert report.findings[0].future == "repeated"
    assert "when the same was run again" in str(report)


def test_one_that_sends_nothing_is_told_so(tape):
    report = hft.check_lookahead(Everything, tape, cuts=1)
    assert report.ok and "nothing could change" in str(report)


def test_bad_cuts_and_no_strategy_are_sentences(tape):
    with pytest.raises(InputError, match="no number of times to cut at"):
        hft.check_lookahead(QueueImbalance, tape, cuts=0)
    with pytest.raises(InputError, match="is no strategy"):
        hft.check_lookahead(lambda _tape: 7, tape, cuts=1)


@pytest.mark.parametrize("kind", [CHANGED, ENDED])
def test_a_future_is_the_same_up_to_the_cut_and_another_behind_it(tape, kind):
    place = 900
    (time,) = time_before(tape, [place])
    made = to_tape(Future(tape, place, kind, time, seed=1))
    assert (made.events[:place] == tape.events[:place]).all()
    after = made.events[place:]
    assert after["time"].min() >= time == tape.events["time"][: place + 1].max()
    assert after["kind"][-1] == events.GAP and after["time"].max() == after["time"][-1]
    if kind == ENDED:
        assert len(after) == 1
    else:
        assert 0.8 < len(after) / (len(tape) - place) < 1.1
        theirs = np.sort(tape.events["price"][place:])
        assert np.intersect1d(after["price"], theirs).size < 0.5 * np.unique(theirs).size
        assert len(np.unique(after["reference"])) > 0.5 * len(np.unique(theirs))


def test_where_times_go_back_the_cut_is_the_highest_so_far(tape):
    mixed = tape.events[500:1500].copy()
    mixed["time"][300:400] -= 10**9
    mixed["kind"][350] = events.NOTICE
    mixed["time"][350] = 2**60
    places = [10, 320, 351, 999]
    found = time_before(to_tape(ArraySource(mixed, tape.instruments)), places)
    told = mixed["kind"] != events.NOTICE
    assert found == [int(mixed["time"][: n + 1][told[: n + 1]].max()) for n in places]
