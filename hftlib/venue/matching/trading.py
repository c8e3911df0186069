"""A trade: its number, what it says to both owners and the public, and what becomes of who stood.

    begin_trade ─▶ executed (one) ─▶ executed (the other) ─▶ used (whoever stood)

A reserve order whose part on show is used up goes to the end of HIDDEN with the rest, so all of it
can be met at its price; `refresh_all` has each show its next part, with a new number at the end of
the queue, once the command that used it up is over.

Worst case: as many reserve orders are refreshed as one command used up.
"""

from __future__ import annotations

from hftlib.book.tables import books_at, level_of
from hftlib.core import jit
from hftlib.venue.matching.ending import cancel, forget, renumber
from hftlib.venue.matching.queues import leave, place, watch
from hftlib.venue.matching.reasons import NO_ROOM, REFRESHED
from hftlib.venue.matching.records import ADD, EXECUTED, PRIORITY
from hftlib.venue.matching.tables import (
    HIDDEN_ROW,
    IN_HIDDEN,
    IN_SHOWN,
    OVER,
    SHOWN_ROW,
    engine_of,
    own_of,
    queued_of,
    report_at,
    symbol_of,
    trade_of,
)
from hftlib.venue.matching.telling import of_order, of_order_inline


@jit.inlined
def begin_trade(base: int, n: int, m: int, quantity: int, price: int, public: int) -> int:
    """A match number, and the trade kept for as long as it can be broken."""
    engine, one, other = engine_of(base), own_of(base, n), own_of(base, m)
    symbol = symbol_of(base, one.symbol)
    engine.match += 1
    trade = trade_of(base, engine.match & engine.trade_mask)
    trade.match = engine.match
    trade.price = price
    trade.quantity = quantity
    trade.urn_taker = one.urn
    trade.urn = other.urn
    trade.session_taker = one.session
    trade.session = other.session
    trade.order = other.number
    trade.symbol = one.symbol
    trade.firm_taker = one.firm
    trade.firm = other.firm
    trade.side_taker = one.side
    trade.side = other.side
    trade.broken = 0
    trade.public = public
    symbol.last = price
    symbol.high = max(symbol.high, price)
    symbol.low = price if symbol.low == 0 else min(symbol.low, price)
    symbol.volume += quantity
    symbol.trades += 1
    watch(base, one.symbol)
    return engine.match


@jit.once
def executed(
    base: int,
    n: int,
    match: int,
    quantity: int,
    price: int,
    liquidity: int,
    public: int,
    printed: int,
) -> None:
    """Tell an owner, and perhaps the public, of an order's part in a trade; count it."""
    executed_inline(base, n, match, quantity, price, liquidity, public, printed)


@jit.inlined
def executed_inline(
    base: int,
    n: int,
    match: int,
    quantity: int,
    price: int,
    liquidity: int,
    public: int,
    printed: int,
) -> None:
    own, order = own_of(base, n), queued_of(books_at(base), base, n)
    report = report_at(of_order_inline(base, EXECUTED, 0, n))
    report.other = match
    report.price = price
    report.quantity = quantity
    report.open = order.quantity - quantity + own.reserve
    report.liquidity = liquidity
    report.printed = printed
    if public != 0:
        report.public = public
        report.shown = quantity
    order.quantity -= quantity
    own.executed += quantity


@jit.inlined
def used(base: int, m: int, quantity: int) -> None:
    """What `executed` took off one that stands is taken off its level; perhaps it is over."""
    books = books_at(base)
    order = queued_of(books, base, m)
    level_of(books, base, order.level).quantity -= quantity
    if order.quantity == 0:
        _used_up(base, m)


@jit.once
def _used_up(base: int, m: int) -> None:
    own = own_of(base, m)
    leave(base, m)
    if own.reserve == 0:
        forget(base, m)
        return
    queued_of(books_at(base), base, m).quantity = own.reserve
    own.reserve = 0
    if place(base, m, IN_HIDDEN, HIDDEN_ROW, own.side, own.price) == 0:
        cancel(base, m, NO_ROOM)
        return
    engine = engine_of(base)
    own.refreshing = 1
    own.refresh = 0
    if engine.refresh_first != 0:
        own_of(base, engine.refresh_last).refresh = m
    else:
        engine.refresh_first = m
    engine.refresh_last = m


@jit.once
def refresh_all(base: int) -> None:
    """Reserve orders whose part on show was used up show the next one, in the order of that."""
    engine, books = engine_of(base), books_at(base)
    while engine.refresh_first != 0:
        m = engine.refresh_first
        own, order = own_of(base, m), queued_of(books, base, m)
        engine.refresh_first = own.refresh
        own.refreshing = 0
        if own.place == OVER:
            forget(base, m)
            continue
        leave(base, m)
        whole = order.quantity
        order.quantity = min(own.display, whole)
        own.reserve = whole - order.quantity
        old = renumber(base, m)
        if place(base, m, IN_SHOWN, SHOWN_ROW, own.side, own.price) == 0:
            cancel(base, m, NO_ROOM)
            continue
        report = report_at(of_order(base, PRIORITY, REFRESHED, m))
        report.other = old
        report.open = whole
        report.public = ADD
        report.shown = order.quantity
