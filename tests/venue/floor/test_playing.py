"""A tape's market on the exchange: the tape's own book alone, and somebody's queue among others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from floor_desk import Floor, standing, tables
from recorded import recorded
from tape_twin import TapeTwin
from tapes import ArraySource, event

import hftlib as hft
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.lobster import LobsterSource
from hftlib.feed.tape_file import write_tape
from hftlib.venue.floor import obeying, playing
from hftlib.venue.floor.configuration import checked
from hftlib.venue.floor.exchange import Exchange
from hftlib.venue.floor.replaying import digest
from hftlib.venue.matching import records as r

FAST = jit.COMPILED and not jit.BOUNDS_CHECKED
MS = 1_000_000
T0 = 1_577_716_200_000_000_000


@contextmanager
def exchange_of(path: Path, symbols: list[str], **more: Any) -> Iterator[Exchange]:
    """An exchange that is let go without the end of its day."""
    market = {"flow": "tape", "tape": str(path)} | more.pop("market", {})
    room = {"orders_max": 1 << 14, "feed_messages_max": 1 << 19, "feed_store_bytes_max": 1 << 25}
    given = {"symbols": [{"name": name} for name in symbols], "market": market, "exchange": room}
    exchange = Exchange(checked(tables(**(given | more)), "a test"))
    try:
        yield exchange
    finally:
        exchange.parts.close()


def names_on(path: Path) -> list[str]:
    table = hft.open_tape(path).instruments.table
    return [bytes(name).decode() for name in table["symbol"].tolist()]


def books_of(path: Path) -> Books:
    table = hft.open_tape(path).instruments
    room = {"orders": 1 << 15, "levels": 1 << 15, "pages": 1 << 13}
    return Books(table, capacity=Capacity(instruments=len(table), **room))


def queues(books: Books, rows: int) -> list[tuple[int, ...]]:
    """Levels and orders in the order of their queues, without the numbers of orders."""
    return [(*one[:4], one[4] != 0) for one in standing(books, rows)]


def levels(books: Books, rows: int) -> list[tuple[int, ...]]:
    return [one[:4] for one in standing(books, rows) if one[4] == 0]


def followed(path: Path, most: int, every: int, look: Any = queues) -> dict[str, int]:
    """The exchange's book and the tape's, side by side, after each so many events."""
    names, compared = names_on(path), 0
    with exchange_of(path, names) as exchange:
        books = books_of(path)
        told = exchange.flow.file.events
        for n in range(min(most, len(told))):
            playing.follow(exchange.floor, exchange.flow.address)
            books.apply(np.array(told[n : n + 1]))
            if n % every == 0 or n == len(told) - 1:
                ours, theirs = look(exchange.engine.books, len(names)), look(books, len(names))
                assert ours == theirs, f"the books differ after event {n}: {told[n]}"
                compared += len(ours) > 0
        counts = exchange.counts
    assert compared > min(most, len(told)) / every / 2
    return counts


@pytest.fixture(scope="module")
def made(tmp_path_factory: Any) -> Path:
    """Three stocks, crosses and a halt."""
    path = tmp_path_factory.mktemp("tape") / "made.tape"
    write_tape(path, hft.synthetic(symbols=3, seconds=60 if FAST else 12, seed=5))
    return path


@pytest.mark.modes
def test_the_exchanges_book_is_the_tapes_queue_for_queue_at_every_event(made):
    counts = followed(made, 4_000 if FAST else 700, 1)
    assert counts["tape_orders"] > 100
    strange = {"tape_unknown", "tape_refused", "tape_gone", "tape_yielded", "tape_odd"}
    assert not strange & set(counts)


def test_a_whole_day_with_crosses_and_halts_likewise(made):
    counts = followed(made, 1 << 20, 7)
    assert counts["tape_events"] == len(hft.open_tape(made)) and "tape_refused" not in counts


def test_a_recorded_stock_likewise(tmp_path):
    source = recorded("itch/AAPL_real_20191230_reconstructed_from_karan.itch50")
    write_tape(tmp_path / "aapl.tape", ItchSource(source, date="2019-12-30"))
    counts = followed(tmp_path / "aapl.tape", 1 << 20, 23)
    # Of these orders the recording never says that they came.
    assert counts["tape_unknown"] == 540 + 3_351 + 67 + 12
    assert counts["tape_events"] == 49_947 and counts["orders"] == 339


def test_a_recorded_window_of_a_book_likewise_by_its_levels(tmp_path):
    source = recorded("lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")
    write_tape(tmp_path / "amzn.tape", LobsterSource(source, source))
    counts = followed(tmp_path / "amzn.tape", 60_000, 11, levels)
    assert not {"tape_unknown", "tape_refused", "tape_gone", "tape_odd"} & set(counts)


class Others:
    """Two participants who trade at random, by commands of their own."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.exchange, self.draw = exchange, Random(seed)
        self.urns, self.sent = [0, 0, 0], [[], [], []]  # type: ignore[var-annotated]

    def act(self) -> None:
        draw, session = self.draw, self.draw.randint(1, 2)
        obeying.blank_command(self.exchange.floor)
        row = self.exchange.record["command"][0]
        row["session"], row["firm"] = session, session
        if self.sent[session] and draw.random() < 0.3:
            row["kind"], row["urn"] = r.CANCEL, draw.choice(self.sent[session][-20:])
        else:
            self.urns[session] += 1
            self.sent[session].append(self.urns[session])
            self.enter(row, self.urns[session])
        obeying.obey(self.exchange.floor)

    def enter(self, row: Any, urn: int) -> None:
        draw, side = self.draw, self.draw.choice((r.BUY, r.SELL))
        symbol = draw.randrange(len(self.exchange.parts.symbols))
        book = self.exchange.engine.books.of(self.exchange.parts.symbols[symbol])
        best = [one and round(one.price * 10_000) for one in (book.best_bid, book.best_ask)]
        middle = next((one for one in best if one), 100_0000)
        away = draw.choice((-3, -1, 0, 0, 1, 2, 5)) * 100
        near = best[0 if side == r.BUY else 1] or middle
        row["kind"], row["urn"], row["symbol"], row["side"] = r.ENTER, urn, symbol, side
        row["price"] = near + (-away if side == r.BUY else away)
        row["quantity"], row["style"] = draw.choice((1, 30, 100, 400)), r.PLAIN
        row["lasts"], row["shows"] = draw.choice((r.DAY, r.DAY, r.IOC)), r.SHOWN
        if draw.random() < 0.15:
            row["shows"] = r.HIDDEN
        elif draw.random() < 0.1:
            row["display"] = 10


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(4 if FAST else 1))
def test_what_participants_took_is_gone_and_all_else_is_the_tapes(made, seed):
    names, most = names_on(made), 6_000 if FAST else 500
    with exchange_of(made, names) as exchange:
        twin = TapeTwin(exchange, exchange.parts.house)
        others, told = Others(exchange, seed), exchange.flow.file.events
        for n in range(min(most, len(told))):
            playing.follow(exchange.floor, exchange.flow.address)
            twin.heard(told[n])
            if n % 3 == 0 and n > 200:
                others.act()
                twin.look()
            if n % 5 == 0 or not FAST:
                assert twin.found() == twin.wanted(), f"after event {n}: {told[n]}"
        counts = exchange.counts
    if FAST:
        assert counts["tape_gone"] > 10 and counts["tape_yielded"] > 500
        assert sum(twin.taken.values()) > 1_000 and twin.given_to_others > 500
    assert "tape_unknown" not in counts and "tape_refused" not in counts


