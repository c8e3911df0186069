"""Whole levels: what level feeds say, and taking the levels of a side off.

A LEVEL says what now stands at a price, a QUOTE that its side has this one level, a CLEAR that
levels are gone. Orders known by name at such a level lose their names: what the feed says counts.
Worst case: a CLEAR takes off one by one what stands there.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import (
    best_level,
    bit_of,
    enter_level,
    find_level,
    leave_level,
    page_near,
    remove_page,
)
from hftlib.book.orders import CHANGED, unlink_order
from hftlib.book.tables import (
    KEY_MAX,
    NO_QUANTITY,
    NO_SIDE,
    QUANTITY_MAX,
    SLOT_BITS,
    SLOTS,
    WRONG_PRICE,
    level_of,
    page_of,
    side_in,
    side_of,
)
from hftlib.core import events, jit

ORDERS_TOLD_MAX = 2**30  # at one level; what is more is no number of orders


@jit.inlined
def set_again(books: Any, base: int, book: int, event: Any) -> int:
    """LEVEL of a price that stands already, without names: CHANGED, or 0 for all else.

    That is nearly every row of a level feed. A key that is found was good when it was entered.
    """
    side = event.side - 1
    if not 0 <= side <= 1 or not 0 < event.quantity < QUANTITY_MAX:
        return 0
    key = event.price if side != 0 else -event.price
    state = side_in(book, side)
    slot = key * state.scale >> state.shift
    page = page_near(books, base, state, 2 * event.instrument + side, slot >> SLOT_BITS)
    if page == 0:
        return 0
    number = page * SLOTS + (slot & (SLOTS - 1))
    level = level_of(books, base, number)
    if level.quantity == 0 or level.key != key or level.first != number:
        return 0
    level.quantity = event.quantity
    level.orders = event.reference if 0 < event.reference <= ORDERS_TOLD_MAX else 0
    return CHANGED


@jit.compiled()
def set_level(books: Any, base: int, event: Any) -> int:
    """LEVEL: what now stands at a price. QUOTE: that, and nothing else on its side."""
    if event.side != events.BUY and event.side != events.SELL:
        return -NO_SIDE
    if not 0 <= event.quantity < QUANTITY_MAX:
        return -NO_QUANTITY
    side = 2 * event.instrument + event.side - 1
    if event.kind == events.QUOTE and event.quantity == 0:
        clear_side(books, base, side, KEY_MAX)
        return CHANGED
    if not -KEY_MAX < event.price < KEY_MAX:
        return -WRONG_PRICE
    if event.kind == events.QUOTE:
        clear_side(books, base, side, KEY_MAX)
    key = event.price if event.side == events.SELL else -event.price
    done = _set_plain(books, base, side, key, event)
    return done if done >= 0 else _set_any(books, base, side, key, event)


@jit.inlined
def _set_plain(books: Any, base: int, side: int, key: int, event: Any) -> int:
    """Where the page is there, the slot is no other price's, and no order stands: CHANGED or 0.

    That is nearly every row of a level feed; -1 for all else.
    """
    state = side_of(books, base, side)
    slot = key * state.scale >> state.shift
    page = page_near(books, base, state, side, slot >> SLOT_BITS)
    if page == 0 or books.levels == books.levels_max:
        return -1
    number = page * SLOTS + (slot & (SLOTS - 1))
    level, this = level_of(books, base, number), page_of(books, base, page)
    bit = bit_of(number)
    stood = 1 if level.quantity != 0 else 0
    other = (stood != 0) & (level.key != key)
    if (this.chained & bit != 0) | other | ((level.first != number) & (level.first != 0)):
        return -1
    stands = 1 if event.quantity != 0 else 0
    level.key, level.quantity = key, event.quantity
    level.first, level.last = number, number
    known = (event.reference > 0) & (event.reference <= ORDERS_TOLD_MAX) & (stands != 0)
    level.orders = event.reference if known else 0
    this.bits = (this.bits & ~bit) | (bit * stands)
    books.levels += stands - stood
    if this.bits == 0:
        remove_page(books, base, page)
    return CHANGED if stood | stands else 0


@jit.compiled()
def _set_any(books: Any, base: int, side: int, key: int, event: Any) -> int:
    number = find_level(books, base, side, key)
    if number == 0:
        if event.quantity == 0:
            return 0
        number = enter_level(books, base, side_of(books, base, side), side, key)
        if number < 0:
            return number
    level = level_of(books, base, number)
    if level.first == 0:
        level.first = number  # an empty ring, where never an order was
    _forget_orders(books, base, number)
    level.quantity = event.quantity
    # How many orders stand there is known only where the feed says so.
    level.orders = event.reference if 0 < event.reference <= ORDERS_TOLD_MAX else 0
    leave_level(books, base, side, number)
    return CHANGED


@jit.compiled()
def clear(books: Any, base: int, book: Any, event: Any) -> int:
    if event.side > events.SELL:
        return -NO_SIDE
    if not -KEY_MAX < event.price < KEY_MAX:
        return -WRONG_PRICE
    for side in range(2):
        if event.side == 0 or event.side == side + 1:
            limit = event.price if side else -event.price
            limit = limit if event.side != 0 and event.price != 0 else KEY_MAX
            clear_side(books, base, 2 * event.instrument + side, limit)
    if event.side == 0:
        book.stale = 0
    return CHANGED


@jit.compiled()
def clear_side(books: Any, base: int, side: int, limit: int) -> None:
    """Take the levels off, best first, up to and with the limit."""
    number = best_level(books, base, side)
    while number != 0 and level_of(books, base, number).key <= limit:
        _forget_orders(books, base, number)
        level_of(books, base, number).quantity = 0
        leave_level(books, base, side, number)
        number = best_level(books, base, side)


@jit.compiled()
def _forget_orders(books: Any, base: int, number: int) -> None:
    """Drop a level's orders but not the level: what remains of it has no names."""
    level = level_of(books, base, number)
    while level.first != number:
        unlink_order(books, base, level.first)
