"""Many events at once: the same books, with the memory each event will need asked for ahead.

On a full feed each event touches five or more cache lines somewhere in a hundred megabytes, and
waiting for them one by one would cost more than all else. So while one group of events is applied,
the next three are looked at, each a step further, and each step asks for what the next one reads:

    step  groups ahead   of a new order          of an order that is there
    1     3              its home, its book      its home, its book
    2     2              its page, its level     its page, its level, its neighbours
    3     1              the last of its queue   itself, where it is a guest

A replacement is both. The steps only look. What they see may be outdated when the event's turn
comes: then a line was fetched in vain. A few instruments fit into the cache anyway, and there the
looking costs more than it saves, so it is left out below `look_from` orders.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.apply import apply_inline
from hftlib.book.ladder import page_near
from hftlib.book.orders import side_of_order
from hftlib.book.references import MASK_31, guest_address, home_of
from hftlib.book.tables import (
    BATCH,
    LOOK_BYTES,
    PAGE_BYTES,
    SLOT_BITS,
    SLOTS,
    book_address,
    books_at,
    level_address,
    level_of,
    look_at,
    order_address,
    order_of,
    page_address,
    side_of,
)
from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES

GROUP = 8 * EVENT_BYTES  # what is applied at once, while the next ones are looked at
GUESTS_FEW = 8  # of so many orders one is a guest: fewer are not worth looking for

_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64, int64, int64)")
def apply_events(base: int, events_address: int, count: int) -> int:
    """Apply a run of events in order; how many of them changed a book."""
    books = books_at(base)
    end = events_address + count * EVENT_BYTES
    first = group = homes = levels = lasts = events_address
    changed = 0
    while group < end:
        if books.orders < books.look_from:
            stop = min(group + BATCH * EVENT_BYTES, end)
            for address in range(group, stop, EVENT_BYTES):
                reference = _event_at(address).reference
                jit.prefetch(order_address(books, base, home_of(books, reference)))
        else:
            stop = min(group + GROUP, end)
            homes = _look_for_homes(books, base, max(homes, group), min(stop + 3 * GROUP, end))
            begin, until = max(levels, group), min(stop + 2 * GROUP, end)
            levels = _look_for_levels(books, base, first, begin, until)
            begin, until = max(lasts, group), min(stop + GROUP, end)
            lasts = _look_for_lasts(books, base, first, begin, until)
        for address in range(group, stop, EVENT_BYTES):
            changed += apply_inline(base, address) > 0
        group = stop
        books.orders_most = max(books.orders_most, books.orders)
        books.levels_most = max(books.levels_most, books.levels)
    books.events += count
    return changed


@jit.inlined
def _look_for_homes(books: Any, base: int, begin: int, end: int) -> int:
    for address in range(begin, end, EVENT_BYTES):
        event = _event_at(address)
        jit.prefetch(order_address(books, base, home_of(books, event.reference)))
        jit.prefetch(order_address(books, base, home_of(books, event.other)))
        jit.prefetch(book_address(books, base, _instrument(books, event)))
    return end


@jit.compiled()
def _look_for_levels(books: Any, base: int, first: int, begin: int, end: int) -> int:
    many = books.guests * GUESTS_FEW > books.orders
    for address in range(begin, end, EVENT_BYTES):
        event = _event_at(address)
        look = _look(books, base, (address - first) // EVENT_BYTES)
        look.level = books.extras
        look.guest = 0
        if event.kind == events.ADD:
            side = 2 * _instrument(books, event) + (event.side & 1 ^ 1)
            look.level = _look_for_level(books, base, side, event.price)
            if many and order_of(books, base, home_of(books, event.reference)).level != 0:
                jit.prefetch(guest_address(books, base, event.reference))
            continue
        order = order_of(books, base, home_of(books, event.reference))
        if many and order.level != 0 and order.reference != event.reference:
            look.guest = 1
            jit.prefetch(guest_address(books, base, event.reference))
        else:
            _look_for_neighbours(books, base, order)
        if event.kind == events.REPLACE:
            look.level = _look_for_level(books, base, side_of_order(order), event.price)
            if many and order_of(books, base, home_of(books, event.other)).level != 0:
                jit.prefetch(guest_address(books, base, event.other))
    return end


@jit.compiled()
def _look_for_lasts(books: Any, base: int, first: int, begin: int, end: int) -> int:
    for address in range(begin, end, EVENT_BYTES):
        look = _look(books, base, (address - first) // EVENT_BYTES)
        jit.prefetch(order_address(books, base, level_of(books, base, look.level).last))
        if look.guest != 0:
            entry = jit.load_i64(guest_address(books, base, _event_at(address).reference))
            jit.prefetch(order_address(books, base, entry & MASK_31))
    return end


@jit.inlined
def _look(books: Any, base: int, count: int) -> Any:
    """What is noted of an event, until its turn comes."""
    return look_at(jit.nth(base + books.looks_at, count & (BATCH - 1), BATCH, LOOK_BYTES))


@jit.inlined
def _instrument(books: Any, event: Any) -> int:
    return min(event.instrument, books.instruments - 1)


@jit.inlined
def _look_for_neighbours(books: Any, base: int, order: Any) -> None:
    jit.prefetch(level_address(books, base, order.level))
    jit.prefetch(base + books.pages_at + (order.level >> SLOT_BITS) * PAGE_BYTES)
    jit.prefetch(order_address(books, base, order.ahead))
    jit.prefetch(order_address(books, base, order.behind))


@jit.inlined
def _look_for_level(books: Any, base: int, side: int, price: int) -> int:
    """Ask for the page and the level of a new order's price."""
    key = price if side & 1 else -price
    state = side_of(books, base, side)
    slot = key * state.scale >> state.shift
    page = page_near(books, base, state, side, slot >> SLOT_BITS)
    page = page if page != 0 else books.page_none
    level = page * SLOTS + (slot & (SLOTS - 1))
    jit.prefetch(page_address(books, base, page))
    jit.prefetch(level_address(books, base, level))
    return level
