"""Many events at once: the same books, with the memory each event will need asked for ahead.

On a full feed each event touches four or five cache lines somewhere in a hundred megabytes, and
waiting for them one by one would cost more than all else. So a batch of events is walked four
times:

    1  ask for the reference's entry and the book
    2  by the entry, ask for the order; by the price, ask for the page's entry
    3  by the order, ask for its level and neighbours; by the page's entry, for the level's number
    4  apply

The first three only look, and what they see may be outdated by then: a wrong guess costs a line
fetched in vain. A few instruments fit the cache anyway; there the looking costs more than it saves,
so below `LIVE_MIN` orders only step 4 is done.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.apply import apply_inline
from hftlib.book.ladder import page_place
from hftlib.book.references import MASK_31, tag_of
from hftlib.book.tables import (
    LEVEL_BYTES,
    ORDER_BYTES,
    PAGE_BYTES,
    PAGE_LEVELS_AT,
    PLACE_BYTES,
    SLOT_BITS,
    books_at,
    entry_address,
    order_of,
    place_of,
    side_address,
    side_of,
)
from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES

BATCH = 32
LIVE_MIN = 30_000  # live orders; their memory then outgrows the second-level cache

_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64, int64, int64)")
def apply_events(base: int, events_address: int, count: int) -> int:
    """Apply a run of events in order; how many of them changed a book."""
    books = books_at(base)
    changed = 0
    begin = events_address
    end = events_address + count * EVENT_BYTES
    while begin < end:
        stop = min(begin + BATCH * EVENT_BYTES, end)
        if books.orders >= LIVE_MIN:
            _look_ahead(books, base, begin, stop)
        for address in range(begin, stop, EVENT_BYTES):
            changed += apply_inline(base, address) > 0
        begin = stop
    books.events += count
    return changed


@jit.compiled()
def _look_ahead(books: Any, base: int, begin: int, stop: int) -> None:
    for address in range(begin, stop, EVENT_BYTES):
        event = _event_at(address)
        jit.prefetch(_entry(books, base, event.reference))
        if event.kind == events.REPLACE:
            jit.prefetch(_entry(books, base, event.other))
        if event.instrument < books.instruments:
            side = 2 * event.instrument
            jit.prefetch(side_address(books, base, side))
            jit.prefetch(side_address(books, base, side + 1))
    for address in range(begin, stop, EVENT_BYTES):
        event = _event_at(address)
        if event.kind == events.ADD:
            place = _place(books, base, event)
            jit.prefetch(base + books.places_at + place * PLACE_BYTES)
        else:
            order = _order(books, base, event.reference)
            jit.prefetch(base + books.orders_at + order * ORDER_BYTES)
    for address in range(begin, stop, EVENT_BYTES):
        event = _event_at(address)
        if event.kind == events.ADD:
            page = place_of(books, base, _place(books, base, event)).page
            jit.prefetch(base + books.pages_at + page * PAGE_BYTES + PAGE_LEVELS_AT)
        else:
            order = order_of(books, base, _order(books, base, event.reference))
            jit.prefetch(base + books.levels_at + order.level * LEVEL_BYTES)
            jit.prefetch(base + books.orders_at + order.ahead * ORDER_BYTES)
            jit.prefetch(base + books.orders_at + order.behind * ORDER_BYTES)


@jit.inlined
def _entry(books: Any, base: int, reference: int) -> int:
    """Where the search for a reference begins."""
    return entry_address(books, base, tag_of(reference) & books.reference_mask)


@jit.inlined
def _order(books: Any, base: int, reference: int) -> int:
    """The order that the first entry names, which mostly is the one."""
    return jit.load_i64(_entry(books, base, reference)) & MASK_31


@jit.inlined
def _place(books: Any, base: int, event: Any) -> int:
    """Where the search for the page of an ADD begins; garbage gives a harmless place."""
    if event.instrument >= books.instruments:
        return 0
    side = 2 * event.instrument + (event.side & 1 ^ 1)
    key = event.price if side & 1 else -event.price
    state = side_of(books, base, side)
    return page_place(books, side, key * state.scale >> (state.shift + SLOT_BITS))
