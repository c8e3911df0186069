"""The backtest's clock against its slow twin, and against itself however the run is cut."""

import numpy as np
import pytest
from tapes import ArraySource

import hftlib as hft
from hftlib.book.capacity import Capacity
from hftlib.book.reading import twice_mid
from hftlib.core import events
from hftlib.engine.driving import Backtest
from hftlib.engine.legs import feeds_of, least_of_feed
from hftlib.engine.log import HORIZONS_NS
from hftlib.engine.session import Session
from hftlib.research.tape import to_tape
from hftlib.risk.limits import Limits
from hftlib.strategy.abi import ON_BOOK, ON_TRADE
from hftlib.venue.delays import Latency
from hftlib.venue.exchange import Exchange
from hftlib.venue.latency import latency_at
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
LATE = Venue(feed_latency="3ms", order_latency="400us")
# As late as NEAR: their feeds are one. Its orders take another time.
BESIDE = Venue(feed_latency="40us", order_latency=Latency.lognormal("1ms", "5ms"), seed=7)
OTHER = Venue(feed_latency=Latency.lognormal("300us", "30ms"), order_latency="90us", seed=9)
MEASURED = Venue(
    feed_latency=Latency.sampled([100_000, 150_000, 2_000_000, 40_000_000]),
    order_latency="1ms",
    seed=3,
)
RECORDED = Venue(feed_latency="recorded", order_latency="10us")


@pytest.fixture(scope="module")
def tape():
    return to_tape(hft.synthetic(symbols=3, seconds=20, seed=4))


def set_up(tape, venues, without=(), others=()):
    """A fresh session with its exchanges, and how instruments go to them.

    `others` are what further strategies of the session are deaf to.
    """
    routes = np.arange(len(tape.instruments), dtype=np.int64) % len(venues)
    fees = [venues[route].fees for route in routes]
    limits = Limits(position_lots=5_000, open_orders=40)
    strategies = {f"s{n}": Restless(deaf) for n, deaf in enumerate([without, *others])}
    session = Session(tape.instruments, strategies, limits=limits, fees=fees, capacity=ROOM)
    session.connect()
    count = len(strategies)
    exchanges = [
        Exchange(tape.instruments, venue, capacity=ROOM, strategies=count) for venue in venues
    ]
    return session, exchanges, [venue.latencies() for venue in venues], routes


def run(tape, venues, steps=1 << 20, without=(), others=()):
    session, exchanges, latencies, routes = set_up(tape, venues, without, others)
    made = Backtest(session, exchanges, tape.selection, latencies, routes, every_ns=10**9)
    assert made.go(lambda _share, _what: None, steps) == ""
    return made


def agrees_with_its_twin(tape, venues, without=(), fills_least=50, others=()):
    fast = run(tape, venues, without=without, others=others)
    session, exchanges, latencies, routes = set_up(tape, venues, without, others)
    slow = ClockTwin(session, exchanges, np.array(tape.events), latencies, routes)
    slow.go()
    fills = np.array(slow.fills, fast.fills.dtype)
    fills = fills[np.lexsort([fills["strategy"], fills["received"]])] if others else fills
    assert len(fills) >= fills_least, "a duel in which nothing happens proves nothing"
    ours = fast.fills.copy()
    ours["twice_mid"] = 0  # written in afterwards; the twin watches no market
    assert ours.tolist() == fills.tolist()
    assert fast.orders.tolist() == slow.orders().tolist()
    for ours, theirs in zip(fast.session.seats, session.seats, strict=True):
        for name in ("positions", "markets", "own_orders"):
            assert ours[name].tolist() == theirs[name].tolist(), name
        for name in ("events", "time", "callbacks"):
            assert ours["session"][name].tolist() == theirs["session"][name].tolist(), name
    assert fast.session.books.digest() == session.books.digest()
    assert fast.seen == 2 * len(tape)


WATCHING = pytest.mark.parametrize(
    "without", [(), (ON_BOOK, ON_TRADE)], ids=["watching", "by timer"]
)
MIXED = pytest.mark.parametrize(
    "venues",
    [[NEAR, LATE], [LATE, NEAR, BESIDE], [OTHER, FAR], [LATE, MEASURED, RECORDED]],
    ids=["constant", "two as one", "drawn", "measured and recorded"],
)


@WATCHING
@pytest.mark.parametrize("venues", [[NEAR], [FAR], [NEAR, FAR]], ids=["near", "far", "both"])
def test_the_clock_agrees_with_its_slow_twin(tape, venues, without):
    agrees_with_its_twin(tape, venues, without)


