"""The book of one instrument at any moment of a tape, quickly enough for a slider.

    times = BookTimes(tape, "AAA")
    times.at(moment)          a Book, as `tape.book_at` has it
    times.path                twice the middle at each checkpoint, for a line to slide along

    events of the instrument   ──────●──────────●──────────●──────────▶
    checkpoints                  a book as the events that make it (`book/copying.py`)

One pass over the instrument's events keeps a checkpoint now and then; a moment is then the one
before it and the events behind that. What goes forward from the last moment asked for goes on from
there. Counts of impossible inputs are those since a checkpoint, and are not shown.

Worst case: an `at` applies the events between two checkpoints, and the orders of a book once more;
checkpoints together take CHECKPOINTS_MAX books of 64 bytes an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.book.book import Book
from hftlib.book.books import Books
from hftlib.book.copying import events_of
from hftlib.core.errors import InputError
from hftlib.core.units import INT64_MAX, is_whole, shown
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research.booking import with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape
from hftlib.terminal import patience

CHECKPOINTS_MAX = 512
STEP_MIN = 50
_SIDES = ("bid", "ask")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A book after so many events: what makes it, and what else is known of it."""

    done: int
    events: Array
    facts: Any


class BookTimes:
    """The books of one instrument of a tape, at any time."""

    def __init__(self, tape: Tape, symbol: str | None = None, *, venue: str | None = None) -> None:
        self.tape = tape
        self.row = _row(tape, symbol, venue)
        self.instrument = tape.instruments[self.row]
        only = tape.only(self.instrument.symbol, venue=self.instrument.venue)
        self._history = only.selection.since_start()
        self.begin, self.end = tape.begin, tape.end
        self._path: list[tuple[int, float]] = []
        self._checkpoints, books = with_books(Tape(self._history), self._looked)
        self._room = books.capacity
        self._books, self._done = books, len(self._history)

    @property
    def path(self) -> list[tuple[int, float]]:
        """The middle at each checkpoint, by time; not a number where there was none."""
        return self._path

    def at(self, moment: int) -> Book:
        """The book after the last event at or before this time, ns; of what is live no copy."""
        if not is_whole(moment):
            raise InputError(
                f"{shown(moment)} is no time of a tape",
                where="BookTimes.at(moment)",
                do="Give nanoseconds since the epoch; hft.to_ns makes them of a text.",
            )
        behind = self._history.file.first_at(min(int(moment), INT64_MAX - 1) + 1)
        self._go(len(self._history.narrowed(0, min(behind, self._history.last))))
        return Book(self._books, self.row, zone=self.tape.zone)

    def _go(self, wanted: int) -> None:
        """Bring the books to where this many events are applied."""
        last = max(
            (n for n, one in enumerate(self._checkpoints) if one.done <= wanted), default=None
        )
        begun = self._checkpoints[last].done if last is not None else 0
        if not begun <= self._done <= wanted:
            self._books = Books(self.tape.instruments, capacity=self._room)
            if last is not None:
                self._restored(self._checkpoints[last])
            self._done = begun
        _applied(self._books, self._history, self._done, wanted)
        self._done = wanted

    def _restored(self, one: Checkpoint) -> None:
        self._books.apply(one.events)
        ours = self._books.arena["book"][self.row]
        for field in one.facts.dtype.names:
            if field not in _SIDES:
                ours[field] = one.facts[field]

    def _looked(self, books: Books, history: Selection) -> list[Checkpoint]:
        """Go through all of it once; made again where books had no room."""
        made: list[Checkpoint] = []
        self._path.clear()
        step = max(STEP_MIN, -(-len(history) // CHECKPOINTS_MAX))
        book = Book(books, self.row, zone=self.tape.zone)
        with patience() as advance:
            for first in range(0, len(history), step):
                last = min(first + step, len(history))
                _applied(books, history, first, last)
                made.append(_kept(book, last, self.row))
                self._path.append((book.time, book.mid))
                advance(last / len(history), "replaying")
        return made


def _kept(book: Book, done: int, row: int) -> Checkpoint:
    events = events_of(book)
    events["instrument"] = row
    return Checkpoint(done, events, book.books.arena["book"][row].copy())


def _applied(books: Books, history: Selection, first: int, last: int) -> None:
    for begin in range(first, last, CHUNK_EVENTS_MAX):
        books.apply(history.events(begin, min(begin + CHUNK_EVENTS_MAX, last)))


def _row(tape: Tape, symbol: str | None, venue: str | None) -> int:
    """The row meant; of a tape of one instrument, that."""
    if not isinstance(tape, Tape):
        raise InputError(
            f"{shown(tape)} is no tape",
            where="hft.book_replay(tape, symbol)",
            do="Give what hft.open_tape or hft.to_tape answered.",
        )
    if symbol is None and len(tape.rows) != 1:
        raise InputError(
            f"A book is of one instrument, and this tape has {len(tape.rows):,}",
            where="hft.book_replay(tape, symbol)",
            do=f"Name one, such as {', '.join(tape.symbols[:3])}."
            if tape.symbols
            else "It is empty.",
        )
    return tape.rows[0] if symbol is None else int(tape.instruments.row(symbol, venue))
