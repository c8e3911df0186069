"""An order's end and its lists: what it takes for an order to be known, and to be forgotten.

    admit       it has a name, is in its session's list, and its end is in the heap
    forget      the opposite, and its slot is free again
    cancelled   out of wherever it is, told to its owner and, where it showed, to the public
    lessened    less of it, told likewise; what it holds back goes first
    renumber    a new number, for a new place

Worst case: the heap of ends takes as many steps as it has doublings.
"""

from __future__ import annotations

from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.venue.matching.expiring import enter_heap, leave_heap
from hftlib.venue.matching.names import enter_name, leave_name
from hftlib.venue.matching.queues import give_order, is_queued, leave, open_of, reduce
from hftlib.venue.matching.records import CANCELLED, DELETE, GTT, REDUCE, STOP
from hftlib.venue.matching.tables import (
    IN_SHOWN,
    OVER,
    engine_of,
    own_of,
    queued_of,
    report_at,
    session_of,
    symbol_of,
)
from hftlib.venue.matching.telling import of_order


@jit.once
def admit(base: int, n: int) -> None:
    own = own_of(base, n)
    own.admitted = 1
    enter_name(base, own.session, own.urn, n)
    enlist(base, n)
    if own.lasts == GTT:
        enter_heap(base, n)
    if own.style > STOP:
        _enlist_peg(base, n)
    elif own.style == STOP:
        symbol_of(base, own.symbol).watched += 1


@jit.once
def unadmit(base: int, n: int) -> None:
    own = own_of(base, n)
    own.admitted = 0
    leave_name(base, own.session, own.urn, n)
    delist(base, n)
    if own.heap != 0:
        leave_heap(base, n)
    if own.style > STOP:
        _delist_peg(base, n)
    elif own.style == STOP:
        symbol_of(base, own.symbol).watched -= 1


@jit.inlined
def forget(base: int, n: int) -> None:
    """It is over, and stands nowhere any more."""
    own = own_of(base, n)
    if own.admitted != 0:
        unadmit(base, n)
    if own.refreshing != 0:
        own.place = OVER  # its slot is given back when the list is gone through
    else:
        give_order(base, n)


@jit.once
def cancelled(base: int, n: int, kind: int, reason: int) -> int:
    """All that is open of an order is taken off; the report's address."""
    books = books_at(base)
    own = own_of(base, n)
    address = of_order(base, kind, reason, n)
    report = report_at(address)
    report.quantity = open_of(books, base, n)
    if own.place == IN_SHOWN:
        report.public = DELETE
        report.shown = queued_of(books, base, n).quantity
    if is_queued(own.place):
        leave(base, n)
    forget(base, n)
    return address


@jit.once
def take_off(base: int, n: int, quantity: int) -> int:
    """So much less of an order, which keeps its place: how much of that was in its queue."""
    books = books_at(base)
    own, order = own_of(base, n), queued_of(books, base, n)
    hidden = min(quantity, own.reserve)
    seen = quantity - hidden
    own.reserve -= hidden
    if is_queued(own.place):
        reduce(books, base, n, seen)
    else:
        order.quantity -= seen
    return seen


@jit.once
def lessened(base: int, n: int, quantity: int, kind: int, reason: int) -> int:
    """The same, told to the owner and, where it showed, to the public."""
    seen = take_off(base, n, quantity)
    own = own_of(base, n)
    address = of_order(base, kind, reason, n)
    report = report_at(address)
    report.quantity = quantity
    report.open = open_of(books_at(base), base, n)
    if own.place == IN_SHOWN and seen != 0:
        report.public = REDUCE
        report.shown = seen
    return address


@jit.once
def enlist(base: int, n: int) -> None:
    """To the end of its session's list: who got a place last stands last."""
    own = own_of(base, n)
    session = session_of(base, own.session)
    own.before = session.last
    own.after = 0
    if session.last != 0:
        own_of(base, session.last).after = n
    else:
        session.first = n
    session.last = n


@jit.once
def delist(base: int, n: int) -> None:
    own = own_of(base, n)
    session = session_of(base, own.session)
    if own.before != 0:
        own_of(base, own.before).after = own.after
    else:
        session.first = own.after
    if own.after != 0:
        own_of(base, own.after).before = own.before
    else:
        session.last = own.before


@jit.once
def renumber(base: int, n: int) -> int:
    """A new number for a new place, at the end of its session's list; the number before."""
    engine, own = engine_of(base), own_of(base, n)
    old = own.number
    engine.number += 1
    own.number = engine.number
    if own.admitted != 0:
        delist(base, n)
        enlist(base, n)
    return old


@jit.once
def _enlist_peg(base: int, n: int) -> None:
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    own.peg_before = symbol.peg_last
    own.peg_after = 0
    if symbol.peg_last != 0:
        own_of(base, symbol.peg_last).peg_after = n
    else:
        symbol.peg_first = n
    symbol.peg_last = n
    symbol.watched += 1


@jit.once
def _delist_peg(base: int, n: int) -> None:
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    engine = engine_of(base)
    if engine.cursor == n:
        engine.cursor = own.peg_after
    if own.peg_before != 0:
        own_of(base, own.peg_before).peg_after = own.peg_after
    else:
        symbol.peg_first = own.peg_after
    if own.peg_after != 0:
        own_of(base, own.peg_after).peg_before = own.peg_before
    else:
        symbol.peg_last = own.peg_before
    symbol.watched -= 1


@jit.once
def cancel(base: int, n: int, reason: int) -> None:
    """Taken off as the reason says."""
    cancelled(base, n, CANCELLED, reason)
