"""Orders of our own that would meet: what becomes of them, before anything reaches the wire.

    cancel_newest   the new order is refused
    cancel_oldest   the standing ones it would meet are cancelled, and it leaves behind the cancels
    cancel_both     they are cancelled, and it is refused
    decrement       both are made smaller by what they would trade; what is left of the new one goes

A standing order counts at the most favourable price it may have: that of a replace under way, too.
Orders that are held back have not left, so nothing can meet them; one that would meet another when
its turn comes is refused, in every mode.

All strategies of a session are one owner here: what one sends makes way for itself among the
orders of the others, too, and their cancels leave in its line, before it.

Worst case: a walk along the open orders that all strategies have in the instrument.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import events, jit, orders
from hftlib.core.orders import COMMAND_BYTES
from hftlib.engine.memory import execution_base, session_at
from hftlib.engine.seats import after, first_of
from hftlib.execution.memory import command_address, execution_at, order_of, position_of
from hftlib.execution.sending import replaceable, send_cancel, send_replace

VENUE, CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH, DECREMENT = range(5)


@jit.inlined
def _meets(order: Any, side: int, price: int, limited: int) -> bool:
    """Whether an order of ours that stands would trade with this one."""
    if order.side == side or order.state == orders.HELD:
        return False
    if order.kind != orders.LIMIT:  # what has no limit, or sleeps, is the venue's affair
        return False
    if limited == 0:
        return True
    stands = order.price
    replaced = order.pending & orders.REPLACE_PENDING != 0
    if side == events.BUY:
        if replaced:
            stands = min(stands, order.wanted_price)
        return price >= stands
    if replaced:
        stands = max(stands, order.wanted_price)
    return price <= stands


@jit.compiled()
def would_meet(base: int, instrument: int, side: int, price: int, limited: int, but: int) -> int:
    """How many lots of our own this would meet; `but` is the order that it replaces."""
    seat, lots = first_of(base), 0
    while seat != 0:
        execution = execution_base(seat)
        slot = position_of(execution, instrument).first_open
        while slot != 0:
            order = order_of(execution, slot)
            slot = order.next
            if order.id != but and _meets(order, side, price, limited):
                lots += order.quantity - order.filled
        seat = after(seat)
    return lots


@jit.compiled()
def make_way(base: int, instrument: int, side: int, price: int, limited: int, lots: int) -> bool:
    """Take away what it would meet; with `lots` above 0 only so much of it (decrement).

    False: another strategy may have found no room for a cancel, so that its order stays.
    """
    some = lots > 0
    seat = first_of(base)
    while seat != 0 and (lots > 0 or not some):
        execution = execution_base(seat)
        before = execution_at(execution).commands
        lots -= _make_way(seat, instrument, side, price, limited, lots, some)
        if seat != base:
            full = execution_at(execution).commands >= execution_at(execution).commands_max
            _hand_over(execution, execution_base(base), before)
            if full:
                return False
        seat = after(seat)
    return True


@jit.compiled()
def _make_way(
    base: int, instrument: int, side: int, price: int, limited: int, lots: int, some: bool
) -> int:
    """The same among one strategy's orders: how many lots go."""
    execution, time = execution_base(base), session_at(base).time
    slot = position_of(execution, instrument).first_open
    taken = 0
    while slot != 0:
        order = order_of(execution, slot)
        slot = order.next
        if not _meets(order, side, price, limited) or (some and lots <= taken):
            continue
        left, more = order.quantity - order.filled, lots - taken
        if some and left > more and replaceable(order.state) == 0:
            send_replace(execution, time, order.id, order.price, order.quantity - more)
            taken = lots
        else:
            send_cancel(execution, time, order.id)
            taken += left
    return taken


@jit.compiled()
def _hand_over(theirs: int, ours: int, before: int) -> None:
    """What another strategy was made to send leaves before the order that it makes way for."""
    giver, taker = execution_at(theirs), execution_at(ours)
    for n in range(before, giver.commands):
        if taker.commands >= taker.commands_max:
            # The new order finds no room either, so nothing may come before what stays here.
            kept = before + giver.commands - n
            for k in range(n, giver.commands):
                _copy(theirs, k, theirs, before + k - n)
            giver.commands = kept
            return
        _copy(theirs, n, ours, taker.commands)
        taker.commands += 1
    giver.commands = before


@jit.inlined
def _copy(theirs: int, n: int, ours: int, place: int) -> None:
    jit.copy_words(command_address(ours, place), command_address(theirs, n), COMMAND_BYTES)
