"""A book as the events that would make it: how a book is copied, kept and handed on.

    each level, best first:  LEVEL  what of it has no names, and how many orders that is
                             ADD    each order, in the order of its queue

Fed to empty books these give the same levels, the same queues and the same references, whatever the
memory they lie in. A copy is such books of one instrument, as large as this one book is.

Worst case: the book is walked twice, once to count; 64 bytes an order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hftlib.book import reading
from hftlib.book.capacity import Capacity
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import events, jit
from hftlib.core.errors import StateError
from hftlib.core.events import BUY, EVENT, EVENT_BYTES, SELL
from hftlib.core.instruments import Instruments

if TYPE_CHECKING:
    from hftlib.book.book import Book

_event_at = jit.record_at(EVENT)
_SIDES = ("bid", "ask")


@jit.compiled("int64(int64, int64, int64, int64)")
def write_events(base: int, instrument: int, out_address: int, count_max: int) -> int:
    """The events that make a book, for the first row of others; how many, written or not."""
    books = books_at(base)
    count = 0
    for side in range(BUY, SELL + 1):
        level_number = reading.best_level(base, instrument, side)
        while level_number != 0:
            level = level_of(books, base, level_number)
            price = reading.level_price(base, side, level_number)
            # The place of what has no names is kept: how much it is shows behind the others.
            nameless = count
            count += 1
            left, orders_left = level.quantity, level.orders
            number = level.first
            while number != level_number:
                order = order_of(books, base, number)
                left -= order.quantity
                orders_left -= 1
                if count < count_max:
                    _write(out_address, count, events.ADD, side, price, order.quantity)
                    _event_at(out_address + count * EVENT_BYTES).reference = order.reference
                count += 1
                number = order.behind
            if nameless < count_max:
                _write(out_address, nameless, events.LEVEL, side, price, left)
                _event_at(out_address + nameless * EVENT_BYTES).reference = orders_left
            level_number = reading.worse_level(base, instrument, side, level_number)
    return count


@jit.compiled()
def _write(out: int, place: int, kind: int, side: int, price: int, quantity: int) -> None:
    event = _event_at(out + place * EVENT_BYTES)
    event.kind = kind
    event.side = side
    event.price = price
    event.quantity = quantity
    event.flags = events.SNAPSHOT


def events_of(book: Book) -> np.ndarray[Any, Any]:
    """The events that make this book: an array of EVENT, all for instrument 0."""
    count = write_events(book.address, book.row, 0, 0)
    made = np.zeros(count, EVENT)
    if write_events(book.address, book.row, made.ctypes.data, count) != count:
        raise _changed(book)
    made["time"], made["sequence"] = book.time, book.sequence
    return made


def copied(book: Book) -> Book:
    """The same book in memory of its own."""
    from hftlib.book.book import Book
    from hftlib.book.books import Books

    made = events_of(book)
    adds = made["kind"] == events.ADD
    orders, levels = max(1, int(adds.sum())), max(1, int((~adds).sum()))
    room = Capacity(instruments=1, orders=orders, levels=levels, pages=levels)
    row = book.row
    table = book.books.instruments.table[row : row + 1].copy()
    books = Books(Instruments(table), capacity=room)
    books.apply(made)
    if books.impossible:
        raise _changed(book)
    theirs, ours = book.books.arena["book"][row], books.arena["book"][0]
    for field in theirs.dtype.names:
        if field not in _SIDES:
            ours[field] = theirs[field]
    return Book(books, 0, instrument=book.instrument, zone=book.zone)


def _changed(book: Book) -> StateError:
    return StateError(
        "The book changed while it was copied",
        where=repr(book),
        do="Copy it from the thread that applies its events, between two of them.",
    )