# Stories: one stock, a few events by hand.


def tape(tmp_path: Path, *told: dict[str, Any], name: str = "AAA", **more: Any) -> Path:
    table = Instruments()
    table.add(name, venue="XNAS", **({"price_unit": "0.0001", "tick": 100} | more))
    rows = [dict(one) for one in told]
    made = [event(one.pop("kind"), time=T0 + n * MS, **one) for n, one in enumerate(rows, 1)]
    path = tmp_path / "told.tape"
    write_tape(path, ArraySource(np.concatenate(made), table), overwrite=True)
    return path


def add(reference: int, side: int, quantity: int, price: int) -> dict[str, Any]:
    fields = {"reference": reference, "side": side, "quantity": quantity, "price": price}
    return {"kind": "ADD", **fields}


def executes(reference: int, quantity: int) -> dict[str, Any]:
    return {"kind": "EXECUTE", "reference": reference, "quantity": quantity, "other": 5}


class Told(Floor):
    """A floor on which a tape is told event by event, to one participant at least."""

    def __init__(self, path: Path) -> None:
        super().__init__(market={"flow": "tape", "tape": str(path)}, step_ns=1)
        self.exchange.flow.record["count"] = 0  # nothing comes by itself
        self.step()  # what it needs is compiled before anybody waits for an answer

    def tell(self, count: int = 1) -> None:
        """The next events, and a step that lets everybody hear of them."""
        for _ in range(count):
            self.exchange.flow.record["count"] += 1
            playing.follow(self.exchange.floor, self.exchange.flow.address)
        self.step()

    def book(self) -> list[tuple[int, int, int]]:
        shown = standing(self.exchange.engine.books, 1)
        return [(side, price, quantity) for _, side, price, quantity, ref in shown if ref]


