"""An order's life in the queue of its level: to the end, a part off, out.

    first ─▶ order ─▶ order ─▶ last        `behind` leads right, `ahead` leads left

Whether an order has neighbours is as good as random, so their links are chosen without a branch:
the link to change is a neighbour's or, at an end of the queue, the level's.
Worst case: each step touches the order, its two neighbours and its level, never more.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import find_level, make_level, remove_level
from hftlib.book.references import enter_order, remove_entry
from hftlib.book.tables import (
    AHEAD_AT,
    BEHIND_AT,
    FIRST_AT,
    LAST_AT,
    LEVEL_BYTES,
    ORDER_BYTES,
    ORDERS_FULL,
    level_of,
    link_at,
    order_of,
)
from hftlib.core import jit

CHANGED = 1


@jit.inlined
def append_order(
    books: Any, base: int, side: int, key: int, place: int, reference: int, quantity: int
) -> int:
    """A new order at the end of the queue of its price: CHANGED, or minus the reason why not.

    `place` is the free entry that a search for the reference has just found.
    """
    if books.order_free == 0 and books.orders_used == books.orders_max:
        return -ORDERS_FULL
    level_number = find_level(books, base, side, key)
    if level_number == 0:
        level_number = make_level(books, base, side, key)
        if level_number < 0:
            return level_number
    number = books.order_free
    if number == 0:
        books.orders_used += 1
        number = books.orders_used
    else:
        books.order_free = order_of(books, base, number).behind
    level = level_of(books, base, level_number)
    order = order_of(books, base, number)
    order.reference = reference
    order.quantity = quantity
    order.level = level_number
    order.ahead = level.last
    order.behind = 0
    order.side = side
    _link(books, base, level_number, level.last, BEHIND_AT, FIRST_AT).number = number
    level.last = number
    level.orders += 1
    level.quantity += quantity
    enter_order(books, base, place, reference, number)
    books.orders += 1
    return CHANGED


@jit.inlined
def take_off(books: Any, base: int, order: Any, quantity: int) -> None:
    """Less of an order, which keeps its place."""
    order.quantity -= quantity
    level_of(books, base, order.level).quantity -= quantity


@jit.inlined
def unlink_order(books: Any, base: int, place: int, number: int) -> None:
    """An order leaves its queue and the books; its quantity stays in the level, without a name."""
    order = order_of(books, base, number)
    ahead, behind = order.ahead, order.behind
    _link(books, base, order.level, ahead, BEHIND_AT, FIRST_AT).number = behind
    _link(books, base, order.level, behind, AHEAD_AT, LAST_AT).number = ahead
    level_of(books, base, order.level).orders -= 1
    remove_entry(books, base, place)
    order.behind = books.order_free
    books.order_free = number
    books.orders -= 1


@jit.inlined
def drop_order(books: Any, base: int, place: int, number: int) -> None:
    """An order leaves with its quantity; a level that is empty then leaves, too."""
    order = order_of(books, base, number)
    level_number, quantity, side = order.level, order.quantity, order.side
    unlink_order(books, base, place, number)
    level = level_of(books, base, level_number)
    level.quantity -= quantity
    if level.quantity == 0 and level.first == 0:
        remove_level(books, base, side, level_number)


@jit.inlined
def _link(books: Any, base: int, level: int, order: int, order_at: int, level_at: int) -> Any:
    """The link of an order, or of the level where there is no order."""
    of_order = jit.nth(base + books.orders_at, order, books.orders_max + 1, ORDER_BYTES) + order_at
    of_level = jit.nth(base + books.levels_at, level, books.levels_max + 1, LEVEL_BYTES) + level_at
    return link_at(of_order if order != 0 else of_level)
