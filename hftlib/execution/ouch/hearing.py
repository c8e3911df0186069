"""What the venue says, as reports: one switch over the types of its messages.

    hear(gateway, message, length, number, received)     number: of the session's message

The stream of a session is in order and without gaps, so what is open at the venue is known here to
the share: all an order asks for, less what was heard as filled and what was taken off. A cancel
that leaves some of an order is a replace that was asked for (`reduces`), or a restatement.

What is said of a user reference that is none of ours is counted with that reference: on an account
of our own it means that somebody else trades on it. A fill is told even of an order that is over
here: what has traded has traded, and the orders' own room counts it as late.

Worst case: three reports of one message; a broken trade is looked for among the last fills.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit, orders
from hftlib.core.orders import (
    CANCEL_REJECTED,
    CANCELED,
    EXPIRED,
    FOUND_OVER,
    REJECTED,
    REPLACE_REJECTED,
    REPLACED,
    RESTATED,
    SELF_MATCH,
    VENUE_DECIDED,
)
from hftlib.core.ouch.codec import decode_outbound
from hftlib.core.ouch.codes import CANCELS, EXPIRING, REJECTS
from hftlib.core.ouch.messages import OUTBOUND, PRICE_MARKET
from hftlib.core.ouch.options import APPENDAGE_LENGTH
from hftlib.execution.ouch import memory as m
from hftlib.execution.ouch.memory import (
    command_at,
    entry_address,
    entry_of,
    gateway_at,
    working_of,
)
from hftlib.execution.ouch.reporting import end_replace, forget, is_over, open_of, tell
from hftlib.execution.ouch.trading import broken, executed

_accepted_at = jit.record_at(OUTBOUND["A"].dtype)
_replaced_at = jit.record_at(OUTBOUND["U"].dtype)
_cancelled_at = jit.record_at(OUTBOUND["C"].dtype)
_rejected_at = jit.record_at(OUTBOUND["J"].dtype)
_priority_at = jit.record_at(OUTBOUND["T"].dtype)
_modified_at = jit.record_at(OUTBOUND["M"].dtype)
_reply_at = jit.record_at(OUTBOUND["P"].dtype)
_event_at = jit.record_at(OUTBOUND["S"].dtype)
_account_at = jit.record_at(OUTBOUND["Q"].dtype)
_A, _U, _C, _D, _E, _B, _J, _P, _I, _T, _M, _R, _S, _Q = (ord(n) for n in "AUCDEBJPITMRSQ")
_DEAD, _END_OF_DAY = ord("D"), ord("E")

_cancel_reasons = np.full(256, VENUE_DECIDED, np.int64)
_cancel_kinds = np.full(256, CANCELED, np.int64)
_reject_reasons = np.full(256, VENUE_DECIDED, np.int64)
for _letter, (_, _reason) in CANCELS.items():
    _cancel_reasons[ord(_letter)] = _reason
    _cancel_kinds[ord(_letter)] = EXPIRED if _letter in EXPIRING else CANCELED
for _code, (_, _reason) in REJECTS.items():
    _reject_reasons[_code] = _reason


@jit.compiled()
def hear(base: int, message: int, length: int, number: int, received: int) -> int:
    """Take one message of the venue in: 1 when it said which user reference it takes next."""
    gateway = gateway_at(base)
    gateway.heard += 1
    found = decode_outbound(message, length, base + m.RECORD_AT, base + m.OPTIONS_AT)
    if found < 0:
        gateway.unreadable += 1
        if found > APPENDAGE_LENGTH:
            return 0  # not even its fixed part is whole
    record = base + m.RECORD_AT
    letter = jit.load_u8(record)
    reply = _reply_at(record)
    time = gateway.day_start + reply.timestamp
    if letter == _S:
        gateway.notices += 1
        gateway.day_over = 1 if _event_at(record).event == _END_OF_DAY else 0
        return 0
    if letter == _Q:
        if gateway.state == m.ASKING:
            gateway.arrived = _account_at(record).next_urn
        return 1
    # A replaced order's own reference stands where others have theirs, and the new one behind it.
    urn = _replaced_at(record).urn if letter == _U else reply.urn
    entry = entry_of(base, urn)
    if urn == 0 or entry.urn != urn:
        gateway.strangers += 1
        gateway.stranger = urn
        return 0
    if entry.what == m.CONTROL:
        entry.answered = 1
        gateway.controls_heard += 1
        return 0
    place = entry_address(base, urn & gateway.entry_mask) + m.COMMAND_AT
    command = command_at(place)
    working = working_of(base, command.order)
    is_there = working.order == command.order and working.state != m.FREE
    if letter == _E:
        executed(base, working, is_there, command, number, time, received)
    elif letter == _B:
        broken(base, working, is_there, command, number, time, received)
    elif not is_there:
        gateway.late += 1
    elif letter in (_A, _U, _J):
        if entry.answered != 0:
            gateway.repeated += 1
            return 0
        entry.answered = 1
        _answered(base, letter, working, entry, command, number, time, received)
    elif letter in (_C, _D):
        _taken_off(base, letter, working, urn, number, time, received)
    elif letter == _I:
        _kept(base, working, urn, number, time, received)
    else:
        _restated(base, letter, working, urn, number, time, received)
    return 0


@jit.compiled()
def _answered(
    base: int,
    letter: int,
    working: Any,
    entry: Any,
    command: Any,
    number: int,
    time: int,
    received: int,
) -> None:
    """A new order or a replace is taken, or is not."""
    record = base + m.RECORD_AT
    if letter == _J:
        reason = _reject_reasons[min(_rejected_at(record).reason, 255)]
        if entry.what == m.ENTER:
            tell(base, REJECTED, working, reason, 0, 0, 0, number, time, received)
            forget(working)
        else:
            working.asked_urn = 0
            tell(base, REPLACE_REJECTED, working, reason, 0, 0, 0, number, time, received)
        return
    if letter == _A:
        said = _accepted_at(record)
        wanted, price = command.quantity, working.price
        working.state, working.reference = m.STANDS, said.reference
        working.asked, working.price = said.quantity, said.price
        dead = said.state == _DEAD
        kind = orders.ACCEPTED
    else:
        given = _replaced_at(record)
        working.urn, working.asked_urn = given.urn, 0
        working.reference = given.reference
        # It asks for all we said, filled part included, unless the venue made less of it.
        wanted, price = command.quantity, given.price
        less = wanted - working.filled
        working.asked = wanted
        if given.quantity != wanted and given.quantity < less:
            working.asked = working.filled + given.quantity
        working.price = given.price
        dead = given.state == _DEAD
        kind = REPLACED
    shown = 0 if working.price == PRICE_MARKET else working.price
    left = open_of(working)
    tell(base, kind, working, working.reference, shown, left, 0, number, time, received)
    if working.asked != wanted or working.price != price:
        # Without a number: it says more than the message that it comes from.
        whole = working.asked
        tell(base, RESTATED, working, VENUE_DECIDED, shown, whole, 0, 0, time, received)
    if dead:
        end_replace(base, working, number, time, received)
        tell(base, CANCELED, working, FOUND_OVER, 0, left, 0, number, time, received)
        forget(working)
    elif is_over(working):
        forget(working)


@jit.compiled()
def _taken_off(
    base: int, letter: int, working: Any, urn: int, number: int, time: int, received: int
) -> None:
    """Some or all of an order is cancelled: for us, for its time, or to spare us a self-match."""
    gateway = gateway_at(base)
    if urn != working.urn:
        gateway.late += 1
        return
    record = base + m.RECORD_AT
    # The two messages begin alike.
    said = _cancelled_at(record)
    taken = min(said.quantity, open_of(working))
    if taken == 0:
        gateway.notices += 1
        return
    reason = SELF_MATCH if letter == _D else _cancel_reasons[said.reason]
    working.asked -= taken
    if is_over(working):
        kind = CANCELED if letter == _D else _cancel_kinds[said.reason]
        end_replace(base, working, number, time, received)
        tell(base, kind, working, reason, 0, taken, 0, number, time, received)
        forget(working)
        return
    shown = 0 if working.price == PRICE_MARKET else working.price
    if working.reduce != 0 and working.asked <= working.reduce:
        # Asked for; or the venue came first, and then what we asked changes nothing any more.
        wanted, left = working.reduce, open_of(working)
        working.reduce = 0
        tell(base, REPLACED, working, working.reference, shown, left, 0, number, time, received)
        if working.asked < wanted:
            whole = working.asked
            tell(base, RESTATED, working, reason, shown, whole, 0, 0, time, received)
        return
    tell(base, RESTATED, working, reason, shown, working.asked, 0, number, time, received)


@jit.compiled()
def _kept(base: int, working: Any, urn: int, number: int, time: int, received: int) -> None:
    """A cancel is refused: of the earlier of the two that may be under way."""
    if urn != working.urn:
        gateway_at(base).late += 1  # the other half of a cancel beside a replace
    elif working.reduce != 0:
        working.reduce = 0
        tell(base, REPLACE_REJECTED, working, VENUE_DECIDED, 0, 0, 0, number, time, received)
    elif working.quiet != 0:
        working.quiet, working.cancel = 0, m.NO_CANCEL
        gateway_at(base).late += 1
    elif working.cancel != m.NO_CANCEL:
        working.cancel = m.NO_CANCEL
        tell(base, CANCEL_REJECTED, working, VENUE_DECIDED, 0, 0, 0, number, time, received)
    else:
        gateway_at(base).repeated += 1


@jit.compiled()
def _restated(
    base: int, letter: int, working: Any, urn: int, number: int, time: int, received: int
) -> None:
    """The venue changed an order by itself, or says how it stands."""
    record = base + m.RECORD_AT
    if letter == _P or urn != working.urn:
        gateway_at(base).notices += 1
        return
    if letter == _T:
        said = _priority_at(record)
        working.price, working.reference = said.price, said.reference
    elif letter == _M:
        working.asked = working.filled + _modified_at(record).quantity
    shown = 0 if working.price == PRICE_MARKET else working.price
    whole = working.asked
    tell(base, RESTATED, working, VENUE_DECIDED, shown, whole, 0, number, time, received)
    if is_over(working):
        forget(working)
