"""The book of an instrument at a moment of a tape: replayed from the beginning, then frozen.

Only the events of that instrument are touched, and those that concern every instrument, such as a
gap in the feed. The book is as after the last event at or before the moment, in order of arrival;
where times go back, an event belongs with its neighbours, as in slices. A slice's book knows what
came before the slice, and nothing of what comes behind it.

Worst case: all events of the instrument, some 50 ns each; `booking.py` makes room for them.
"""

from __future__ import annotations

import datetime

from hftlib.book.book import Book
from hftlib.book.books import Books
from hftlib.core.errors import InputError
from hftlib.core.times import Time
from hftlib.core.units import INT64_MAX
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research import clocks
from hftlib.research.booking import with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape
from hftlib.terminal import patience


def book_at(
    tape: Tape,
    time: Time | datetime.time | None = None,
    symbol: str | None = None,
    *,
    venue: str | None = None,
) -> Book:
    """The book after the last event at or before `time`; without a time, at the tape's end."""
    if symbol is None and len(tape.rows) != 1:
        raise InputError(
            f"A book is of one instrument, and this tape has {len(tape.rows):,}",
            where="Tape.book_at(time, symbol)",
            do=f"Name one, such as {', '.join(tape.symbols[:3])}."
            if tape.symbols
            else "It is empty.",
        )
    row = tape.rows[0] if symbol is None else tape.instruments.row(symbol, venue)
    one = tape.instruments[row]
    history = tape.only(one.symbol, venue=one.venue).selection
    if time is not None:
        file = history.file
        moment = clocks.moment(time, tape.zone, file.begin, file.end, "time")
        behind = file.first_at(min(moment, INT64_MAX - 1) + 1)
        history = history.narrowed(0, min(behind, history.last))
    _, books = with_books(Tape(history), _replayed)
    return Book(books, row, zone=tape.zone).copy()


def _replayed(books: Books, history: Selection) -> None:
    with patience() as advance:
        for first in range(0, len(history), CHUNK_EVENTS_MAX):
            last = min(first + CHUNK_EVENTS_MAX, len(history))
            books.apply(history.events(first, last))
            advance(last / len(history), "replaying")