def test_who_stands_in_front_is_filled_first_and_who_stands_behind_later(tmp_path):
    path = tape(
        tmp_path,
        add(1, 1, 300, 99_9000),
        add(2, 2, 300, 100_1000),
        add(3, 1, 200, 99_9000),
        executes(1, 300),
        executes(3, 50),
        executes(3, 150),
    )
    with Told(path) as floor:
        one = floor.plain("frm1a")
        floor.tell(2)
        one.enter(1, "B", 100, "99.90")
        floor.until(lambda: one.letters("A"))
        floor.tell(1)  # another of the tape's, behind
        assert floor.book()[:3] == [(1, 99_9000, 300), (1, 99_9000, 100), (1, 99_9000, 200)]
        floor.tell(1)  # the one in front of us trades
        assert not one.letters("E") and floor.book()[0] == (1, 99_9000, 100)
        floor.tell(1)  # the tape says 50 of the one behind us; they are ours
        floor.until(lambda: one.letters("E"))
        (filled,) = one.letters("E")
        assert (filled.quantity, f"{filled.price:.2f}") == (50, "99.90")
        assert floor.book()[:2] == [(1, 99_9000, 50), (1, 99_9000, 150)]
        floor.tell(1)
        floor.until(lambda: len(one.letters("E")) == 2)
        # 50 more are ours; of 150 the tape's order trades 100, and is gone as on the tape.
        assert floor.book() == [(2, 100_1000, 300)]
        assert floor.exchange.counts["tape_yielded"] == 100


def test_a_better_price_is_met_before_the_tapes_order(tmp_path):
    path = tape(tmp_path, add(1, 1, 300, 99_9000), add(2, 2, 300, 100_1000), executes(1, 200))
    with Told(path) as floor:
        one = floor.plain("frm1a")
        floor.tell(2)
        one.enter(1, "B", 120, "99.95")
        floor.until(lambda: one.letters("A"))
        floor.tell(1)
        floor.until(lambda: one.letters("E"))
        (filled,) = one.letters("E")
        assert (filled.quantity, f"{filled.price:.2f}") == (120, "99.95")
        assert floor.book() == [(1, 99_9000, 100), (2, 100_1000, 300)]


def test_what_a_participant_took_is_counted_when_the_tape_speaks_of_it(tmp_path):
    path = tape(
        tmp_path,
        add(1, 2, 300, 100_1000),
        add(2, 2, 100, 100_1000),
        executes(1, 100),
        {"kind": "CANCEL", "reference": 1, "quantity": 50},
        {"kind": "REPLACE", "reference": 1, "other": 9, "price": 100_2000, "quantity": 400},
        {"kind": "DELETE", "reference": 9},
        {"kind": "DELETE", "reference": 77},
    )
    with Told(path) as floor:
        one = floor.plain("frm1a")
        floor.tell(2)
        one.enter(1, "B", 300, "100.10")
        floor.until(lambda: one.letters("E"))
        floor.tell(5)
        assert floor.book() == [(2, 100_1000, 100)]
        counts = floor.exchange.counts
        assert counts["tape_gone"] == 4 and counts["tape_unknown"] == 1


def test_an_order_of_the_tape_takes_who_stands_in_its_way(tmp_path):
    path = tape(
        tmp_path,
        add(1, 2, 300, 100_1000),
        add(2, 1, 250, 100_0500),
        {"kind": "REPLACE", "reference": 2, "other": 3, "price": 100_0000, "quantity": 300},
    )
    with Told(path) as floor:
        one = floor.plain("frm1a")
        floor.tell(1)
        one.enter(1, "S", 100, "100.05")
        floor.until(lambda: one.letters("A"))
        floor.tell(1)
        floor.until(lambda: one.letters("E"))
        assert floor.book()[0] == (1, 100_0500, 150)
        floor.tell(1)  # it asks for 300 in all, and has had 100 of ours
        assert floor.book()[0] == (1, 100_0000, 200)


