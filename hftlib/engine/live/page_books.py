"""A book on the runner's page: ten levels a side, our orders in their queues, one book a call.

    show(copying, live)   the next instrument in turn: its VIEW, its WORKING orders

    level ─▶ its price, quantity, orders
    each open order of ours ─▶ a row; where the venue has it: its level's `own`, `ahead`

An order of ours is found in the book by the venue's number of it, which on an order-by-order feed
is its reference there. What is ahead is the level less what is behind, which is walked as in
`book/queues.py`. In shadow the orders of the book are others', whatever their numbers.

Worst case: ORDERS_WALKED orders of ours and STEPS steps along queues for one book. Orders beyond
are counted but not shown; what is ahead of one whose queue is longer is UNKNOWN.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level, next_level
from hftlib.book.orders import side_of_order
from hftlib.book.references import find_order
from hftlib.book.tables import book_of, books_at, level_of
from hftlib.book.tables import order_of as book_order
from hftlib.core import jit, orders
from hftlib.core.events import BUY
from hftlib.core.seqlock import begin_cell, end
from hftlib.engine.live.hot_memory import COPYING
from hftlib.engine.live.memory import live_at
from hftlib.engine.live.page_memory import (
    ASK_AT,
    BID_AT,
    LEVELS,
    RUNG,
    RUNG_BYTES,
    UNKNOWN,
    VIEW,
    VIEW_BYTES,
    WORKING,
    WORKING_BYTES,
)
from hftlib.engine.live.page_trail import counted
from hftlib.engine.memory import books_base, execution_base, risk_base
from hftlib.engine.seats import after, first_of
from hftlib.execution.memory import execution_at, order_of, position_of
from hftlib.risk.memory import FIRM_ROW, holding_of, instrument_row, rule_of, scope_of

ORDERS_WALKED, STEPS = 128, 128

copying_at = jit.record_at(COPYING)
view_at = jit.record_at(VIEW)
_rung_at = jit.record_at(RUNG)
_working_at = jit.record_at(WORKING)


@jit.compiled("void(int64, int64)")
def show(copying: int, live: int) -> None:
    """The next instrument in turn."""
    c, header = copying_at(copying), live_at(live)
    count = header.instruments
    n = c.showing if c.showing < count else 0
    c.showing = n + 1
    moment = jit.nth(c.moments, n, count, 8)
    view = jit.nth(c.views, n, count, VIEW_BYTES)
    begin_cell(moment)
    books, seen = books_base(header.session), view_at(view)
    bids = _ladder(books, 2 * n, view + BID_AT)
    asks = _ladder(books, 2 * n + 1, view + ASK_AT)
    seen.bids, seen.asks = bids, asks
    _ours(copying, live, n, view, bids, asks)
    _facts(live, n, view)
    end(moment)


@jit.compiled()
def _ladder(base: int, side: int, place: int) -> int:
    """The best levels of a side: how many."""
    books = books_at(base)
    number, count = best_level(books, base, side), 0
    while number != 0 and count < LEVELS:
        level, rung = level_of(books, base, number), _rung_at(place + count * RUNG_BYTES)
        rung.price = level.key if side & 1 else -level.key
        rung.quantity, rung.orders = level.quantity, level.orders
        rung.own, rung.ahead = 0, UNKNOWN
        number = next_level(books, base, side, number)
        count += 1
    return count


@jit.compiled()
def _ours(copying: int, live: int, instrument: int, view: int, bids: int, asks: int) -> None:
    """Our open orders of the instrument, of one strategy after the other, the newest first."""
    c, header = copying_at(copying), live_at(live)
    books, seat = books_base(header.session), first_of(header.session)
    block = c.working + instrument * c.each * WORKING_BYTES
    steps, walked, total = STEPS, 0, 0
    while seat != 0:
        execution = execution_base(seat)
        position = position_of(execution, instrument)
        total += position.open_orders
        slot = position.first_open
        while slot != 0 and walked < ORDERS_WALKED:
            order, ahead = order_of(execution, slot), UNKNOWN
            if _is_there(order):
                if c.is_shadow == 0 and order.venue_number != 0:
                    ahead, steps = _ahead(books, order, steps)
                if order.side == BUY:
                    _stand(view + BID_AT, bids, order, ahead)
                else:
                    _stand(view + ASK_AT, asks, order, ahead)
            if walked < c.each:
                row = _working_at(block + walked * WORKING_BYTES)
                row.id, row.price, row.quantity = order.id, order.price, order.quantity
                row.filled, row.sent, row.ahead = order.filled, order.sent, ahead
                row.strategy, row.side = execution_at(execution).strategy, order.side
                row.state, row.kind = order.state, order.kind
            walked += 1
            slot = order.next
        seat = after(seat)
    seen = view_at(view)
    seen.open, seen.rows = total, min(walked, c.each)


@jit.inlined
def _is_there(order: Any) -> bool:
    """Whether it stands at a price at the venue, as far as we were told."""
    told = order.pending & orders.NEW_PENDING == 0 and order.state != orders.HELD
    return told and order.state < orders.ENDING and order.kind == orders.LIMIT


@jit.compiled()
def _ahead(base: int, order: Any, steps: int) -> tuple[int, int]:
    """The quantity before an order, or UNKNOWN; and how many steps are left."""
    books = books_at(base)
    number = find_order(books, base, order.venue_number)
    if number == 0:
        return UNKNOWN, steps
    stands = book_order(books, base, number)
    level = stands.level
    found = level_of(books, base, level)
    key = -order.price if order.side == BUY else order.price
    if side_of_order(stands) != 2 * order.instrument + order.side - 1 or found.key != key:
        return UNKNOWN, steps
    ahead = found.quantity
    while number != level:
        if steps == 0:
            return UNKNOWN, 0
        one = book_order(books, base, number)
        ahead -= one.quantity
        number = one.behind
        steps -= 1
    return ahead, steps


@jit.inlined
def _stand(place: int, count: int, order: Any, ahead: int) -> None:
    """Add an order of ours to the level of its price, where that is shown."""
    for n in range(count):
        rung = _rung_at(place + n * RUNG_BYTES)
        if rung.price == order.price:
            rung.own += order.quantity - order.filled
            if ahead != UNKNOWN and (rung.ahead == UNKNOWN or ahead < rung.ahead):
                rung.ahead = ahead
            break


@jit.compiled()
def _facts(live: int, instrument: int, view: int) -> None:
    """When it was so, and what risk counts of it."""
    header, seen = live_at(live), view_at(view)
    books, risk = books_base(header.session), risk_base(header.session)
    book = book_of(books_at(books), books, instrument)
    seen.time, seen.stale, seen.state = header.now, book.stale, book.state
    rule, held = rule_of(risk, instrument), holding_of(risk, FIRM_ROW, instrument)
    seen.mark, seen.venue_time, seen.skew = rule.mark, rule.venue_time, rule.skew
    seen.gross, seen.capital, seen.profit = held.gross, held.capital, held.flow + held.worth
    seen.long, seen.short = held.long, held.short
    counted(risk, scope_of(risk, instrument_row(risk, instrument)), seen.counts, header.now)
