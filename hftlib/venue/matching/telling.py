"""Reports: each is written where it arises, into the next free place.

    of_order     an order's: whose it is, what it is, where it stands
    of_command   the answer to a command that made no order, or that no order bears

A report that says an order came may have to say later, before anybody reads it, that the public
sees it: an order shows only once it is known what of it is left to show (`working.rest`).

Worst case: there is always room; `running.run` begins no step with less than it may need.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.matching.records import ADD, ADDED
from hftlib.venue.matching.tables import (
    OWN_WORDS_AT,
    REPORT_WORDS_AT,
    engine_of,
    own_address,
    own_of,
    report_address,
    report_at,
)


@jit.once
def blank(base: int, kind: int, reason: int) -> int:
    """A report of nobody and nothing; its address."""
    return _blank(base, kind, reason)


@jit.inlined
def _blank(base: int, kind: int, reason: int) -> int:
    engine = engine_of(base)
    address = report_address(base, engine.reports_used)
    engine.reports_used += 1
    engine.reports += 1
    report = report_at(address)
    report.sequence = engine.reports
    report.time = engine.time
    report.command = engine.commands
    report.order = 0
    report.other = 0
    report.price = 0
    report.quantity = 0
    report.open = 0
    report.shown = 0
    report.extra = 0
    report.client_low = 0
    report.client_high = 0
    report.urn = 0
    report.original = 0
    report.session = 0
    report.symbol = 0
    report.firm = 0
    report.reason = reason
    report.kind = kind
    report.public = 0
    report.side = 0
    report.liquidity = 0
    report.lasts = 0
    report.shows = 0
    report.style = 0
    report.capacity = 0
    report.sweep = 0
    report.cross = 0
    report.state = 0
    report.printed = 0
    report.prevention = 0
    return address


@jit.once
def of_order(base: int, kind: int, reason: int, n: int) -> int:
    """A report of order n; its address."""
    return of_order_inline(base, kind, reason, n)


@jit.inlined
def of_order_inline(base: int, kind: int, reason: int, n: int) -> int:
    address = _blank(base, kind, reason)
    report, own = report_at(address), own_of(base, n)
    report.order = own.number
    report.price = own.price
    # Owner, terms: in both records the same three words, but for kind and reason.
    words, into = own_address(base, n) + OWN_WORDS_AT, address + REPORT_WORDS_AT
    jit.store_i64(into, jit.load_i64(words))
    jit.store_i64(into + 8, jit.load_i64(words + 8))
    jit.store_i64(into + 16, jit.load_i64(words + 16))
    report.kind = kind
    report.reason = reason
    return address


@jit.once
def of_command(base: int, kind: int, reason: int, command: Any) -> int:
    """A report to whoever gave the command; its address."""
    address = _blank(base, kind, reason)
    report = report_at(address)
    report.urn = command.urn
    report.original = command.original
    report.session = command.session
    report.symbol = command.symbol
    report.firm = command.firm
    report.side = command.side
    report.client_low = command.client_low
    report.client_high = command.client_high
    return address


@jit.once
def added(base: int, n: int, open_now: int, shown: int) -> None:
    """The public sees an order that its owner knows of."""
    report = report_at(of_order(base, ADDED, 0, n))
    report.public = ADD
    report.open = open_now
    report.shown = shown
