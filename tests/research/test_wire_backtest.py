"""A backtest as bytes of the wire: deterministic, replayed, filled in the queue, beside the other.

Strategies stand here, and in no file that a runner reads: the journal has their text.
"""

import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tapes import OPEN, ArraySource, event, two_stocks

import hftlib as hft
from hftlib.core import events
from hftlib.core.errors import InputError, StateError
from hftlib.core.instruments import Instruments
from hftlib.core.journal import frames, kinds
from hftlib.core.orders import ASKED
from hftlib.engine.live.making import laid
from hftlib.engine.live.replaying import about, replay
from hftlib.research.journal_result import journal_result

FEED_NS, ORDER_NS = 50_000, 100_000
LATENCIES = {"feed_latency": "50us", "order_latency": "100us"}
VENUE = hft.Venue(**LATENCIES)
MS, SECOND = 10**6, 10**9
PROGRAM = [sys.executable, "-c", "from hftlib.cli import main; main()"]
SAME = ("time", "instrument", "side", "price", "quantity", "taker", "ahead", "match")


@hft.strategy
class Round:
    """Joins the bid until it is filled, then the ask, and so on."""

    clip: int = hft.param(100, low=1, high=1000)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if not b.has_both or not b.is_open or ctx.open_orders(i) != 0:
            return
        if ctx.position(i) == 0:
            ctx.submit(i, hft.BUY, b.bid, self.clip)
        elif ctx.position(i) > 0:
            ctx.submit(i, hft.SELL, b.ask, ctx.position(i))


@hft.strategy
class Once:
    """Joins the bid of each instrument once."""

    clip: int = hft.param(100, low=1, high=1000)
    sent: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.has_both and b.is_open and self.sent & (1 << i) == 0:
            self.sent |= 1 << i
            ctx.submit(i, hft.BUY, b.bid, self.clip)


@hft.strategy
class Late:
    """Sends by the clock and by nothing else."""

    def on_start(self, ctx):
        ctx.timer(1_500_000_000, 1)

    def on_timer(self, ctx, number):
        ctx.submit(0, hft.BUY, ctx.book(0).bid, 100)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    path = tmp_path_factory.mktemp("tapes") / "market.tape"
    return hft.to_tape(hft.synthetic(symbols=3, seconds=60, seed=7), path)


@dataclass
class Day:
    folder: Path
    result: hft.Result


