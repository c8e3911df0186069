"""Several venues as one book: the best of all, merged by price, and nothing from a stale venue."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from sights import BUY, SELL, add, books_of, one, table

from hftlib.book.book import Book
from hftlib.book.books import Books
from hftlib.book.consolidated import Consolidated, MergedLevel
from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments


def venue(name: str, *happened: Any, **facts: Any) -> Book:
    instruments = table("AAPL", venue=name, **facts)
    return books_of(*happened, instruments=instruments).of("AAPL")


def three() -> Consolidated:
    nasdaq = venue("XNAS", add(1, BUY, 2894700, 100, time=5), add(2, SELL, 2894900, 30))
    arca = venue("ARCX", add(1, BUY, 2894700, 50), add(2, BUY, 2894500, 7, time=9))
    iex = venue("IEXG", add(1, BUY, 2894600, 10), add(2, SELL, 2895000, 20))
    return Consolidated({"XNAS": nasdaq, "ARCX": arca, "IEXG": iex})


def test_the_best_of_all_and_who_shows_it():
    both = three()
    assert both.best_bid == MergedLevel(289.47, 150, 2, {"XNAS": 100, "ARCX": 50})
    assert both.best_ask == MergedLevel(289.49, 30, 1, {"XNAS": 30})
    assert both.spread == 0.02 and both.mid == 289.48 and both.time == 9
    assert both.inside == "normal" and not both.locked and not both.crossed and both.stale == {}
    assert repr(both) == ("<Consolidated AAPL: 150 @ 289.47 (XNAS, ARCX) / 30 @ 289.49 (XNAS)>")


def test_levels_are_merged_by_price():
    both = three()
    assert [level.price for level in both.bids()] == [289.47, 289.46, 289.45]
    assert both.bids()[1:] == [
        MergedLevel(289.46, 10, 1, {"IEXG": 10}),
        MergedLevel(289.45, 7, 1, {"ARCX": 7}),
    ]
    assert both.asks(1) == [both.best_ask] and both.bids(0) == []


def test_a_stale_venue_is_left_out_and_named():
    both = three()
    both.books["XNAS"].books.apply(one("GAP", instrument=2**32 - 1))
    assert both.stale == {"XNAS": "messages are missing"}
    assert both.best_bid == MergedLevel(289.47, 50, 1, {"ARCX": 50})
    assert both.best_ask == MergedLevel(289.50, 20, 1, {"IEXG": 20})
    assert "! XNAS is left out: messages are missing." in str(both)
    assert repr(both).endswith("(IEXG), without XNAS>")
    for book in both.books.values():
        book.books.apply(one("GAP", instrument=2**32 - 1))
    assert both.best_bid is None and both.inside == "empty" and math.isnan(both.mid)
    both.books["XNAS"].books.apply(one("RECOVERED", instrument=2**32 - 1))
    assert both.best_ask == MergedLevel(289.49, 30, 1, {"XNAS": 30})


def test_venues_may_lock_and_cross_each_other():
    nasdaq = venue("XNAS", add(1, BUY, 1000000, 5), add(2, SELL, 1010000, 5))
    arca = venue("ARCX", add(1, SELL, 1000000, 9))
    both = Consolidated({"XNAS": nasdaq, "ARCX": arca})
    assert both.locked and not both.crossed and both.spread == 0 and "locked" in str(both)
    arca.books.apply(add(2, SELL, 990000, 4))
    assert both.crossed and not both.locked and both.spread == -1.0
    assert "crossed by 1.00 · mid 99.50" in str(both)
    arca.books.apply(np.concatenate([one("DELETE", reference=1), one("DELETE", reference=2)]))
    assert both.inside == "normal"
    nasdaq.books.apply(one("CLEAR", side=BUY))
    assert both.inside == "one side only" and math.isnan(both.spread)


def test_how_many_orders_is_open_where_one_venue_does_not_say():
    nasdaq = venue("XNAS", add(1, BUY, 1000000, 5))
    other = venue("MEMX", one("LEVEL", side=BUY, price=1000000, quantity=20, reference=0))
    both = Consolidated({"XNAS": nasdaq, "MEMX": other})
    assert both.best_bid == MergedLevel(100.0, 25, 0, {"XNAS": 5, "MEMX": 20})


def test_all_venues_of_one_set_of_books():
    instruments = Instruments()
    for name in ("XNAS", "ARCX"):
        instruments.add("AAPL", venue=name, tick=100)
        instruments.add("MSFT", venue=name, tick=100)
    books = books_of(
        add(1, BUY, 1000000, 5, instrument=0),
        add(2, BUY, 1010000, 9, instrument=2),
        add(3, BUY, 7, 9, instrument=1),
        instruments=instruments,
    )
    both = Consolidated.of(books, "AAPL", zone="America/New_York")
    assert both.venues == ("XNAS", "ARCX") and both.zone == "America/New_York"
    assert both.best_bid == MergedLevel(101.0, 9, 1, {"ARCX": 9})
    with pytest.raises(InputError, match="There is no instrument 'NVDA'"):
        Consolidated.of(books, "NVDA")


def test_a_copy_stands_still():
    both = three()
    kept = both.copy()
    both.books["ARCX"].books.apply(add(9, BUY, 2894800, 3))
    assert both.best_bid == MergedLevel(289.48, 3, 1, {"ARCX": 3})
    assert kept.best_bid == MergedLevel(289.47, 150, 2, {"XNAS": 100, "ARCX": 50})


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"price_unit": "0.01"}, "XNAS has a price_unit of '0.0001' and ARCX one of '0.01'"),
        ({"lot_unit": 100}, "XNAS has a lot_unit of '1' and ARCX one of '100'"),
        ({"currency": "CAD"}, "XNAS has a currency of 'USD' and ARCX one of 'CAD'"),
    ],
)
def test_numbers_that_do_not_compare_are_refused(facts, sentence):
    with pytest.raises(InputError, match=sentence):
        Consolidated({"XNAS": venue("XNAS"), "ARCX": venue("ARCX", **facts)})


@pytest.mark.parametrize("count", [0, 17])
def test_no_venues_and_too_many_are_refused(count):
    book = venue("XNAS")
    with pytest.raises(InputError, match=f"^{count} venues cannot be read as one book"):
        Consolidated({f"V{n}": book for n in range(count)})


def test_the_ladder_has_a_column_for_each_venue():
    assert str(three()) == (
        "AAPL · XNAS, ARCX, IEXG\n"
        "1970-01-01 00:00:00.000000009+00:00\n"
        "\n"
        " side  price USD  shares  orders  XNAS  ARCX  IEXG\n"
        "  ask     289.50      20       1                20  ███\n"
        "  ask     289.49      30       1    30              █████\n"
        "       spread 0.02 · mid 289.48\n"
        "  bid     289.47     150       2   100    50        ████████████████████████\n"
        "  bid     289.46      10       1                10  ██\n"
        "  bid     289.45       7       1           7        █"
    )


def test_the_ladder_counts_what_it_does_not_show():
    many = [add(n, SELL, 1000000 + 100 * n, 1) for n in range(1, 31)]
    both = Consolidated({"XNAS": venue("XNAS", *many), "ARCX": venue("ARCX", *many[:20])})
    assert "… 20 more levels" in str(both) and "… 25 more levels" in str(both.ladder(5))
    both.books["XNAS"].books.apply(one("STATUS", reference=events.HALTED))
    assert "! XNAS: Halted: nothing trades now." in str(both)


def test_the_ladder_in_a_notebook_is_only_text_and_style():
    book = books_of(add(1, BUY, 5, 5), instruments=table("<b>", venue="<i>")).of("<b>")
    words: list[str] = []
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.handle_starttag = lambda tag, _: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(Consolidated({"<i>": book, "&amp;": book})._repr_html_())
    assert "<b> · <i>, &amp;" in words and "i" not in tags and tags.count("b") == 1


def test_books_of_a_live_feed_are_read_as_they_are():
    instruments = table("AAPL", venue="XNAS")
    books = Books(instruments)
    both = Consolidated({"XNAS": books.of("AAPL")})
    assert both.best_bid is None
    books.apply(add(1, BUY, 1000000, 5))
    assert both.best_bid == MergedLevel(100.0, 5, 1, {"XNAS": 5})
