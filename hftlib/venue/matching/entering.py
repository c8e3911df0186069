"""ENTER: a new order.

    its number was used before ─▶ nothing: so whatever is sent again is safe
    refused ─▶ REJECTED        too little to take ─▶ ACCEPTED, CANCELLED        else ─▶ to market

An owner's numbers count up; one that was refused is used all the same. An order is accepted with
all it asks for, then come its executions, then what is left of it shows.

Worst case: an order with a minimum goes through what it would take twice.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.venue.matching.checking import refusal
from hftlib.venue.matching.ending import cancel
from hftlib.venue.matching.queues import new_order
from hftlib.venue.matching.reasons import TOO_LITTLE
from hftlib.venue.matching.records import ACCEPTED, BUY, GTT, PLAIN, REJECTED, STOP, TRADING
from hftlib.venue.matching.scanning import could_take
from hftlib.venue.matching.tables import (
    NEVER,
    NOWHERE,
    engine_of,
    own_of,
    queued_of,
    report_at,
    session_of,
    symbol_of,
)
from hftlib.venue.matching.telling import of_command, of_order
from hftlib.venue.matching.working import wait_as_stop, work


@jit.once
def enter(base: int, command: Any) -> None:
    session, engine = session_of(base, command.session), engine_of(base)
    if command.urn <= session.urn:
        engine.ignored += 1
        return
    session.urn = command.urn
    reason = refusal(base, command)
    if reason != 0:
        rejected(base, reason, command)
        return
    n = new_order(base)
    fill(base, n, command)
    head = told_as_asked(base, ACCEPTED, n, command)
    own = own_of(base, n)
    if own.style == STOP:
        if not is_triggered(base, n):
            wait_as_stop(base, n)
            return
        own.style = PLAIN
    if command.minimum != 0 and could_take(base, n) < command.minimum:
        cancel(base, n, TOO_LITTLE)
        return
    work(base, n, head)


@jit.once
def rejected(base: int, reason: int, command: Any) -> None:
    engine_of(base).refused += 1
    of_command(base, REJECTED, reason, command)


@jit.inlined
def told_as_asked(base: int, kind: int, n: int, command: Any) -> int:
    """ACCEPTED or REPLACED, with what the command had; the report's address."""
    address = of_order(base, kind, 0, n)
    report = report_at(address)
    quantity = queued_of(books_at(base), base, n).quantity
    report.quantity = quantity
    report.open = quantity
    report.extra = command.display
    report.client_low = command.client_low
    report.client_high = command.client_high
    return address


@jit.inlined
def is_triggered(base: int, n: int) -> bool:
    """The last trade reached a stop's price, and trading goes on."""
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    if symbol.state != TRADING or symbol.last == 0:
        return False
    return symbol.last >= own.trigger if own.side == BUY else symbol.last <= own.trigger


@jit.inlined
def fill(base: int, n: int, command: Any) -> None:
    """A new order, in a slot where another may have been."""
    engine, own = engine_of(base), own_of(base, n)
    engine.number += 1
    queued_of(books_at(base), base, n).quantity = command.quantity
    own.number = engine.number
    own.executed = 0
    own.urn = command.urn
    own.session = command.session
    own.symbol = command.symbol
    own.firm = command.firm
    own.group = command.group
    own.side = command.side
    own.style = command.style
    own.place = NOWHERE
    own.prevention = command.prevention
    own.cross = command.cross
    own.capacity = command.capacity
    own.refreshing = 0
    own.heap = 0
    own.admitted = 0
    set_terms(base, n, command)


@jit.inlined
def set_terms(base: int, n: int, command: Any) -> None:
    """What a replace may change."""
    own = own_of(base, n)
    own.price = command.price
    own.limit = command.price
    own.reserve = 0
    own.lasts = command.lasts
    own.shows = command.shows
    own.sweep = command.sweep
    own.trigger = command.trigger
    own.offset = command.offset
    own.expire = command.expire if command.lasts == GTT else NEVER
    own.display = command.display