DEAF = (ON_BOOK, ON_TRADE)


@pytest.mark.parametrize("others", [[()], [DEAF], [(), DEAF, ()]], ids=["two", "deaf", "four"])
@pytest.mark.parametrize("without", [(), DEAF], ids=["watching", "by timer"])
@pytest.mark.parametrize("venues", [[NEAR], [FAR], [LATE, NEAR, BESIDE]], ids=["near", "far", "3"])
def test_the_clock_of_several_strategies_agrees_with_its_slow_twin(tape, venues, without, others):
    agrees_with_its_twin(tape, venues, without, others=others)


def with_feed_events(array, chance, count):
    """The same with events of the whole feed strewn in: gaps, halts, notices."""
    places = np.sort(chance.integers(0, len(array) - 1, count))
    made = np.repeat(array[places], 2)
    made["instrument"] = events.ALL
    made["kind"] = np.repeat(chance.choice([events.GAP, events.STATUS, events.NOTICE], count), 2)
    made["reference"] = np.tile([events.HALTED, events.TRADING], count)
    made["kind"][1::2][made["kind"][1::2] == events.GAP] = events.RECOVERED
    made["instrument"][::7] = 77  # nobody knows this one
    kept = made["kind"] != events.NOTICE
    made["time"] = np.where(kept, made["time"], chance.integers(0, 2**62, len(made)))
    return np.insert(array, np.repeat(places, [2] * count), made)


def rough(tape, how, seed):
    """Half a second rounded to ties, or times that go back, and events of the whole feed."""
    chance = np.random.default_rng(seed)
    array = np.array(tape.events)
    array["received"] = array["time"] + chance.integers(0, 3_000_000, len(array))
    if how == "ties":
        array["time"] -= array["time"] % 10_000_000
    elif how == "back":
        array["time"] -= chance.integers(0, 20_000_000, len(array)) * chance.integers(
            0, 2, len(array)
        )
    array = with_feed_events(array, chance, 60)
    return to_tape(ArraySource(array, tape.instruments))


@WATCHING
@MIXED
@pytest.mark.parametrize("how", ["as it is", "ties", "back"])
def test_feeds_of_different_latencies_agree_with_the_twin(tape, how, venues, without):
    rough_tape = rough(tape, how, 11) if how != "as it is" else tape
    agrees_with_its_twin(rough_tape, venues, without, fills_least=20)


@MIXED
def test_feeds_of_different_latencies_however_they_are_cut(tape, venues):
    rough_tape = rough(tape, "back", 12)
    whole, cut = run(rough_tape, venues), run(rough_tape, venues, steps=97)
    for name in ("fills", "orders", "equity", "markouts", "steps", "seen"):
        ours, theirs = getattr(whole, name), getattr(cut, name)
        assert np.array_equal(ours, theirs), name
    assert whole.session.books.digest() == cut.session.books.digest()


def test_feeds_that_always_take_the_same_are_one():
    venues = [NEAR, FAR, LATE, BESIDE, OTHER, FAR]
    assert feeds_of([venue.latencies() for venue in venues]) == [0, 1, 2, 0, 3, 4]


def test_no_event_takes_less_than_the_least_of_its_feed():
    least = [least_of_feed(v.latencies()) for v in (NEAR, LATE, MEASURED, RECORDED)]
    assert least == [40_000, 3_000_000, 100_000, 0]
    held = Latency.measured([0, 10, 20], [7_000, 3_000, 5_000])
    assert least_of_feed(Venue(feed_latency=held).latencies()) == 3_000
    legs = FAR.latencies()
    drawn = [latency_at(legs.ctypes.data, time, 5) for time in range(20_000)]
    assert 0 < least_of_feed(legs) <= min(drawn)


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


@pytest.mark.parametrize("venues", [[NEAR], [NEAR, FAR, LATE]], ids=["one", "several"])
def test_markouts_are_the_middle_of_the_recorded_book(tape, venues):
    made = run(tape, venues)
    books = hft.Books(tape.instruments, capacity=ROOM)
    array = np.array(tape.events)
    done = 0
    marks = made.markouts
    rows = [
        (int(f["time"]) + HORIZONS_NS[m["horizon"]], int(f["instrument"]), int(m["twice_mid"]))
        for m in marks
        for f in made.fills[made.fills["number"] == m["fill"]]
    ]
    assert len(rows) > 50
    for due, instrument, middle in sorted(rows):
        upto = int(np.searchsorted(array["time"], due, side="right"))
        books.apply(array[done:upto])
        done = upto
        assert middle == twice_mid(books.address, instrument)
