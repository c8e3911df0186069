"""An order that comes to market, however it came: entered, replaced, woken or moved.

    cross, not yet ──▶ held                       nothing trades ──▶ it rests
    peg ──▶ its price, or parked                  trading ──▶ it takes ──▶ the rest rests, or ends

What is left of an order rests unless it lasts for the moment only, has no price to stand at, or
would stand beyond the bands. `head` is the report that told of the order: when nothing happened
since, it also says what the public sees of it.

Worst case: as `taking.take`.
"""

from __future__ import annotations

from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.venue.matching.ending import admit, cancel
from hftlib.venue.matching.pegging import peg_price
from hftlib.venue.matching.queues import place
from hftlib.venue.matching.reasons import MOMENT_OVER, NO_ROOM, NOTHING_THERE, OUTSIDE_BANDS
from hftlib.venue.matching.records import (
    ADD,
    BUY,
    CHANGE,
    DELETE,
    HIDDEN,
    IOC,
    MARKET,
    SELL,
    STOP,
    TRADING,
)
from hftlib.venue.matching.tables import (
    HELD,
    HELD_ROW,
    HIDDEN_ROW,
    IN_HIDDEN,
    IN_SHOWN,
    PARKED,
    SHOWN_ROW,
    STOP_ROW,
    STOPPED,
    engine_of,
    own_of,
    queued_of,
    report_at,
    symbol_of,
)
from hftlib.venue.matching.taking import BLOCKED, LEFT, take
from hftlib.venue.matching.telling import added


@jit.once
def work(base: int, n: int, head: int) -> None:
    """Order n, all of it open and in no queue, comes to market."""
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    if own.cross != 0:
        _rest_in(base, n, HELD, HELD_ROW + own.cross - 1, own.side, own.price)
        return
    if own.style > STOP:
        own.price = peg_price(base, n)
        if own.price == 0:
            _park(base, n)
            return
    if symbol.state != TRADING:
        rest(base, n, head)
        return
    outcome = take(base, n)
    if outcome != LEFT and outcome != BLOCKED:
        return
    if own.lasts == IOC:
        cancel(base, n, MOMENT_OVER)
    elif own.price == MARKET:
        cancel(base, n, NOTHING_THERE)
    elif outcome == BLOCKED or _beyond(base, n):
        cancel(base, n, OUTSIDE_BANDS)
    else:
        rest(base, n, head)


@jit.inlined
def _beyond(base: int, n: int) -> bool:
    """It would stand where its side may not trade."""
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    return own.price > symbol.upper if own.side == BUY else own.price < symbol.lower


@jit.inlined
def _park(base: int, n: int) -> None:
    own = own_of(base, n)
    if own.lasts == IOC:
        cancel(base, n, NOTHING_THERE)
        return
    if own.admitted == 0:
        admit(base, n)
    own.place = PARKED


@jit.once
def rest(base: int, n: int, head: int) -> None:
    """What is left stands in its queue, and shows."""
    own, order = own_of(base, n), queued_of(books_at(base), base, n)
    if own.shows == HIDDEN:
        _rest_in(base, n, IN_HIDDEN, HIDDEN_ROW, own.side, own.price)
        return
    if 0 < own.display < order.quantity:
        own.reserve = order.quantity - own.display
        order.quantity = own.display
    if _rest_in(base, n, IN_SHOWN, SHOWN_ROW, own.side, own.price) == 0:
        return
    report = report_at(head)
    if report.sequence == engine_of(base).reports:
        # A replaced order that showed changes; any other is new to the public.
        report.public = CHANGE if report.public == DELETE else ADD
        report.shown = order.quantity
    else:
        added(base, n, order.quantity + own.reserve, order.quantity)


@jit.once
def wait_as_stop(base: int, n: int) -> None:
    """A stop waits for its price: bought when it rises to it, sold when it falls."""
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    symbol.high, symbol.low = symbol.last, symbol.last
    # The trigger next to be reached is to be the best: the sides' orders are the other way round.
    _rest_in(base, n, STOPPED, STOP_ROW, SELL if own.side == BUY else BUY, own.trigger)


@jit.once
def _rest_in(base: int, n: int, where: int, row: int, side: int, price: int) -> int:
    """Into that queue: 1, or 0: no room, and it is over."""
    if own_of(base, n).admitted == 0:
        admit(base, n)
    if place(base, n, where, row, side, price) != 0:
        return 1
    cancel(base, n, NO_ROOM)
    return 0
