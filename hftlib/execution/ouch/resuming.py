"""A session that is lost and comes back: what is known again, what is sent again, what is not.

    lost       what waits and never left is refused; every order is UNKNOWN to us (DISCONNECTED)
    back       cancels without an answer are sent again; the session tells all that was said
               meanwhile, in order; the venue is asked which user reference it takes next, and its
               answer comes behind all of that
    surely     an answer to a query of an earlier connection may be among what is told: as many
               as are open are passed over, and for each of them the venue is asked again
    answered   what is below arrived, and was answered; what is not below never arrived:
               sent again with its own user reference if it is young, refused as cut off if not
    then       every order that stands is reconciled, from what was heard

Nothing is doubled: a venue ignores a user reference that it has seen, and a cancel of what is over.
Without an answer in `query_ns`, what is young is sent again and what is old stays unknown.

Worst case: one look at each entry and each order, when a session comes back.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.orders import CUT_OFF, RECONCILED, REJECTED, REPLACE_REJECTED
from hftlib.core.ouch.messages import PRICE_MARKET
from hftlib.execution.ouch import memory as m
from hftlib.execution.ouch import writing
from hftlib.execution.ouch.memory import (
    command_at,
    entry_address,
    entry_of,
    gateway_at,
    working_of,
)
from hftlib.execution.ouch.pacing import may_send, stamp
from hftlib.execution.ouch.queueing import hurry
from hftlib.execution.ouch.reporting import cut_off, forget, open_of, refuse, tell


@jit.compiled()
def shut(base: int) -> None:
    """The session is lost."""
    gateway = gateway_at(base)
    if gateway.state == m.SHUT:
        return
    gateway.state = m.SHUT
    for n in range(gateway.order_mask + 1):
        working = working_of(base, n)
        if working.state != m.FREE and working.cancel != m.NO_CANCEL:
            working.quiet = 1  # a cut-off makes execution forget that it asked
    while gateway.others_begin < gateway.others_end:
        place = m.others_address(base, gateway.others_begin & gateway.queue_mask)
        gateway.others_begin += 1
        command = command_at(place)
        working = working_of(base, command.order)
        if working.order != command.order or working.state == m.FREE:
            continue
        if command.what == orders.NEW and working.state == m.WAITING:
            forget(working)
            refuse(base, command, REJECTED, CUT_OFF, 0)
        elif command.what == orders.REPLACE and working.replaces != 0:
            working.replaces = 0
            refuse(base, command, REPLACE_REJECTED, CUT_OFF, 0)
    cut_off(base)


@jit.compiled()
def opened(base: int, client: int, skipped: int, is_other: int, now: int) -> None:
    """The session is live; `skipped` messages are lost, or it is another one altogether."""
    gateway = gateway_at(base)
    gateway.state, gateway.asked_at, gateway.arrived = m.ASKING, now, 0
    for n in range(gateway.order_mask + 1):
        working = working_of(base, n)
        if is_other != 0:
            forget(working)  # its numbers mean nothing in this session: a person finds out
            continue
        if skipped != 0:
            working.doubt = 1
        if working.cancel == m.CANCEL_HALF or working.cancel == m.CANCEL_OUT:
            _cancel_again(base, working)
    if is_other != 0:
        gateway.last_urn = gateway.day_over = 0
        gateway.restarts += 1
        for n in range(gateway.entry_mask + 1):
            entry_of(base, n).urn = 0
        gateway.queries = gateway.queries_heard = 0
    gateway.queries_due = gateway.queries - gateway.queries_heard + 1
    _query(base, client, now)


@jit.compiled()
def _query(base: int, client: int, now: int) -> None:
    gateway = gateway_at(base)
    if writing.query(base, client, now) == 0:
        gateway.queries += 1
        stamp(base, now)


@jit.compiled()
def answered(base: int, client: int, now: int) -> None:
    """The venue said which user reference it takes next."""
    gateway = gateway_at(base)
    gateway.queries_heard += 1
    if gateway.state != m.ASKING:
        return
    gateway.queries_due -= 1
    if gateway.queries_due > 0:
        _query(base, client, now)
    else:
        _begin_to_resend(gateway)


@jit.inlined
def _begin_to_resend(gateway: Any) -> None:
    gateway.state = m.RESENDING
    gateway.resend_end = gateway.last_urn + 1
    gateway.resend_urn = max(1, gateway.last_urn - gateway.entry_mask)
    gateway.last_urn = max(gateway.last_urn, gateway.arrived - 1)


@jit.compiled()
def wait_for_answer(base: int, now: int) -> None:
    """What time brings while the venue is asked."""
    gateway = gateway_at(base)
    if gateway.state == m.ASKING and now - gateway.asked_at >= gateway.query_ns:
        gateway.arrived = 0
        _begin_to_resend(gateway)


@jit.compiled()
def resend(base: int, client: int, now: int) -> None:
    """Send again what never arrived, as far as the window lets it; then all is as it was."""
    gateway = gateway_at(base)
    while gateway.resend_urn < gateway.resend_end:
        urn = gateway.resend_urn
        entry = entry_of(base, urn)
        if entry.urn == urn and entry.answered == 0 and entry.what != m.CONTROL:
            place = entry_address(base, urn & gateway.entry_mask) + m.COMMAND_AT
            if not _again(base, client, urn, entry, place, now):
                return
        gateway.resend_urn += 1
    for n in range(gateway.order_mask + 1):
        _settle(base, working_of(base, n))
    gateway.state = m.OPEN


@jit.compiled()
def _again(base: int, client: int, urn: int, entry: Any, place: int, now: int) -> bool:
    """One message that was not answered; False: it must wait."""
    gateway, command = gateway_at(base), command_at(place)
    working = working_of(base, command.order)
    is_there = working.order == command.order and working.state != m.FREE
    awaited = working.urn if entry.what == m.ENTER else working.asked_urn
    if not is_there or awaited != urn:
        return True
    if urn < gateway.arrived:
        gateway.unexplained += 1
        working.doubt = 1
        return True
    wanted = working.cancel == m.NO_CANCEL and gateway.drops_orders == 0
    if wanted and now - entry.sent < gateway.resend_ns:
        if not may_send(base, 1, False, now):
            return False
        if entry.what == m.ENTER:
            price = writing.wire_price(base, command)
            why = writing.enter(base, client, command, price, urn, now)
        else:
            why = writing.replace(base, client, command, entry.original, urn, now)
        if why != 0:
            return False
        stamp(base, now)
        gateway.resent += 1
        return True
    if gateway.arrived == 0:
        working.doubt = 1 if wanted else working.doubt
        return True
    entry.answered = 1
    if entry.what == m.ENTER:
        forget(working)
        refuse(base, command, REJECTED, CUT_OFF, 0)
    else:
        working.asked_urn = 0
        refuse(base, command, REPLACE_REJECTED, CUT_OFF, 0)
    return True


@jit.compiled()
def _settle(base: int, working: Any) -> None:
    """An order as it stands, once all is heard and sent again."""
    if working.state != m.OUT and working.state != m.STANDS:
        return
    gateway = gateway_at(base)
    time = gateway.time
    if working.reduce != 0 and gateway.arrived != 0:
        working.reduce = 0  # had it arrived, it would have been answered
        tell(base, REPLACE_REJECTED, working, CUT_OFF, 0, 0, 0, 0, time, time)
    if gateway.drops_orders != 0 and working.cancel == m.NO_CANCEL:
        working.quiet = 1
        _cancel_again(base, working)
    is_known = working.doubt == 0 and working.asked_urn == 0 and working.reduce == 0
    if is_known and working.state == m.STANDS:
        shown = 0 if working.price == PRICE_MARKET else working.price
        left, filled = open_of(working), working.filled
        tell(base, RECONCILED, working, filled, shown, left, 0, 0, time, time)


@jit.compiled()
def _cancel_again(base: int, working: Any) -> None:
    """A cancel that execution did not ask for, or that may have been lost, waits to be sent."""
    if working.state != m.FREE and entry_of(base, working.urn).urn == working.urn:
        place = entry_address(base, working.urn & gateway_at(base).entry_mask)
        hurry(base, place + m.COMMAND_AT)
