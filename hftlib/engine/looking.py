"""What the strategy sees of a book, brought up to date, and what hangs on it.

    show      best prices, quantities, the last trade, the trading state ─▶ its MARKET record
    catch_up  the same for the book that changed while nobody looked

Limits that count what positions are worth, and data that are not to be trusted, look at each
change too (`enforcing.watched`). Worst case: none, one book at a time.
"""

from __future__ import annotations

from hftlib.book.ladder import best_level
from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import book_of, books_at, level_of
from hftlib.core import jit
from hftlib.engine.enforcing import watched
from hftlib.engine.memory import (
    books_base,
    context_address,
    context_at,
    market_of,
    risk_base,
    session_at,
)
from hftlib.engine.seats import after, first_of, is_alone
from hftlib.risk.controls import G_DATA
from hftlib.risk.memory import risk_at


@jit.inlined
def now(base: int, time: int, venue_time: int) -> None:
    """Time goes on, for every strategy."""
    _now(base, time, venue_time)
    if not is_alone(base):
        _now_for_all(base, time, venue_time)


@jit.compiled()
def _now_for_all(base: int, time: int, venue_time: int) -> None:
    seat = first_of(base)
    while seat != 0:
        _now(seat, time, venue_time)
        seat = after(seat)


@jit.inlined
def _now(seat: int, time: int, venue_time: int) -> None:
    session_at(seat).time = time
    context = context_at(context_address(seat))
    context.time = time
    context.venue_time = venue_time


@jit.inlined
def heard(seat: int, time: int, venue_time: int) -> None:
    """A strategy is told when the last event came, and how late."""
    _now(seat, time, venue_time)
    context_at(context_address(seat)).feed_latency = time - venue_time


@jit.compiled()
def all_heard(base: int, time: int, venue_time: int) -> None:
    """The same for every one."""
    seat = first_of(base)
    while seat != 0:
        heard(seat, time, venue_time)
        seat = after(seat)


@jit.inlined
def catch_up(base: int) -> None:
    """Show the book that changed while nobody looked."""
    session = session_at(base)
    if session.unseen >= 0:
        show(base, session.unseen)
        session.unseen = -1


@jit.compiled()
def catch_up_all(base: int) -> None:
    """Of several strategies each must see what the others see, before one of them asks risk.

    Risk takes the market from whoever asks: an old view would become everybody's.
    """
    seat = first_of(base)
    while seat != 0:
        catch_up(seat)
        seat = after(seat)


@jit.compiled()
def look_from_now_on(base: int, time: int) -> None:
    """A limit was set that nobody may have had before: each change of a book counts from now on."""
    seat, risk = first_of(base), risk_at(risk_base(base))
    if risk.groups & G_DATA:
        risk.next_guard = min(risk.next_guard, time)
    while seat != 0:
        catch_up(seat)
        session = session_at(seat)
        session.watching = 1
        session.eager |= 1
        for instrument in range(session.instruments):
            show(seat, instrument)
        seat = after(seat)


@jit.inlined
def show(base: int, instrument: int) -> None:
    """Bring what the strategy reads of a book up to date."""
    books = books_base(base)
    header = books_at(books)
    seen = market_of(base, instrument)
    book = book_of(header, books, instrument)
    bid = best_level(header, books, 2 * instrument)
    level = level_of(header, books, bid)  # of an empty side: number 0, the header's own memory
    seen.bid = -level.key if bid != 0 else NO_PRICE
    seen.bid_quantity = level.quantity if bid != 0 else 0
    seen.bid_orders = level.orders if bid != 0 else 0
    ask = best_level(header, books, 2 * instrument + 1)
    level = level_of(header, books, ask)
    seen.ask = level.key if ask != 0 else NO_PRICE
    seen.ask_quantity = level.quantity if ask != 0 else 0
    seen.ask_orders = level.orders if ask != 0 else 0
    seen.last, seen.last_quantity, seen.volume = book.last, book.last_size, book.volume
    seen.state, seen.stale, seen.time = book.state, book.stale, book.time
    session = session_at(base)
    wrong = seen.stale != 0 or (seen.bid >= seen.ask and ask != 0 and bid != 0)
    if session.watching != 0 or session.distrusted != 0 or wrong:
        watched(base, instrument)
