"""Children of parent orders: sent through the gate, moved at a bounded pace, taken back.

    send_child  the gate (`may_send`) ─▶ `intents.place`, with all its checks ─▶ a leg of the parent
    move_child  another price at the same quantity, not sooner than `gap` after the last move
    recall      every child is taken back; how many are still out
    failed      something was refused: the next try waits, longer each time, up to a second

REFUSALS_MAX refusals in a row pause the parent, with the last one's reason: a wish that is refused
a hundred times a second is a mistake for a person to look at. One acceptance forgets them.

A child that no venue has answered for ANSWER_NS is asked to end; until it is known to have ended it
counts. Worst case: LEGS_MAX children open; what is due beyond waits for one of them.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.orders import DAY, LIMIT
from hftlib.core.parents import FOREVER, LEGS_MAX, PARENT_BITS, PAUSED, RUNNING
from hftlib.engine.intents import change, place
from hftlib.engine.memory import execution_base, refuse, session_at
from hftlib.engine.taking_back import take_back
from hftlib.execution.memory import order_of, slot_of
from hftlib.execution.parents import (
    child_left,
    child_of,
    is_over,
    is_unanswered,
    leg_of,
    may_send,
    parent_of,
)

MS = 1_000_000
BACKOFF_NS, BACKOFF_MAX_NS = MS, 1000 * MS
REFUSALS_MAX = 16
ANSWER_NS = 1000 * MS


@jit.compiled()
def send_child(
    base: int,
    slot: int,
    leg_number: int,
    instrument: int,
    price: float,
    quantity: int,
    lasts: int,
    flags: int,
    display: int,
) -> int:
    """One more child: its number, or minus the reason."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    time = session_at(base).time
    reason = may_send(execution, slot, quantity)
    if reason != 0:
        parent.next = min(parent.next, time)
        return refuse(base, reason)
    if leg_number < 0:
        return refuse(base, orders.NO_ROOM)
    number = place(
        base, instrument, parent.side, price, quantity, LIMIT, lasts, flags, display, 0.0
    )
    leg = leg_of(execution, slot, leg_number)
    leg.order, leg.quantity, leg.due = 0, 0, FOREVER
    if number <= 0:
        failed(parent, time, -number)
        return number
    leg.order, leg.instrument, leg.price = number, instrument, int(price)
    leg.takes, leg.asked = (0 if lasts == DAY else 1), quantity
    order_of(execution, slot_of(execution, number)).parent = parent.id & PARENT_BITS
    parent.children += 1
    return number


@jit.inlined
def failed(parent: Any, time: int, reason: int) -> None:
    """Something of this parent was refused, here or at a venue."""
    wait = min(BACKOFF_NS << min(parent.refusals, 10), BACKOFF_MAX_NS)
    parent.refusals += 1
    parent.reason = reason
    parent.retry = time + wait
    parent.next = min(parent.next, parent.retry)
    if parent.refusals >= REFUSALS_MAX and parent.state == RUNNING:
        parent.state = PAUSED


@jit.compiled()
def free_leg(base: int, slot: int) -> int:
    """A leg with no child out and none planned; -1 none."""
    execution = execution_base(base)
    for number in range(LEGS_MAX):
        planned = leg_of(execution, slot, number).quantity
        order = child_of(execution, slot, number)
        if planned == 0 and is_over(order) and child_left(order) == 0:
            return number
    return -1


@jit.compiled()
def planned(base: int, slot: int) -> int:
    """Lots that are to be sent, but were not yet."""
    lots = 0
    for number in range(LEGS_MAX):
        lots += leg_of(execution_base(base), slot, number).quantity
    return lots


@jit.compiled()
def move_child(base: int, slot: int, number: int, price: int) -> bool:
    """Bring a child to a price, if it may be moved now: whether a replace left."""
    execution = execution_base(base)
    parent, order = parent_of(execution, slot), child_of(execution, slot, number)
    time = session_at(base).time
    if is_over(order) or order.pending != 0 or order.price == price or order.accepted == 0:
        return False
    ready = max(parent.retry, parent.moved + parent.gap)
    if time < ready:
        parent.next = min(parent.next, ready)
        return False
    # Reports that overtake each other can make it seem to ask for more than it ever did.
    lots = min(order.quantity, leg_of(execution, slot, number).asked)
    if lots <= order.filled:
        return False
    done = change(base, order.id, float(price), lots)
    if done != 0:
        failed(parent, time, -done)
        return False
    return True


@jit.compiled()
def recall(base: int, slot: int, standing_only: bool) -> int:
    """Take back every child, or those that stand: how many are still out."""
    execution = execution_base(base)
    parent, time = parent_of(execution, slot), session_at(base).time
    out = 0
    for number in range(LEGS_MAX):
        leg = leg_of(execution, slot, number)
        if standing_only and leg.takes != 0:
            continue
        leg.quantity = 0
        if not is_over(child_of(execution, slot, number)):
            out += 1
            _take_back(base, parent, leg.order, time)
    return out


@jit.compiled()
def recall_unanswered(base: int, slot: int, patience: int) -> int:
    """Take back children that no venue has answered for so long: how many there are."""
    execution = execution_base(base)
    parent, time = parent_of(execution, slot), session_at(base).time
    silent = 0
    for number in range(LEGS_MAX):
        order = child_of(execution, slot, number)
        if is_unanswered(order):
            if time - order.sent < patience:
                parent.next = min(parent.next, order.sent + patience)
                continue
            silent += 1
            _take_back(base, parent, order.id, time)
    return silent


@jit.inlined
def _take_back(base: int, parent: Any, number: int, time: int) -> None:
    """Ask for an end, once: what is asked for already is refused here, and counted nowhere."""
    if time < parent.retry:
        parent.next = min(parent.next, parent.retry)
    else:
        take_back(base, number)
