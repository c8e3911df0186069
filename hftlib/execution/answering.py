"""What each report says of an order that is there, but for trades: the parts of the switch.

Each takes the order and what was told, changes the order's own fields and says how the report is
to be counted: TAKEN, REPEATED (told before), LATE (something else overtook it) or IMPOSSIBLE. None
of them touches a position: `counting.follow` comes after them, in `life.py`.

Reports of one venue are numbered where its session numbers them. An answer told twice, or a
restatement older than what is known, is known by that; where nothing is numbered a second answer
would be taken for that to the next cancel or replace.

Worst case: two restatements without numbers, heard in the wrong order, leave the older one.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.orders import (
    CANCEL_PENDING,
    ENDING,
    MOMENT_OVER,
    NEW_PENDING,
    REPLACE_PENDING,
    TIME_OVER,
    UNKNOWN,
    WAS_CANCELED,
    WAS_EXPIRED,
    WAS_REFUSED,
    WAS_REJECTED,
)
from hftlib.execution.counting import asked_for, standing

# How a report is counted, beside the order it changes.
TAKEN, REPEATED, LATE, IMPOSSIBLE = range(4)


@jit.inlined
def told(number: int, last: int) -> bool:
    """Whether a report of this number came before the last one of its sort."""
    return 0 < number <= last


@jit.inlined
def ended(order: Any, event: Any) -> int:
    """CANCELED or EXPIRED. What it took off says whether fills from before are still to be told."""
    if order.state == ENDING:
        return REPEATED
    order.state, order.reason = ENDING, event.other
    if event.kind == orders.EXPIRED and event.other != MOMENT_OVER:
        order.reason = TIME_OVER
    taken_off = event.quantity
    order.taken_off = taken_off if taken_off > 0 else asked_for(order) - order.filled
    return TAKEN


@jit.inlined
def replaced(order: Any, event: Any) -> int:
    again = told(event.sequence, order.answered)
    if again or order.pending & REPLACE_PENDING == 0:
        return REPEATED if again or order.replaces > 0 else IMPOSSIBLE
    order.answered = max(order.answered, event.sequence)
    order.pending &= ~(REPLACE_PENDING | NEW_PENDING)
    order.replaces += 1
    order.venue_number = event.other  # in the venue's book it stands under another one now
    if not told(event.sequence, order.stated):
        order.stated = max(order.stated, event.sequence)
        order.price = event.price
        # All that was asked for, whichever fills were heard yet; more only if the venue says so.
        order.quantity = max(order.wanted_quantity, event.quantity)
    return TAKEN


@jit.inlined
def restated(order: Any, event: Any) -> int:
    """The venue changed it by itself; the quantity is all it asks for now, as in replaces."""
    if order.state == ENDING:
        return LATE
    if told(event.sequence, order.stated):
        return REPEATED if event.sequence == order.stated else LATE
    if event.quantity < 0:
        return IMPOSSIBLE
    order.stated = max(order.stated, event.sequence)
    order.price = event.price
    order.pending &= ~NEW_PENDING
    asked = event.quantity
    if order.pending & REPLACE_PENDING and order.wanted_quantity > asked:
        asked = order.wanted_quantity
    if asked <= order.filled:
        order.state, order.reason = ENDING, event.other
        order.taken_off = asked_for(order) - order.filled
        return TAKEN
    order.quantity = event.quantity
    order.state = standing(order)
    return TAKEN


@jit.inlined
def lost(order: Any) -> int:
    """Nobody knows what became of it, nor of what was asked: it counts with all it may come to."""
    if order.state == ENDING:
        return LATE
    order.pending &= ~CANCEL_PENDING
    if order.state == UNKNOWN:
        return REPEATED
    order.state = UNKNOWN
    return TAKEN


@jit.inlined
def reconciled(order: Any, quantity: int, in_all: int, price: int) -> int:
    """So much is open, so much is filled in all; only what is not known can be found out."""
    if order.state != UNKNOWN and order.state != ENDING:
        return LATE
    if quantity < 0 or in_all < order.filled:
        return IMPOSSIBLE
    if quantity > 0:
        if order.state == ENDING:
            return LATE  # the end was told after this was seen
        order.pending &= CANCEL_PENDING
        order.price, order.quantity = price, in_all + quantity
        order.state = standing(order)
        return TAKEN
    order.pending = 0
    order.reason = order.reason if order.state == ENDING else orders.FOUND_OVER
    order.taken_off = order.quantity - in_all
    order.state = ENDING
    return TAKEN


@jit.inlined
def before_the_start(order: Any, kind: int) -> int:
    """Of an order that never left, as far as we know: then the venue should not know it."""
    if kind == orders.LOST or kind == orders.RECONCILED:
        return LATE
    if orders.ACCEPTED <= kind <= orders.RESTATED:
        order.state = UNKNOWN
    return IMPOSSIBLE


@jit.inlined
def after_the_end(order: Any, kind: int) -> int:
    """Of an order that is over: told before, overtaken by the end, or against it."""
    state = order.state
    if kind == orders.LOST or kind == orders.RECONCILED:
        return LATE
    if state == WAS_REFUSED or not orders.ACCEPTED <= kind <= orders.RESTATED:
        return IMPOSSIBLE
    if kind == orders.CANCEL_REJECTED or kind == orders.REPLACE_REJECTED:
        return LATE  # what ended it was on its way while we asked for more
    if kind == orders.REJECTED:
        return REPEATED if state == WAS_REJECTED else IMPOSSIBLE
    if state == WAS_REJECTED:
        return IMPOSSIBLE
    if kind == orders.CANCELED or kind == orders.EXPIRED:
        stopped = order.state == WAS_CANCELED or state == WAS_EXPIRED
        return REPEATED if stopped else IMPOSSIBLE
    if kind == orders.ACCEPTED:
        return REPEATED if order.accepted != 0 else LATE
    return LATE
