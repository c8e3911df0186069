"""Continuous trading: an order takes what stands on the other side, best price first.

    at a price: SHOWN, first come first ─▶ HIDDEN, first come first ─▶ the next price

The trade is at the price of the one that stood (`trading.py`).

Two orders of one firm and group do not meet if the taker says so: the one that came, the one that
stood or both are cancelled, or both lose as much as the smaller has.

Worst case: an order as large as a side meets every order of it, a reserve order twice.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level
from hftlib.book.tables import books_at, level_of
from hftlib.core import jit
from hftlib.venue.matching.ending import cancelled, forget, lessened
from hftlib.venue.matching.queues import (
    is_empty,
    open_of,
)
from hftlib.venue.matching.reasons import SELF_MATCH
from hftlib.venue.matching.records import (
    ADDS,
    ADDS_UNSEEN,
    BUY,
    DECREMENT,
    EXECUTE,
    MARKET,
    NEWEST,
    OLDEST,
    PREVENTED,
    REMOVES,
    SELL,
    TRADE,
)
from hftlib.venue.matching.tables import (
    HIDDEN_ROW,
    IN_SHOWN,
    SHOWN_ROW,
    engine_of,
    own_of,
    queued_of,
    report_at,
    row_side,
    symbol_of,
)
from hftlib.venue.matching.trading import begin_trade, executed_inline, refresh_all, used

# What became of one that took.
DONE, LEFT, BLOCKED, PREVENTED_WHOLE = range(4)


@jit.inlined
def best_of(books: Any, base: int, shown: int, hidden: int) -> int:
    """The level that is next to trade: at one price what shows goes first; 0 without any."""
    seen = best_level(books, base, shown)
    if is_empty(books, base, hidden):
        return seen
    unseen = best_level(books, base, hidden)
    if seen == 0:
        return unseen
    better = level_of(books, base, unseen).key < level_of(books, base, seen).key
    return unseen if better else seen


@jit.inlined
def limit_key(side: int, price: int) -> int:
    """Keys of the other side up to this one can be taken."""
    if side == BUY:
        return price
    return -price if price != MARKET else 0


@jit.once
def would_take(base: int, symbol: int, side: int, price: int) -> int:
    """1 if such an order would meet one that stands."""
    books = books_at(base)
    other = SELL if side == BUY else BUY
    level = best_of(
        books,
        base,
        row_side(base, SHOWN_ROW, symbol, other),
        row_side(base, HIDDEN_ROW, symbol, other),
    )
    if level == 0:
        return 0
    return 1 if level_of(books, base, level).key <= limit_key(side, price) else 0


@jit.once
def take(base: int, n: int) -> int:
    """Order n, which stands nowhere, takes what it can: DONE, LEFT, BLOCKED or PREVENTED_WHOLE.

    DONE and PREVENTED_WHOLE have ended it.
    """
    books = books_at(base)
    engine, own, order = engine_of(base), own_of(base, n), queued_of(books, base, n)
    symbol = symbol_of(base, own.symbol)
    other = SELL if own.side == BUY else BUY
    shown = row_side(base, SHOWN_ROW, own.symbol, other)
    hidden = row_side(base, HIDDEN_ROW, own.symbol, other)
    limit = limit_key(own.side, own.price)
    outcome = LEFT
    while order.quantity != 0:
        number = best_of(books, base, shown, hidden)
        if number == 0:
            break
        level = level_of(books, base, number)
        if level.key > limit:
            break
        price = level.key if other == SELL else -level.key
        if price > symbol.upper or price < symbol.lower:
            outcome = BLOCKED
            break
        m = level.first - engine.order_first
        if own.prevention != 0 and _is_own(own, own_of(base, m)):
            if _prevent(base, n, m) != 0:
                outcome = PREVENTED_WHOLE
                break
            continue
        trade(base, n, m, min(order.quantity, queued_of(books, base, m).quantity), price)
    if engine.refresh_first != 0:
        refresh_all(base)
    if outcome != PREVENTED_WHOLE and order.quantity == 0:
        forget(base, n)
        return DONE
    return outcome


@jit.inlined
def _is_own(own: Any, other: Any) -> bool:
    return own.firm == other.firm and own.group == other.group


@jit.once
def _prevent(base: int, n: int, m: int) -> int:
    """One that takes and one that stands are of one group: 1 if the taker is over."""
    books = books_at(base)
    way = own_of(base, n).prevention
    if way == DECREMENT:
        mine, standing = open_of(books, base, n), open_of(books, base, m)
        both = min(mine, standing)
        _told_prevented(base, n, both, both)
        _told_prevented(base, m, both, both)
        return 1 if mine == both else 0
    if way != NEWEST:
        prevented = min(open_of(books, base, n), open_of(books, base, m))
        report_at(cancelled(base, m, PREVENTED, SELF_MATCH)).extra = prevented
        if way == OLDEST:
            return 0
        report_at(cancelled(base, n, PREVENTED, SELF_MATCH)).extra = prevented
        return 1
    prevented = min(open_of(books, base, n), open_of(books, base, m))
    report_at(cancelled(base, n, PREVENTED, SELF_MATCH)).extra = prevented
    return 1


@jit.inlined
def _told_prevented(base: int, n: int, quantity: int, prevented: int) -> None:
    if open_of(books_at(base), base, n) == quantity:
        report_at(cancelled(base, n, PREVENTED, SELF_MATCH)).extra = prevented
    else:
        report_at(lessened(base, n, quantity, PREVENTED, SELF_MATCH)).extra = prevented


@jit.inlined
def trade(base: int, n: int, m: int, quantity: int, price: int) -> None:
    """The taker n and the standing m meet."""
    seen = own_of(base, m).place == IN_SHOWN
    public = EXECUTE if seen else TRADE
    match = begin_trade(base, n, m, quantity, price, public)
    executed_inline(base, n, match, quantity, price, REMOVES, 0, 1)
    executed_inline(base, m, match, quantity, price, ADDS if seen else ADDS_UNSEEN, public, 1)
    used(base, m, quantity)
