"""What we ask of a venue: a new order, a cancel, a replace. Risk has allowed it already.

Each leaves one COMMAND and notes on the order what is not answered yet. An order counts against
its position's open quantity from the moment it leaves us, with the larger of what it asks for and
what a pending replace will ask for.

Worst case: the table of commands is full (TOO_MANY_AT_ONCE) or that of orders (NO_ROOM).
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY
from hftlib.core.orders import (
    BUSY,
    CANCEL,
    CANCEL_PENDING,
    NEW,
    NO_ORDER,
    NO_ROOM,
    REPLACE,
    REPLACE_PENDING,
    SENT,
    TOO_MANY_AT_ONCE,
)
from hftlib.execution.memory import (
    command_of,
    execution_at,
    order_of,
    position_of,
    slot_of,
)


@jit.compiled()
def next_order(base: int) -> int:
    """The number the next order would get; 0 when every slot is taken."""
    execution = execution_at(base)
    number = execution.last_order + 1
    for _ in range(execution.order_mask + 1):
        slot = number & execution.order_mask
        state = order_of(base, slot).state
        if slot != 0 and (state == orders.FREE or state == orders.DONE):
            return number
        number += 1
    return 0


@jit.compiled()
def send_new(
    base: int,
    time: int,
    instrument: int,
    side: int,
    kind: int,
    lasts: int,
    flags: int,
    price: int,
    quantity: int,
    display: int,
    trigger: int,
    twice_mid: int,
) -> int:
    """Send an order: its number, or minus the reason."""
    execution = execution_at(base)
    if execution.commands >= execution.commands_max:
        return -TOO_MANY_AT_ONCE
    number = next_order(base)
    if number == 0:
        return -NO_ROOM
    execution.last_order = number
    slot = number & execution.order_mask
    order = order_of(base, slot)
    _begin(order, number, time, instrument, side, kind, lasts, flags)
    order.strategy = execution.strategy
    order.price, order.quantity = price, quantity
    order.display, order.trigger = display, trigger
    order.twice_mid = twice_mid
    position = position_of(base, instrument)
    _enlist(base, position, slot)
    reserve(position, side, quantity)
    position.open_orders += 1
    execution.open_orders += 1
    _command(base, order, NEW, time, price, quantity)
    return number


@jit.compiled()
def send_cancel(base: int, time: int, number: int) -> int:
    """Ask for an order's end: 0, or minus the reason."""
    execution = execution_at(base)
    order = order_of(base, slot_of(base, number))
    if order.state == orders.FREE or order.state == orders.DONE:
        return -NO_ORDER
    if order.pending & CANCEL_PENDING:
        return -BUSY
    if execution.commands >= execution.commands_max:
        return -TOO_MANY_AT_ONCE
    order.pending |= CANCEL_PENDING
    _command(base, order, CANCEL, time, order.price, order.quantity)
    return 0


@jit.compiled()
def send_replace(base: int, time: int, number: int, price: int, quantity: int) -> int:
    """Ask for another price or quantity: 0, or minus the reason."""
    execution = execution_at(base)
    order = order_of(base, slot_of(base, number))
    if order.state == orders.FREE or order.state == orders.DONE:
        return -NO_ORDER
    if order.pending != 0:
        return -BUSY
    if execution.commands >= execution.commands_max:
        return -TOO_MANY_AT_ONCE
    order.pending |= REPLACE_PENDING
    order.wanted_price, order.wanted_quantity = price, quantity
    reserve(position_of(base, order.instrument), order.side, max(0, quantity - order.quantity))
    _command(base, order, REPLACE, time, price, quantity)
    return 0


@jit.inlined
def reserve(position: Any, side: int, lots: int) -> None:
    """Count lots that may be filled from now on; less than zero: no longer."""
    if side == BUY:
        position.open_buy += lots
    else:
        position.open_sell += lots


@jit.inlined
def asked_for(order: Any) -> int:
    """All an order may still come to, a pending replace included."""
    if order.pending & REPLACE_PENDING:
        return max(order.quantity, order.wanted_quantity)
    return order.quantity


@jit.inlined
def _begin(
    order: Any,
    number: int,
    time: int,
    instrument: int,
    side: int,
    kind: int,
    lasts: int,
    flags: int,
) -> None:
    """A slot that an earlier order left becomes a new one's."""
    order.id = number
    order.filled, order.value, order.fees = 0, 0, 0
    order.wanted_price, order.wanted_quantity = 0, 0
    order.sent, order.accepted, order.done = time, 0, 0
    order.venue_accepted, order.venue_number = 0, 0
    order.reason, order.replaces = 0, 0
    order.instrument, order.side, order.kind, order.lasts = instrument, side, kind, lasts
    order.state, order.pending, order.role, order.flags = SENT, 0, 0, flags


@jit.inlined
def _enlist(base: int, position: Any, slot: int) -> None:
    """Put the order first among the open ones of its instrument."""
    order = order_of(base, slot)
    order.next, order.before = position.first_open, 0
    if position.first_open != 0:
        order_of(base, position.first_open).before = slot
    position.first_open = slot


@jit.inlined
def _command(base: int, order: Any, what: int, time: int, price: int, quantity: int) -> None:
    execution = execution_at(base)
    command = command_of(base, execution.commands)
    command.time, command.order = time, order.id
    command.price, command.quantity = price, quantity
    command.display, command.trigger = order.display, order.trigger
    command.instrument, command.what, command.side = order.instrument, what, order.side
    command.kind, command.lasts, command.flags = order.kind, order.lasts, order.flags
    command.strategy = order.strategy
    execution.commands += 1
    execution.sent += 1
