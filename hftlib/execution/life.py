"""What the venue answers, and what it makes of an order: one switch, one way from state to state.

    FREE ─ sent ─▶ SENT ─ ACCEPTED ─▶ LIVE ─ FILLED whole, CANCELED ─▶ DONE
                     └──── REJECTED, CANCELED, FILLED whole ───────────▲

A fill may come before the acceptance of what it fills, and beside any pending cancel or replace.
A report that fits no state is counted as impossible; a fill of an order that is over counts
towards the position all the same, because the money has moved.

Worst case: the driver takes fills and ended orders away before their logs are full.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY, EVENT
from hftlib.core.fees import FEES_BYTES, fee_of
from hftlib.core.orders import (
    CANCEL_PENDING,
    LIVE,
    ORDER_BYTES,
    REPLACE_PENDING,
    SENT,
    TAKER,
)
from hftlib.execution.memory import (
    ended_address,
    execution_at,
    fill_of,
    order_address,
    order_of,
    position_of,
    slot_of,
)
from hftlib.execution.sending import asked_for, reserve

_event_at = jit.record_at(EVENT)

# What a report was to us, as bits: who calls the strategy asks for these.
CHANGED, FILLED = 1, 2


@jit.compiled("int64(int64, int64, int64)")
def report(base: int, event_address: int, entered: int) -> int:
    """Take in one report: CHANGED and FILLED bits, 0 for an impossible one."""
    execution = execution_at(base)
    event = _event_at(event_address)
    execution.reports += 1
    slot = slot_of(base, event.reference)
    order = order_of(base, slot)
    if event.kind == orders.FILLED:
        if order.state == orders.FREE or event.quantity <= 0:
            execution.impossible += 1
            return 0
        return _filled(base, slot, order, event, entered)
    if order.state == orders.FREE or order.state == orders.DONE:
        # What ended it was on its way while we asked for more: no contradiction.
        crossed = event.kind == orders.CANCEL_REJECTED or event.kind == orders.REPLACE_REJECTED
        execution.impossible += 0 if crossed else 1
        return 0
    position = position_of(base, order.instrument)
    before = asked_for(order)
    done = _answered(execution, order, event)
    reserve(position, order.side, asked_for(order) - before)
    if order.filled >= asked_for(order):  # a replace for more came too late
        order.state = orders.DONE
    if order.state == orders.DONE:
        _end(base, slot, order, event.received)
    return done


@jit.inlined
def _answered(execution: Any, order: Any, event: Any) -> int:
    """Everything but fills."""
    kind = event.kind
    if kind == orders.ACCEPTED:
        if order.state != SENT:
            execution.impossible += 1
            return 0
        order.state = LIVE
        order.accepted, order.venue_accepted = event.received, event.time
        order.venue_number = event.other
        execution.order_latency = event.received - order.sent
    elif kind == orders.REJECTED or kind == orders.CANCELED:
        order.state = orders.DONE
        order.reason = event.other
    elif kind == orders.REPLACED:
        order.price = event.price
        # The venue says what is open now; we count what was asked for in all.
        order.quantity = order.filled + event.quantity
        order.replaces += 1
        order.pending &= ~REPLACE_PENDING
    elif kind == orders.CANCEL_REJECTED:
        order.pending &= ~CANCEL_PENDING
    elif kind == orders.REPLACE_REJECTED:
        order.pending &= ~REPLACE_PENDING
    else:
        execution.impossible += 1
        return 0
    return CHANGED


@jit.compiled()
def _filled(base: int, slot: int, order: Any, event: Any, entered: int) -> int:
    execution = execution_at(base)
    position = position_of(base, order.instrument)
    taker = 1 if event.flags & TAKER else 0
    fees_address = base + execution.fees_at + order.instrument * FEES_BYTES
    fee = fee_of(fees_address, taker, event.price, event.quantity)
    value = event.price * event.quantity
    order.filled += event.quantity
    order.value += value
    order.fees += fee
    position.fees += fee
    position.fills += 1
    if order.side == BUY:
        position.quantity += event.quantity
        position.bought += event.quantity
        position.cash -= value
    else:
        position.quantity -= event.quantity
        position.sold += event.quantity
        position.cash += value
    execution.filled += 1
    fill = fill_of(base, execution.fills)
    execution.fills += 1
    fill.number, fill.order = event.sequence, order.id
    fill.time, fill.received = event.time, event.received
    fill.price, fill.quantity, fill.fee = event.price, event.quantity, fee
    fill.position, fill.cash = position.quantity, position.cash
    fill.sent_mid, fill.entered, fill.match = order.twice_mid, entered, event.other
    fill.instrument, fill.side, fill.taker = order.instrument, order.side, taker
    fill.strategy = order.strategy
    if order.state == orders.DONE:  # it overtook nobody: the venue contradicts itself
        execution.impossible += 1
        return FILLED
    reserve(position, order.side, -event.quantity)
    if order.filled >= asked_for(order):
        order.state = orders.DONE
        _end(base, slot, order, event.received)
        return CHANGED | FILLED
    return CHANGED | FILLED


@jit.compiled()
def _end(base: int, slot: int, order: Any, time: int) -> None:
    """Take the order out of its instrument's list and write it down."""
    execution = execution_at(base)
    position = position_of(base, order.instrument)
    reserve(position, order.side, order.filled - asked_for(order))
    order.done = time
    order.pending = 0
    position.open_orders -= 1
    execution.open_orders -= 1
    if order.before != 0:
        order_of(base, order.before).next = order.next
    else:
        position.first_open = order.next
    if order.next != 0:
        order_of(base, order.next).before = order.before
    jit.copy_words(ended_address(base, execution.ended), order_address(base, slot), ORDER_BYTES)
    execution.ended += 1
