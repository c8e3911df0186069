"""Many events at once: the same books, with the memory each event will need asked for ahead.

On a full feed each event touches five or more cache lines somewhere in a hundred megabytes, and
waiting for them one by one would cost more than all else. So a batch is first walked for what it
will touch, a step of every event at a time, each step asking for what the next one reads:

    step  of a new order             of an order that is there    of a replacement
    1     its home, its side         its home                     both homes
    2     the page                   its level, its neighbours    these, the new side
    3     the level                  the page, if it may end      the page
    4     the last of its queue                                   the level

The steps only look. What they see may be outdated when the batch is applied, event by event: then
a line was fetched in vain. A few instruments fit into the cache anyway, and there the looking costs
more than it saves, so it is left out below `LIVE_MIN` orders.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.apply import apply_inline
from hftlib.book.ladder import page_near
from hftlib.book.orders import side_of_order
from hftlib.book.references import home_of
from hftlib.book.tables import (
    BATCH,
    LOOK_BYTES,
    PAGE_BYTES,
    PAGE_LEVELS_AT,
    SLOT_BITS,
    SLOTS,
    books_at,
    level_address,
    level_of,
    look_at,
    order_address,
    order_of,
    side_address,
    side_of,
    slot_of,
)
from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import CACHE_LINE_BYTES

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
            _look_ahead(books, base, begin, (stop - begin) // EVENT_BYTES)
        else:
            for address in range(begin, stop, EVENT_BYTES):
                jit.prefetch(
                    order_address(books, base, home_of(books, _event_at(address).reference))
                )
        for address in range(begin, stop, EVENT_BYTES):
            changed += apply_inline(base, address) > 0
        begin = stop
        books.orders_most = max(books.orders_most, books.orders)
    books.events += count
    return changed


@jit.compiled()
def _look_ahead(books: Any, base: int, begin: int, count: int) -> None:
    looks = base + books.looks_at
    _look_for_homes(books, base, begin, count, looks)
    _look_for_levels(books, base, count, looks)
    _look_for_pages(books, base, count, looks)
    for n in range(count):
        look = look_at(looks + n * LOOK_BYTES)
        if look.adds != 0:
            level = (
                look.level if look.adds == 1 else slot_of(books, base, look.page, look.slot).number
            )
            jit.prefetch(order_address(books, base, level_of(books, base, level).last))


@jit.inlined
def _look_for_pages(books: Any, base: int, count: int, looks: int) -> None:
    for n in range(count):
        look = look_at(looks + n * LOOK_BYTES)
        if look.adds == 1:
            look.level = slot_of(books, base, look.page, look.slot).number
            jit.prefetch(level_address(books, base, look.level))
        else:
            page = level_of(books, base, look.level).page
            jit.prefetch(base + books.pages_at + page * PAGE_BYTES)
            if look.adds == 2:
                _look_for_page(books, base, look)


@jit.inlined
def _look_for_homes(books: Any, base: int, begin: int, count: int, looks: int) -> None:
    for n in range(count):
        event = _event_at(begin + n * EVENT_BYTES)
        look = look_at(looks + n * LOOK_BYTES)
        look.order = home_of(books, event.reference)
        jit.prefetch(order_address(books, base, look.order))
        look.price = event.price
        look.adds = event.kind == events.ADD
        look.page = 0
        look.level = 0
        if event.instrument >= books.instruments:
            look.order = 0
            look.adds = 0
            continue
        look.side = 2 * event.instrument + (event.side & 1 ^ 1)
        book = side_address(books, base, look.side) & -CACHE_LINE_BYTES
        jit.prefetch(book)
        jit.prefetch(book - CACHE_LINE_BYTES)
        if event.kind == events.REPLACE:
            look.adds = 2
            jit.prefetch(order_address(books, base, home_of(books, event.other)))


@jit.inlined
def _look_for_levels(books: Any, base: int, count: int, looks: int) -> None:
    for n in range(count):
        look = look_at(looks + n * LOOK_BYTES)
        if look.adds == 1:
            _look_for_page(books, base, look)
        else:
            order = order_of(books, base, look.order)
            look.level = order.level
            look.side = side_of_order(order)
            jit.prefetch(level_address(books, base, order.level))
            jit.prefetch(order_address(books, base, order.ahead))
            jit.prefetch(order_address(books, base, order.behind))


@jit.inlined
def _look_for_page(books: Any, base: int, look: Any) -> None:
    """Ask for the page of a new order's price."""
    key = look.price if look.side & 1 else -look.price
    state = side_of(books, base, look.side)
    slot = key * state.scale >> state.shift
    look.slot = slot & (SLOTS - 1)
    look.page = page_near(books, base, state, look.side, slot >> SLOT_BITS)
    page = base + books.pages_at + look.page * PAGE_BYTES
    jit.prefetch(page)
    jit.prefetch(page + PAGE_LEVELS_AT + look.slot * 4)
