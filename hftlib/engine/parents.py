"""Parent orders inside the tick path: begun, told what happened, driven, brought to their end.

    begin(base, i)      a strategy's wish, as its draft says it ─▶ a parent, or minus the reason
    count(base, ...)    a report about an order of ours, before the strategy hears of it
    drive(base, i)      after the strategy's callbacks of an event in i, and when an alarm is due
    wake_all(base)      a session takes orders again, or the firm is let go on: look at once

The strategy speaks first: whatever it pauses or cancels in a callback sends nothing any more.
Parents are driven in the order in which they began. Each says when it wants to be looked at again,
and the earliest of these is an alarm of the session's, like a timer.

When the strategy is stopped nothing is driven any more, and its driver takes all orders back.

Worst case: PARENTS_MAX parents looked at for an event; those of other instruments cost a compare.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import jit, orders
from hftlib.core.orders import ASKED, MOMENT_OVER
from hftlib.core.parents import (
    ENDING,
    FINISH,
    FOREVER,
    HALTED,
    POST,
    RUNNING,
    SWEEP,
)
from hftlib.engine.alarms import earliest
from hftlib.engine.children import (
    ANSWER_NS,
    failed,
    recall,
    recall_unanswered,
)
from hftlib.engine.drafts import NS, limit_of, wrong
from hftlib.engine.memory import (
    EAGER,
    EAGER_LEARNS,
    EAGER_PARENTS,
    TIMER_MIN_NS,
    context_address,
    context_at,
    execution_base,
    market_of,
    refuse,
    session_at,
)
from hftlib.engine.places import answered
from hftlib.engine.routes import route
from hftlib.engine.seats import after, first_of
from hftlib.engine.steering import is_of
from hftlib.engine.working import work
from hftlib.execution.life import FILLED
from hftlib.execution.memory import order_of, slot_of
from hftlib.execution.parents import (
    count_fill,
    is_over,
    next_slot,
    open_children,
    parent_of,
    parents_of,
    retire,
    slot_of_child,
    unknown_lots,
)

SLICES = 20


@jit.compiled()
def begin(base: int, instrument: int) -> int:
    """A parent as the draft says: its number, or minus the reason."""
    session = session_at(base)
    if context_at(context_address(base)).stopped:
        return refuse(base, orders.STOPPED)
    if not 0 <= instrument < session.instruments:
        return refuse(base, orders.NO_INSTRUMENT)
    execution = execution_base(base)
    header = parents_of(execution)
    draft, market = header.draft, market_of(base, instrument)
    reason = wrong(base, instrument, draft)
    if reason != 0:
        return refuse(base, reason)
    slot = next_slot(execution)
    if slot == 0:
        return refuse(base, orders.NO_ROOM)
    parent = parent_of(execution, slot)
    parent.algo, parent.instrument, parent.side = draft.algo, instrument, draft.side
    parent.quantity, parent.limit = draft.quantity, limit_of(draft, market.tick)
    parent.begin = session.time + int(draft.delay * NS)
    parent.end = parent.begin + int(draft.seconds * NS) if draft.seconds > 0.0 else FOREVER
    parent.slices = draft.slices if draft.slices > 0 else SLICES
    parent.jitter = int(draft.jitter * NS)
    parent.rate, parent.urgency = int(draft.rate * NS), draft.urgency
    parent.display, parent.peg, parent.offset = draft.display, draft.peg, draft.offset
    parent.flags, parent.seed = draft.flags, draft.seed
    parent.clip = draft.clip if draft.clip > 0 else max(1, market.lot)
    parent.gap = max(TIMER_MIN_NS, int(draft.gap * NS))
    parent.patience = int(draft.patience * NS)
    if draft.patience < 0.0:
        parent.patience = NS
        if parent.end != FOREVER:
            parent.patience = (parent.end - parent.begin) // (2 * parent.slices)
    parent.twice_mid = NO_PRICE
    if market.bid != NO_PRICE and market.ask != NO_PRICE:
        parent.twice_mid = market.bid + market.ask
    parent.volume_from, parent.behind = market.volume, FOREVER
    parent.worked = 1 if SWEEP <= parent.algo <= POST else 0
    parent.state, parent.next = RUNNING, parent.begin
    parent.moved = session.time - parent.gap
    header.next = min(header.next, parent.begin)
    session.eager |= EAGER_PARENTS | (EAGER_LEARNS if header.grouped != 0 else 0)
    session.next_timer = earliest(base)
    return parent.id


@jit.compiled()
def count(base: int, event: Any, done: int, fees: int) -> None:
    """A report about an order: what it means to the order's parent, and says of its venue.

    `fees` are those of the order before the report.
    """
    execution = execution_base(base)
    order = order_of(execution, slot_of(execution, event.reference))
    if parents_of(execution).grouped != 0:
        answered(base, order, event.kind, event.other)
    slot = slot_of_child(execution, order)
    if slot == 0:
        return
    parent = parent_of(execution, slot)
    parent.unknown = unknown_lots(execution, slot)
    if done & FILLED:
        fee = order.fees - fees
        count_fill(execution, order, event.quantity, event.price, fee)
        parent.refusals = 0
    elif event.kind == orders.ACCEPTED:
        parent.refusals = 0
        parent.reason = parent.reason if parent.state != RUNNING else 0
    if _refused(event, order):
        failed(parent, session_at(base).time, event.other)
        if parent.worked != 0:  # there are other venues: this one is left out
            parent.retry = session_at(base).time


@jit.inlined
def _refused(event: Any, order: Any) -> bool:
    if event.kind == orders.REJECTED:
        return True
    if event.kind == orders.CANCELED:
        return event.other != ASKED and event.other != MOMENT_OVER
    crossed = is_over(order)  # it ended while we asked: no refusal
    asked = event.kind == orders.CANCEL_REJECTED or event.kind == orders.REPLACE_REJECTED
    return asked and not crossed


@jit.compiled()
def drive(base: int, instrument: int) -> None:
    """Let every parent act that this instrument concerns, or whose time has come."""
    session = session_at(base)
    execution = execution_base(base)
    header = parents_of(execution)
    if context_at(context_address(base)).stopped:
        header.next = FOREVER
        session.next_timer = earliest(base)
        return
    time, n, due = session.time, 0, FOREVER
    while n < header.active:
        slot = header.slots[n]
        parent = parent_of(execution, slot)
        if parent.next <= time or is_of(execution, parent, instrument):
            _act(base, slot, time)
            if _is_finished(base, slot):
                retire(execution, n, time)
                continue
        due = min(due, parent.next)
        n += 1
    if header.active == 0:
        session.eager &= ~EAGER_PARENTS
        if session.eager & EAGER == 0:
            session.eager = 0
    if due != header.next or session.next_timer <= time:
        header.next = due
        session.next_timer = earliest(base)


@jit.compiled()
def wake_all(base: int) -> None:
    """The parents of every strategy look again, by an alarm that is due now."""
    seat = first_of(base)
    while seat != 0:
        _wake(seat)
        seat = after(seat)


@jit.compiled()
def _wake(base: int) -> None:
    session, execution = session_at(base), execution_base(base)
    header = parents_of(execution)
    for n in range(header.active):
        parent = parent_of(execution, header.slots[n])
        parent.next = min(parent.next, session.time)
        header.next = min(header.next, parent.next)
    session.next_timer = earliest(base)


@jit.compiled()
def _act(base: int, slot: int, time: int) -> None:
    """What a parent does now; afterwards it knows when it wants to be looked at again."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    parent.next = FOREVER
    if parent.state == RUNNING:
        if time < parent.begin:
            parent.next = parent.begin
            return
        over = time >= parent.end and parent.flags & FINISH == 0
        # Of what is unknown nothing more can be asked for, so that is all it can do.
        if over or parent.filled + parent.unknown >= parent.quantity:
            parent.state = ENDING
        elif parent.worked != 0:
            route(base, slot)
        else:
            work(base, slot)
        recall_unanswered(base, slot, ANSWER_NS)
    if parent.state == RUNNING:
        if parent.end > time:
            parent.next = min(parent.next, parent.end)
    else:
        recall(base, slot, False)
    if parent.next < FOREVER:  # an alarm lies ahead, or time would stand still
        parent.next = max(parent.next, time + TIMER_MIN_NS)


@jit.inlined
def _is_finished(base: int, slot: int) -> bool:
    """Whether it is at its end, and no child can trade any more."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    ends = parent.state == ENDING or parent.state == HALTED
    return ends and open_children(execution, slot) == 0
