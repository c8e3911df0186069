"""What the venue answers, and what it makes of an order: one switch, one way from state to state.

    HELD ─ release ─▶ PENDING_NEW ─ ACCEPTED ─▶ LIVE ─ FILLED in part ─▶ PARTLY_FILLED
                           │                     ▲ │                        ▲ │
                           │            answered │ ▼ asked                  │ ▼
                           │               PENDING_REPLACE ─ asked ─▶ PENDING_CANCEL
                           ▼                       ▼  nobody knows  ▼
                      WAS_REJECTED              UNKNOWN ─ told, or reconciled ─▶ as it stands
    filled whole ─▶ FILLED_WHOLE;   CANCELED, EXPIRED ─▶ ENDING until each fill from before is told,
                                                         then WAS_CANCELED, WAS_EXPIRED

`hftlib/execution/table.py` is the whole table, each report in each state; a test holds this switch
to it, cell by cell. What is told twice, too late or against reason is counted by its kind and
changes nothing, but for fills (`filling.py`): what has traded has traded. Where a venue says that
it does not have an order that we count as open, what became of it is UNKNOWN: it counts with all
that it may come to until a report or a reconciliation says otherwise.

Worst case: the driver takes fills and ended orders away before their logs are full.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import ALL, EVENT
from hftlib.core.orders import (
    CANCEL_PENDING,
    ENDING,
    HELD,
    NEW_PENDING,
    OVER,
    REPLACE_PENDING,
    UNKNOWN,
    UNKNOWN_ORDER,
    WAS_REJECTED,
)
from hftlib.execution.answering import (
    IMPOSSIBLE,
    LATE,
    REPEATED,
    TAKEN,
    after_the_end,
    before_the_start,
    ended,
    lost,
    reconciled,
    replaced,
    restated,
    told,
)
from hftlib.execution.counting import counted_lots, follow, standing
from hftlib.execution.filling import CHANGED, FILLED, broken, filled
from hftlib.execution.memory import execution_at, order_of, position_of, slot_of

__all__ = ["CHANGED", "FILLED", "disconnect", "report", "resolve"]

_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64, int64, int64)")
def report(base: int, event_address: int, entered: int) -> int:
    """Take in one report: CHANGED and FILLED bits, 0 for one that changed nothing."""
    execution = execution_at(base)
    event = _event_at(event_address)
    execution.reports += 1
    kind = event.kind
    if kind == orders.FILLED:
        return filled(base, event, entered)
    if kind == orders.BROKEN:
        return broken(base, event)
    if kind == orders.DISCONNECTED:
        disconnect(base, event.instrument, event.received)
        return 0
    slot = slot_of(base, event.reference)
    if slot == 0:
        ours = 0 < event.reference <= execution.last_order
        known = orders.ACCEPTED <= kind <= orders.RECONCILED
        return _count(execution, LATE if ours and known else IMPOSSIBLE)
    order = order_of(base, slot)
    state, counted = order.state, counted_lots(order)
    if state >= OVER:
        return _count(execution, after_the_end(order, kind))
    outcome = _answered(execution, order, event)
    follow(base, slot, order, state, counted, event.received)
    changed = order.state != state
    return _count(execution, outcome) | (CHANGED if changed else 0)


@jit.compiled()
def disconnect(base: int, instrument: int, time: int) -> int:
    """The venue of an instrument, or of ALL, is cut off: how many orders became UNKNOWN.

    What a cancel came to is as unknown as the rest, so it may be asked again. What is HELD never
    left, and what is ENDING waits for nothing but fills.
    """
    cut = 0
    for one in range(execution_at(base).instruments):
        if instrument == ALL or one == instrument:
            slot = position_of(base, one).first_open
            while slot != 0:
                order = order_of(base, slot)
                state, counted = order.state, counted_lots(order)
                if state != HELD and lost(order) == TAKEN:
                    follow(base, slot, order, state, counted, time)
                    cut += 1
                slot = order.next
    return cut


@jit.compiled()
def resolve(base: int, time: int, number: int, quantity: int, in_all: int, price: int) -> int:
    """A reconciliation found so much of an order open, and so much filled: CHANGED, or 0."""
    execution = execution_at(base)
    slot = slot_of(base, number)
    order = order_of(base, slot)
    state, counted = order.state, counted_lots(order)
    if slot == 0 or state >= OVER:
        return _count(execution, LATE)
    outcome = reconciled(order, quantity, in_all, price)
    follow(base, slot, order, state, counted, time)
    changed = order.state != state
    return _count(execution, outcome) | (CHANGED if changed else 0)


@jit.inlined
def _count(execution: Any, outcome: int) -> int:
    if outcome == TAKEN:
        return CHANGED
    if outcome == REPEATED:
        execution.repeated += 1
    elif outcome == LATE:
        execution.late += 1
    else:
        execution.impossible += 1
    return 0


@jit.inlined
def _answered(execution: Any, order: Any, event: Any) -> int:
    """Everything but trades, of an order that is open."""
    kind, state = event.kind, order.state
    if state == HELD:
        return before_the_start(order, kind)
    if kind == orders.ACCEPTED:
        if order.accepted != 0:
            return REPEATED
        order.accepted, order.venue_accepted = event.received, event.time
        order.venue_number = event.other
        execution.order_latency = event.received - order.sent
        order.pending &= ~NEW_PENDING
    elif kind == orders.REJECTED:
        if state == ENDING:
            return IMPOSSIBLE
        if order.pending & NEW_PENDING == 0:
            order.state = UNKNOWN
            return IMPOSSIBLE
        order.state, order.reason = WAS_REJECTED, event.other
        return TAKEN
    elif kind == orders.CANCELED or kind == orders.EXPIRED:
        return ended(order, event)
    elif kind == orders.REPLACED:
        outcome = replaced(order, event)
        if outcome != TAKEN:
            return outcome
    elif kind == orders.CANCEL_REJECTED:
        if told(event.sequence, order.kept):
            return REPEATED
        if order.pending & CANCEL_PENDING == 0:
            return LATE if order.state == UNKNOWN or state == ENDING else IMPOSSIBLE
        order.kept = max(order.kept, event.sequence)
        order.pending &= ~CANCEL_PENDING
    elif kind == orders.REPLACE_REJECTED:
        if told(event.sequence, order.answered):
            return REPEATED
        if order.pending & REPLACE_PENDING == 0:
            return LATE if order.state == UNKNOWN or state == ENDING else IMPOSSIBLE
        order.answered = max(order.answered, event.sequence)
        order.pending &= ~REPLACE_PENDING
    elif kind == orders.RESTATED:
        return restated(order, event)
    elif kind == orders.LOST:
        return lost(order)
    elif kind == orders.RECONCILED:
        return reconciled(order, event.quantity, event.other, event.price)
    else:
        return IMPOSSIBLE
    if state != ENDING:
        refused = kind == orders.CANCEL_REJECTED or kind == orders.REPLACE_REJECTED
        gone = refused and event.other == UNKNOWN_ORDER
        order.state = UNKNOWN if gone else standing(order)
    return TAKEN
