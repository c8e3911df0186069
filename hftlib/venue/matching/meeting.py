"""MEET: a trade that was recorded comes about again, with whoever stands before it now.

    the session's own order `original`, on the other side ─▶ it is executed, at `price`
    whoever of others stands before it                     ─▶ is met first, at his own price
    the session's other orders                             ─▶ are passed by

A recorded market whose orders stand in these books knows which of them traded. It cannot know who
has come to stand between them since: those are met first, as the one who took would have met them,
and what they take away is no longer for the recorded order. Where the recorded order is gone, or
never showed (UNSEEN), `price` is how far others are met; what then is left of an unseen trade is
printed, with nobody we know on its other side.

What a cross executed (UNPRINTED) meets nobody else: those wait for the cross. So it may be while
orders gather, when nothing else trades.

Worst case: each meeting with another walks all orders of the session that are before him.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level, next_level
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import jit
from hftlib.venue.matching.ending import cancel, forget
from hftlib.venue.matching.entering import fill, rejected, told_as_asked
from hftlib.venue.matching.names import find_name
from hftlib.venue.matching.queues import new_order
from hftlib.venue.matching.reasons import (
    BAD_PRICE,
    BAD_QUANTITY,
    FIRM_DISABLED,
    IS_HALTED,
    MOMENT_OVER,
    NO_FIRM,
    NO_ORDER,
    NO_ROOM,
    NO_SIDE,
    NO_SYMBOL,
    NOT_OPEN,
    NOT_TRADING,
    OUTSIDE_BANDS,
)
from hftlib.venue.matching.records import (
    ACCEPTED,
    ADDS,
    AUCTION,
    BUY,
    CLOSED,
    EXECUTE,
    EXECUTE_AT,
    EXEMPT,
    IOC,
    PLAIN,
    PRICE_MAX,
    QUANTITY_MAX,
    REMOVES,
    SELL,
    TRADE,
    TRADING,
    UNPRINTED,
    UNSEEN,
)
from hftlib.venue.matching.tables import (
    HIDDEN_ROW,
    IN_SHOWN,
    SHOWN_ROW,
    engine_of,
    firm_of,
    own_of,
    queued_of,
    row_side,
    session_of,
    symbol_of,
)
from hftlib.venue.matching.taking import limit_key, trade
from hftlib.venue.matching.trading import begin_trade, executed, refresh_all, used

_WORST = 2**62
_REACHED = -1


@jit.once
def meet(base: int, command: Any) -> None:
    session, engine = session_of(base, command.session), engine_of(base)
    if command.urn <= session.urn:
        engine.ignored += 1
        return
    session.urn = command.urn
    m = find_name(base, command.session, command.original) if command.original != 0 else 0
    reason = _refused(base, command, m)
    if reason != 0:
        rejected(base, reason, command)
        return
    n = new_order(base)
    fill(base, n, command)
    own = own_of(base, n)
    own.style, own.lasts, own.cross, own.prevention, own.display = PLAIN, IOC, 0, 0, 0
    told_as_asked(base, ACCEPTED, n, command)
    blocked = _meet_others(base, n, m) if command.flags & UNPRINTED == 0 else 0
    order, symbol = queued_of(books_at(base), base, n), symbol_of(base, command.symbol)
    price = command.price
    if m != 0 and price == 0:
        price = own_of(base, m).price
    if not symbol.lower <= price <= symbol.upper:
        blocked = 1
    if order.quantity != 0 and blocked == 0:
        if m != 0:
            _meet_own(base, n, m, price, 1 if command.flags & UNPRINTED == 0 else 0)
        elif command.flags & UNSEEN != 0:
            _meet_nobody(base, n, price)
    refresh_all(base)
    if order.quantity == 0:
        forget(base, n)
    else:
        cancel(base, n, OUTSIDE_BANDS if blocked != 0 else MOMENT_OVER)


@jit.inlined
def _refused(base: int, command: Any, m: int) -> int:
    """Why this cannot have happened here; 0: it can. `m` is the order that is named, if any."""
    engine = engine_of(base)
    if not 0 < command.firm <= engine.firms:
        return NO_FIRM
    if command.symbol >= engine.symbols:
        return NO_SYMBOL
    if not BUY <= command.side <= EXEMPT:
        return NO_SIDE
    if engine.live == engine.orders_max:
        return NO_ROOM
    if firm_of(base, command.firm).disabled != 0:
        return FIRM_DISABLED
    if not 0 < command.quantity < QUANTITY_MAX:
        return BAD_QUANTITY
    if not 0 <= command.price <= PRICE_MAX or (m == 0 and command.price == 0):
        return BAD_PRICE
    if m != 0:
        named = own_of(base, m)
        buys = 1 if command.side == BUY else 0
        other = 1 if named.side != BUY else 0
        if named.place != IN_SHOWN or named.symbol != command.symbol or buys != other:
            return NO_ORDER
    state = symbol_of(base, command.symbol).state
    if state == CLOSED:
        return NOT_OPEN
    if state == AUCTION and command.flags & UNPRINTED == 0:
        return NOT_TRADING
    return IS_HALTED if state != AUCTION and state != TRADING else 0


@jit.inlined
def _meet_others(base: int, n: int, m: int) -> int:
    """Who stands before order m, or as far as n may go; 1: the bands did not let it."""
    books = books_at(base)
    own, order = own_of(base, n), queued_of(books, base, n)
    symbol = symbol_of(base, own.symbol)
    limit = own.price
    if m != 0:
        limit = own_of(base, m).price
    while order.quantity != 0:
        k = _other(base, n, m, limit_key(own.side, limit))
        if k == 0:
            return 0
        price = own_of(base, k).price
        if not symbol.lower <= price <= symbol.upper:
            return 1
        trade(base, n, k, min(order.quantity, queued_of(books, base, k).quantity), price)
    return 0


@jit.once
def _other(base: int, n: int, m: int, limit: int) -> int:
    """The first order of another session that stands before order m; 0: nobody's."""
    books = books_at(base)
    own = own_of(base, n)
    other = SELL if own.side == BUY else BUY
    shown = row_side(base, SHOWN_ROW, own.symbol, other)
    hidden = row_side(base, HIDDEN_ROW, own.symbol, other)
    seen, unseen = best_level(books, base, shown), best_level(books, base, hidden)
    while True:
        seen_key = level_of(books, base, seen).key if seen != 0 else _WORST
        unseen_key = level_of(books, base, unseen).key if unseen != 0 else _WORST
        key = min(seen_key, unseen_key)
        if key > limit:
            return 0
        if seen_key == key:
            found = _in_level(base, seen, own.session, m)
            if found != 0:
                return found if found != _REACHED else 0
            seen = next_level(books, base, shown, seen)
        if unseen_key == key:
            found = _in_level(base, unseen, own.session, m)
            if found != 0:
                return found
            unseen = next_level(books, base, hidden, unseen)


