"""An order's life in the queue of its level: to the end, a part off, out.

    level ─▶ first ─▶ order ─▶ last ─▶ level      `behind` leads right, `ahead` leads left

Whether an order has neighbours is as good as random. So the queue is a ring: at both its ends the
neighbour is the level, whose links stand where an order's do, and nobody has to ask.
Worst case: each step touches the order, its two neighbours and its level, never more.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import enter_level, leave_level
from hftlib.book.references import give_number, take_number
from hftlib.book.tables import (
    NO_QUANTITY,
    ORDERS_FULL,
    SIDE_MASK,
    TOTAL_MAX,
    level_of,
    order_of,
)
from hftlib.core import jit

CHANGED = 1


@jit.inlined
def append_order(
    books: Any, base: int, state: Any, side: int, key: int, reference: int, quantity: int
) -> int:
    """A new order at the end of the queue of its price: CHANGED, or minus the reason why not."""
    if books.orders >= books.orders_max:
        return -ORDERS_FULL
    level_number = enter_level(books, base, state, side, key)
    if level_number < 0:
        return level_number
    level = level_of(books, base, level_number)
    if level.quantity >= TOTAL_MAX:
        return -NO_QUANTITY
    number = take_number(books, base, reference)
    order = order_of(books, base, number)
    last = level.last
    order.reference = reference
    order.quantity = quantity
    order.level = level_number
    order.ahead = last
    order.behind = level_number
    order.side = (order.side & ~SIDE_MASK) | side
    order_of(books, base, last).behind = number
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
    ahead, behind, level_number = order.ahead, order.behind, order.level
    order_of(books, base, ahead).behind = behind
    order_of(books, base, behind).ahead = ahead
    level_of(books, base, level_number).orders -= 1
    give_number(books, base, number)
    books.orders -= 1


@jit.inlined
def drop_order(books: Any, base: int, number: int) -> None:
    """An order leaves with its quantity; a level that is empty then leaves, too."""
    order = order_of(books, base, number)
    level_number, quantity, side = order.level, order.quantity, side_of_order(order)
    unlink_order(books, base, number)
    level_of(books, base, level_number).quantity -= quantity
    leave_level(books, base, side, level_number)
