"""What a picture says about a book, in its words: the middle, the facts, what is not shown."""

from __future__ import annotations

import numpy as np
import pytest
from sights import BUY, SELL, add, books_of, one, usual

from hftlib.book.showing import state_text, time_text, why_stale
from hftlib.book.tables import STALE_FULL, STALE_GAP


def test_the_whole_picture_is_exactly_this():
    books = usual()
    books.apply(np.concatenate([one("EXECUTE", reference=4, quantity=10), one("STATUS")]))
    books.apply(one("STATUS", reference=ord("T"), time=10**9, sequence=1234))
    assert str(books.of("AAPL")) == (
        "AAPL · XNAS\n"
        "1970-01-01 00:00:01.000000000+00:00 · sequence 1,234\n"
        "last 10 @ 289.49 · volume 10 shares in 1 trade · trading\n"
        "\n"
        " side  price USD  shares  orders\n"
        "  ask     289.50     220       2  █████████████\n"
        "  ask     289.49      20       1  █\n"
        "       spread 0.02 · mid 289.48\n"
        "  bid     289.47     150       2  █████████\n"
        "  bid     289.46     400       1  ████████████████████████"
    )


@pytest.mark.parametrize(
    ("bid", "ask", "middle"),
    [
        (2894700, 2894800, "spread 0.01 · mid 289.475"),
        (2894700, 2894701, "spread 0.0001 · mid 289.47005"),
        (2894700, 2894700, "locked · mid 289.47"),
        (2894900, 2894700, "crossed by 0.02 · mid 289.48"),
        (-300, 100, "spread 0.04 · mid -0.01"),
        (0, 100, "spread 0.01 · mid 0.005"),
        (None, 100, "one side only"),
        (100, None, "one side only"),
        (None, None, "nothing here"),
    ],
)
def test_what_lies_between_the_sides(bid, ask, middle):
    happened = [] if bid is None else [add(1, BUY, bid, 5)]
    happened += [] if ask is None else [add(2, SELL, ask, 5)]
    assert books_of(*happened).of("AAPL").ladder().middle == middle


def test_levels_that_are_not_shown_are_counted():
    books = books_of(*(add(n, BUY, 100 * n, n) for n in range(1, 31)))
    text = str(books.of("AAPL"))
    assert text.count(" bid ") == 10 and text.endswith("… 20 more levels")
    assert "more" not in str(books.of("AAPL").ladder(30))
    assert str(books.of("AAPL").ladder(29)).endswith("… 1 more level")
    assert str(books.of("AAPL").ladder(0)).endswith("one side only\n       … 30 more levels")


def test_orders_are_left_open_where_the_feed_does_not_say():
    books = books_of(one("LEVEL", side=BUY, price=100, quantity=7))
    (rung,) = books.of("AAPL").ladder().bids
    assert rung.cells == ("0.01", "7", "")


def test_words_for_states_and_times():
    assert why_stale(0) == "" and why_stale(STALE_GAP) == "messages are missing"
    assert why_stale(STALE_GAP | STALE_FULL) == "messages are missing and its memory is full"
    assert [state_text(ord(code)) for code in "THPQ"] == [
        "trading",
        "halted",
        "paused",
        "quotation only",
    ]
    assert state_text(0) == "" and state_text(-(2**63)) == "?" + "?" * 7
    assert time_text(0, "UTC") == "before any event"
    assert time_text(-1, "UTC") == "1969-12-31 23:59:59.999999999+00:00"
