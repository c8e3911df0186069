"""Over lossy lines into books: equal to the market's own, or marked stale. Real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mold_market import PATIENCE_S
from test_receiver import ROUGH, feed

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.feed.itch.translate import Translator
from hftlib.feed.mold import MoldReceiver
from hftlib.feed.mold import memory as m
from hftlib.feed.mold.sequencer import event_of
from hftlib.feed.synthetic.market import synthetic

COUNT = 20_000
ROOM = Capacity(instruments=8, orders=1 << 15)
DATE = "2026-01-05"


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    market = synthetic(symbols=3, seconds=300, seed=11, date=DATE)
    return list(unframed(market.itch_bytes()))[:COUNT]


def unframed(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2])
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


def instruments() -> Instruments:
    table = Instruments()
    for symbol in ("AAA", "BBB", "CCC"):
        table.add(symbol, venue="XNAS", tick=100)
    return table


def told(messages: list[bytes]) -> Books:
    """Books of the messages as they were sent."""
    framed = b"".join(len(one).to_bytes(2) + one for one in messages)
    data, into = np.frombuffer(framed, np.uint8), np.zeros(len(messages), EVENT)
    taken, made = Translator(date=DATE).frames(data.ctypes.data, len(data), into)
    assert (taken, made) == (len(data), len(messages))
    books = Books(instruments(), capacity=ROOM)
    books.apply(into)
    return books


def heard(receiver: MoldReceiver, stale_seen: list[bool]) -> Books:
    """Books of whatever the receiver delivers, until the session has ended."""
    translator, books = Translator(date=DATE), Books(instruments(), capacity=ROOM)
    into = np.zeros(1 << 16, EVENT)
    until = time.monotonic() + PATIENCE_S
    while not receiver.ended:
        assert time.monotonic() < until, (receiver, receiver.stats)
        for given in receiver.poll(timeout_ms=5):
            deliver(given, translator, books, into)
            stale_seen.append(bool(books.stale))
    return books


def deliver(given: Any, translator: Translator, books: Books, into: np.ndarray[Any, Any]) -> None:
    if given["kind"] == m.OUT_MESSAGES:
        length = int(given["length"])
        taken, made = translator.frames(int(given["address"]), length, into)
        assert taken == length
        books.apply(into[:made])
        return
    event = event_of(*(int(given[name]) for name in ("kind", "first", "after", "received")))
    if event is not None:
        books.apply(event)


@pytest.mark.parametrize("lines", [1, 2])
def test_books_over_lossy_lines_are_the_books_that_were_sent(lines, messages):
    patience_ns = 1_000_000 if lines == 1 else 50_000_000
    with feed(lines, COUNT, wire=ROUGH, patience_ns=patience_ns) as (receiver, market):
        market.text_of = lambda number: messages[number - 1]
        with market:
            stale_seen: list[bool] = []
            books = heard(receiver, stale_seen)
    assert len(messages) == COUNT and books.digest() == told(messages).digest()
    assert not books.stale and not books.impossible
    if lines == 1:
        assert any(stale_seen)  # while a gap was open, every book said so


def test_without_recovery_every_book_ends_stale(messages):
    with feed(1, COUNT, wire=ROUGH, recovers=False, patience_ns=1_000_000) as (receiver, market):
        market.text_of = lambda number: messages[number - 1]
        with market:
            books = heard(receiver, [])
    assert books.stale == dict.fromkeys(("AAA", "BBB", "CCC"), "messages are missing")
    assert books.digest() != told(messages).digest()
