"""REPLACE, CANCEL and MODIFY: what an owner may change of an order that stands.

    same price, same way to show, and no more open than before ─▶ it keeps place and number
    anything else ─▶ it leaves and comes to market as a new one, with a new number

A replace says how much the order asks for in all, what it executed included, so a fill that
overtakes it can never lead to more than was asked for. When it is refused nothing of it happens:
the order stands as it stood. A cancel, too, says how much may be executed in all; 0: no more.

Worst case: as `taking.take`.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.venue.matching.checking import refused_terms
from hftlib.venue.matching.ending import cancel, lessened, renumber, take_off, unadmit
from hftlib.venue.matching.entering import is_triggered, rejected, set_terms, told_as_asked
from hftlib.venue.matching.expiring import enter_heap, leave_heap
from hftlib.venue.matching.names import enter_name, find_name, leave_name
from hftlib.venue.matching.queues import is_queued, leave, open_of
from hftlib.venue.matching.reasons import ASKED, BAD_MINIMUM, NO_ORDER, NO_SIDE, NOTHING_LESS
from hftlib.venue.matching.records import (
    BUY,
    CANCEL_REJECTED,
    CANCELLED,
    DELETE,
    EXEMPT,
    GTT,
    IOC,
    MODIFIED,
    PLAIN,
    REDUCE,
    REPLACED,
    STOP,
)
from hftlib.venue.matching.tables import (
    IN_SHOWN,
    NEVER,
    NOWHERE,
    engine_of,
    own_of,
    queued_of,
    report_at,
    session_of,
)
from hftlib.venue.matching.telling import of_command
from hftlib.venue.matching.working import wait_as_stop, work


@jit.once
def replace(base: int, command: Any) -> None:
    session = session_of(base, command.session)
    if command.urn <= session.urn:
        engine_of(base).ignored += 1
        return
    session.urn = command.urn
    n = find_name(base, command.session, command.original)
    if n == 0:
        rejected(base, NO_ORDER, command)
        return
    own = own_of(base, n)
    reason = BAD_MINIMUM if command.minimum != 0 else 0
    if reason == 0:
        reason = refused_terms(base, command, own.firm, own.symbol, own.side, own.style, own.cross)
    if reason != 0:
        rejected(base, reason, command)
        return
    wanted = command.quantity - own.executed
    if wanted <= 0:
        cancel(base, n, ASKED)
    elif _keeps_place(base, n, command, wanted):
        _replace_in_place(base, n, command, wanted)
    else:
        _replace_anew(base, n, command, wanted)


@jit.inlined
def _keeps_place(base: int, n: int, command: Any, wanted: int) -> bool:
    own = own_of(base, n)
    same = (
        command.price == own.limit
        and command.shows == own.shows
        and command.display == own.display
        and command.lasts != IOC
    )
    if own.style == STOP:
        same = same and command.trigger == own.trigger
    elif own.style > STOP:
        same = same and command.offset == own.offset
    return same and wanted <= open_of(books_at(base), base, n)


@jit.once
def _replace_in_place(base: int, n: int, command: Any, wanted: int) -> None:
    own = own_of(base, n)
    if own.heap != 0:
        leave_heap(base, n)
    leave_name(base, own.session, own.urn, n)
    own.urn = command.urn
    enter_name(base, own.session, own.urn, n)
    own.lasts = command.lasts
    own.sweep = command.sweep
    own.expire = command.expire if command.lasts == GTT else NEVER
    if own.lasts == GTT:
        enter_heap(base, n)
    seen = take_off(base, n, open_of(books_at(base), base, n) - wanted)
    report = report_at(told_as_asked(base, REPLACED, n, command))
    report.other = own.number
    report.original = command.original
    report.quantity = wanted
    report.open = wanted
    if own.place == IN_SHOWN and seen != 0:
        report.public = REDUCE
        report.shown = seen


@jit.once
def _replace_anew(base: int, n: int, command: Any, wanted: int) -> None:
    own, order = own_of(base, n), queued_of(books_at(base), base, n)
    shown = order.quantity if own.place == IN_SHOWN else 0
    if is_queued(own.place):
        leave(base, n)
    unadmit(base, n)
    own.place = NOWHERE
    own.urn = command.urn
    order.quantity = wanted
    set_terms(base, n, command)
    old = renumber(base, n)
    head = told_as_asked(base, REPLACED, n, command)
    report = report_at(head)
    report.other = old
    report.original = command.original
    if shown != 0:
        report.public = DELETE
        report.shown = shown
    if own.style == STOP:
        if not is_triggered(base, n):
            wait_as_stop(base, n)
            return
        own.style = PLAIN
    work(base, n, head)


@jit.once
def cancel_some(base: int, command: Any) -> None:
    """CANCEL: all of it, or down to what it may execute in all."""
    n = find_name(base, command.session, command.urn)
    if n == 0:
        of_command(base, CANCEL_REJECTED, NO_ORDER, command)
        return
    less = _less(base, n, command.quantity)
    if less == 0:
        of_command(base, CANCEL_REJECTED, NOTHING_LESS, command)
    elif less == open_of(books_at(base), base, n):
        cancel(base, n, ASKED)
    else:
        lessened(base, n, less, CANCELLED, ASKED)


@jit.inlined
def _less(base: int, n: int, quantity: int) -> int:
    """How much is taken off an order that may execute so much in all; any number will do."""
    executed, open_now = own_of(base, n).executed, open_of(books_at(base), base, n)
    return executed + open_now - min(max(quantity, executed), executed + open_now)


@jit.once
def modify(base: int, command: Any) -> None:
    """MODIFY: how a sale is marked, and how much may be executed in all; 0: as before."""
    n = find_name(base, command.session, command.urn)
    if n == 0:
        of_command(base, CANCEL_REJECTED, NO_ORDER, command)
        return
    own = own_of(base, n)
    if command.side != 0 and (own.side == BUY or command.side == BUY or command.side > EXEMPT):
        of_command(base, CANCEL_REJECTED, NO_SIDE, command)
        return
    if command.side != 0:
        own.side = command.side
    less = _less(base, n, command.quantity) if command.quantity != 0 else 0
    if less == open_of(books_at(base), base, n):
        cancel(base, n, ASKED)
    else:
        lessened(base, n, less, MODIFIED, ASKED)
