"""The usual way of an order: it comes, shrinks or goes, at home, at a price that has its page.

Nine events in ten are that. Here their code is small and calls nothing, so that what it needs stays
in registers. Whatever is odd changes nothing here and takes the way of `apply.py`: guests, levels
off the grid, pages that begin or end, replacements, what is full and what must be refused.

No branch is hard to guess but the first, whether the order comes. An order that shrinks takes the
way of one that goes: where some of it stands, its neighbours see again what they saw before.

Worst case: what takes the other way has looked at its order, its level and its page in vain.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import bit_of, page_near
from hftlib.book.orders import CHANGED, side_of_order
from hftlib.book.references import home_of
from hftlib.book.tables import (
    KEY_MAX,
    QUANTITY_MAX,
    SIDE_MASK,
    SLOT_BITS,
    SLOTS,
    TOTAL_MAX,
    book_at,
    level_of,
    order_of,
    page_of,
    side_in,
)
from hftlib.core import events, jit


@jit.inlined
def usual_change(books: Any, base: int, address: int, event: Any) -> int:
    """ADD, EXECUTE, CANCEL or DELETE in the book at `address`: CHANGED; 0: nothing was done."""
    number = home_of(books, event.reference)
    if event.kind == events.ADD:
        return _comes(books, base, address, event, number)
    return _shrinks(books, base, address, event, number)


@jit.inlined
def _comes(books: Any, base: int, address: int, event: Any, number: int) -> int:
    order = order_of(books, base, number)
    if order.level != 0 or order.side > SIDE_MASK:
        return 0
    if event.side != events.BUY and event.side != events.SELL:
        return 0
    quantity, price = event.quantity, event.price
    if not 0 < quantity < QUANTITY_MAX or not -KEY_MAX < price < KEY_MAX:
        return 0
    if books.orders >= books.orders_max or books.levels >= books.levels_max:
        return 0
    state = side_in(address, event.side - 1)
    side = 2 * event.instrument + event.side - 1
    key = price if event.side != events.BUY else -price
    slot = key * state.scale >> state.shift
    page_number = page_near(books, base, state, side, slot >> SLOT_BITS)
    if page_number == 0:
        return 0
    level_number = page_number * SLOTS + (slot & (SLOTS - 1))
    page = page_of(books, base, page_number)
    level = level_of(books, base, level_number)
    bit = bit_of(level_number)
    made = 1 if level.quantity == 0 else 0
    if page.chained & bit != 0 or level.quantity >= TOTAL_MAX or level.last == 0:
        return 0
    if (made == 0) & (level.key != key):
        return 0
    last = level.last
    order.reference = event.reference
    order.quantity = quantity
    order.level = level_number
    order.ahead = last
    order.behind = level_number
    order.side = side
    order_of(books, base, last).behind = number
    level.key = key
    level.last = number
    level.orders += 1
    level.quantity += quantity
    page.bits |= bit
    books.levels += made
    books.orders += 1
    return CHANGED


@jit.inlined
def _shrinks(books: Any, base: int, address: int, event: Any, number: int) -> int:
    order = order_of(books, base, number)
    side, level_number = side_of_order(order), order.level
    if order.reference != event.reference or level_number == 0:
        return 0
    if side >> 1 != event.instrument or level_number >= books.extras:
        return 0
    less = order.quantity
    if event.kind != events.DELETE:
        if not 0 < event.quantity <= less:
            return 0
        less = event.quantity
    level = level_of(books, base, level_number)
    page = page_of(books, base, level_number >> SLOT_BITS)
    rest = order.quantity - less
    stands = 1 if rest != 0 else 0
    gone = 1 if level.quantity == less else 0
    bits = page.bits & ~(gone * bit_of(level_number))
    if bits == 0 or page.chained & bit_of(level_number) != 0:
        return 0
    if event.kind == events.EXECUTE:
        price = level.key if side & 1 else -level.key
        print_trade(book_at(address), event, price if event.price == 0 else event.price, less)
    ahead, behind = order.ahead, order.behind
    order.quantity = rest
    order.level = level_number * stands
    order_of(books, base, ahead).behind = number if stands else behind
    order_of(books, base, behind).ahead = number if stands else ahead
    level.orders = (level.orders - 1 + stands) & (gone - 1)
    level.quantity -= less
    page.bits = bits
    books.levels -= gone
    books.orders -= 1 - stands
    return CHANGED


@jit.inlined
def print_trade(book: Any, event: Any, price: int, quantity: int) -> None:
    """A trade, where it counts: what a cross or another message prints is no second one."""
    if event.flags & events.NOT_PRINTABLE == 0:
        book.last = price
        book.last_size = quantity
        book.trades += 1
        if book.volume < TOTAL_MAX:  # what no market trades in a day must not wrap
            book.volume += quantity
