"""Trades of ours: what a fill and its break do to money, and which ones were told before.

    count       position, cash, fees, a row in the log of fills
    take back   the same with the signs turned, to the last unit, and a row that says so

A trade is known by our order and the venue's match number. Those counted last are remembered
(`memory.py`), so a fill told twice counts once, whatever comes between, and a broken one is taken
back with the price, quantity and fee it was counted with, whatever its order has become since. A
match number of 0 is none: such a fill is never known again.

Worst case: a fill told again after as many others as are remembered counts a second time, for then
nothing tells it from a new one; a break of such an old one is only counted, as `unmatched`.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY
from hftlib.execution.memory import (
    booked_of,
    execution_at,
    fill_of,
    position_of,
)

NO_MID = -(2**60)  # as in books: there is none


@jit.inlined
def chain_of(base: int, order: int, match: int) -> int:
    """The address of the chain that trades of this order and number are in."""
    execution = execution_at(base)
    # Numbers of trades and orders rise, so what comes next lies in a cache line that is here.
    place = (match + order) & execution.booked_mask
    return jit.nth(base + execution.chains_at, place, execution.booked_mask + 1, 8)


@jit.inlined
def find_trade(base: int, order: int, match: int) -> int:
    """The number under which a trade is remembered; 0: it is not known."""
    if match == 0:
        return 0
    execution = execution_at(base)
    gone = max(0, execution.booked - execution.booked_mask - 1)
    number = jit.load_i64(chain_of(base, order, match))
    while number > gone:
        trade = booked_of(base, number & execution.booked_mask)
        if trade.match == match and trade.order == order:
            return number
        number = trade.before
    return 0


@jit.inlined
def remember(base: int, order: int, match: int, what: int) -> Any:
    """A row for a trade that is not known yet; the oldest one makes room."""
    execution = execution_at(base)
    execution.booked += 1
    trade = booked_of(base, execution.booked & execution.booked_mask)
    chain = chain_of(base, order, match)
    trade.order, trade.match, trade.what = order, match, what
    trade.before = jit.load_i64(chain)
    jit.store_i64(chain, execution.booked)
    return trade


@jit.inlined
def book(
    base: int,
    event: Any,
    order: int,
    instrument: int,
    side: int,
    taker: int,
    price: int,
    quantity: int,
    fee: int,
) -> Any:
    """Into a position, or with a quantity below zero out of it again; its row in the log."""
    execution, position = execution_at(base), position_of(base, instrument)
    position.fees += fee
    position.fills += 1 if quantity > 0 else -1
    if side == BUY:
        position.quantity += quantity
        position.bought += quantity
        position.cash -= price * quantity
    else:
        position.quantity -= quantity
        position.sold += quantity
        position.cash += price * quantity
    fill = fill_of(base, execution.fills)
    execution.fills += 1
    fill.number, fill.order, fill.match = event.sequence, order, event.other
    fill.time, fill.received = event.time, event.received
    fill.price, fill.quantity, fill.fee = price, quantity, fee
    fill.position, fill.cash = position.quantity, position.cash
    fill.instrument, fill.side, fill.taker = instrument, side, taker
    fill.strategy, fill.sent_mid, fill.entered = execution.strategy, NO_MID, 0
    return fill
