"""What the people of a synthetic market do: quote, leave, move, take, and trade unseen.

Nobody is clever; the book's habits come from a few rules. Makers keep a distance from the other
side and never bid above what the stock is worth to them; most orders that leave are among the
newest; takers work large orders in pieces, so that buys follow buys; what it is worth wanders,
yields to takers, and jumps with news. A side always keeps some orders, so the book is never empty.

Worst case: a taker eats half of a side, one frame an order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.feed.synthetic import encode
from hftlib.feed.synthetic.chance import below, draw, heavy, waiting
from hftlib.feed.synthetic.memory import (
    HALTED,
    LEVEL_NONE_ABOVE,
    LEVEL_NONE_BELOW,
    LEVELS,
    ORDERS,
    TICK,
    TRADING,
    level_of,
    order_of,
)
from hftlib.feed.synthetic.queues import BUY, PLACES_TRIED, SELL, free_place, rest, take_off

# Chances of 1024 while trading; the remainder quotes or leaves, as the crowd demands.
TAKES, TRADES_UNSEEN, MOVES, SHRINKS = 36, 8, 70, 8
QUOTES_INSIDE, QUOTES_BEST = 480, 120
LEAVES_ANYHOW, SIGNS = 450, 24
RESTING_LEAST = 8
_SIZES = np.array(
    [100] * 17 + [200] * 4 + [300] * 2 + [400, 500, 1000, 1, 10, 20, 25, 40, 50], np.int64
)
_SIZES_COUNT = len(_SIZES)


@jit.compiled()
def act(market: Any, stock: Any) -> None:
    """One action of somebody in this stock, as its phase allows."""
    _wander(stock)
    if stock.phase == HALTED:
        _leave(market, stock)
        return
    roll = below(stock.at, 1024)
    if stock.phase != TRADING:
        roll += TAKES + TRADES_UNSEEN
    if roll < TAKES:
        _take(market, stock)
    elif roll < TAKES + TRADES_UNSEEN:
        _trade_unseen(market, stock)
    elif roll < TAKES + TRADES_UNSEEN + MOVES:
        _move(market, stock)
    elif roll < TAKES + TRADES_UNSEEN + MOVES + SHRINKS:
        _shrink(market, stock)
    elif below(stock.at, 2048) * stock.crowd < 1024 * (stock.resting[BUY] + stock.resting[SELL]):
        _leave(market, stock)
    else:
        quote(market, stock, 1 + (draw(stock.at) & 1))


@jit.compiled()
def quote(market: Any, stock: Any, side: int) -> None:
    """A new order, if there is a place for it."""
    place, level = free_place(stock), _level(market, stock, side)
    if place < 0 or level < 0:
        return
    order = rest(market, stock, place, side, level, _size(stock))
    encode.add(market, stock, order, below(stock.at, 1024) < SIGNS)


@jit.compiled()
def move_value(stock: Any, change: int) -> None:
    """What it is worth stays in the middle half of the levels there are."""
    stock.fair = min(max(stock.fair + change, LEVELS // 4 << 8), 3 * LEVELS // 4 << 8)


@jit.compiled()
def _wander(stock: Any) -> None:
    step = 26 * stock.spread
    move_value(stock, below(stock.at, 2 * step + 1) - step)


@jit.compiled()
def _size(stock: Any) -> int:
    return int(_SIZES[below(stock.at, _SIZES_COUNT)])


@jit.compiled()
def _level(market: Any, stock: Any, side: int) -> int:
    """Where a new order of this side goes, or -1 where it would cross or leave the levels."""
    fair = stock.fair >> 8
    bid = stock.bid if stock.bid != LEVEL_NONE_BELOW else fair - (stock.spread >> 1)
    ask = stock.ask if stock.ask != LEVEL_NONE_ABOVE else fair + 1 + (stock.spread >> 1)
    roll = below(stock.at, 1024)
    if roll < QUOTES_INSIDE:
        reach = stock.spread * (2 if roll & 1 else 12)
        apart = 1 + ((reach * waiting(market.tables_at, stock.at)) >> 24)
        level = min(ask - apart, fair) if side == BUY else max(bid + apart, fair + 1)
    elif roll < QUOTES_INSIDE + QUOTES_BEST:
        level = bid if side == BUY else ask
    else:
        back = 1 + (heavy(stock.at, 256) * (1 + below(stock.at, stock.spread)) >> 1)
        level = bid - back if side == BUY else ask + back
    if not LEVEL_NONE_BELOW < level < LEVEL_NONE_ABOVE:
        return -1
    if side == BUY:
        return level if level < stock.ask else -1
    return level if level > stock.bid else -1


@jit.compiled()
def _somebody(stock: Any) -> int:
    """The place of an order that may leave, likely one of the newest; -1 for none nearby."""
    if below(stock.at, 1024) < LEAVES_ANYHOW:
        place = below(stock.at, ORDERS)
    else:
        place = stock.newest - heavy(stock.at, ORDERS)
    for step in range(PLACES_TRIED):
        found = (place - step) & (ORDERS - 1)
        order = order_of(stock, found)
        if order.quantity > 0 and not _holds_on(stock, order):
            return found if stock.resting[order.side] > RESTING_LEAST else -1
    return -1


@jit.compiled()
def _holds_on(stock: Any, order: Any) -> bool:
    """Who is alone at the best price rarely leaves it, or the best prices would flicker."""
    best = stock.bid if order.side == BUY else stock.ask
    alone = order.level == best and level_of(stock, best).orders == 1
    return alone and below(stock.at, 8) > 0


@jit.compiled()
def _exposed(stock: Any) -> int:
    """The newest of the best orders on the side that what it is worth has passed; else -1."""
    if stock.fair < stock.bid << 8 and stock.resting[BUY] > RESTING_LEAST:
        return level_of(stock, stock.bid).last
    if stock.fair > stock.ask << 8 and stock.resting[SELL] > RESTING_LEAST:
        return level_of(stock, stock.ask).last
    return -1


@jit.compiled()
def _leave(market: Any, stock: Any) -> None:
    place = _exposed(stock)
    if place < 0:
        place = _somebody(stock)
    if place >= 0:
        order = order_of(stock, place)
        encode.delete(market, stock, order.reference)
        take_off(stock, place, order.quantity)


@jit.compiled()
def _move(market: Any, stock: Any) -> None:
    old = _exposed(stock)
    if old < 0:
        old = _somebody(stock)
    place = free_place(stock)
    if old < 0 or place < 0:
        return
    order = order_of(stock, old)
    side, quantity, reference, level = order.side, order.quantity, order.reference, order.level
    take_off(stock, old, quantity)
    chosen = _level(market, stock, side)
    moved = rest(market, stock, place, side, level if chosen < 0 else chosen, quantity)
    encode.replace(market, stock, reference, moved)


@jit.compiled()
def _shrink(market: Any, stock: Any) -> None:
    place = _somebody(stock)
    if place >= 0:
        order = order_of(stock, place)
        if order.quantity > 1:
            less = 1 + below(stock.at, order.quantity - 1)
            encode.cancel(market, stock, order, less)
            take_off(stock, place, less)


@jit.compiled()
def _take(market: Any, stock: Any) -> None:
    """A piece of somebody's large order, against the best of the other side and beyond."""
    if stock.parent_left == 0:
        dear = (stock.fair - ((stock.bid + stock.ask) << 7)) // stock.spread
        lean = min(max(dear, -100), 100)
        stock.parent_side = BUY if below(stock.at, 1024) < 512 + lean else SELL
        stock.parent_left = heavy(stock.at, 12)
    stock.parent_left -= 1
    other = SELL if stock.parent_side == BUY else BUY
    best = level_of(stock, stock.ask if other == SELL else stock.bid)
    roll = below(stock.at, 16)
    quantity = best.quantity if roll < 2 else min(best.quantity, _size(stock))
    if roll == 15:
        quantity = best.quantity + _size(stock)
    eat(market, stock, other, min(quantity, stock.depth[other] >> 1))
    yields = stock.spread * 2
    move_value(stock, yields if other == SELL else -yields)


@jit.compiled()
def eat(market: Any, stock: Any, side: int, quantity: int) -> None:
    """Execute the oldest orders of the best levels of a side, until so much is done."""
    while quantity > 0:
        place = level_of(stock, stock.bid if side == BUY else stock.ask).first
        order = order_of(stock, place)
        done = min(quantity, order.quantity)
        encode.execute(market, stock, order, done)
        take_off(stock, place, done)
        quantity -= done


@jit.compiled()
def _trade_unseen(market: Any, stock: Any) -> None:
    """At the middle of the best prices, which may be half a tick."""
    middle = (2 * stock.first_tick + stock.bid + stock.ask) * TICK // 2
    encode.hidden_trade(market, stock, _size(stock), middle)
