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
from hftlib.book.references import MASK_31, guest_address, home_of
from hftlib.book.tables import (
    BATCH,
    LIVE_MIN,
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

GUESTS_FEW = 8  # of so many orders one is a guest: fewer are not worth looking for

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
    many = books.guests * GUESTS_FEW > books.orders
    _look_for_homes(books, base, begin, count, looks)
    _look_for_levels(books, base, count, looks, many)
    _look_for_pages(books, base, count, looks, many)
    for n in range(count):
        look = look_at(looks + n * LOOK_BYTES)
        if look.adds == 1:
            jit.prefetch(order_address(books, base, level_of(books, base, look.level).last))
            continue
        if look.guest != 0:
            _look_for_neighbours(books, base, order_of(books, base, look.order))
        if look.adds == 2:
            level = slot_of(books, base, look.page, look.slot).number
            jit.prefetch(level_address(books, base, level))


@jit.inlined
def _look_for_pages(books: Any, base: int, count: int, looks: int, many: bool) -> None:
    for n in range(count):
        look = look_at(looks + n * LOOK_BYTES)
        if look.adds == 1:
            look.level = slot_of(books, base, look.page, look.slot).number
            jit.prefetch(level_address(books, base, look.level))
        else:
            if look.guest != 0:
                entry = jit.load_i64(guest_address(books, base, look.reference))
                look.order = entry & MASK_31
                jit.prefetch(order_address(books, base, look.order))
            else:
                page = level_of(books, base, look.level).page
                jit.prefetch(base + books.pages_at + page * PAGE_BYTES)
            if look.adds == 2:
                _look_for_page(books, base, look)
                if many and order_of(books, base, home_of(books, look.comes)).level != 0:
                    jit.prefetch(guest_address(books, base, look.comes))


@jit.inlined
def _look_for_homes(books: Any, base: int, begin: int, count: int, looks: int) -> None:
    for n in range(count):
        event = _event_at(begin + n * EVENT_BYTES)
        look = look_at(looks + n * LOOK_BYTES)
        look.order = home_of(books, event.reference)
        jit.prefetch(order_address(books, base, look.order))
        look.reference = event.reference
        look.comes = event.other
        look.price = event.price
        look.adds = event.kind == events.ADD
        look.page = 0
        look.level = 0
        look.guest = 0
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
def _look_for_levels(books: Any, base: int, count: int, looks: int, many: bool) -> None:
    for n in range(count):
        look = look_at(looks + n * LOOK_BYTES)
        order = order_of(books, base, look.order)
        if many and order.level != 0 and order.reference != look.reference:
            look.guest = 1
            jit.prefetch(guest_address(books, base, look.reference))
        if look.adds == 1:
            _look_for_page(books, base, look)
        elif look.guest == 0:
            look.level = order.level
            look.side = side_of_order(order)
            _look_for_neighbours(books, base, order)


@jit.inlined
def _look_for_neighbours(books: Any, base: int, order: Any) -> None:
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
