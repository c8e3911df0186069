"""Venues whose feeds are not equally late: each is heard at its own time. Stories of two venues.

NEAR tells of its market after 1 ms, FAR after 5 ms; both trade the same stock.
"""

import warnings

import numpy as np
import pytest
from tapes import OPEN, ArraySource, event

import hftlib as hft
from hftlib.core import events
from hftlib.core.instruments import Instruments
from hftlib.core.orders import REASONS
from hftlib.research.backtest import ran
from hftlib.research.setting_up import settings_of, strategy_of
from hftlib.research.tape import to_tape
from tests.strategy.library.trials import late_venue
from tests.strategy.sample_strategies import QueueImbalance

MS = 10**6
NEAR, FAR = 0, 1
VENUES = {
    "NEAR": hft.Venue(feed_latency="1ms", order_latency="2ms"),
    "FAR": hft.Venue(feed_latency="5ms", order_latency="3ms"),
}
HALT, TIMER, STOP = -1, -2, -3


@pytest.fixture(autouse=True)
def nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def at(ms, kind, row, **fields):
    """One event so many ms after the open."""
    return event(kind, time=OPEN + ms * MS, sequence=ms + 1, instrument=row, **fields)


def quote(ms, row, side, price, quantity=100):
    return at(ms, "LEVEL", row, side=side, price=price, quantity=quantity)


def open_both():
    """Both venues trade, 10.00 bid and 10.10 asked, from the beginning."""
    made = []
    for row in (NEAR, FAR):
        made.append(at(0, "STATUS", row, reference=events.TRADING))
        made += [quote(0, row, 1, 100_000), quote(0, row, 2, 101_000)]
    return made


def tape_of(parts, rows=("NEAR", "FAR")):
    table = Instruments()
    for n, venue in enumerate(rows):
        table.add(f"S{n}", venue=venue, tick=100, round_lot=1)
    return to_tape(ArraySource(np.concatenate(parts), table))


