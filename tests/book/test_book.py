"""A book as people use it: numbers they can check by hand, and refusals they can read."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from sights import BUY, SELL, add, books_of, one, table, usual

from hftlib.book.book import BOOK_ROW, Level, Order, Queue
from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments


def test_a_usual_book_in_dollars_and_shares():
    book = usual().of("AAPL")
    assert (book.symbol, book.venue, book.time, book.sequence) == ("AAPL", "XNAS", 60, 6)
    assert book.best_bid == Level(289.47, 150, 2) and book.best_ask == Level(289.49, 30, 1)
    assert book.spread == 0.02 and book.mid == 289.48
    assert book.microprice == pytest.approx(289.47 + 0.02 * 150 / 180, abs=1e-12)
    assert book.imbalance() == pytest.approx(120 / 180)
    assert book.imbalance(levels=2) == pytest.approx((550 - 250) / 800)
    assert book.bids() == [Level(289.47, 150, 2), Level(289.46, 400, 1)]
    assert book.asks(1) == [Level(289.49, 30, 1)] and book.asks(0) == []
    assert (book.count(BUY), book.count(SELL)) == (2, 2)
    assert book.stale == "" and book.state == "" and book.trades == 0 and math.isnan(book.last)


def test_a_level_is_of_plain_numbers():
    level = usual().of("AAPL").best_bid
    assert level is not None and [type(value) for value in level] == [float, int, int]


def test_prices_find_their_way_back_to_whole_units():
    books = books_of(*(add(n, SELL, 10**9 + 7 * n, 1) for n in range(1, 200)))
    book = books.of("AAPL")
    unit = book.instrument.price_unit
    counts = [unit.count(level.price) for level in book.asks(200)]
    assert counts == [10**9 + 7 * n for n in range(1, 200)]


def test_what_an_order_at_market_would_pay():
    book = usual().of("AAPL")
    assert book.sweep("buy", 30) == 289.49
    assert book.sweep("buy", 40) == pytest.approx((30 * 289.49 + 10 * 289.50) / 40, abs=1e-12)
    assert book.sweep("sell", 550) == pytest.approx((150 * 289.47 + 400 * 289.46) / 550, abs=1e-12)
    assert math.isnan(book.sweep("sell", 551)) and math.isnan(book.sweep("buy", 0))


def test_the_queue_of_a_price_and_the_place_of_an_order():
    book = usual().of("AAPL")
    assert book.orders_at("289.47") == book.orders_at(289.47) == book.orders_at(Decimal("289.47"))
    assert book.orders_at("289.47") == [Order(1, 100), Order(2, 50)]
    assert book.orders_at("289.48") == []
    assert book.queue(2) == Queue("buy", 289.47, 50, 100, 1, 0, 0)
    assert book.queue(5) == Queue("sell", 289.5, 200, 0, 0, 20, 1)
    assert book.queue_ahead(6) == 200


def test_long_queues_are_listed_whole_and_quantity_without_names_first():
    seeded = one("LEVEL", side=BUY, price=100, quantity=500, reference=3)
    book = books_of(seeded, *(add(n, BUY, 100, n) for n in range(1, 300))).of("AAPL")
    assert book.orders_at("0.01") == [Order(0, 500), *(Order(n, n) for n in range(1, 300))]


def test_trades_and_states_are_told():
    books = usual()
    books.apply(np.concatenate([one("EXECUTE", reference=4, quantity=10, time=70)] * 2))
    books.apply(one("TRADE", price=2894800, quantity=5, flags=events.NOT_PRINTABLE))
    book = books.of("AAPL")
    assert (book.last, book.last_quantity, book.volume, book.trades) == (289.49, 10, 20, 2)
    for code, words in {
        events.HALTED: "halted",
        events.TRADING: "trading",
        events.code("H1"): "H1",
        7 << 8 | ord("X"): "?X",  # no letter that a terminal would ring at
        -5: "?",
    }.items():
        books.apply(one("STATUS", reference=code))
        assert book.state == words


def test_a_live_book_lives_and_a_copy_does_not():
    books = usual()
    live, kept = books.of("AAPL"), books.of("AAPL").copy()
    before = str(kept)
    books.apply(add(9, BUY, 2894800, 70, time=99))
    assert live.best_bid == Level(289.48, 70, 1) and live.time == 99
    assert kept.best_bid == Level(289.47, 150, 2) and kept.time == 60 and str(kept) == before


def test_a_gap_makes_it_stale_and_recovery_whole_again():
    books = usual()
    book = books.of("AAPL")
    books.apply(one("GAP", instrument=2**32 - 1))
    assert book.stale == "messages are missing" and books.stale == {"AAPL": book.stale}
    assert repr(book).endswith(", stale>") and "! Stale: messages are missing." in str(book)
    assert book.copy().stale == book.stale
    books.apply(one("RECOVERED", instrument=2**32 - 1))
    assert book.stale == "" and "Stale" not in str(book)


def test_a_book_that_does_not_fit_says_so():
    books = books_of(*(add(n, BUY, 100, 1) for n in range(1, 600)))
    assert books.of("AAPL").stale == "its memory is full"


def test_an_empty_book_and_a_side_without_anything():
    empty = books_of().of("AAPL")
    assert empty.best_bid is None and empty.best_ask is None and empty.bids() == []
    assert all(map(math.isnan, (empty.mid, empty.spread, empty.microprice, empty.last)))
    assert empty.imbalance() == 0 and len(empty.frame()) == 0
    assert repr(empty) == "<Book AAPL XNAS: no bids / no asks, before any event>"
    half = books_of(add(1, SELL, 2894900, 30)).of("AAPL")
    assert half.best_bid is None and half.best_ask == Level(289.49, 30, 1)
    assert math.isnan(half.mid) and half.imbalance() == -1


def test_both_sides_as_an_array():
    frame = usual().of("AAPL").frame(5)
    assert frame.dtype == BOOK_ROW and len(frame) == 2
    assert frame["bid_price"].tolist() == [289.47, 289.46]
    assert frame["ask_quantity"].tolist() == [30, 220]
    half = books_of(add(1, SELL, 2894900, 30)).of("AAPL").frame()
    assert math.isnan(half["bid_price"][0]) and half["ask_orders"].tolist() == [1]


def test_coins_are_counted_in_parts():
    coins = Instruments()
    coins.add(
        "BTCUSDT", venue="BINANCE", currency="USDT", price_unit="0.01", lot_unit="0.00001", kind=""
    )
    books = books_of(add(1, BUY, 6123410, 150_000), add(2, SELL, 6123411, 1), instruments=coins)
    book = books.of("BTCUSDT")
    assert book.best_bid == Level(61234.10, 1.5, 1) and book.best_ask == Level(61234.11, 1e-05, 1)
    assert book.mid == 61234.105 and "mid 61,234.105" in str(book)
    assert "1.50000" in str(book) and "0.00001" in str(book)
    assert "quantity" in str(book) and "price USDT" in str(book)


def test_thirty_seconds_of_a_point_are_exact():
    bonds = Instruments()
    bonds.add("ZB", venue="XCBT", price_unit="1/32", kind="future")
    book = books_of(add(1, BUY, 32 * 110 + 17, 4), instruments=bonds).of("ZB")
    assert book.best_bid == Level(110.53125, 4, 1)
    assert "110.53125" in str(book) and "contracts" in str(book)


def test_books_of_two_venues_are_told_apart():
    both = Instruments()
    both.add("AAPL", venue="XNAS")
    both.add("AAPL", venue="ARCX")
    books = books_of(add(1, BUY, 10, 5, instrument=1), instruments=both)
    assert books.of("AAPL", "ARCX").best_bid == Level(0.001, 5, 1)
    assert books.of("AAPL", "XNAS").best_bid is None
    with pytest.raises(InputError, match="several venues"):
        books.of("AAPL")
    with pytest.raises(InputError, match="There is no order 1 in the book of AAPL"):
        books.of("AAPL", "XNAS").queue(1)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (lambda book: book.bids(-1), "-1 is not a number of levels"),
        (lambda book: book.asks(1.5), "1.5 is not a number of levels"),
        (lambda book: book.imbalance("all"), "'all' is not a number of levels"),
        (lambda book: book.queue(999), "There is no order 999 in the book of AAPL"),
        (lambda book: book.queue(2**70), "does not fit|fits"),
        (lambda book: book.orders_at("289.470001"), "not a multiple"),
        (lambda book: book.orders_at(float("nan")), "not a finite number"),
        (lambda book: book.sweep("up", 1), "'up' is not a side"),
        (lambda book: book.sweep("buy", "0.5"), "not a multiple"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(asked, sentence):
    with pytest.raises(InputError, match=sentence):
        asked(usual().of("AAPL"))


def test_times_are_shown_by_the_clock_that_was_asked_for():
    moment = 1_577_716_200 * 10**9 + 5
    books = books_of(add(1, BUY, 100, 5, time=moment))
    assert "2019-12-30 14:30:00.000000005+00:00" in str(books.of("AAPL"))
    local = books.of("AAPL", zone="America/New_York")
    assert "2019-12-30 09:30:00.000000005-05:00" in str(local)
    assert "09:30:00.000000005-05:00" in repr(local) and "-05:00" in str(local.copy())


def test_nobody_trades_in_a_halted_book():
    books = usual(table("AAPL"))
    books.apply(one("STATUS", reference=events.HALTED))
    assert "! Halted: nothing trades now." in str(books.of("AAPL"))
