"""The generator's own book: a queue of orders at every level, oldest first.

It matches for real, so that every execution in the stream is at the head of the best queue.

    LEVEL.first ─▶ ORDER ⇄ ORDER ⇄ ORDER ◀─ LEVEL.last

Worst case: finding the next best level walks the empty ones, at most 4096 of them.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.feed.synthetic.memory import (
    LEVEL_NONE_ABOVE,
    LEVEL_NONE_BELOW,
    ORDERS,
    level_of,
    order_of,
)

BUY, SELL = 1, 2
PLACES_TRIED = 64


@jit.compiled()
def free_place(stock: Any) -> int:
    """The next place nobody rests at, or -1 if none of the next ones is free."""
    for step in range(PLACES_TRIED):
        place = (stock.newest + step) & (ORDERS - 1)
        if order_of(stock, place).quantity == 0:
            stock.newest += step + 1
            return place
    return -1


@jit.compiled()
def rest(market: Any, stock: Any, place: int, side: int, level: int, quantity: int) -> Any:
    """A new order at the end of its queue; `place` is a free one."""
    order, queue = order_of(stock, place), level_of(stock, level)
    market.references += 1
    order.reference = market.references
    order.quantity = quantity
    order.level = level
    order.side = side
    order.ahead = queue.last
    order.behind = -1
    if queue.last >= 0:
        order_of(stock, queue.last).behind = place
    else:
        queue.first = place
    queue.last = place
    queue.quantity += quantity
    queue.orders += 1
    stock.resting[side] += 1
    stock.depth[side] += quantity
    if side == BUY:
        stock.bid = max(stock.bid, level)
    else:
        stock.ask = min(stock.ask, level)
    return order


@jit.compiled()
def take_off(stock: Any, place: int, quantity: int) -> None:
    """Take shares off an order; with its last share it leaves its queue."""
    order = order_of(stock, place)
    queue = level_of(stock, order.level)
    order.quantity -= quantity
    queue.quantity -= quantity
    stock.depth[order.side] -= quantity
    if order.quantity == 0:
        _unlink(stock, order, queue)
        stock.resting[order.side] -= 1
        if queue.orders == 0:
            _find_best(stock)


@jit.compiled()
def _unlink(stock: Any, order: Any, queue: Any) -> None:
    if order.ahead >= 0:
        order_of(stock, order.ahead).behind = order.behind
    else:
        queue.first = order.behind
    if order.behind >= 0:
        order_of(stock, order.behind).ahead = order.ahead
    else:
        queue.last = order.ahead
    queue.orders -= 1


@jit.compiled()
def _find_best(stock: Any) -> None:
    while stock.bid > LEVEL_NONE_BELOW and level_of(stock, stock.bid).orders == 0:
        stock.bid -= 1
    while stock.ask < LEVEL_NONE_ABOVE and level_of(stock, stock.ask).orders == 0:
        stock.ask += 1
