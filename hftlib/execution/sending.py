"""What we ask of a venue: a new order, a cancel, a replace. Risk has allowed it already.

Each leaves one COMMAND and notes on the order what is not answered yet. An order counts against
its position's open quantity from the moment it is made, held or sent, with the larger of what it
asks for and what a pending replace will ask for.

    new        HELD: counts, and no command leaves; `release` sends it, `refuse_held` ends it
    cancel     at any time but while one is under way: beside a pending replace too, since it can
               only lower the risk and must not wait for an answer; a HELD order ends at once
    replace    one at a time, and none beside a cancel, so that an answer says which one it answers;
               a HELD order is changed at once

Worst case: the table of commands is full (TOO_MANY_AT_ONCE) or that of orders (NO_ROOM).
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.orders import (
    BUSY,
    CANCEL,
    CANCEL_PENDING,
    ENDING,
    HELD,
    NEW,
    NEW_PENDING,
    NO_ORDER,
    NO_ROOM,
    PARTLY_FILLED,
    PENDING_CANCEL,
    PENDING_NEW,
    PENDING_REPLACE,
    REPLACE,
    REPLACE_PENDING,
    TOO_MANY_AT_ONCE,
    UNKNOWN,
    WAS_CANCELED,
    WAS_REFUSED,
)
from hftlib.execution.counting import counted_lots, follow, reserve
from hftlib.execution.memory import (
    command_of,
    execution_at,
    is_open,
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
        if slot != 0 and not is_open(order_of(base, slot).state):
            return number
        number += 1
    return 0


@jit.compiled()
def new_order(
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
    held: int,
) -> int:
    """An order that leaves, or where it is `held` does not yet: its number, or minus the reason."""
    execution = execution_at(base)
    full = execution.commands >= execution.commands_max
    if held != 0:  # it may end at once, and its end must find room in the log
        full = execution.ended + execution.open_orders >= execution.ended_max
    if full:
        return -TOO_MANY_AT_ONCE
    number = _new(base, time, instrument, side, kind, lasts, flags, price, quantity)
    if number <= 0:
        return number
    order = order_of(base, number & execution.order_mask)
    order.display, order.trigger, order.twice_mid = display, trigger, twice_mid
    if held != 0:
        order.state, order.sent = HELD, 0
        return number
    order.state, order.pending = PENDING_NEW, NEW_PENDING
    _command(base, order, NEW, time, price, quantity)
    return number


@jit.compiled()
def release(base: int, time: int, number: int) -> int:
    """Send an order that was held: 0, or minus the reason."""
    execution = execution_at(base)
    order = order_of(base, slot_of(base, number))
    if order.state != HELD:
        return -NO_ORDER
    if execution.commands >= execution.commands_max:
        return -TOO_MANY_AT_ONCE
    order.state, order.pending, order.sent = PENDING_NEW, NEW_PENDING, time
    _command(base, order, NEW, time, order.price, order.quantity)
    return 0


@jit.compiled()
def refuse_held(base: int, time: int, number: int, reason: int) -> int:
    """End an order that was held, for this reason of ours: 0, or minus NO_ORDER."""
    slot = slot_of(base, number)
    if order_of(base, slot).state != HELD:
        return -NO_ORDER
    _end_held(base, slot, WAS_REFUSED, reason, time)
    return 0


@jit.compiled()
def send_cancel(base: int, time: int, number: int) -> int:
    """Ask for an order's end: 0, or minus the reason."""
    execution = execution_at(base)
    slot = slot_of(base, number)
    order = order_of(base, slot)
    if not is_open(order.state) or order.state == ENDING:
        return -NO_ORDER
    if order.state == HELD:
        _end_held(base, slot, WAS_CANCELED, orders.ASKED, time)
        return 0
    if order.pending & CANCEL_PENDING:
        return -BUSY
    if execution.commands >= execution.commands_max:
        return -TOO_MANY_AT_ONCE
    order.pending |= CANCEL_PENDING
    if order.state != UNKNOWN:
        order.state = PENDING_CANCEL
    _command(base, order, CANCEL, time, order.price, order.quantity)
    return 0


@jit.compiled()
def send_replace(base: int, time: int, number: int, price: int, quantity: int) -> int:
    """Ask for another price or quantity, more than is filled: 0, or minus the reason."""
    execution = execution_at(base)
    order = order_of(base, slot_of(base, number))
    reason = replaceable(order.state)
    if reason != 0:
        return -reason
    position = position_of(base, order.instrument)
    counted = counted_lots(order)
    if order.state == HELD:
        order.price, order.quantity = price, quantity
        reserve(position, order.side, counted_lots(order) - counted)
        return 0
    if execution.commands >= execution.commands_max:
        return -TOO_MANY_AT_ONCE
    order.pending |= REPLACE_PENDING
    order.wanted_price, order.wanted_quantity = price, quantity
    reserve(position, order.side, counted_lots(order) - counted)
    order.state = PENDING_REPLACE
    _command(base, order, REPLACE, time, price, quantity)
    return 0


@jit.inlined
def replaceable(state: int) -> int:
    """0, or the reason why an order of this state may not be replaced now."""
    if not is_open(state):
        return NO_ORDER
    if state == HELD or PENDING_NEW <= state <= PARTLY_FILLED:
        return 0
    return BUSY


@jit.inlined
def _end_held(base: int, slot: int, state: int, reason: int, time: int) -> None:
    order = order_of(base, slot)
    counted = counted_lots(order)
    order.state, order.reason = state, reason
    follow(base, slot, order, HELD, counted, time)


@jit.inlined
def _new(
    base: int,
    time: int,
    instrument: int,
    side: int,
    kind: int,
    lasts: int,
    flags: int,
    price: int,
    quantity: int,
) -> int:
    """A slot for an order, which counts from now on: its number, or minus NO_ROOM."""
    execution = execution_at(base)
    number = next_order(base)
    if number == 0:
        return -NO_ROOM
    execution.last_order = number
    slot = number & execution.order_mask
    order = order_of(base, slot)
    _begin(order, number, time, instrument, side, kind, lasts, flags)
    order.strategy = execution.strategy
    order.price, order.quantity = price, quantity
    position = position_of(base, instrument)
    _enlist(base, position, slot)
    reserve(position, side, quantity)
    position.open_orders += 1
    execution.open_orders += 1
    return number


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
    order.taken_off, order.answered, order.stated, order.kept = 0, 0, 0, 0
    order.instrument, order.side, order.kind, order.lasts = instrument, side, kind, lasts
    order.pending, order.role, order.flags = 0, 0, flags
    order.parent = 0


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
