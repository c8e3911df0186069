"""What a strategy may tell its parent orders: stop, pause, resume; and a child of its own making.

A strategy that takes back a child by itself pauses the parent; `cancel_all` ends the parents, too:
otherwise they would send again what it wanted gone. Nothing is sent here but a MANUAL parent's
child; the rest happens when the parents are driven, after the callback.

Worst case: a parent that was halted can be told nothing; it is over for good.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.parents import (
    ENDING,
    HALTED,
    LEGS_MAX,
    MANUAL,
    PAUSE_PARENT,
    PAUSED,
    RESUME_PARENT,
    RUNNING,
    STOP_PARENT,
)
from hftlib.engine.children import free_leg, send_child
from hftlib.engine.memory import execution_base, refuse, session_at
from hftlib.execution.memory import order_of, slot_of
from hftlib.execution.parents import (
    parent_of,
    parents_of,
    place_of,
    slot_of_child,
    slot_of_parent,
)


@jit.compiled()
def child(base: int, number: int, price: float, quantity: int, lasts: int, flags: int) -> int:
    """The strategy's own child of a MANUAL parent: its number, or minus the reason."""
    execution = execution_base(base)
    slot = slot_of_parent(execution, number)
    parent = parent_of(execution, slot)
    if slot == 0 or parent.done != 0:
        return refuse(base, orders.NO_PARENT)
    if parent.algo != MANUAL:
        return refuse(base, orders.NO_KIND)
    leg = free_leg(base, slot)
    return send_child(base, slot, leg, parent.instrument, price, quantity, lasts, flags, 0)


@jit.compiled()
def steer(base: int, number: int, what: int) -> int:
    """Stop, pause or resume a parent: 0, or minus the reason."""
    execution = execution_base(base)
    slot = slot_of_parent(execution, number)
    parent = parent_of(execution, slot)
    if slot == 0 or parent.done != 0:
        return -orders.NO_PARENT
    if what == STOP_PARENT:
        if parent.state != HALTED:
            parent.state, parent.reason = ENDING, orders.ASKED
    elif what == PAUSE_PARENT and parent.state == RUNNING:
        parent.state = PAUSED
    elif what == RESUME_PARENT and parent.state == PAUSED:
        parent.state, parent.refusals, parent.reason, parent.retry = RUNNING, 0, 0, 0
    elif parent.state != RUNNING and parent.state != PAUSED:
        return -orders.NOT_RUNNING
    parent.next = 0
    _wake(base)
    return 0


@jit.compiled()
def _wake(base: int) -> None:
    """Have the parents looked at before time goes on."""
    session = session_at(base)
    header = parents_of(execution_base(base))
    header.next = min(header.next, session.time)
    session.next_timer = min(session.next_timer, header.next)


@jit.compiled()
def forget_child(base: int, number: int) -> None:
    """The strategy takes back an order by itself: if it is a child, its parent rests."""
    execution = execution_base(base)
    slot = slot_of_child(execution, order_of(execution, slot_of(execution, number)))
    if slot != 0 and parent_of(execution, slot).algo != MANUAL:
        steer(base, parent_of(execution, slot).id, PAUSE_PARENT)


@jit.compiled()
def forget_children(base: int, instrument: int) -> None:
    """It takes back all orders of an instrument, or of all (-1): their parents end."""
    execution = execution_base(base)
    header = parents_of(execution)
    for n in range(header.active):
        parent = parent_of(execution, header.slots[n])
        if instrument < 0 or is_of(execution, parent, instrument):
            steer(base, parent.id, STOP_PARENT)


@jit.inlined
def is_of(execution: int, parent: Any, instrument: int) -> bool:
    """Whether it trades in this instrument; a route does in all of its symbol."""
    one = parent.instrument
    for _ in range(LEGS_MAX):
        if one == instrument:
            return True
        if parent.worked == 0:
            return False
        one = place_of(execution, one).peer
    return False
