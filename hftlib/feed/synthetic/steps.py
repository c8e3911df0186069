"""What the timetable does: phases, imbalances, crosses and halts.

Before a cross, shares wait unseen on one side; imbalance messages tell how many. The cross
executes them against the best displayed orders of the other side, at the one price of the last
one needed, and prints everything as a single trade. Displayed orders it took show as executions
that are not printable, as in the real feed.

    GATHER ─▶ gathering ─▶ CROSS ─▶ trading ─▶ HALT ─▶ halted ─▶ GATHER ─▶ ... ─▶ CROSS ─▶ closed

Worst case: a cross writes a frame for each displayed order it takes, at most 4096.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.feed.synthetic import encode
from hftlib.feed.synthetic.arrivals import die_away, draw_next, settle, silence
from hftlib.feed.synthetic.chance import below, draw
from hftlib.feed.synthetic.memory import (
    BREAKER,
    CLOSED,
    CROSS,
    DIRECTORY,
    GATHER,
    GATHERING,
    HALT,
    HALTED,
    IMBALANCE,
    STOCK_BYTES,
    SYSTEM,
    TICK,
    TRADING,
    level_of,
    order_of,
    stock_at,
)
from hftlib.feed.synthetic.queues import BUY, SELL, take_off
from hftlib.feed.synthetic.traders import quote

# A day begins with the orders of earlier days, a microsecond apart.
ORDERS_AT_FIRST = 160
_CLOSING, _HALT_CROSS = ord("C"), ord("H")
_T, _H, _Q = ord("T"), ord("H"), ord("Q")
_NO_REASON = int.from_bytes(b"    ", "big")
_NEWS_PENDING = int.from_bytes(b"T1  ", "big")
_QUOTES_RESUME = int.from_bytes(b"T3  ", "big")


@jit.compiled()
def do_step(market: Any, step: Any) -> None:
    """One step of the timetable, at its time."""
    market.now = max(market.now, step.time)
    if step.what == SYSTEM:
        encode.system_event(market, step.detail)
        return
    if step.what == BREAKER:
        encode.circuit_breaker_levels(market, 30 * 10**10, 28 * 10**10, 25 * 10**10)
        return
    stock = stock_at(market.stocks_at + step.stock * STOCK_BYTES)
    die_away(market, stock)
    if step.what == DIRECTORY:
        encode.directory(market, stock)
        encode.trading_action(market, stock, _Q, _NO_REASON)
    elif step.what == GATHER:
        _gather(market, stock)
    elif step.what == IMBALANCE:
        _tell_imbalance(market, stock, step.detail)
    elif step.what == CROSS:
        _cross(market, stock, step.detail)
    elif step.what == HALT:
        stock.phase = HALTED
        silence(stock)
        encode.trading_action(market, stock, _H, _NEWS_PENDING)
    if stock.phase != CLOSED:
        draw_next(market, stock)
    settle(market, step.stock)


@jit.compiled()
def _gather(market: Any, stock: Any) -> None:
    """Orders come and go without trading, until a cross."""
    if stock.phase == CLOSED:
        for _ in range(ORDERS_AT_FIRST):
            market.now += 1000
            quote(market, stock, 1 + (draw(stock.at) & 1))
    else:
        encode.trading_action(market, stock, _Q, _QUOTES_RESUME)
    stock.phase = GATHERING
    stock.paired = 0
    stock.imbalance = 0


@jit.compiled()
def _tell_imbalance(market: Any, stock: Any, kind: int) -> None:
    """Some more shares have come for the cross, on either side."""
    stock.paired += 100 * below(stock.at, 40)
    stock.imbalance += 100 * (below(stock.at, 41) - 20)
    middle = stock.first_tick + ((stock.bid + stock.ask) >> 1)
    encode.imbalance(market, stock, middle * TICK, kind)


@jit.compiled()
def _cross(market: Any, stock: Any, kind: int) -> None:
    side = SELL if stock.imbalance > 0 else BUY
    wanted = min(abs(stock.imbalance), stock.depth[side] >> 2)
    level = _level_reached(stock, side, wanted)
    if wanted == 0:
        level = (stock.bid + stock.ask) >> 1
    price = (stock.first_tick + level) * TICK
    volume = stock.paired + wanted
    market.matches += 1
    while wanted > 0:
        place = level_of(stock, stock.bid if side == BUY else stock.ask).first
        order = order_of(stock, place)
        done = min(wanted, order.quantity)
        encode.execute_in_cross(market, stock, order, done, price)
        take_off(stock, place, done)
        wanted -= done
    encode.cross(market, stock, volume, price, kind)
    stock.paired = 0
    stock.imbalance = 0
    if kind == _CLOSING:
        stock.phase = CLOSED
        silence(stock)
        return
    stock.phase = TRADING
    encode.trading_action(market, stock, _T, _NO_REASON)


@jit.compiled()
def _level_reached(stock: Any, side: int, quantity: int) -> int:
    """The level at which so many shares of a side are found, from the best on."""
    level = stock.bid if side == BUY else stock.ask
    step = -1 if side == BUY else 1
    found = level_of(stock, level).quantity
    while found < quantity:
        level += step
        found += level_of(stock, level).quantity
    return level