def test_a_trade_with_an_order_that_nobody_saw_meets_who_shows_first(tmp_path):
    trade = {"kind": "TRADE", "price": 100_0000, "quantity": 300, "other": 4}
    path = tape(tmp_path, add(1, 1, 100, 99_9000), add(2, 2, 100, 100_1100), trade, trade)
    with Told(path) as floor:
        one, ears = floor.plain("frm1a"), floor.ears()
        floor.tell(2)
        one.enter(1, "B", 100, "100.00")
        floor.until(lambda: one.letters("A"))
        floor.tell(1)  # the middle is 100.055: somebody sold at 100.00, and we showed there
        floor.until(lambda: one.letters("E"))
        floor.tell(1)
        printed = lambda: [m for m in ears.messages if m[:1] == b"P"]  # noqa: E731
        floor.until(lambda: len(printed()) == 2)
        assert [int.from_bytes(m[20:24]) for m in printed()] == [200, 300]
        assert floor.book() == [(1, 99_9000, 100), (2, 100_1100, 100)]


def test_halts_of_the_tape_are_the_exchanges_and_orders_in_them_gather(tmp_path):
    path = tape(
        tmp_path,
        add(1, 1, 100, 99_9000),
        {"kind": "STATUS", "reference": ord("H"), "other": int.from_bytes(b"T1  ", "big")},
        executes(1, 40),
        add(2, 2, 100, 99_9000),
        {"kind": "STATUS", "reference": ord("T")},
    )
    with Told(path) as floor:
        one, ears = floor.plain("frm1a"), floor.ears()
        floor.tell(2)
        one.enter(1, "B", 100, "99.95")
        floor.until(lambda: one.letters("J"))
        floor.tell(1)  # nothing trades in a halt: the order is less, and nobody is told of a trade
        assert floor.book() == [(1, 99_9000, 60)]
        floor.tell(1)
        assert floor.book() == [(1, 99_9000, 60), (2, 99_9000, 100)]
        floor.tell(1)  # they cross, so trading begins with a cross
        assert floor.book() == [(2, 99_9000, 40)]
        floor.until(lambda: ears.next > floor.exchange.counts["messages"])
        states = [chr(m[19]) for m in ears.messages if m[:1] == b"H" and m[11:14] == b"AAA"]
        assert states[-3:] == ["H", "Q", "T"]
        assert [m[:1] for m in ears.messages if m[:1] in b"ECQ"] == [b"C", b"C", b"Q"]
        assert floor.exchange.counts["tape_gathered"] == 1


@pytest.mark.parametrize(("at_end", "orders"), [("stay", 1), ("loop", 1), ("end", 0)])
def test_the_end_of_a_tape(tmp_path, at_end, orders):
    path = tape(tmp_path, add(1, 1, 100, 99_9000), add(2, 2, 100, 100_1000), executes(2, 100))
    with Floor(market={"flow": "tape", "tape": str(path), "at_end": at_end}, step_ns=MS) as floor:
        for _ in range(30):
            floor.step()
        assert floor.exchange.counts["orders"] == orders
        assert floor.exchange.is_over == (at_end == "end")
        floor.now += 1_000_000_000
        if at_end == "loop":
            floor.step()
            assert floor.exchange.counts["tape_rounds"] == 1
            assert floor.exchange.counts["tape_orders"] == 4
            assert floor.exchange.counts["orders"] == orders


def test_a_tape_begins_where_it_is_told_with_all_that_was_before(tmp_path):
    told = [add(n, 1, 100, 99_0000 + 100 * n) for n in range(1, 6)]
    for n, one in enumerate(told):
        one["time"] = T0 + n * 1_000_000_000
    table = Instruments()
    table.add("AAA", venue="XNAS", price_unit="0.0001", tick=100)
    made = np.concatenate([event(one.pop("kind"), **one) for one in told])
    path = tmp_path / "t.tape"
    write_tape(path, ArraySource(made, table))
    # T0 is 09:30:00 in New York.
    market = {"flow": "tape", "tape": str(path), "tape_from": "09:30:02"}
    with Floor(market=market, step_ns=MS) as floor:
        floor.step()
        assert floor.exchange.counts["orders"] == 3
        floor.now += 1_000_000_000
        floor.step()
        assert floor.exchange.counts["orders"] == 4


