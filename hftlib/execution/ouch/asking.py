"""Our commands on their way to the venue: taken in, kept back as long as they must, sent.

    submit(gateway, command, time)   taken in, or refused with a report of this time
    push(gateway, client, now)       what may leave now, leaves: cancels first, and how many wait

A cancel overtakes what waits: a new order that has not left ends where it is, and a replace that
has not left is dropped. A cancel beside a replace that is not answered asks for the end of both
user references, since which of them stands when it arrives, only the venue knows; the other one
is ignored there.

Worst case: `push` sends what waits, at most a queue of each.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import (
    ASKED,
    BUSY,
    CANCEL_REJECTED,
    CANCELED,
    CUT_OFF,
    NO_INSTRUMENT,
    NO_QUANTITY,
    OFF_GRID,
    ORDER_TOO_LARGE,
    REJECTED,
    REPLACE_REJECTED,
    UNKNOWN_ORDER,
    VENUE_FULL,
    VENUE_NO_KIND,
)
from hftlib.core.ouch.messages import PRICE_MAX, QUANTITY_END
from hftlib.execution.ouch import memory as m
from hftlib.execution.ouch import writing
from hftlib.execution.ouch.memory import command_at, gateway_at, route_of, working_of
from hftlib.execution.ouch.pacing import may_send, stamp
from hftlib.execution.ouch.queueing import hurry, wait
from hftlib.execution.ouch.reporting import forget, refuse
from hftlib.execution.ouch.resuming import resend


@jit.compiled("void(int64, int64, int64)")
def submit(base: int, command_address: int, time: int) -> None:
    """Take one command in."""
    command = command_at(command_address)
    gateway_at(base).time = time
    if command.what == orders.CANCEL:
        _take_cancel(base, command_address)
        return
    if command.what == orders.NEW:
        reason = _refused_new(base, command)
        if reason == 0:
            reason = wait(base, command_address)
        if reason != 0:
            refuse(base, command, REJECTED, reason, 0)
            return
        working = working_of(base, command.order)
        working.order, working.instrument, working.side = (
            *(command.order, command.instrument, command.side),
        )
        working.urn = working.asked_urn = working.filled = working.reference = 0
        working.asked, working.price = command.quantity, writing.wire_price(base, command)
        working.reduce, working.state, working.cancel = 0, m.WAITING, m.NO_CANCEL
        working.replaces = working.doubt = working.quiet = 0
        return
    if command.what != orders.REPLACE:
        refuse(base, command, REJECTED, VENUE_NO_KIND, 0)
        return
    reason = _refused_replace(base, command)
    if reason == 0:
        reason = wait(base, command_address)
    if reason != 0:
        refuse(base, command, REPLACE_REJECTED, reason, 0)
        return
    working_of(base, command.order).replaces = 1


@jit.compiled()
def push(base: int, client: int, now: int) -> int:
    """Send what may be sent: commands that still wait."""
    gateway = gateway_at(base)
    while gateway.urgent_begin < gateway.urgent_end:
        place = m.urgent_address(base, gateway.urgent_begin & gateway.queue_mask)
        if not _send_cancel(base, client, command_at(place), now):
            return _waiting(gateway)
        gateway.urgent_begin += 1
    if gateway.state == m.RESENDING:
        resend(base, client, now)
    while gateway.state == m.OPEN and gateway.others_begin < gateway.others_end:
        place = m.others_address(base, gateway.others_begin & gateway.queue_mask)
        if not _send_other(base, client, place, now):
            return _waiting(gateway)
        gateway.others_begin += 1
    return _waiting(gateway)


@jit.inlined
def _waiting(gateway: Any) -> int:
    urgent = gateway.urgent_end - gateway.urgent_begin
    return urgent + gateway.others_end - gateway.others_begin


@jit.compiled()
def _refused_new(base: int, command: Any) -> int:
    """Why no such order can be sent, or 0."""
    gateway = gateway_at(base)
    if gateway.state != m.OPEN or gateway.day_over != 0:
        return CUT_OFF
    if command.instrument >= gateway.instruments or command.order <= 0:
        return NO_INSTRUMENT
    if route_of(base, command.instrument).known == 0:
        return NO_INSTRUMENT
    if command.side != BUY and command.side != SELL:
        return VENUE_NO_KIND
    if command.kind != orders.LIMIT and command.kind != orders.MARKET:
        return VENUE_NO_KIND  # no stops in OUCH
    if not orders.DAY <= command.lasts <= orders.FOK:
        return VENUE_NO_KIND
    if working_of(base, command.order).state != m.FREE:
        return VENUE_FULL
    return _refused_terms(base, command)


@jit.compiled()
def _refused_terms(base: int, command: Any) -> int:
    """Why the venue has no such price or quantity, or 0."""
    if command.quantity <= 0 or command.display < 0:
        return NO_QUANTITY
    if command.quantity >= QUANTITY_END:
        return ORDER_TOO_LARGE
    price = writing.wire_price(base, command)
    if command.kind == orders.LIMIT and not 0 < price <= PRICE_MAX:
        return OFF_GRID
    return 0


@jit.compiled()
def _refused_replace(base: int, command: Any) -> int:
    gateway = gateway_at(base)
    working = working_of(base, command.order)
    if working.order != command.order or working.state == m.FREE:
        return UNKNOWN_ORDER
    if gateway.state != m.OPEN:
        return CUT_OFF
    is_busy = working.asked_urn != 0 or working.replaces != 0 or working.reduce != 0
    if is_busy or working.cancel != m.NO_CANCEL:
        return BUSY
    if command.instrument != working.instrument or command.side != working.side:
        return VENUE_NO_KIND
    return _refused_terms(base, command)


@jit.compiled()
def _take_cancel(base: int, command_address: int) -> None:
    command = command_at(command_address)
    working = working_of(base, command.order)
    if working.order != command.order or working.state == m.FREE:
        refuse(base, command, CANCEL_REJECTED, UNKNOWN_ORDER, 0)
        return
    if working.cancel != m.NO_CANCEL and working.quiet == 0:
        refuse(base, command, CANCEL_REJECTED, BUSY, 0)
        return
    working.quiet = 0
    if working.cancel == m.CANCEL_WAITS:
        return
    if working.replaces != 0:
        working.replaces = 0
        refuse(base, command, REPLACE_REJECTED, BUSY, 0)
    if working.state == m.WAITING:
        forget(working)
        refuse(base, command, CANCELED, ASKED, working.asked)
        return
    if not hurry(base, command_address):
        refuse(base, command, CANCEL_REJECTED, VENUE_FULL, 0)


@jit.compiled()
def _send_cancel(base: int, client: int, command: Any, now: int) -> bool:
    """Send one cancel; True: nothing of it waits any more."""
    gateway = gateway_at(base)
    working = working_of(base, command.order)
    while True:
        gone = working.order != command.order or working.state == m.FREE
        if gone or working.cancel == m.NO_CANCEL or working.cancel == m.CANCEL_OUT:
            return True
        if gateway.state == m.SHUT or not may_send(base, 1, True, now):
            return False
        second = working.cancel == m.CANCEL_HALF
        # A replace that was answered in between has made the new reference the one that stands.
        urn = working.asked_urn if second and working.asked_urn != 0 else working.urn
        if writing.cancel(base, client, urn, 0, now) != 0:
            return False
        stamp(base, now)
        gateway.cancelled += 1
        working.cancel = m.CANCEL_OUT if second or working.asked_urn == 0 else m.CANCEL_HALF


@jit.compiled()
def _send_other(base: int, client: int, place: int, now: int) -> bool:
    """Send one new order or replace; True: nothing of it waits any more."""
    gateway, command = gateway_at(base), command_at(place)
    working = working_of(base, command.order)
    is_ours = working.order == command.order and working.state != m.FREE
    if command.what == orders.NEW:
        if not is_ours or working.state != m.WAITING:
            return True  # cancelled before it left
    elif not is_ours or working.replaces == 0:
        return True  # told already, or over: then nobody waits for an answer
    if not may_send(base, 1, False, now):
        return False
    if command.what == orders.REPLACE and _reduces(gateway, working, command, base):
        if writing.cancel(base, client, working.urn, command.quantity, now) != 0:
            return False
        working.replaces, working.reduce = 0, command.quantity
        gateway.cancelled += 1
        stamp(base, now)
        return True
    urn = writing.next_urn(base)
    if urn == 0:
        return False
    if command.what == orders.NEW:
        if writing.enter(base, client, command, working.price, urn, now) != 0:
            return False
        working.urn, working.state = urn, m.OUT
        writing.note(base, urn, m.ENTER, place, 0, now)
    else:
        if writing.replace(base, client, command, working.urn, urn, now) != 0:
            return False
        working.asked_urn, working.replaces = urn, 0
        writing.note(base, urn, m.REPLACE, place, working.urn, now)
    gateway.last_urn = urn
    stamp(base, now)
    return True


@jit.inlined
def _reduces(gateway: Any, working: Any, command: Any, base: int) -> bool:
    """Whether a replace only asks for less of what stands there, which keeps its place."""
    same = working.state == m.STANDS and working.price == writing.wire_price(base, command)
    return gateway.reduces != 0 and same and command.quantity < working.asked
