"""A slice as a source of its own: first the books as they stood when it begins, then its events.

    CLEAR, STATUS      the book begins anew, in this trading state
    LEVEL, ADD ...     what stood there, in the order of the queues
    GAP                if the book was stale: then what stood there may be wrong

All of these are SNAPSHOT events at the slice's first time, without a sequence number; the last has
LAST. Instruments with an empty book need none. What the source met while the whole tape was read is
not the slice's, so only a slice that is the whole tape has its counts. Worst case: the memory of
one book as events, and the pass over what came before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.book.book import Book
from hftlib.book.books import Books
from hftlib.book.copying import events_of
from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research.booking import with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape


class Saved:
    """A tape or a slice, as what a tape is written from."""

    def __init__(self, tape: Tape) -> None:
        self.name, self.instruments = tape.name, tape.instruments
        self.is_one_stream = tape.is_one_stream
        self.counts = tape.counts if tape.selection.is_whole else {}
        self.share_done = 0.0
        self._tape = tape

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """The opening books, then the events."""
        yield from opening_events(self._tape)
        for chunk in self._tape.chunks():
            yield chunk
            self.share_done = self._tape.share_done


def opening_events(tape: Tape) -> Iterator[np.ndarray[Any, Any]]:
    """The books as they stood when the slice begins; nothing where it begins with the tape."""
    if not len(tape) or not tape.selection.position(0):
        return

    def replayed(books: Books, whole: Selection) -> None:
        before = len(whole) - len(tape)
        for first in range(0, before, CHUNK_EVENTS_MAX):
            books.apply(whole.events(first, min(first + CHUNK_EVENTS_MAX, before)))

    _, books = with_books(tape, replayed)
    for row in tape.rows:
        made = _snapshot(books, row)
        made["time"] = tape.begin
        for first in range(0, len(made), CHUNK_EVENTS_MAX):
            yield made[first : first + CHUNK_EVENTS_MAX]


def _snapshot(books: Books, row: int) -> np.ndarray[Any, Any]:
    """The events that bring other books' row to where this one stands; none for a fresh one."""
    book = books.arena["book"][row]
    standing = events_of(Book(books, row))
    around = np.zeros(3, EVENT)
    around["kind"] = events.CLEAR, events.STATUS, events.GAP
    around["reference"][1] = book["state"]
    state, stale = around[1 : 1 + (book["state"] != 0)], around[2 : 2 + (book["stale"] != 0)]
    made = np.concatenate([around[:1], state, standing, stale])
    if len(made) == 1:
        return made[:0]
    made["instrument"], made["sequence"] = row, 0
    made["flags"] = events.SNAPSHOT
    made["flags"][-1] |= events.LAST
    return made
