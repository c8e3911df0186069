"""What an order still counts for, and what follows wherever that changes.

    open quantity of a position = sum over its open orders of (all it may come to - filled)

All an order may come to is the larger of what it asks for and what a replace that is not answered
asks for, less what the venue took off at its end. `follow` is the only place that moves open
quantities, so the sum above holds after every step, whatever was told and in whatever order.

Worst case: an ended order is written down, 256 bytes; the driver takes the log away in time.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY
from hftlib.core.orders import (
    CANCEL_PENDING,
    ENDING,
    FILLED_WHOLE,
    FREE,
    LIVE,
    MOMENT_OVER,
    NEW_PENDING,
    ORDER_BYTES,
    OVER,
    PARTLY_FILLED,
    PENDING_CANCEL,
    PENDING_NEW,
    PENDING_REPLACE,
    REPLACE_PENDING,
    TIME_OVER,
    UNKNOWN,
    WAS_CANCELED,
    WAS_EXPIRED,
)
from hftlib.execution.memory import (
    ended_address,
    execution_at,
    order_address,
    order_of,
    position_of,
)


@jit.inlined
def asked_for(order: Any) -> int:
    """All an order may still come to, a replace that is not answered included."""
    asked = order.quantity
    if order.pending & REPLACE_PENDING and order.wanted_quantity > asked:
        asked = order.wanted_quantity
    return asked - order.taken_off


@jit.inlined
def counted_lots(order: Any) -> int:
    """What it counts for in its position's open quantity."""
    if order.state == FREE or order.state >= OVER:
        return 0
    return asked_for(order) - order.filled


@jit.inlined
def standing(order: Any) -> int:
    """The state of an order that the venue has, or will have: what was asked last comes first."""
    pending = order.pending
    if pending & CANCEL_PENDING:
        return PENDING_CANCEL
    if pending & REPLACE_PENDING:
        return PENDING_REPLACE
    if order.filled > 0:
        return PARTLY_FILLED
    return PENDING_NEW if pending & NEW_PENDING else LIVE


@jit.inlined
def reserve(position: Any, side: int, lots: int) -> None:
    """Count lots that may be filled from now on; less than zero: no longer."""
    if side == BUY:
        position.open_buy += lots
    else:
        position.open_sell += lots


@jit.inlined
def follow(base: int, slot: int, order: Any, state: int, counted: int, time: int) -> None:
    """After a change of an open order, which was in `state` and counted for `counted`."""
    now = 0
    if order.state < OVER:
        now = asked_for(order) - order.filled
        if now <= 0:  # nothing more can come
            order.state, now = _end_of(order), 0
    if now != counted:
        reserve(position_of(base, order.instrument), order.side, now - counted)
    if order.state != state:
        _moved(base, slot, order, state, time)


@jit.inlined
def _end_of(order: Any) -> int:
    """The end of an order of which nothing more can come."""
    if order.state != ENDING or order.filled >= order.quantity:
        order.reason = 0
        return FILLED_WHOLE
    timed = order.reason == MOMENT_OVER or order.reason == TIME_OVER
    return WAS_EXPIRED if timed else WAS_CANCELED


@jit.inlined
def _moved(base: int, slot: int, order: Any, state: int, time: int) -> None:
    execution = execution_at(base)
    if state == UNKNOWN:
        execution.unknown -= 1
    if order.state == UNKNOWN:
        execution.unknown += 1
    if order.state >= OVER:
        _end(base, slot, order, time)


@jit.compiled()
def _end(base: int, slot: int, order: Any, time: int) -> None:
    """Take the order out of its instrument's list and write it down."""
    execution = execution_at(base)
    position = position_of(base, order.instrument)
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