@jit.once
def _in_level(base: int, level_number: int, session: int, m: int) -> int:
    """The first of a queue that is another's; or _REACHED, where order m comes before; or 0."""
    books, first = books_at(base), engine_of(base).order_first
    number = level_of(books, base, level_number).first
    while number != level_number:
        if number - first == m:
            return _REACHED
        if own_of(base, number - first).session != session:
            return number - first
        number = order_of(books, base, number).behind
    return 0


@jit.once
def _meet_own(base: int, n: int, m: int, price: int, printed: int) -> None:
    """The recorded order is executed, with what others have left of the trade."""
    books = books_at(base)
    quantity = min(queued_of(books, base, n).quantity, queued_of(books, base, m).quantity)
    same = price == own_of(base, m).price
    public = EXECUTE if same and printed != 0 else EXECUTE_AT
    match = begin_trade(base, n, m, quantity, price, public)
    executed(base, n, match, quantity, price, REMOVES, 0, printed)
    executed(base, m, match, quantity, price, ADDS, public, printed)
    used(base, m, quantity)


@jit.once
def _meet_nobody(base: int, n: int, price: int) -> None:
    """A trade with somebody who was never seen: it is printed, and has one owner."""
    quantity = queued_of(books_at(base), base, n).quantity
    match = begin_trade(base, n, n, quantity, price, TRADE)
    executed(base, n, match, quantity, price, REMOVES, TRADE, 1)