@pytest.fixture(scope="module")
def day(market, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire") / "day.journal"
    limits = hft.Limits(position_lots=1_000, strategy={"daily_loss_money": 50_000.25})
    return Day(folder, hft.wire_backtest(Round, market, folder=folder, limits=limits, **LATENCIES))


def told(folder):
    return [(f.kind, f.source, f.time, f.payload) for f in frames(folder)]


def by_hand(place, *rows, table=None):
    """A tape of these events, after the market has opened."""
    opening = event("STATUS", reference=events.TRADING, time=OPEN)
    array = np.concatenate([opening, *rows])
    return hft.to_tape(ArraySource(array, table or two_stocks()), place)


def queue():
    """A bid of 300 and an ask, and then what happens to the bid."""
    return [
        event("ADD", time=OPEN, reference=1, side=events.BUY, price=100_0000, quantity=300),
        event("ADD", time=OPEN, reference=2, side=events.SELL, price=100_1000, quantity=300),
        event("EXECUTE", time=OPEN + SECOND, reference=1, quantity=200),
        event("ADD", time=OPEN + 2 * SECOND, reference=3, side=1, price=100_0000, quantity=500),
        event("EXECUTE", time=OPEN + 3 * SECOND, reference=1, quantity=100),
        event("EXECUTE", time=OPEN + 4 * SECOND, reference=3, quantity=60),
        event("EXECUTE", time=OPEN + 5 * SECOND, reference=3, quantity=100),
        event("DELETE", time=OPEN + 6 * SECOND, reference=3, quantity=0),
    ]


def test_the_same_tape_gives_the_same_bytes(day, market, tmp_path):
    limits = hft.Limits(position_lots=1_000, strategy={"daily_loss_money": 50_000.25})
    again = tmp_path / "again.journal"
    hft.wire_backtest(Round, market, folder=again, limits=limits, **LATENCIES)
    one, other = told(day.folder), told(again)
    assert len(one) > 5_000 and one == other
    assert {kind for kind, *_ in one} >= {kinds.DATAGRAM, kinds.SESSION_IN, kinds.SESSION_OUT}


def test_it_replays_to_the_byte_also_where_the_class_is_not(day):
    found = replay(day.folder, laid)
    assert found.is_identical, found.difference
    assert found.compared > 50
    done = subprocess.run(
        [*PROGRAM, "replay", str(day.folder), "--json"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_identical"]


def test_what_would_be_decided_otherwise_is_found(day):
    def other(said):
        said["strategies"][0]["params"] = {"clip": 50}
        return laid(said)

    found = replay(day.folder, other)
    assert not found.is_identical and "SESSION_OUT 0" in found.difference


def test_the_result_is_the_journals_and_balances(day):
    read = journal_result(day.folder)
    assert read.digest == day.result.digest and day.result.check() == []
    assert day.result.about["mode"] == "wire" and day.result.about["one clock"]
    assert day.result.about["exchange"]["tape_events"] == about(day.folder)["tape_events"]
    fills = day.result.records["fills"]
    assert len(fills) > 10 and (fills["taker"] == 0).all()
    signed = np.where(fills["side"] == events.BUY, 1, -1) * fills["quantity"]
    for row in np.unique(fills["instrument"]):
        mine = fills["instrument"] == row
        assert fills["position"][mine].tolist() == np.cumsum(signed[mine]).tolist()
        cash = np.cumsum(-signed[mine] * fills["price"][mine])
        assert fills["cash"][mine].tolist() == cash.tolist()


def test_everything_passes_as_wire_bytes(day):
    """Read by hand: what came in is MoldUDP64 without a hole, what went out begins with a login."""
    expected, letters = 1, set()
    first_out = b""
    for frame in frames(day.folder):
        if frame.kind == kinds.DATAGRAM:
            session, sequence, count = struct.unpack_from(">10sQH", frame.payload)
            assert session == b"HFTX      " and sequence == expected
            at = 20
            for _ in range(count):
                (length,) = struct.unpack_from(">H", frame.payload, at)
                letters.add(chr(frame.payload[at + 2]))
                at += 2 + length
            assert at == len(frame.payload) <= 1400
            expected += count
        elif frame.kind == kinds.SESSION_OUT and not first_out:
            first_out = frame.payload
    assert {"S", "R", "H", "A", "E", "D"} <= letters and expected > 5_000
    assert first_out[2:9] == b"Lfrm1a " and first_out[9:19] == b" " * 10, "a login, no password"


def test_latencies_are_those_that_were_asked_for(day):
    orders = day.result.records["orders"]
    assert (orders["venue_accepted"] - orders["sent"] == ORDER_NS).all()
    assert (orders["accepted"] - orders["sent"] == 2 * ORDER_NS).all()
    heard = {f.time for f in frames(day.folder) if f.kind == kinds.DATAGRAM}
    moments = {f.time for f in frames(day.folder) if f.kind == kinds.SESSION_IN} | heard
    assert set(orders["sent"].tolist()) <= moments, "it answers in the moment in which it hears"
    times = set(day.result.tape.events["time"].tolist())
    assert {moment - FEED_NS for moment in heard} - times <= beats(day.folder), "and hears so late"


def beats(folder):
    """Times at which the exchange only said that it is there."""
    found = (f for f in frames(folder) if f.kind == kinds.DATAGRAM)
    return {f.time - FEED_NS for f in found if f.payload[18:20] == b"\0\0"}


def test_an_order_is_filled_in_its_queue_as_the_tape_trades(tmp_path):
    tape = by_hand(tmp_path / "queue.tape", *queue())
    wired = hft.wire_backtest(Once, tape, folder=tmp_path / "day", **LATENCIES)
    fills = wired.records["fills"]
    assert fills["time"].tolist() == [OPEN + 4 * SECOND, OPEN + 5 * SECOND]
    assert fills["quantity"].tolist() == [60, 40] and fills["taker"].tolist() == [0, 0]
    assert fills["price"].tolist() == [100_0000, 100_0000] and fills["ahead"].tolist() == [300, 300]
    assert fills["cash"].tolist() == [-60 * 100_0000, -100 * 100_0000]
    assert fills["received"].tolist() == [
        OPEN + 4 * SECOND + ORDER_NS,
        OPEN + 5 * SECOND + ORDER_NS,
    ]
    other = hft.backtest(Once, tape, venue=VENUE).records["fills"]
    for name in ("time", "quantity", "price", "taker", "ahead", "received", "cash", "position"):
        assert fills[name].tolist() == other[name].tolist(), name


def test_what_traded_with_us_is_gone_from_the_market(tmp_path):
    """Where the two part: on the wire the sell order that filled us does not stand any more."""
    rows = queue()[:2]
    at = OPEN + SECOND
    rows += [event("DELETE", time=at, reference=1, quantity=0)]
    rows += [event("ADD", time=at + MS, reference=9, side=2, price=100_0000, quantity=100)]
    rows += [event("ADD", time=at + SECOND, reference=10, side=1, price=99_0000, quantity=7)]
    tape = by_hand(tmp_path / "crossing.tape", *rows)
    wired = hft.wire_backtest(Once, tape, folder=tmp_path / "day", **LATENCIES)
    plain = hft.backtest(Once, tape, venue=VENUE)
    for result in (wired, plain):
        fills = result.records["fills"]
        assert fills["time"].tolist() == [at + MS] and fills["quantity"].tolist() == [100]
    book = wired.tape.book_at(at + SECOND // 2, "AAPL")
    assert (book.best_ask.price, book.best_bid) == (100.1, None), "ours took it all"
    assert tape.book_at(at + SECOND // 2, "AAPL").best_ask.price == 100.0


def test_until_somebody_trades_with_us_both_backtests_are_alike(market, tmp_path):
    """The same orders at the same moments, and the same first fill, whatever made it."""
    wired = hft.wire_backtest(Once, market, folder=tmp_path / "day", **LATENCIES)
    plain = hft.backtest(Once, market, venue=VENUE)
    for name in ("sent", "venue_accepted", "accepted", "side", "price", "quantity"):
        one, other = (result.records["orders"] for result in (wired, plain))
        order = [np.argsort(records["id"]) for records in (one, other)]
        assert one[name][order[0]].tolist() == other[name][order[1]].tolist(), name
    firsts = [firsts_of(result.records["fills"]) for result in (wired, plain)]
    assert len(firsts[0]) >= 2 and firsts[0] == firsts[1]


def firsts_of(fills):
    """Time, price, side and the queue of each instrument's first fill."""
    rows = np.unique(fills["instrument"], return_index=True)[1]
    names = ("time", "instrument", "price", "side", "taker", "ahead")
    return [tuple(fills[name][row].item() for name in names) for row in rows]


def test_a_timer_goes_off_at_its_own_time(tmp_path):
    tape = by_hand(tmp_path / "late.tape", *queue())
    result = hft.wire_backtest(Late, tape, folder=tmp_path / "day", **LATENCIES)
    (order,) = result.records["orders"]
    begun = next(f.time for f in frames(tmp_path / "day") if f.kind == kinds.TIMER)
    assert order["sent"] == begun + 1_500_000_000
    assert order["venue_accepted"] == order["sent"] + ORDER_NS


def test_several_strategies_share_one_session(market, tmp_path):
    both = hft.wire_backtest(
        [Round, Once], market, folder=tmp_path / "day", params=[{"clip": 50}, {}], **LATENCIES
    )
    assert set(both.strategies.keys()) == {"Round", "Once"} and both.check() == []
    assert all(len(one.records["orders"]) for one in both.strategies.values())
    assert len(both.records["fills"]) > 5
    assert replay(tmp_path / "day", laid).is_identical


def test_a_part_of_a_tape_begins_with_its_books(market, tmp_path):
    half = market["BBB"].between(market.begin + 45 * SECOND, None)
    result = hft.wire_backtest(Once, half, folder=tmp_path / "day", **LATENCIES)
    assert result.instruments.symbols == ["BBB"] and len(result.records["orders"]) == 1
    first, best = result.records["orders"][0], half.book_at(half.begin, "BBB").best_bid
    assert first["sent"] == half.begin + FEED_NS, "the books stand when its first event is heard"
    assert first["price"] == round(best.price * 10_000)


def test_levels_without_orders_are_played_as_well(tmp_path):
    rows = [
        event("LEVEL", time=OPEN, side=1, price=100_0000, quantity=300),
        event("LEVEL", time=OPEN, side=2, price=100_1000, quantity=300),
        event("LEVEL", time=OPEN + SECOND, side=1, price=100_0000, quantity=100),
        event("TRADE", time=OPEN + 2 * SECOND, side=2, price=100_0000, quantity=150),
    ]
    tape = by_hand(tmp_path / "levels.tape", *rows)
    result = hft.wire_backtest(Once, tape, folder=tmp_path / "day", **LATENCIES)
    assert len(result.records["orders"]) == 1 and result.check() == []
    assert replay(tmp_path / "day", laid).is_identical


def test_a_strategy_that_fails_is_taken_out_and_said(market, tmp_path):
    @hft.strategy
    class Fails:
        """Joins a bid, and then reads beyond its end."""

        seen: int = hft.state(size=4)
        n: int = hft.state()

        def on_book(self, ctx, i):
            if ctx.book(i).has_both:
                ctx.submit(i, hft.BUY, ctx.book(i).bid - 10 * ctx.book(i).tick, 100)
                self.n += 1
                self.seen[self.n] = 1

    result = hft.wire_backtest(Fails, market, folder=tmp_path / "day", **LATENCIES)
    assert not result.ok and "the index is outside of the array" in result.ended
    orders = result.records["orders"]
    assert len(orders) == 4 and set(orders["reason"].tolist()) == {ASKED}, "taken back"
    assert replay(tmp_path / "day", laid).is_identical


def test_what_cannot_be_is_refused_before_anything_runs(market, tmp_path):
    (tmp_path / "there").mkdir()
    place = tmp_path / "day"

    def refused(kind, text, *given, folder=place, **more):
        with pytest.raises(kind, match=text):
            hft.wire_backtest(*given, folder=folder, **more)
        assert not place.exists()

    refused(StateError, "something already", Once, market, folder=tmp_path / "there")
    refused(InputError, "There is no folder", Once, market, folder=tmp_path / "no" / "day")
    refused(InputError, "no latency of a wire", Once, market, feed_latency="-1us")
    refused(InputError, "no latency of a wire", Once, market, order_latency="2h")
    refused(InputError, "by the name of its class", {"mine": Once}, market)
    refused(
        InputError, "no instrument 'ZZZ'", Once, market, limits=hft.Limits(instrument={"ZZZ": {}})
    )
    refused(InputError, "is no strategy", dict, market)


def test_a_tape_that_no_exchange_can_play_is_refused(tmp_path):
    two, coin = Instruments(), Instruments()
    for venue in ("XNAS", "XNYS"):
        two.add("AAPL", venue=venue, calendar="XNAS", tick=100)
    coin.add("BTCUSD", venue="BINA", calendar="UTC", price_unit="0.01", lot_unit="0.00001")
    rows = queue()
    with pytest.raises(InputError, match="2 venues, XNAS, XNYS"):
        both = by_hand(tmp_path / "two.tape", *rows, table=two)
        hft.wire_backtest(Once, both, folder=tmp_path / "day")
    with pytest.raises(InputError, match="no instrument that can be traded here"):
        coins = by_hand(tmp_path / "coin.tape", *rows, table=coin)
        hft.wire_backtest(Once, coins, folder=tmp_path / "day")
    with pytest.raises(InputError, match="a session is one day"):
        late = event("DELETE", time=OPEN + 86_400 * SECOND, reference=2)
        days = by_hand(tmp_path / "days.tape", *rows, late)
        hft.wire_backtest(Once, days, folder=tmp_path / "day")
    assert not (tmp_path / "day").exists()


def test_the_command_line_knows_it(market, tmp_path):
    (tmp_path / "idea.py").write_text(
        "import hftlib as hft\n\n\n@hft.strategy\nclass Joins:\n    clip: int = hft.param(100)\n\n"
        "    def on_book(self, ctx, i):\n        b = ctx.book(i)\n"
        "        if b.has_both and ctx.open_orders(i) == 0:\n"
        "            ctx.submit(i, hft.BUY, b.bid, self.clip)\n"
    )

    def hft_says(*given, code=0):
        done = subprocess.run(
            [*PROGRAM, *map(str, given)],
            check=False, cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done

    given = ("backtest", "idea.py:Joins", "--tape", market.path, "--order-latency", "100us")
    first = json.loads(hft_says(*given, "--wire", "day.journal", "-p", "clip=50", "--json").stdout)
    assert first["about"]["journal"] == "day.journal" and first["about"]["exchange"]["frames"]
    assert "identical" in hft_says("replay", "day.journal").stdout
    assert json.loads(hft_says("tca", "day.journal", "--json").stdout)
    again = hft_says(*given, "--wire", "day.journal", code=3)
    assert "There is something already" in again.stderr and "Traceback" not in again.stderr
    fees = hft_says(*given, "--wire", "other", "--maker", "1bp", code=2)
    assert "--maker says nothing on the wire" in fees.stderr
