"""The backtest's clock against its slow twin, and against itself however the run is cut."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.book.capacity import Capacity
from hftlib.book.reading import twice_mid
from hftlib.engine.driving import Backtest
from hftlib.engine.log import HORIZONS_NS
from hftlib.engine.session import Session
from hftlib.research.tape import to_tape
from hftlib.risk.limits import Limits
from hftlib.strategy.abi import ON_BOOK, ON_TRADE
from hftlib.venue.delays import Latency
from hftlib.venue.exchange import Exchange
from hftlib.venue.venue import Venue
from tests.engine.clock_twin import ClockTwin
from tests.engine.restless import Restless

ROOM = Capacity(instruments=4, orders=1 << 14, levels=1 << 13, pages=1 << 11)
NEAR = Venue(feed_latency="40us", order_latency="150us")
FAR = Venue(
    feed_latency=Latency.lognormal("2ms", "9ms"),
    order_latency=Latency(
        Latency.lognormal("1ms", "5ms"),
        cancel="100us",
        replace="3ms",
        response=Latency.lognormal("1ms", "4ms"),
    ),
    seed=5,
)


@pytest.fixture(scope="module")
def tape():
    return to_tape(hft.synthetic(symbols=3, seconds=20, seed=4))


def set_up(tape, venues, without=()):
    """A fresh session with its exchanges, and how instruments go to them."""
    routes = np.arange(len(tape.instruments), dtype=np.int64) % len(venues)
    fees = [venues[route].fees for route in routes]
    limits = Limits(position=5_000, open_orders=40)
    strategy = Restless(without)
    session = Session(tape.instruments, strategy, limits=limits, fees=fees, capacity=ROOM)
    session.connect()
    exchanges = [Exchange(tape.instruments, venue, capacity=ROOM) for venue in venues]
    return session, exchanges, [venue.latencies() for venue in venues], routes


def run(tape, venues, steps=1 << 20, without=()):
    session, exchanges, latencies, routes = set_up(tape, venues, without)
    made = Backtest(session, exchanges, tape.selection, latencies, routes, every_ns=10**9)
    assert made.go(lambda _share, _what: None, steps) == ""
    return made


@pytest.mark.parametrize("without", [(), (ON_BOOK, ON_TRADE)], ids=["watching", "by timer"])
@pytest.mark.parametrize("venues", [[NEAR], [FAR], [NEAR, FAR]], ids=["near", "far", "both"])
def test_the_clock_agrees_with_its_slow_twin(tape, venues, without):
    fast = run(tape, venues, without=without)
    session, exchanges, latencies, routes = set_up(tape, venues, without)
    slow = ClockTwin(session, exchanges, np.array(tape.events), latencies, routes)
    slow.go()
    fills = np.array(slow.fills, fast.fills.dtype)
    assert len(fills) > 50, "a duel in which nothing happens proves nothing"
    ours = fast.fills.copy()
    ours["twice_mid"] = 0  # written in afterwards; the twin watches no market
    assert ours.tolist() == fills.tolist()
    assert fast.orders.tolist() == slow.orders().tolist()
    assert fast.session.arena["positions"].tolist() == session.arena["positions"].tolist()


def test_however_the_run_is_cut_it_is_the_same(tape):
    whole = run(tape, [FAR])
    cut = run(tape, [FAR], steps=97)
    for name in ("fills", "orders", "equity", "markouts"):
        assert getattr(whole, name).tolist() == getattr(cut, name).tolist(), name
    assert whole.session.books.digest() == cut.session.books.digest()
    for name in ("own_orders", "positions", "state", "markets"):
        ours, theirs = whole.session.arena[name], cut.session.arena[name]
        assert ours.tolist() == theirs.tolist(), name


def test_money_balances_to_the_last_unit(tape):
    made = run(tape, [NEAR])
    fills, positions = made.fills, made.session.arena["positions"]
    for row in range(len(tape.instruments)):
        mine = fills[fills["instrument"] == row]
        sign = np.where(mine["side"] == 1, 1, -1)
        assert positions["quantity"][row] == (sign * mine["quantity"]).sum()
        assert positions["cash"][row] == -(sign * mine["quantity"] * mine["price"]).sum()
        assert positions["fees"][row] == mine["fee"].sum()
    orders = made.orders
    for order in orders:
        mine = fills[fills["order"] == order["id"]]
        assert order["filled"] == mine["quantity"].sum() <= order["quantity"]
    assert made.session.arena["execution"]["impossible"][0] == 0


def test_markouts_are_the_middle_of_the_recorded_book(tape):
    made = run(tape, [NEAR])
    books = hft.Books(tape.instruments, capacity=ROOM)
    events = np.array(tape.events)
    done = 0
    marks = made.markouts
    rows = [
        (int(f["time"]) + HORIZONS_NS[m["horizon"]], int(f["instrument"]), int(m["twice_mid"]))
        for m in marks
        for f in made.fills[made.fills["number"] == m["fill"]]
    ]
    assert len(rows) > 50
    for due, instrument, middle in sorted(rows):
        upto = int(np.searchsorted(events["time"], due, side="right"))
        books.apply(events[done:upto])
        done = upto
        assert middle == twice_mid(books.address, instrument)
