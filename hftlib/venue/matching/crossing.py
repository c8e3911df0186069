"""A cross happens: all that can be executed at one price is, at that price.

    orders in turn: best price first, market orders before all; at a price SHOWN, HELD, HIDDEN,
    each first come first ─▶ one trade for each pair ─▶ CROSSED ─▶ what was held is over ─▶ state

As the price is the one of most shares, what is left does not cross. Whoever would meet himself
does: crosses know no self-match prevention. Trades of a cross are not printed one by one
(`printed` is 0); CROSSED has the volume.

Worst case: each order that takes part is touched twice, a reserve order three times.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level
from hftlib.book.tables import books_at, level_of
from hftlib.core import jit
from hftlib.venue.matching.auction import at_price, find_price
from hftlib.venue.matching.ending import cancel
from hftlib.venue.matching.queues import best_shown
from hftlib.venue.matching.reasons import CROSS_OVER
from hftlib.venue.matching.records import (
    BUY,
    CROSS_TRADE,
    CROSSED,
    EXECUTE_AT,
    IMBALANCE,
    IN_CROSS,
    INDICATION,
    SELL,
)
from hftlib.venue.matching.tables import (
    HELD_ROW,
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
from hftlib.venue.matching.telling import blank
from hftlib.venue.matching.trading import begin_trade, executed, refresh_all, used


@jit.inlined
def reference_of(base: int, symbol_number: int, given: int) -> int:
    """What the command says, else the symbol's reference, else its last trade."""
    symbol = symbol_of(base, symbol_number)
    if given != 0:
        return given
    return symbol.reference if symbol.reference != 0 else symbol.last


@jit.once
def cross_now(base: int, symbol_number: int, cross: int, given: int) -> None:
    """Find the price, execute, tell, and end what waited for this cross."""
    engine = engine_of(base)
    find_price(base, symbol_number, cross, 1, reference_of(base, symbol_number, given))
    price, volume = engine.answer_price, engine.answer_volume
    left = volume
    while left > 0:
        b = _next(base, symbol_number, cross, BUY)
        s = _next(base, symbol_number, cross, SELL)
        left -= _meet(base, b, s, price, left)
    engine.match += 1
    report = report_at(blank(base, CROSSED, 0))
    report.symbol = symbol_number
    report.other = engine.match
    report.price = price
    report.quantity = volume
    report.cross = cross
    report.public = CROSS_TRADE
    report.printed = 1
    refresh_all(base)
    _end_held(base, symbol_number, cross, BUY)
    _end_held(base, symbol_number, cross, SELL)


@jit.once
def _next(base: int, symbol: int, cross: int, side: int) -> int:
    """The order of a side that is next to be executed; there is one."""
    books = books_at(base)
    found, key = 0, 2**62
    for k in range(3):
        row = SHOWN_ROW if k == 0 else HELD_ROW + cross - 1 if k == 1 else HIDDEN_ROW
        level = best_level(books, base, row_side(base, row, symbol, side))
        if level != 0 and level_of(books, base, level).key < key:
            found, key = level_of(books, base, level).first, level_of(books, base, level).key
    return found - engine_of(base).order_first


@jit.once
def _meet(base: int, b: int, s: int, price: int, left: int) -> int:
    """A buy and a sell trade as much as both can, and as the cross has left."""
    books = books_at(base)
    quantity = min(queued_of(books, base, b).quantity, queued_of(books, base, s).quantity, left)
    match = begin_trade(base, b, s, quantity, price, EXECUTE_AT)
    executed(base, b, match, quantity, price, IN_CROSS, _public(own_of(base, b)), 0)
    executed(base, s, match, quantity, price, IN_CROSS, _public(own_of(base, s)), 0)
    used(base, b, quantity)
    used(base, s, quantity)
    return quantity


@jit.inlined
def _public(own: Any) -> int:
    return EXECUTE_AT if own.place == IN_SHOWN else 0


@jit.once
def _end_held(base: int, symbol: int, cross: int, side: int) -> None:
    books = books_at(base)
    ladder = row_side(base, HELD_ROW + cross - 1, symbol, side)
    level = best_level(books, base, ladder)
    while level != 0:
        cancel(base, level_of(books, base, level).first - engine_of(base).order_first, CROSS_OVER)
        level = best_level(books, base, ladder)


@jit.once
def indicate(base: int, symbol_number: int, cross: int, given: int) -> None:
    """What a cross would do now, told to the public.

    Paired and imbalance are at the reference price; near is where all would cross, far where
    those alone would that wait for the cross.
    """
    engine = engine_of(base)
    reference = reference_of(base, symbol_number, given)
    find_price(base, symbol_number, cross, 0, reference)
    far = engine.answer_price
    count = find_price(base, symbol_number, cross, 1, reference)
    near = engine.answer_price
    reference = reference if reference != 0 else near
    bought = at_price(base, count, reference, BUY)
    sold = at_price(base, count, reference, SELL)
    report = report_at(blank(base, IMBALANCE, 0))
    report.symbol = symbol_number
    report.price = reference
    report.quantity = min(bought, sold)
    report.extra = abs(bought - sold)
    report.state = BUY if bought > sold else SELL if sold > bought else 0
    report.other = near
    report.open = far
    report.cross = cross
    report.public = INDICATION


@jit.once
def is_crossed(base: int, symbol: int) -> bool:
    """Its bids and asks would trade, hidden ones too."""
    books = books_at(base)
    bid, ask = best_shown(books, base, symbol, BUY), best_shown(books, base, symbol, SELL)
    for side in range(BUY, SELL + 1):
        level = best_level(books, base, row_side(base, HIDDEN_ROW, symbol, side))
        if level != 0:
            key = level_of(books, base, level).key
            if side == BUY:
                bid = max(bid, -key)
            else:
                ask = min(ask, key) if ask != 0 else key
    return bid != 0 and ask != 0 and bid >= ask
