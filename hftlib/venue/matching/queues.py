"""Where an order stands: into a queue, a part off, out; and its slot in memory.

    new_order ─▶ place ─▶ reduce ... ─▶ leave ─▶ place ... ─▶ give_order

The ladders are the book room's. An order's slot is its own from its acceptance to its end, however
often it changes its queue; free slots are used again last in, first out, so the memory of a
busy book stays in the cache.

Worst case: as the ladder's: a new page of prices walks the side's pages.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level, enter_level, leave_level
from hftlib.book.tables import books_at, level_of, order_of, side_of
from hftlib.core import jit
from hftlib.core.records import record
from hftlib.venue.matching.tables import (
    HELD,
    IN_SHOWN,
    NOWHERE,
    SHOWN_ROW,
    engine_of,
    key_of,
    own_of,
    price_of,
    queued_of,
    row_side,
    symbol_of,
)

_FREE = record("matching free", 4, "0 order int32")
_free_of, _ = jit.rows(engine_of, _FREE, "free_at", "orders_max")


@jit.inlined
def new_order(base: int) -> int:
    """A free slot. There is one: who asks has looked at `live`."""
    engine = engine_of(base)
    engine.live += 1
    if engine.free == 0:
        engine.used += 1
        return engine.used
    engine.free -= 1
    return _free_of(base, engine.free).order


@jit.inlined
def give_order(base: int, n: int) -> None:
    engine, own = engine_of(base), own_of(base, n)
    own.place = NOWHERE
    own.number = 0
    _free_of(base, engine.free).order = n
    engine.free += 1
    engine.live -= 1


@jit.inlined
def is_empty(books: Any, base: int, ladder: int) -> bool:
    """Nothing stands in it; mostly so where orders hide or wait."""
    return side_of(books, base, ladder).page == 0


@jit.once
def place(base: int, n: int, where: int, row: int, side: int, price: int) -> int:
    """To the end of the queue of a price: 1, or 0 where there is no room for one more price.

    Its quantity is in its slot already.
    """
    books = books_at(base)
    own = own_of(base, n)
    ladder = row_side(base, row, own.symbol, side)
    level_number = enter_level(
        books, base, side_of(books, base, ladder), ladder, key_of(side, price)
    )
    if level_number < 0:
        return 0
    level = level_of(books, base, level_number)
    number = engine_of(base).order_first + n
    order = order_of(books, base, number)
    last = level.last
    order.reference = own.number
    order.level = level_number
    order.ahead = last
    order.behind = level_number
    order.side = ladder
    order_of(books, base, last).behind = number
    level.last = number
    level.orders += 1
    level.quantity += order.quantity
    books.orders += 1
    own.place = where
    watch(base, own.symbol)
    return 1


@jit.once
def leave(base: int, n: int) -> None:
    """Out of its queue, with what it has there; its slot keeps the quantity."""
    books = books_at(base)
    number = engine_of(base).order_first + n
    order = order_of(books, base, number)
    level_number, ahead, behind = order.level, order.ahead, order.behind
    order_of(books, base, ahead).behind = behind
    order_of(books, base, behind).ahead = ahead
    level = level_of(books, base, level_number)
    level.orders -= 1
    level.quantity -= order.quantity
    order.level = 0
    books.orders -= 1
    leave_level(books, base, order.side, level_number)
    own = own_of(base, n)
    own.place = NOWHERE
    watch(base, own.symbol)


@jit.inlined
def reduce(books: Any, base: int, n: int, quantity: int) -> None:
    """Less of it, which keeps its place; something is left."""
    order = queued_of(books, base, n)
    order.quantity -= quantity
    level_of(books, base, order.level).quantity -= quantity


@jit.inlined
def is_queued(place: int) -> bool:
    return IN_SHOWN <= place <= HELD


@jit.inlined
def open_of(books: Any, base: int, n: int) -> int:
    """All that is open of it."""
    return queued_of(books, base, n).quantity + own_of(base, n).reserve


@jit.inlined
def watch(base: int, symbol_number: int) -> None:
    """Something changed that stops or pegs of the symbol may follow; where it has none, nothing."""
    symbol = symbol_of(base, symbol_number)
    if symbol.watched != 0 and symbol.unsettled == 0:
        _unsettle(base, symbol_number)


@jit.once
def _unsettle(base: int, symbol_number: int) -> None:
    engine, symbol = engine_of(base), symbol_of(base, symbol_number)
    symbol.unsettled = 1
    symbol.next = 0
    if engine.unsettled == 0:
        engine.unsettled = symbol_number + 1
    else:
        symbol_of(base, engine.unsettled_last - 1).next = symbol_number + 1
    engine.unsettled_last = symbol_number + 1


@jit.inlined
def best_shown(books: Any, base: int, symbol: int, side: int) -> int:
    """The best price that the public sees on a side; 0 without one."""
    ladder = row_side(base, SHOWN_ROW, symbol, side)
    level = best_level(books, base, ladder)
    return price_of(ladder, level_of(books, base, level).key) if level != 0 else 0
