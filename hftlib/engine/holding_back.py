"""Orders held back: what may not leave yet waits, where the rules say so, and is asked about again.

    refused for a pause, a band or the soft pace ─ rule "hold" ─▶ HELD, it counts as open
    every millisecond ─▶ the oldest first: asked as if it were new
         allowed ─▶ it leaves    still for such a reason ─▶ it waits    else ─▶ refused, and told

An order that waits has a number like any other: its strategy may cancel or change it.

Worst case: a walk along the open orders of each instrument that holds some back.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.engine.counted import count
from hftlib.engine.guarding import left, log_refused, may_send, worth_of
from hftlib.engine.memory import (
    execution_base,
    risk_base,
    session_at,
)
from hftlib.engine.own_orders import VENUE, would_meet
from hftlib.execution.counting import reserve
from hftlib.execution.memory import order_of, position_of
from hftlib.execution.sending import refuse_held, release
from hftlib.risk.memory import risk_at

LOOK_NS = 1_000_000


@jit.inlined
def may_wait(base: int, reason: int) -> bool:
    """Whether the rules hold back what is refused for this reason."""
    risk = risk_at(risk_base(base))
    if reason == orders.NOT_TRADING:
        return risk.when_closed != 0
    if reason == orders.OUTSIDE_BANDS:
        return risk.outside_bands != 0
    return reason == orders.PACED and risk.too_fast != 0


@jit.inlined
def waits(base: int, instrument: int) -> None:
    """An order was made to wait: it counts, and somebody looks at it again."""
    session = session_at(base)
    session.held += 1
    count(base, instrument)
    risk = risk_at(risk_base(base))
    risk.next_guard = min(risk.next_guard, session.time + LOOK_NS)


@jit.compiled()
def look_at_held(base: int, now: int) -> None:
    """Ask about everything that waits; say when to look again."""
    session = session_at(base)
    session.held = 0
    for instrument in range(session.instruments):
        _look_at(base, instrument)
    if session.held > 0:
        risk = risk_at(risk_base(base))
        risk.next_guard = min(risk.next_guard, now + LOOK_NS)


@jit.compiled()
def _look_at(base: int, instrument: int) -> None:
    execution = execution_base(base)
    slot = position_of(execution, instrument).first_open
    oldest = 0
    while slot != 0:
        oldest = slot
        slot = order_of(execution, slot).next
    while oldest != 0:
        order = order_of(execution, oldest)
        oldest = order.before
        if order.state == orders.HELD:
            _ask_again(base, instrument, order)


@jit.compiled()
def _ask_again(base: int, instrument: int, order: Any) -> None:
    execution, session = execution_base(base), session_at(base)
    position = position_of(execution, instrument)
    limited = 1 if order.kind == orders.LIMIT or order.kind == orders.STOP_LIMIT else 0
    # As if it were not there yet.
    reserve(position, order.side, -order.quantity)
    position.open_orders -= 1
    count(base, instrument)
    reason = may_send(
        base,
        orders.NEW,
        instrument,
        order.side,
        order.price,
        limited,
        worth_of(base, instrument, order.side, order.price, limited != 0),
        order.quantity,
        order.quantity,
        0,
    )
    reserve(position, order.side, order.quantity)
    position.open_orders += 1
    # It is the newest where it would meet one of our own, however long it waited.
    if reason == 0 and risk_at(risk_base(base)).self_match != VENUE:
        met = would_meet(base, instrument, order.side, order.price, limited, order.id)
        reason = orders.OWN_ORDER if met != 0 else 0
    if reason == 0 and release(execution, session.time, order.id) == 0:
        left(base, instrument)
        return
    count(base, instrument)
    if reason == 0 or may_wait(base, reason):
        session.held += 1
        return
    refuse_held(execution, session.time, order.id, reason)
    log_refused(base, reason, order.id, instrument, order.side, order.price, order.quantity)
    count(base, instrument)


@jit.compiled()
def end_held(base: int, instrument: int, side: int, reason: int) -> None:
    """Refuse what waits on a side, or on both (NO_SIDE): a state does not let it leave any more."""
    execution = execution_base(base)
    slot = position_of(execution, instrument).first_open
    while slot != 0:
        order = order_of(execution, slot)
        slot = order.next
        if order.state == orders.HELD and (side == 0 or order.side == side):
            refuse_held(execution, session_at(base).time, order.id, reason)
            log_refused(base, reason, order.id, instrument, order.side, order.price, order.quantity)
            count(base, instrument)
