"""What follows from a change: stops that a trade reached wake, pegs follow the best prices.

    while a symbol is unsettled:    buy stop reached?  wake it      lowest trigger first
                                    sell stop reached? wake it      highest trigger first
                                    best prices moved? move the pegs

One at a time, each as an order that comes to market, until nothing follows any more: a stop wakes
once, and pegs trade with hidden orders only, which moves no best price; so it ends. Each
step is small enough for the room that reports have; where there is less, it goes on once they are
taken (`run`).

Worst case: each stop that wakes moves the best price, and with it all pegs.
"""

from __future__ import annotations

from hftlib.book.ladder import best_level
from hftlib.book.tables import books_at, level_of
from hftlib.core import jit
from hftlib.venue.matching.ending import renumber
from hftlib.venue.matching.pegging import leave_old_prices, moved
from hftlib.venue.matching.queues import leave, open_of
from hftlib.venue.matching.reasons import WOKEN
from hftlib.venue.matching.records import BUY, PLAIN, PRIORITY, SELL, TRADING
from hftlib.venue.matching.tables import (
    MOVING,
    NOWHERE,
    STOP_ROW,
    engine_of,
    own_of,
    report_at,
    row_side,
    symbol_of,
)
from hftlib.venue.matching.telling import of_order
from hftlib.venue.matching.working import work


@jit.once
def settle(base: int) -> int:
    """1: all is settled; 0: reports must be taken first."""
    engine = engine_of(base)
    while engine.unsettled != 0:
        number = engine.unsettled - 1
        if engine.reports_used + engine.reports_room > engine.reports_max:
            return 0
        if _step(base, number) == 0:
            symbol = symbol_of(base, number)
            symbol.unsettled = 0
            engine.unsettled = symbol.next
    return 1


@jit.once
def _step(base: int, number: int) -> int:
    """One thing that follows; 0: nothing does."""
    symbol = symbol_of(base, number)
    if symbol.state == TRADING and symbol.last != 0:
        books = books_at(base)
        rising = row_side(base, STOP_ROW, number, SELL)
        level = best_level(books, base, rising)
        if level != 0 and level_of(books, base, level).key <= symbol.high:
            _wake(base, level)
            return 1
        level = best_level(books, base, row_side(base, STOP_ROW, number, BUY))
        if level != 0 and -level_of(books, base, level).key >= symbol.low:
            _wake(base, level)
            return 1
        symbol.high, symbol.low = symbol.last, symbol.last
    return _move_pegs(base, number)


@jit.once
def _wake(base: int, level: int) -> None:
    """The first stop of a level comes to market as what it is without its trigger."""
    books = books_at(base)
    n = level_of(books, base, level).first - engine_of(base).order_first
    own = own_of(base, n)
    leave(base, n)
    own.style = PLAIN
    symbol_of(base, own.symbol).watched -= 1
    old = renumber(base, n)
    head = of_order(base, PRIORITY, WOKEN, n)
    report = report_at(head)
    report.other = old
    report.open = open_of(books, base, n)
    work(base, n, head)


@jit.once
def _move_pegs(base: int, number: int) -> int:
    if leave_old_prices(base, number) == 0:
        return 0
    engine = engine_of(base)
    engine.cursor = symbol_of(base, number).peg_first
    while engine.cursor != 0:
        n = engine.cursor
        own = own_of(base, n)
        engine.cursor = own.peg_after
        if own.place == MOVING:
            own.place = NOWHERE
            work(base, n, moved(base, n))
    return 1