def test_the_feed_of_a_tape_is_the_same_however_time_is_cut(made):
    def feed(steps: list[int]) -> bytes:
        with exchange_of(made, names_on(made)) as exchange:
            now = exchange.clock.first
            for step in steps:
                now += step
                exchange.step(now)
            count = exchange.counts["messages"]
            blocks, offsets = exchange.parts.feed.store
            return blocks[: int(offsets[count])].tobytes()

    whole = feed([1_000_000_000] * 20)
    assert len(whole) > 30_000
    assert feed([50_000_000] * 400) == whole


def test_a_tape_that_is_none_is_a_sentence(tmp_path):
    def refused(path: Path, what: str, symbol: str = "AAA") -> None:
        with pytest.raises(InputError, match=what), exchange_of(path, [symbol]):
            pass

    refused(tmp_path / "none.tape", "cannot be opened")
    (tmp_path / "garbage.tape").write_bytes(bytes(8_192))
    refused(tmp_path / "garbage.tape", "not a tape")
    good = add(1, 1, 100, 99_9000)
    refused(tape(tmp_path, good), "none of the exchange's symbols, ZZZ", "ZZZ")
    refused(tape(tmp_path, good, price_unit="0.00000001"), "no whole number of 0.0001")
    refused(tape(tmp_path, good, lot_unit="0.00001"), "of shares")
    empty = tmp_path / "empty.tape"
    write_tape(empty, ArraySource(event("ADD")[:0]))
    refused(empty, "no events")
    for market in ({"flow": "tape"}, {"flow": "agents", "tape": "x"}, {"tape": "x"}):
        with pytest.raises(InputError, match="belong together"):
            checked(tables(market=market), "a test")


@pytest.mark.modes
def test_a_tape_of_garbage_is_counted_and_never_ends_anything(tmp_path):
    draw = np.random.default_rng(3)
    count = 4_000 if FAST else 600
    wild = np.frombuffer(draw.bytes(64 * count), event("ADD").dtype).copy()
    tame = draw.random(count) < 0.7
    wild["kind"] = draw.integers(0, 20, count)
    known = draw.random(count) < 0.97
    wild["instrument"][known] = draw.integers(0, 2, known.sum())
    wild["side"][tame] = draw.integers(0, 3, tame.sum())
    for field, most in (("reference", 60), ("other", 60), ("price", 20), ("quantity", 300)):
        wild[field][tame] = draw.integers(0, most, tame.sum())
    wild["price"][tame] = wild["price"][tame] * 100 + 99_0000
    wild["time"] = T0 + np.arange(count) * MS
    wild["time"][~tame] = draw.integers(-(2**62), 2**62, (~tame).sum())
    table = Instruments()
    for name in ("AAA", "BBB"):
        table.add(name, venue="XNAS", price_unit="0.0001", tick=100)
    path = tmp_path / "wild.tape"
    write_tape(path, ArraySource(wild, table))
    with exchange_of(path, ["AAA", "BBB"]) as exchange:
        for _ in range(count):
            playing.follow(exchange.floor, exchange.flow.address)
        counts = exchange.counts
        exchange.step(exchange.clock.first + 1)
    assert counts["tape_events"] == count and counts["tape_odd"] > count // 8
    assert counts["tape_orders"] > 20 and counts["tape_unknown"] > 20


def test_a_journal_of_a_tapes_market_with_bands_says_the_same_again(made, tmp_path):
    name = names_on(made)[0]
    folder, room = tmp_path / "day.journal", {"feed_messages_max": 1 << 19}
    market, symbols = {"flow": "tape", "tape": str(made)}, [{"name": name}]
    given = {"market": market, "symbols": symbols, "luld": {"hold_seconds": 0.5, "look_ms": 20}}
    room |= {"journal": str(folder), "feed_store_bytes_max": 1 << 25, "orders_max": 1 << 14}
    with Floor(step_ns=20 * MS, exchange=room, **given) as floor:
        one = floor.plain("frm1a")
        urn = 0
        while floor.exchange.counts["messages"] < 100:  # more than half of the tape
            urn += 1
            price = ("500.00", "1.00")[urn % 2]
            one.enter(urn, "BS"[urn % 2], 100, price, symbol=name, tif="3")
            floor.step()
            assert urn < 1_000, floor.exchange.counts
        counts, said = floor.exchange.counts, digest(floor.exchange)
        assert counts["heard"] > 0
        floor.restart()
        assert digest(floor.exchange) == said
        assert floor.exchange.counts["messages"] == counts["messages"]
        for _ in range(50):
            floor.step()
        assert floor.exchange.counts["messages"] > counts["messages"], "the tape goes on"
