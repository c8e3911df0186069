"""Strategies that misbehave: each run ends, says why at the strategy's line, and its sums hold."""

import math
import warnings

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.orders import OVER, WAS_CANCELED
from hftlib.research.tape import to_tape

VENUE = hft.Venue(order_latency="100us", feed_latency="20us")


@pytest.fixture(scope="module")
def tape():
    return to_tape(hft.synthetic(symbols=2, seconds=4, seed=3))[-150:]


def ends(strategy, tape, **options):
    """The result in both modes, alike and sound; the reason is on its page."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = hft.backtest(strategy, tape, venue=VENUE, **options)
        plain = hft.backtest(strategy, tape, venue=VENUE, compiled=False, **options)
    assert result.digest == plain.digest and result.counts == plain.counts
    assert result.check() == [] and plain.check() == []
    assert (result.refused, result.rejected) == (plain.refused, plain.rejected)
    page = " ".join(plain._repr_html_().split())
    assert plain.ended == result.ended and result.ok == (not result.ended)
    if result.ended:
        assert "stopped early" in repr(result)
        first = result.ended.split(".")[0]
        assert first.replace("'", "&#x27;") in page
    told = [str(one.message) for one in warned]
    assert len(told) == (0 if result.ok or "ctx.stop" in result.ended else 2)
    assert all(result.ended in one for one in told)
    return result


def line_of(result, text):
    """The reason names this file, and the line with this text."""
    assert "test_backtest_hostile.py, line " in result.ended, result.ended
    assert f"`{text}" in result.ended, result.ended


@hft.strategy
class ThrowsItsOutputAway:
    kept: float = hft.state()

    def on_book(self, ctx, i):
        self.kept = ctx.book(i).microprice * 2.0


@hft.strategy
class SaysNothing:
    pass


@hft.strategy
class Floods:
    sent: int = hft.state()

    def on_book(self, ctx, i):
        for _ in range(3_000):
            if ctx.buy(i, ctx.book(i).bid, 1) > 0:
                self.sent += 1


@hft.strategy
class CancelsForEver:
    def on_book(self, ctx, i):
        ctx.buy(i, ctx.book(i).bid, 1)
        for k in range(2_000):
            ctx.cancel(k)
            ctx.cancel_all(i)


@hft.strategy
class DividesByZero:
    def on_book(self, ctx, i):
        ctx.buy(i, ctx.book(i).bid, 10 // (ctx.position(i) - ctx.position(i)))


@hft.strategy
class DividesByZeroLater:
    seen: int = hft.state()

    def on_book(self, ctx, i):
        self.seen += 1
        ctx.quote(i, ctx.book(i).bid, ctx.book(i).ask, 100)

    def on_fill(self, ctx, i, fill):
        self.seen = 1 // (fill.quantity - fill.quantity)


@hft.strategy
class QuotesNaN:
    nothing: float = hft.state()

    def on_book(self, ctx, i):
        self.nothing = math.nan
        ctx.quote(i, bid=self.nothing, ask=self.nothing, quantity=100)
        ctx.buy(i, self.nothing, 100)
        ctx.sell(i, 1e308 * 10.0, 100)
        ctx.submit(i, 9, 100.0, 100, 77, 55)
        ctx.buy(i, ctx.book(i).bid, -5)


@hft.strategy
class LoopsForEver:
    count: int = hft.state()

    def on_book(self, ctx, i):
        while ctx.time > 0:
            self.count += 1


@hft.strategy
class Raises:
    seen: int = hft.state()

    def on_trade(self, ctx, i, trade):
        self.seen += 1
        if self.seen == 3:
            raise ValueError("enough of this")

    def on_book(self, ctx, i):
        ctx.quote(i, ctx.book(i).bid, ctx.book(i).ask, 100)


@hft.strategy
class ReadsBeyond:
    window: float = hft.state(size=8)
    seen: int = hft.state()

    def on_book(self, ctx, i):
        self.seen += 1
        self.window[self.seen] = 1.0


@hft.strategy
class WrongInstrument:
    def on_book(self, ctx, i):
        ctx.buy(77, 100.0, 1)
        ctx.sell(-1, 100.0, 1)
        ctx.quote(1 << 40, 100.0, 101.0, 1)
        ctx.cancel_all(99)
        if ctx.book(1_000).bid > 0 and ctx.position(-7) > 0:
            ctx.stop(1)


@hft.strategy
class StopsItself:
    number: int = hft.param(5, low=0, high=9)

    def on_book(self, ctx, i):
        ctx.quote(i, ctx.book(i).bid, ctx.book(i).ask, 100)

    def on_fill(self, ctx, i, fill):
        ctx.stop(self.number)


@hft.strategy
class StopsAtOnce:
    def on_start(self, ctx):
        ctx.stop(2)

    def on_stop(self, ctx):
        ctx.buy(0, 100.0, 1)


@hft.strategy
class SetsTimers:
    rung: int = hft.state()

    def on_start(self, ctx):
        for number in range(100):
            ctx.timer(-5, number)

    def on_timer(self, ctx, number):
        self.rung += 1
        if self.rung < 2_000:
            ctx.timer(0, number)


@hft.strategy
class RaisesAtTheEnd:
    def on_stop(self, ctx):
        raise RuntimeError("not without me")


@pytest.mark.parametrize("strategy", [ThrowsItsOutputAway, SaysNothing])
def test_one_that_sends_nothing_runs_to_the_end(tape, strategy):
    result = ends(strategy, tape)
    assert result.ok and len(result.orders) == 0 and result.counts["commands"] == 0
    assert result.stats.to_dict()


def test_a_flood_is_held_back_by_the_limit_of_open_orders(tape):
    result = ends(Floods, tape[:20])
    assert result.ok and 0 < len(result.orders) <= 128
    assert result.refused["too many orders are open"] > 10_000


def test_without_that_limit_it_is_held_back_by_the_room_for_orders(tape):
    result = ends(Floods, tape[:6], limits=hft.Limits(open_orders=None))
    assert result.ok and 1_000 < len(result.orders) < 8_000
    assert sum(result.refused.values()) > 1_000


def test_cancels_of_orders_that_are_not_there_never_leave(tape):
    result = ends(CancelsForEver, tape[:10])
    assert result.ok and result.counts["commands"] <= 2 * len(result.orders) <= 20


def test_a_division_by_zero_ends_at_its_line(tape):
    result = ends(DividesByZero, tape)
    line_of(result, "ctx.buy(i, ctx.book(i).bid, 10 // ")
    assert "ZeroDivisionError" in result.ended and "on_book" in result.ended
    assert len(result.orders) == 0


def test_a_fault_later_takes_the_orders_back(tape):
    result = ends(DividesByZeroLater, tape)
    line_of(result, "self.seen = 1 // ")
    assert len(result.fills) >= 1
    assert (result.records["orders"]["state"] >= OVER).all(), "every order has ended"


def test_prices_that_are_no_numbers_are_refused_by_reason(tape):
    result = ends(QuotesNaN, tape)
    assert result.ok and len(result.orders) == 0
    assert result.refused["the price is not a number, or beyond what prices can be"] > 50
    assert result.refused["no such kind of order"] > 10
    assert result.refused["the quantity is none"] > 10


def test_a_loop_without_end_is_ended_by_its_budget(tape):
    result = ends(LoopsForEver, tape)
    line_of(result, "while ctx.time > 0:")
    assert "steps" in result.ended


def test_what_is_raised_is_the_reason(tape):
    result = ends(Raises, tape)
    line_of(result, 'raise ValueError("enough of this")')
    assert result.ended.startswith("ValueError: enough of this") and "on_trade" in result.ended


def test_an_index_out_of_range_ends_at_its_line(tape):
    result = ends(ReadsBeyond, tape)
    line_of(result, "self.window[self.seen] = 1.0")
    assert result.counts["on_book calls"] == 8


def test_an_instrument_that_is_not_there_is_counted(tape):
    result = ends(WrongInstrument, tape)
    assert result.ok and len(result.orders) == 0
    assert result.refused["there is no such instrument"] > 50
    assert result.counts["wrong instruments"] > 50


def test_one_that_stops_itself_says_its_number_and_is_not_warned_of(tape):
    result = ends(StopsItself, tape, params={"number": 7})
    assert result.ended == "it called ctx.stop(7)" and len(result.fills) >= 1
    assert (result.records["orders"]["state"] >= OVER).all()
    assert "it called ctx.stop(7)" in result._repr_html_()


def test_one_that_stops_before_it_began(tape):
    result = ends(StopsAtOnce, tape)
    assert result.ended == "it called ctx.stop(2)" and len(result.orders) == 1
    assert result.records["orders"]["state"][0] == WAS_CANCELED, (
        "what on_stop sends is taken back, too"
    )


def test_a_storm_of_timers_is_bounded(tape):
    result = ends(SetsTimers, tape)
    assert result.ok and result.counts["on_timer calls"] >= 2_000
    assert result.refused["no room for another order"] == 36, "64 timers at once, of 100"


def test_a_fault_in_on_stop_is_told_too(tape):
    result = ends(RaisesAtTheEnd, tape)
    line_of(result, 'raise RuntimeError("not without me")')
    assert result.counts["events"] == len(tape)


class Interrupting:
    """As when Ctrl-C comes while Python is inside of a callback."""

    def __call__(self, _time):
        raise KeyboardInterrupt


interrupted = Interrupting()


@hft.strategy
class IsInterrupted:
    def on_book(self, ctx, i):
        interrupted(ctx.time)


def test_ctrl_c_inside_an_uncompiled_callback_is_no_result(tape):
    with pytest.raises(KeyboardInterrupt):
        hft.backtest(IsInterrupted, tape, compiled=False)


def test_limits_hold_whatever_is_asked_for(tape):
    limits = hft.Limits(position_lots=30, order_quantity_lots=7, open_orders=5)
    result = ends(Floods, tape, limits=limits)
    assert result.ok and np.abs(result.records["fills"]["position"]).max(initial=0) <= 30
    assert (result.records["orders"]["quantity"] <= 7).all()
