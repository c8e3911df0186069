"""The tick path: one event in, and what it makes us send. Every driver calls these and no others.

    market(event) ─▶ the books ─▶ what the strategy reads ─▶ on_trade, on_book, on_halt
    answer(event) ─▶ the order's life ─▶ on_order, on_fill ─▶ its quote
    timer(now)    ─▶ on_timer
    start, finish ─▶ on_start, on_stop

Time is an argument: `received` of an event is now. What the strategy asks for goes through
`intents.py` at once, and the commands wait in execution for the driver to take away.

A strategy whose callback ends with an exception is called no more; its standing orders stay, for
the driver to cancel or to leave.

Worst case: a callback that loops is ended by its own budget of steps.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.apply import apply_inline, apply_of_all, concerns_all
from hftlib.book.ladder import best_level
from hftlib.book.orders import CHANGED as BOOK_CHANGED
from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import NO_INSTRUMENT, book_of, books_at, level_of
from hftlib.core import events, jit, orders
from hftlib.core.events import EVENT
from hftlib.engine.memory import (
    FOREVER,
    RUNNING,
    STOPPED_BY_FAULT,
    TIMERS_AT,
    TRADE_AT,
    books_base,
    context_address,
    context_at,
    execution_base,
    market_of,
    session_at,
    state_at,
    timer_at,
    trade_at,
)
from hftlib.engine.quoting import settle_after_report
from hftlib.engine.services import earliest
from hftlib.execution.life import CHANGED, FILLED, report
from hftlib.execution.memory import execution_at, fill_address, order_address, order_of, slot_of
from hftlib.strategy.abi import (
    ENTRY,
    ON_BOOK,
    ON_FILL,
    ON_HALT,
    ON_ORDER,
    ON_START,
    ON_STOP,
    ON_TIMER,
    ON_TRADE,
)

_event_at = jit.record_at(EVENT)
_call = jit.caller(ENTRY)
_TIMER_BYTES = 16


@jit.inlined
def tell(base: int, what: int, instrument: int, argument: int) -> None:
    """Call the strategy, if it runs and has a callback for this."""
    here = context_address(base)
    context = context_at(here)
    if context.stopped != RUNNING or (context.handles >> what) & 1 == 0:
        return
    catch_up(base)
    session_at(base).callbacks[what] += 1
    fault = _call(context.entry, what, here + context.state_at, here, instrument, argument)
    if fault != 0:
        _stop_by_fault(base, what, fault)


@jit.compiled()
def _stop_by_fault(base: int, what: int, fault: int) -> None:
    here = context_address(base)
    context = context_at(here)
    state = state_at(here + context.state_at)
    state.faults, state.fault, state.faulty_call = 1, fault, what
    context.stopped = STOPPED_BY_FAULT


@jit.inlined
def market(base: int, event_address: int, received: int) -> None:
    """A market event reaches us."""
    reached(base, _event_at(event_address).time, received)
    seen(base, event_address)


@jit.inlined
def reached(base: int, time: int, received: int) -> None:
    """What the strategy is told of when the last event came."""
    now(base, received, time)
    context_at(context_address(base)).feed_latency = received - time


@jit.inlined
def seen(base: int, event_address: int) -> None:
    """The event itself. What a strategy is not called for may leave the time as it was."""
    session = session_at(base)
    event = _event_at(event_address)
    session.events += 1
    books = books_base(base)
    one = event.instrument < session.instruments
    trades = 0
    if one and session.eager != 0:
        trades = book_of(books_at(books), books, event.instrument).trades
    changed = apply_inline(books, event_address)
    if not one:
        _whole_feed(base, event)
        return
    instrument = event.instrument
    if session.eager == 0:
        if session.unseen != instrument:
            catch_up(base)
            session.unseen = instrument
        if event.kind != events.STATUS:
            return
    else:
        book = book_of(books_at(books), books, instrument)
        if book.trades != trades:
            _printed(base, market_of(base, instrument), book, event)
            tell(base, ON_TRADE, instrument, base + TRADE_AT)
        show(base, instrument)
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


@jit.inlined
def now(base: int, time: int, venue_time: int) -> None:
    session_at(base).time = time
    context = context_at(context_address(base))
    context.time = time
    context.venue_time = venue_time


@jit.inlined
def catch_up(base: int) -> None:
    """Show the book that changed while nobody looked."""
    session = session_at(base)
    if session.unseen >= 0:
        show(base, session.unseen)
        session.unseen = -1


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
def _whole_feed(base: int, event: Any) -> None:
    for instrument in range(session_at(base).instruments):
        _told_to_all(base, event, instrument)


@jit.compiled()
def _told_to_all(base: int, event: Any, instrument: int) -> None:
    show(base, instrument)
    if event.kind == events.STATUS and event.reference != events.TRADING:
        tell(base, ON_HALT, instrument, 0)


@jit.compiled("void(int64, int64, int64, int64)")
def seen_by_feed(base: int, event_address: int, routes: int, feed: int) -> None:
    """What concerns all, as one feed of several tells of it: to its own instruments."""
    session = session_at(base)
    event = _event_at(event_address)
    count = session.instruments
    if feed == 0:
        session.events += 1  # once, however many feeds tell of it
    if not concerns_all(event):
        if feed == 0:
            books_at(books_base(base)).impossible[NO_INSTRUMENT] += 1
        return
    for row in range(count):
        if jit.load_i64(jit.nth(routes, row, count, 8)) == feed:
            apply_of_all(books_base(base), event, row)
    for row in range(count):
        if jit.load_i64(jit.nth(routes, row, count, 8)) == feed:
            _told_to_all(base, event, row)


@jit.compiled("void(int64, int64, int64)")
def answer(base: int, event_address: int, entered: int) -> None:
    """A report about an order of ours reaches us."""
    event = _event_at(event_address)
    now(base, event.received, event.time)
    execution = execution_base(base)
    slot = slot_of(execution, event.reference)
    instrument = order_of(execution, slot).instrument
    fills = execution_at(execution).fills
    done = report(execution, event_address, entered)
    order = order_of(execution, slot)
    over = order.state == orders.DONE and order.reason != orders.ASKED
    refused = order.wanted_price if event.kind == orders.REPLACE_REJECTED else NO_PRICE
    # The order first: the strategy may send another in `on_fill`, and that may get its slot.
    if done & CHANGED:
        tell(base, ON_ORDER, instrument, order_address(execution, slot))
    if done & FILLED:
        tell(base, ON_FILL, instrument, fill_address(execution, fills))
    if done & CHANGED and context_at(context_address(base)).stopped == RUNNING:
        settle_after_report(base, instrument, event.reference, over, refused)


@jit.compiled("void(int64)")
def timer(base: int) -> None:
    """The earliest timer is due: it is told of and forgotten."""
    session = session_at(base)
    due = session.next_timer
    for n in range(session.timers_used):
        one = timer_at(base + TIMERS_AT + n * _TIMER_BYTES)
        if one.due == due:
            one.due = FOREVER
            session.next_timer = earliest(base)
            now(base, due, due)
            tell(base, ON_TIMER, 0, one.number)
            return


@jit.compiled("void(int64, int64, int64)")
def start(base: int, time: int, venue_time: int) -> None:
    """Before the first event, at its times."""
    now(base, time, venue_time)
    context_at(context_address(base)).feed_latency = time - venue_time
    for instrument in range(session_at(base).instruments):
        show(base, instrument)
    tell(base, ON_START, 0, 0)


@jit.compiled("void(int64, int64)")
def finish(base: int, time: int) -> None:
    now(base, time, time)
    tell(base, ON_STOP, 0, 0)
