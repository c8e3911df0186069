"""What an order could take at once, without taking: for minimums, and so for fill or kill.

It goes through the other side in the order in which `taking.take` would meet it: at a price what
shows, what is hidden, then what reserve orders hold back; and it heeds orders of its own group as
that does.

Worst case: it walks every order that it would have met.
"""

from __future__ import annotations

from hftlib.book.ladder import best_level, next_level
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import jit
from hftlib.venue.matching.records import BUY, DECREMENT, OLDEST, SELL
from hftlib.venue.matching.tables import (
    HIDDEN_ROW,
    SHOWN_ROW,
    engine_of,
    own_of,
    queued_of,
    row_side,
    symbol_of,
)
from hftlib.venue.matching.taking import limit_key

_WORST = 2**62


@jit.once
def could_take(base: int, n: int) -> int:
    """How much of order n, which stands nowhere, would be executed now."""
    books, engine = books_at(base), engine_of(base)
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    other = SELL if own.side == BUY else BUY
    shown = row_side(base, SHOWN_ROW, own.symbol, other)
    hidden = row_side(base, HIDDEN_ROW, own.symbol, other)
    limit = limit_key(own.side, own.price)
    engine.scan_left = queued_of(books, base, n).quantity
    engine.scan_done = 0
    engine.scan_over = 0
    seen, unseen = best_level(books, base, shown), best_level(books, base, hidden)
    while engine.scan_left != 0 and engine.scan_over == 0:
        seen_key = level_of(books, base, seen).key if seen != 0 else _WORST
        unseen_key = level_of(books, base, unseen).key if unseen != 0 else _WORST
        key = min(seen_key, unseen_key)
        price = key if other == SELL else -key
        if key > limit or price > symbol.upper or price < symbol.lower:
            break
        if seen_key == key:
            _scan(base, n, seen, 0)
        if unseen_key == key:
            _scan(base, n, unseen, 0)
            unseen = next_level(books, base, hidden, unseen)
        if seen_key == key:
            _scan(base, n, seen, 1)
            seen = next_level(books, base, shown, seen)
    return engine.scan_done


@jit.once
def _scan(base: int, n: int, level_number: int, held_back: int) -> None:
    """One level: what stands in its queue, or what its orders hold back."""
    books, engine = books_at(base), engine_of(base)
    own = own_of(base, n)
    number = level_of(books, base, level_number).first
    while number != level_number and engine.scan_left != 0 and engine.scan_over == 0:
        order = order_of(books, base, number)
        maker = own_of(base, number - engine.order_first)
        number = order.behind
        if own.prevention != 0 and maker.firm == own.firm and maker.group == own.group:
            if held_back != 0 or own.prevention == OLDEST:
                continue
            if own.prevention == DECREMENT:
                engine.scan_left -= min(engine.scan_left, order.quantity + maker.reserve)
            else:
                engine.scan_over = 1
            continue
        quantity = min(engine.scan_left, maker.reserve if held_back != 0 else order.quantity)
        engine.scan_left -= quantity
        engine.scan_done += quantity