@hft.strategy
class Listens:
    """Writes down what it hears, and when."""

    timers: int = hft.param(0)
    saw: int = hft.state(size=8192)
    used: int = hft.state()

    def on_book(self, ctx, i):
        self.note(ctx, (ctx.venue_time - OPEN) // MS, i)
        if self.timers > 0 and ctx.time == OPEN + 11 * MS:
            ctx.timer(3 * MS, 1)
        if self.timers > 0 and ctx.time == OPEN + 24 * MS:
            ctx.timer(MS, 2)

    def on_halt(self, ctx, i):
        self.note(ctx, HALT, i)

    def on_timer(self, ctx, number):
        self.note(ctx, TIMER, number)

    def on_stop(self, ctx):
        self.note(ctx, STOP, -1)

    def note(self, ctx, what, i):
        at = self.used % 2048
        self.saw[4 * at] = (ctx.time - OPEN) // MS
        self.saw[4 * at + 1] = what
        self.saw[4 * at + 2] = i
        self.saw[4 * at + 3] = int(ctx.book(0).stale != 0) + 2 * int(ctx.book(1).stale != 0)
        self.used += 1


def heard(tape, venue, stale=False, **params):
    """What it heard in ms: (when, of what time or what, of whom), and which books were stale."""
    settings = settings_of(venue, tape)
    run, ended = ran(strategy_of(Listens, params), tape, settings, hft.Limits())
    assert ended == ""
    assert run.seen == 2 * len(tape)
    state = run.session.arena["state"][0]
    rows = state["saw"].reshape(-1, 4)[: state["used"]].tolist()
    return [tuple(row[: 4 if stale else 3]) for row in rows if row[1] != 0]


def test_a_later_event_of_the_near_venue_is_heard_before_an_earlier_one_of_the_far():
    tape = tape_of([*open_both(), quote(10, FAR, 2, 100_900), quote(11, NEAR, 2, 100_800)])
    assert heard(tape, VENUES) == [(12, 11, NEAR), (15, 10, FAR), (15, STOP, -1)]


def test_at_one_time_what_stands_first_on_the_tape_is_heard_first():
    tape = tape_of([*open_both(), quote(10, FAR, 2, 100_900), quote(14, NEAR, 2, 100_800)])
    assert heard(tape, VENUES)[:2] == [(15, 10, FAR), (15, 14, NEAR)]


def test_venues_that_are_equally_late_are_heard_in_the_order_of_the_tape():
    same = {name: hft.Venue(feed_latency="2ms", order_latency="1ms") for name in VENUES}
    tape = tape_of([*open_both(), quote(10, FAR, 2, 100_900), quote(11, NEAR, 2, 100_800)])
    assert heard(tape, same)[:2] == [(12, 10, FAR), (13, 11, NEAR)]
    one = hft.Venue(feed_latency="2ms", order_latency="1ms")
    market = late_venue(hft.synthetic(symbols=1, seconds=20, seed=5), 10**6)
    apart = {name: hft.Venue(feed_latency="2ms", order_latency="1ms") for name in ("XNAS", "XBOS")}
    results = [hft.backtest(QueueImbalance, market, venue=venue) for venue in (one, apart)]
    ours, theirs = (result.records["fills"] for result in results)
    names = [name for name in ours.dtype.names if name != "match"]  # each venue counts its own
    assert len(ours) > 10 and ours[names].tolist() == theirs[names].tolist()


def test_within_a_feed_nothing_overtakes_and_no_other_feed_waits():
    """The far venue's draws fall as they like; its two stocks keep the order of the tape."""
    slow = hft.Venue(feed_latency=hft.Latency.lognormal("20ms", "200ms"), seed=3)
    parts = open_both()
    parts += [at(0, "STATUS", 2, reference=events.TRADING), quote(0, 2, 1, 100_000)]
    for n in range(1, 300):
        parts.append(quote(n, n % 3, 2, 101_000 + 100 * n))
    tape = tape_of(parts, rows=("NEAR", "FAR", "FAR"))
    told = [one for one in heard(tape, {"NEAR": VENUES["NEAR"], "FAR": slow}) if one[1] != STOP]
    near = [one for one in told if one[2] == NEAR]
    far = [one for one in told if one[2] != NEAR]
    assert [one[0] - one[1] for one in near] == [1] * 99
    assert [one[1] for one in far] == sorted(one[1] for one in far) and len(far) == 200
    late = [one[0] - one[1] for one in far]
    assert max(late) > 50 > min(late)
    assert len({one[0] for one in far}) < len(far), "some waited for the one before"
    assert told == sorted(told, key=lambda one: one[0])


def test_a_recorded_feed_is_heard_as_it_was_received():
    recorded = hft.Venue(feed_latency="recorded")
    parts = [*open_both(), quote(10, FAR, 2, 100_900), quote(11, NEAR, 2, 100_800)]
    parts[-2]["received"] = OPEN + 30 * MS
    parts[-1]["received"] = OPEN + 13 * MS
    both = {"NEAR": recorded, "FAR": hft.Venue(feed_latency="recorded")}
    assert heard(tape_of(parts), both)[:2] == [(13, 11, NEAR), (30, 10, FAR)]
    # One setting for all is one feed, which keeps its order.
    assert heard(tape_of(parts), recorded)[:2] == [(30, 10, FAR), (30, 11, NEAR)]


def test_where_times_go_back_the_highest_so_far_counts_for_every_feed():
    tape = tape_of([*open_both(), quote(20, NEAR, 2, 100_900), quote(10, FAR, 2, 100_800)])
    assert heard(tape, VENUES)[:2] == [(21, 20, NEAR), (25, 10, FAR)]


def test_what_concerns_all_is_told_by_each_venue_at_its_time():
    tape = tape_of(
        [
            *open_both(),
            quote(10, FAR, 2, 100_900),
            at(11, "STATUS", events.ALL, reference=events.HALTED),
            quote(12, NEAR, 2, 100_800),
        ]
    )
    assert heard(tape, VENUES) == [
        (12, HALT, NEAR),
        (13, 12, NEAR),
        (15, 10, FAR),
        (16, HALT, FAR),
        (16, STOP, -1),
    ]


def test_a_gap_of_all_makes_a_book_stale_when_its_own_feed_tells_of_it():
    parts = [*open_both(), at(10, "GAP", events.ALL), quote(11, FAR, 2, 100_900)]
    parts += [quote(11, NEAR, 2, 100_800), quote(13, NEAR, 2, 100_700)]
    parts += [at(14, "RECOVERED", events.ALL), quote(15, NEAR, 2, 100_600)]
    parts += [quote(15, FAR, 2, 100_500)]
    assert heard(tape_of(parts), VENUES, stale=True) == [
        (12, 11, NEAR, 1),
        (14, 13, NEAR, 1),
        (16, 11, FAR, 2),
        (16, 15, NEAR, 2),
        (20, 15, FAR, 0),
        (20, STOP, -1, 0),
    ]


def test_a_venue_that_says_nothing_holds_nothing_up():
    """No event for seconds, and none to the end; the run ends with the last event, not later."""
    parts = [*open_both(), quote(10, NEAR, 2, 100_900), quote(9_000, NEAR, 2, 100_800)]
    told = heard(tape_of(parts), VENUES)
    assert told == [(11, 10, NEAR), (9_001, 9_000, NEAR), (9_001, STOP, -1)]
    parts = [part for part in parts if part["instrument"][0] == NEAR]
    told = heard(tape_of(parts), VENUES)
    assert told == [(11, 10, NEAR), (9_001, 9_000, NEAR), (9_001, STOP, -1)]


def test_the_tape_is_over_when_its_last_event_is_heard_on_any_feed():
    """So the timer set for 25 ms never comes, though the far feed might have spoken until 28."""
    parts = [*open_both(), quote(10, NEAR, 2, 100_900), quote(20, NEAR, 2, 100_800)]
    parts[-1:-1] = [quote(19, NEAR, 2, 100_700)]
    parts += [quote(23, NEAR, 2, 100_600)]
    told = heard(tape_of(parts), VENUES, timers=1)
    assert told[:4] == [(11, 10, NEAR), (14, TIMER, 1), (20, 19, NEAR), (21, 20, NEAR)]
    assert told[4:] == [(24, 23, NEAR), (24, STOP, -1)]


@hft.strategy
class BuysWhatIsCheap:
    """Once the near venue has risen: takes what the far one's feed still shows."""

    sent: int = hft.state()

    def on_book(self, ctx, i):
        near = ctx.book(0)
        far = ctx.book(1)
        if self.sent == 0 and near.has_both and far.has_both and near.bid > far.ask:
            self.sent = ctx.buy(1, float(far.ask), 100, lasts=hft.IOC)


def test_an_arbitrage_sees_a_price_at_the_far_venue_that_is_gone():
    """The far venue moves first, at 10 ms, the near one at 11 ms: and yet that is heard first."""
    moved = [quote(10, FAR, 2, 101_000, 0), quote(10, FAR, 2, 103_000)]
    moved += [quote(11, NEAR, 2, 101_000, 0), quote(11, NEAR, 2, 103_000)]
    moved += [quote(11, NEAR, 1, 102_000), quote(50, NEAR, 1, 102_100)]
    result = hft.backtest(BuysWhatIsCheap, tape_of([*open_both(), *moved]), venue=VENUES)
    (order,) = result.records["orders"]
    assert order["sent"] == OPEN + 12 * MS  # 3 ms before the far venue's feed tells of its move
    assert order["venue_accepted"] == OPEN + 15 * MS
    assert order["filled"] == 0 and "moment" in REASONS[order["reason"]]
    # If both are equally late, the far price is known to be gone and nothing is sent.
    late = {name: hft.Venue(feed_latency="5ms", order_latency="3ms") for name in VENUES}
    result = hft.backtest(BuysWhatIsCheap, tape_of([*open_both(), *moved]), venue=late)
    assert len(result.records["orders"]) == 0


def test_and_takes_it_where_its_order_is_there_in_time():
    moved = [quote(11, NEAR, 2, 101_000, 0), quote(11, NEAR, 2, 103_000)]
    moved += [quote(11, NEAR, 1, 102_000)]
    moved += [quote(16, FAR, 2, 101_000, 0), quote(16, FAR, 2, 103_000), quote(50, FAR, 1, 99_000)]
    result = hft.backtest(BuysWhatIsCheap, tape_of([*open_both(), *moved]), venue=VENUES)
    (fill,) = result.records["fills"]
    assert (fill["time"], fill["received"]) == (OPEN + 15 * MS, OPEN + 18 * MS)
    assert (fill["price"], fill["quantity"], fill["instrument"]) == (101_000, 100, FAR)
    assert result.check() == []


@hft.strategy
class BuysAtBoth:
    sent: int = hft.state()

    def on_book(self, ctx, i):
        if self.sent == 0 and ctx.book(0).has_both and ctx.book(1).has_both:
            self.sent = ctx.buy(1, 100_000.0, 100)
            ctx.buy(0, 100_000.0, 100)


def test_orders_take_as_long_as_the_way_to_their_venue():
    """Sent at once; the near venue's answer is not held up by the far one's."""
    parts = [*open_both(), quote(10, NEAR, 1, 99_900), quote(50, FAR, 1, 99_900)]
    result = hft.backtest(BuysAtBoth, tape_of(parts), venue=VENUES)
    far, near = result.records["orders"]
    assert far["sent"] == near["sent"] == OPEN + 5 * MS
    assert [near[name] - OPEN for name in ("venue_accepted", "accepted")] == [7 * MS, 9 * MS]
    assert [far[name] - OPEN for name in ("venue_accepted", "accepted")] == [8 * MS, 11 * MS]


def test_both_modes_slices_and_cuts_agree_and_no_future_is_seen(tmp_path):
    market = late_venue(hft.synthetic(symbols=1, seconds=120, seed=5, spread_ticks=2), 2 * 10**9)
    venues = {
        "XNAS": hft.Venue(feed_latency="300us", order_latency="100us"),
        "XBOS": hft.Venue(feed_latency=hft.Latency.lognormal("2ms", "9ms"), order_latency="1ms"),
    }
    settings = {"venue": venues, "params": {"edge_ticks": 0.5}}
    taker = hft.library.CrossVenueArbitrage
    first = hft.backtest(taker, market, **settings)
    assert len(first.fills) > 5 and first.check() == []
    for more in ({"compiled": False}, {"steps": 97}):
        again = hft.backtest(taker, market, **settings, **more)
        assert again.digest == first.digest and again.counts == first.counts
    piece = market[len(market) // 2 :]
    piece.save(tmp_path / "piece.tape")
    sliced = hft.backtest(taker, piece, **settings)
    assert hft.backtest(taker, tmp_path / "piece.tape", **settings).digest == sliced.digest
    report = hft.check_lookahead(QueueImbalance, market, venue=venues, cuts=2)
    assert report.ok and report.compared > 20, report


def test_where_times_go_back_an_order_is_filled_no_earlier_than_it_stood():
    """The trade of 6 ms stands behind an event of 20 ms; the order stood from 8 ms on."""
    parts = [*open_both(), quote(20, NEAR, 1, 99_900), quote(60, NEAR, 1, 99_800)]
    parts.insert(-1, at(6, "TRADE", FAR, side=events.SELL, price=99_900, quantity=500))
    with pytest.warns(UserWarning, match="go back in places"):
        result = hft.backtest(BuysAtBoth, tape_of(parts), venue=VENUES)
    (fill,) = result.records["fills"]
    assert fill["instrument"] == FAR
    assert (fill["entered"], fill["time"]) == (OPEN + 8 * MS, OPEN + 20 * MS)
    assert fill["received"] == OPEN + 23 * MS
    assert result.check() == []


@hft.strategy
class StopsOut:
    sent: int = hft.state()

    def on_book(self, ctx, i):
        if self.sent == 0 and i == 1 and ctx.book(1).has_both:
            self.sent = ctx.submit(
                1, hft.BUY, 101_000.0, 100, kind=hft.STOP_LIMIT, trigger=102_000.0
            )


def test_where_times_go_back_a_stop_enters_no_earlier_than_it_was_accepted():
    parts = [*open_both(), quote(1, FAR, 2, 101_000, 0), quote(20, NEAR, 1, 99_900)]
    parts += [at(6, "TRADE", FAR, side=events.BUY, price=102_000, quantity=5)]
    parts += [at(30, "TRADE", FAR, side=events.SELL, price=100_900, quantity=500)]
    parts += [quote(60, NEAR, 1, 99_800)]
    with pytest.warns(UserWarning, match="go back in places"):
        result = hft.backtest(StopsOut, tape_of(parts), venue=VENUES)
    (order,), (fill,) = result.records["orders"], result.records["fills"]
    assert order["venue_accepted"] == OPEN + 8 * MS == fill["entered"]
    assert fill["time"] == OPEN + 30 * MS
