"""What one strategy learns of a market event that the books have taken in already.

    a trade printed ─▶ on_trade     the book, shown anew ─▶ on_book     not trading ─▶ on_halt

Who looks at nothing is shown nothing: the book that changed is noted, and shown when it is called.
Of several strategies each sees the event and acts on it before the next one does, in the order in
which they were given.

Worst case: an event that concerns all instruments is shown one by one.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.orders import CHANGED as BOOK_CHANGED
from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import book_of, books_at
from hftlib.core import events, jit
from hftlib.core.events import EVENT
from hftlib.engine.calling import tell
from hftlib.engine.guarding import band_print
from hftlib.engine.looking import catch_up, show
from hftlib.engine.memory import (
    EAGER,
    EAGER_LEARNS,
    TRADE_AT,
    books_base,
    market_of,
    session_at,
    trade_at,
)
from hftlib.engine.parents import drive
from hftlib.engine.places import printed, watch
from hftlib.engine.seats import after, first_of
from hftlib.strategy.abi import ON_BOOK, ON_HALT, ON_TRADE

_event_at = jit.record_at(EVENT)


@jit.inlined
def learns(base: int, event: Any, trades: int, changed: int) -> None:
    """One strategy sees an event; `trades` had printed before it, `changed` says what it did."""
    session = session_at(base)
    instrument = event.instrument
    if session.eager == 0:
        if session.unseen != instrument:
            catch_up(base)
            session.unseen = instrument
        if event.kind != events.STATUS:
            return
    else:
        books = books_base(base)
        book = book_of(books_at(books), books, instrument)
        if book.trades != trades:
            _printed(base, market_of(base, instrument), book, event)
            if session.watching != 0 and session.first_seat == 0:
                band_print(base, instrument, book.last)
            if session.eager & EAGER_LEARNS:
                printed(base, instrument, event.kind)
            tell(base, ON_TRADE, instrument, base + TRADE_AT)
        show(base, instrument)
        if session.eager & EAGER_LEARNS:
            watch(base, instrument)
    if event.kind == events.STATUS:
        if event.reference != events.TRADING:
            tell(base, ON_HALT, instrument, 0)
    elif changed == BOOK_CHANGED or market_of(base, instrument).untold != 0:
        # A message may end with an event that changes nothing; what it changed before counts.
        told = market_of(base, instrument)
        whole = told.marked == 0 or event.flags & events.LAST != 0
        told.untold = 0 if whole else 1
        if whole:
            tell(base, ON_BOOK, instrument, 0)
    if session.eager > EAGER and market_of(base, instrument).untold == 0:
        drive(base, instrument)


@jit.compiled()
def others_learn(base: int, event_address: int, trades: int, changed: int) -> None:
    """The same for every strategy behind the first."""
    event = _event_at(event_address)
    seat = after(base)
    while seat != 0:
        learns(seat, event, trades, changed)
        seat = after(seat)


@jit.inlined
def _printed(base: int, seen: Any, book: Any, event: Any) -> None:
    """The trade that an event printed. Where its side is not told, the quotes before it tell."""
    trade = trade_at(base + TRADE_AT)
    trade.time, trade.price, trade.quantity = event.time, book.last, book.last_size
    trade.match, trade.sequence = event.other, event.sequence
    trade.side = event.side if event.kind == events.TRADE else events.NO_SIDE
    if trade.side == events.NO_SIDE and event.kind != events.CROSS:
        if seen.ask != NO_PRICE and book.last >= seen.ask:
            trade.side = events.BUY
        elif seen.bid != NO_PRICE and book.last <= seen.bid:
            trade.side = events.SELL


@jit.compiled()
def all_learn_of_all(base: int, event: Any) -> None:
    """What concerns all instruments, told to every strategy, one instrument after the other."""
    for instrument in range(session_at(base).instruments):
        all_learn_of_one(base, event, instrument)


@jit.compiled()
def all_learn_of_one(base: int, event: Any, instrument: int) -> None:
    """The same of one instrument, where each feed tells only of its own."""
    seat = first_of(base)
    while seat != 0:
        show(seat, instrument)
        if event.kind == events.STATUS and event.reference != events.TRADING:
            tell(seat, ON_HALT, instrument, 0)
        seat = after(seat)
