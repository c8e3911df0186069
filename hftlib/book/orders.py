"""An order's life in the queue of its level: to the end, a part off, out.

    first ─▶ order ─▶ order ─▶ last        `behind` leads right, `ahead` leads left

Whether an order has neighbours is as good as random, so their links are chosen without a branch:
the link to change is a neighbour's or, at an end of the queue, the level's.
Worst case: each step touches the order, its two neighbours and its level, never more.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import find_level, make_level, remove_level
from hftlib.book.references import give_number, take_number
from hftlib.book.tables import (
    AHEAD_AT,
    BEHIND_AT,
    FIRST_AT,
    LAST_AT,
    NO_QUANTITY,
    ORDERS_FULL,
    SIDE_MASK,
    TOTAL_MAX,
    level_address,
    level_of,
    link_at,
    order_address,
    order_of,
)
from hftlib.core import jit

CHANGED = 1


@jit.inlined
def append_order(books: Any, base: int, side: int, key: int, reference: int, quantity: int) -> int:
    """A new order at the end of the queue of its price: CHANGED, or minus the reason why not."""
    if books.orders >= books.orders_max:
        return -ORDERS_FULL
    level_number = find_level(books, base, side, key)
    if level_number == 0:
        level_number = make_level(books, base, side, key)
        if level_number < 0:
            return level_number
    level = level_of(books, base, level_number)
    if level.quantity >= TOTAL_MAX:
        return -NO_QUANTITY
    number = take_number(books, base, reference)
    order = order_of(books, base, number)
    order.reference = reference
    order.quantity = quantity
    order.level = level_number
    order.ahead = level.last
    order.behind = 0
    order.side = (order.side & ~SIDE_MASK) | side
    _link(books, base, level_number, level.last, BEHIND_AT, FIRST_AT).number = number
    level.last = number
    level.orders += 1
    level.quantity += quantity
    books.orders += 1
    return CHANGED


@jit.inlined
def side_of_order(order: Any) -> int:
    """2 * instrument, plus 1 for asks."""
    return order.side & SIDE_MASK


@jit.inlined
def take_off(books: Any, base: int, order: Any, quantity: int) -> None:
    """Less of an order, which keeps its place."""
    order.quantity -= quantity
    level_of(books, base, order.level).quantity -= quantity


@jit.inlined
def unlink_order(books: Any, base: int, number: int) -> None:
    """An order leaves its queue and the books; its quantity stays in the level, without a name."""
    order = order_of(books, base, number)
    ahead, behind = order.ahead, order.behind
    _link(books, base, order.level, ahead, BEHIND_AT, FIRST_AT).number = behind
    _link(books, base, order.level, behind, AHEAD_AT, LAST_AT).number = ahead
    level_of(books, base, order.level).orders -= 1
    give_number(books, base, number)
    books.orders -= 1


@jit.inlined
def drop_order(books: Any, base: int, number: int) -> None:
    """An order leaves with its quantity; a level that is empty then leaves, too."""
    order = order_of(books, base, number)
    level_number, quantity, side = order.level, order.quantity, side_of_order(order)
    unlink_order(books, base, number)
    level = level_of(books, base, level_number)
    level.quantity -= quantity
    if level.quantity == 0 and level.first == 0:
        remove_level(books, base, side, level_number)


@jit.inlined
def _link(books: Any, base: int, level: int, order: int, order_at: int, level_at: int) -> Any:
    """The link of an order, or of the level where there is no order."""
    of_order = order_address(books, base, order) + order_at
    of_level = level_address(books, base, level) + level_at
    return link_at(of_order if order != 0 else of_level)
