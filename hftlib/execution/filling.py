"""Fills and their breaks: what a trade of ours does to its order, whenever it is told.

    told the first time      money moves, the order is filled by so much
    told again               counted, nothing else
    of an order that is over the money moves all the same, the order's ends stay what they are
    of one whose slot is     the money moves by the report's own instrument and side
      another's by now
    broken                   everything is taken back as it was counted; the order asks for less by
                             so much: what is broken is not on offer again
    broken, then told        counted and taken back at once

A fill with a number that we gave always moves the money, however impossible it is otherwise: what
the venue says has traded has traded. One that no order of ours can have is counted, nothing else.

Worst case: the driver takes the log of fills away before it is full; a report adds two rows.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY, SELL
from hftlib.core.fees import FEES_BYTES, fee_of
from hftlib.core.orders import (
    ENDING,
    HELD,
    NEW_PENDING,
    OVER,
    TAKER,
    UNKNOWN,
    WAS_CANCELED,
    WAS_EXPIRED,
)
from hftlib.execution.booking import book, find_trade, remember
from hftlib.execution.counting import asked_for, counted_lots, follow, standing
from hftlib.execution.memory import (
    AWAITED,
    COUNTED,
    TAKEN_BACK,
    booked_of,
    execution_at,
    fill_of,
    order_of,
    slot_of,
)

# What a report was to us, as bits: who calls the strategy asks for these.
CHANGED, FILLED = 1, 2


@jit.inlined
def filled(base: int, event: Any, entered: int) -> int:
    """Take in a FILLED: bits as above."""
    execution = execution_at(base)
    number = event.reference
    if event.quantity <= 0 or not 0 < number <= execution.last_order:
        execution.impossible += 1
        return 0
    known = find_trade(base, number, event.other)
    if known != 0 and booked_of(base, known & execution.booked_mask).what != AWAITED:
        execution.repeated += 1
        return 0
    slot = slot_of(base, number)
    if slot == 0:
        done = _filled_gone(base, known, event)
    else:
        order = order_of(base, slot)
        fee = _counted(base, known, event, order.instrument, order.side)
        order.fees += fee
        order.value += event.price * event.quantity
        fill = fill_of(base, execution.fills - 1)
        fill.sent_mid, fill.entered, fill.strategy = order.twice_mid, entered, order.strategy
        done = _grown(base, slot, order, event)
    if done != 0 and known != 0:
        _take_back(base, known, event)
    return done


@jit.compiled()
def broken(base: int, event: Any) -> int:
    """Take in a BROKEN: bits as above."""
    execution = execution_at(base)
    number = event.reference
    if event.other == 0 or not 0 < number <= execution.last_order:
        execution.impossible += 1
        return 0
    known = find_trade(base, number, event.other)
    if known == 0:
        remember(base, number, event.other, AWAITED)
        execution.unmatched += 1
        return 0
    if booked_of(base, known & execution.booked_mask).what != COUNTED:
        execution.repeated += 1
        return 0
    return _take_back(base, known, event)


@jit.inlined
def _counted(base: int, known: int, event: Any, instrument: int, side: int) -> int:
    """The money of a fill moves, and its trade is remembered: the fee."""
    execution = execution_at(base)
    taker = 1 if event.flags & TAKER else 0
    price, quantity = event.price, event.quantity
    fee = fee_of(base + execution.fees_at + instrument * FEES_BYTES, taker, price, quantity)
    book(base, event, event.reference, instrument, side, taker, price, quantity, fee)
    execution.filled += 1
    if event.other != 0:
        if known != 0:
            trade = booked_of(base, known & execution.booked_mask)
        else:
            trade = remember(base, event.reference, event.other, COUNTED)
        trade.price, trade.quantity, trade.fee = price, quantity, fee
        trade.instrument, trade.side, trade.taker = instrument, side, taker
    return fee


@jit.inlined
def _grown(base: int, slot: int, order: Any, event: Any) -> int:
    """The order is filled by so much more."""
    execution = execution_at(base)
    state, counted = order.state, counted_lots(order)
    order.filled += event.quantity
    if state >= OVER:
        if order.state == WAS_CANCELED or state == WAS_EXPIRED:
            execution.late += 1  # it was under way when the end was told
        else:
            execution.impossible += 1
        return FILLED
    if state == HELD:  # the venue has what we thought had never left
        execution.impossible += 1
        order.state = UNKNOWN
    else:
        if order.filled > asked_for(order):
            execution.impossible += 1
        if state != UNKNOWN and state != ENDING:
            order.pending &= ~NEW_PENDING
            order.state = standing(order)
    follow(base, slot, order, state, counted, event.received)
    return CHANGED | FILLED


@jit.compiled()
def _filled_gone(base: int, known: int, event: Any) -> int:
    """A fill of an order whose slot is another's: the report itself must say what traded."""
    execution = execution_at(base)
    sided = event.side == BUY or event.side == SELL
    if not sided or event.instrument >= execution.instruments:
        execution.impossible += 1
        return 0
    _counted(base, known, event, event.instrument, event.side)
    execution.late += 1
    return FILLED


@jit.compiled()
def _take_back(base: int, known: int, event: Any) -> int:
    """A trade that was counted is broken: out of the position and out of its order."""
    execution = execution_at(base)
    trade = booked_of(base, known & execution.booked_mask)
    trade.what = TAKEN_BACK
    price, quantity, fee = trade.price, trade.quantity, trade.fee
    instrument, side, taker = trade.instrument, trade.side, trade.taker
    fill = book(base, event, trade.order, instrument, side, taker, price, -quantity, -fee)
    execution.broken += 1
    slot = slot_of(base, trade.order)
    if slot == 0:
        return FILLED
    order = order_of(base, slot)
    fill.sent_mid, fill.strategy = order.twice_mid, order.strategy
    state, counted = order.state, counted_lots(order)
    order.filled -= quantity
    order.value -= price * quantity
    order.fees -= fee
    if state >= OVER:
        return FILLED
    order.quantity -= quantity
    if state != UNKNOWN and state != ENDING:
        order.state = standing(order)
    follow(base, slot, order, state, counted, event.received)
    return CHANGED | FILLED
