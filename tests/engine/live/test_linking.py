"""A runner whose order session is closed: what strategies want becomes no storm of commands."""

import pytest

import hftlib as hft
from hftlib.core import orders
from hftlib.core.journal import frames, kinds
from hftlib.engine.live.making import laid
from hftlib.engine.live.replaying import about, replay

LATENCIES = {"feed_latency": "50us", "order_latency": "100us"}


@hft.strategy
class Eager:
    """Quotes and buys at each change of the book, and again whenever it is refused."""

    heard: int = hft.state()

    def on_book(self, ctx, i):
        self.want(ctx, i)

    def on_order(self, ctx, i, order):
        self.heard += 1
        if order.reason != 0:
            self.want(ctx, i)

    def want(self, ctx, i):
        b = ctx.book(i)
        if b.is_open and b.has_both:
            ctx.quote(i, bid=float(b.bid), ask=float(b.ask), quantity=100, post_only=True)
            if ctx.open_orders(i) < 3 and ctx.position(i) < 1_000:
                ctx.buy(i, float(b.bid), 100)


@hft.strategy
class Patient:
    """Begins its parent orders before there is a session to send them by."""

    def on_start(self, ctx):
        ctx.parent(0, hft.BUY, 300, algo=hft.PEG)
        ctx.parent(1, hft.SELL, 300, algo=hft.TWAP, seconds=8, slices=2, finish=True)


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    tape = hft.to_tape(hft.synthetic(symbols=2, seconds=10, seed=7))
    folder = tmp_path_factory.mktemp("linking") / "day.journal"
    hft.wire_backtest(Eager, tape, folder=folder, **LATENCIES)
    return folder


def fed(folder, without):
    """The day's feed and time, through a runner whose links never hear anything."""
    live = laid(about(folder))
    most, before, events = 0, 0, 0
    for frame in frames(folder):
        if frame.kind in (kinds.DATAGRAM, kinds.TIMER, kinds.CONNECTED, kinds.SESSION_IN):
            if frame.kind in without:
                continue
            assert live.take(frame.kind, frame.source, frame.time, frame.payload) == 0
            list(live.outputs())
            commands = int(live.links["commands"].sum())
            most, before = max(most, commands - before), commands
            events += frame.kind == kinds.DATAGRAM
    return live, most, events


def test_a_session_that_never_opens_gets_no_commands(day):
    live, most, events = fed(day, (kinds.CONNECTED, kinds.SESSION_IN))
    seat = live.session.seats[0]
    refused = seat["session"]["refused"][0]
    books = int(seat["session"]["callbacks"][0].sum())
    assert events > 500 and most == 0 and live.links["commands"].sum() == 0
    assert live.header["rounds_most"] == 0
    assert refused.sum() == refused[orders.CUT_OFF] > 100, "what is no quote is refused here"
    assert refused[orders.CUT_OFF] <= 2 * books, "and told once, not 64 times"
    assert seat["execution"]["open_orders"][0] == 0


def test_the_day_itself_trades_and_replays_to_the_byte(day):
    found = replay(day, laid)
    assert found.is_identical, found.difference
    live, most, _ = fed(day, ())
    assert live.links["commands"].sum() > 40 and most <= 16
    assert live.header["rounds_most"] <= 2


def opened_late(day):
    """The book stands still from the moment on in which the session opens."""
    live = laid(about(day))
    every = [f for f in frames(day) if f.kind != kinds.SESSION_OUT][1:]
    feed = [f for f in every if f.kind in (kinds.DATAGRAM, kinds.TIMER)]
    link = [f for f in every if f.kind in (kinds.CONNECTED, kinds.SESSION_IN)]
    for frame in feed[: len(feed) * 9 // 10]:  # the market is open
        live.take(frame.kind, frame.source, frame.time, frame.payload)
    assert not live.links["commands"].any()
    while not live.links["is_open"].all():
        live.take(kinds.TIMER, 0, int(live.header["now"]) + 1_000_000, b"")
        if live.links["dials"][0] > live.links["hangs"][0]:  # its call is under way
            frame = link.pop(0)
            live.take(frame.kind, frame.source, int(live.header["now"]) + 1_000, frame.payload)
            list(live.outputs())
    return live


def test_a_session_that_opens_late_sends_what_is_wanted_then(day):
    assert 2 <= opened_late(day).links["commands"][0] <= 8, "both sides of each quote"


def test_parent_orders_begun_before_it_opens_wait_for_it(tmp_path):
    tape = hft.to_tape(hft.synthetic(symbols=2, seconds=10, seed=7))
    day = tmp_path / "day.journal"
    result = hft.wire_backtest(Patient, tape, folder=day, **LATENCIES)
    assert set(result.fills.symbol) == set(tape.instruments.symbols)
    assert replay(day, laid).is_identical
    live, most, events = fed(day, (kinds.CONNECTED, kinds.SESSION_IN))
    seat = live.session.seats[0]
    assert events > 500 and most == 0
    assert not seat["session"]["refused"][0].any(), "what waits is not refused"
    assert seat["parents"]["active"][0] == 2
    live = opened_late(day)
    for _ in range(2):  # an alarm that is due now goes off before the next frame
        live.take(kinds.TIMER, 0, int(live.header["now"]) + 1_000_000, b"")
    assert live.links["commands"][0] == 2, "one child of each"
    assert not live.session.seats[0]["session"]["refused"][0].any()
