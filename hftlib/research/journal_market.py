"""The market around a runner's fills, from the feed in its own journal.

    before, markouts = around(tape, fills, horizons)      middles just before each fill, and after
    entered, ahead = queues(tape, fills)                  when a place was got, and what stood there
    clocks = clocks_of(tape)                              how far our clock is from the venue's

Of fills what is found is an array by the fill's number, with a row for the number 0.

A moment is the venue's time of the fill, so nothing here hangs on what came first, the feed or the
answer to our order. Middles are those of the published book, our own orders in it.

A fill that stood is found on the feed by the number of its trade; the order it names came into its
queue with the ADD or REPLACE that gave it this number, and the exact book says what stood before it
then. A fill that the feed does not show as one order's (a hidden one, a cross that filled several
under one number) has no such place, and none is made up.

Worst case: two passes over the tape, of which one stops at each order of ours that was filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.book.books import Books
from hftlib.book.queues import queue_ahead
from hftlib.book.reading import NO_PRICE
from hftlib.core import events
from hftlib.core.times import duration_text
from hftlib.engine.log import MARKOUT
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research.booking import with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape
from hftlib.research.tca_market import watched

Array = np.ndarray[Any, Any]
ONE_CLOCK_NS = 1_000_000_000
_STRETCHES = 8


def around(tape: Tape, fills: Array, horizons: Sequence[int]) -> tuple[Array, Array]:
    """Twice the middle before each fill, and the MARKOUTs.

    Of a moment that the feed did not get beyond, the middle is not known.
    """
    after = np.array([-1, *horizons], np.int64)
    moments = (fills["time"][:, None] + after).reshape(-1)  # before all that happened at its time
    rows = np.repeat(fills["instrument"].astype(np.int64), len(after))
    found, known = np.full(len(moments), NO_PRICE, np.int64), np.zeros(len(moments), np.bool_)
    for part, own in _by_venue(tape):
        mine = np.flatnonzero(np.isin(rows, own))
        here = moments[mine]
        known[mine] = here < part.end
        if len(mine):
            found[mine] = watched(part, np.unique(rows[mine]).tolist(), here, rows[mine]).middles
    middles = np.where(known, found, NO_PRICE).reshape(-1, len(after))
    before = _by_number(fills, middles[:, 0])
    known = known.reshape(-1, len(after))[:, 1:]
    which, horizon = np.nonzero(known)
    made = np.zeros(len(which), MARKOUT)
    made["fill"], made["horizon"] = fills["number"][which], horizon
    made["twice_mid"] = middles[:, 1:][which, horizon]
    return before, made


def _by_venue(tape: Tape) -> list[tuple[Tape, Array]]:
    """The feed of each venue, which is looked up by its own times, with its instruments."""
    venues = np.array([one.venue for one in tape.instruments])
    if len(set(venues)) < 2:
        return [(tape, np.arange(len(venues)))]
    made = []
    for venue in sorted(set(venues)):
        own = np.flatnonzero(venues == venue)
        symbols = [tape.instruments[row].symbol for row in own.tolist()]
        made.append((tape.only(*symbols, venue=venue), own))
    return made


def queues(tape: Tape, fills: Array) -> tuple[Array, Array]:
    """The venue's time of each fill's place in the queue, and the lots before it; 0: unknown."""
    entered, ahead = np.zeros((2, len(fills)), np.int64)
    stood = np.flatnonzero((fills["taker"] == 0) & (fills["quantity"] > 0) & (fills["match"] != 0))
    trades = [(int(fills["instrument"][n]), int(fills["match"][n])) for n in stood.tolist()]
    named = _references(tape, np.unique(fills["match"][stood]))
    places = _places(tape, np.array(sorted(set(named.values())), np.int64))
    for n, trade in zip(stood.tolist(), trades, strict=True):
        place = places.get((trade[0], named.get(trade, 0)))
        if place is not None:
            entered[n], ahead[n] = place
    return _by_number(fills, entered), _by_number(fills, ahead)


def _by_number(fills: Array, values: Array) -> Array:
    made = np.zeros(int(fills["number"].max(initial=0)) + 1, np.int64)
    made[fills["number"]] = values
    return made


def _references(tape: Tape, matches: Array) -> dict[tuple[int, int], int]:
    """The order that stood, of each trade, by instrument and number; 0: a cross filled several."""
    found: dict[tuple[int, int], int] = {}
    for chunk in tape.chunks():
        ours = chunk[(chunk["kind"] == events.EXECUTE) & np.isin(chunk["other"], matches)]
        for one in ours:
            trade, reference = (int(one["instrument"]), int(one["other"])), int(one["reference"])
            found[trade] = reference if found.get(trade, reference) == reference else 0
    return found


def _places(tape: Tape, references: Array) -> dict[tuple[int, int], tuple[int, int]]:
    """When each of these orders got its place, and what stood before it, by its number."""

    def look(books: Books, whole: Selection) -> dict[tuple[int, int], tuple[int, int]]:
        found = {}
        for first in range(0, len(whole), CHUNK_EVENTS_MAX):
            chunk = whole.events(first, min(first + CHUNK_EVENTS_MAX, len(whole)))
            done = 0
            number = np.where(chunk["kind"] == events.REPLACE, chunk["other"], chunk["reference"])
            enters = (chunk["kind"] == events.ADD) | (chunk["kind"] == events.REPLACE)
            for at in np.flatnonzero(enters & np.isin(number, references)).tolist():
                books.apply(chunk[done : at + 1])
                done = at + 1
                stands = int(queue_ahead(books.address, int(number[at])))
                if stands >= 0:
                    row = int(chunk["instrument"][at])
                    found[row, int(number[at])] = int(chunk["time"][at]), stands
            books.apply(chunk[done:])
        return found

    return with_books(tape, look)[0] if len(references) else {}


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the feed says of both clocks: `least_ns` from its time until it reached us, at best."""

    least_ns: int
    is_one: bool

    def __str__(self) -> str:
        far = f"{'-' if self.least_ns < 0 else ''}{duration_text(abs(self.least_ns))}"
        return f"messages of the feed reached us {far} after the venue's time, at the least"


def clocks_of(tape: Tape) -> Clocks:
    """Whether what the venue and we call now is one time, as far as a feed can tell.

    It is where no message came a second before it was sent, and of each eighth of the last half of
    the day some message came within a second: a clock that runs otherwise shows there. Of several
    venues each has to have that clock.
    """
    parts = [part for part, _ in _by_venue(tape)]
    if len(parts) > 1:  # one that was not heard all day says nothing
        parts = [part for part in parts if len(part)] or parts
    every = [_clocks([_late(chunk) for chunk in part.chunks()]) for part in parts]
    return Clocks(min(one.least_ns for one in every), all(one.is_one for one in every))


def _clocks(parts: list[Array]) -> Clocks:
    late = np.concatenate([np.zeros(0, np.int64), *parts])
    if not len(late):
        return Clocks(0, False)
    stretches = np.array_split(late, _STRETCHES)[_STRETCHES // 2 :]
    near = all(int(one.min()) <= ONE_CLOCK_NS for one in stretches if len(one))
    return Clocks(int(late.min()), near and int(late.min()) >= -ONE_CLOCK_NS)


def _late(chunk: Array) -> Array:
    """How long each message took, by two clocks."""
    told = (chunk["kind"] < events.GAP) & (chunk["received"] != 0) & (chunk["time"] != 0)
    return np.asarray((chunk["received"] - chunk["time"])[told])
