"""Pegged orders: hidden orders whose price follows the best prices that the public sees.

    PEG_SAME    its own side's best price      + offset
    PEG_OTHER   the other side's               + offset
    PEG_MID     the middle, half ticks too     + offset

The price never reaches the other side's best (a tick less), nor beyond the order's own limit. Where
there is nothing to follow, where it would be outside of the bands and where nothing trades,
the order is parked: it stands nowhere. When best prices have moved all pegs that get
another price leave first, and then come back one by one in the order in which they came: so
none meets another at a price of before. Each gets a new number, and may take from hidden orders.

Worst case: every change of a best price goes through all pegs of the symbol.
"""

from __future__ import annotations

from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.venue.matching.ending import renumber
from hftlib.venue.matching.queues import best_shown, leave, open_of
from hftlib.venue.matching.reasons import REPEGGED
from hftlib.venue.matching.records import (
    BUY,
    MARKET,
    PEG_MID,
    PEG_SAME,
    PRICE_MAX,
    PRIORITY,
    SELL,
    TRADING,
)
from hftlib.venue.matching.tables import (
    IN_HIDDEN,
    MOVING,
    PARKED,
    own_of,
    report_at,
    symbol_of,
    tick_at,
)
from hftlib.venue.matching.telling import of_order


@jit.once
def peg_price(base: int, n: int) -> int:
    """Where the peg should stand now; 0: nowhere."""
    books = books_at(base)
    own = own_of(base, n)
    symbol = symbol_of(base, own.symbol)
    bid = best_shown(books, base, own.symbol, BUY)
    ask = best_shown(books, base, own.symbol, SELL)
    if symbol.state != TRADING:
        return 0
    buys = own.side == BUY
    if own.style == PEG_MID:
        if bid == 0 or ask == 0:
            return 0
        price = (bid + ask + (0 if buys else 1)) // 2 + own.offset
    else:
        same = own.style == PEG_SAME
        followed = bid if same == buys else ask
        if followed == 0:
            return 0
        price = followed + own.offset
        tick = tick_at(symbol, price)
        price = price // tick * tick if buys else -(-price // tick) * tick
    if buys:
        if ask != 0:
            price = min(price, ask - tick_at(symbol, ask - 1))
        if own.limit != MARKET:
            price = min(price, own.limit)
    else:
        if bid != 0:
            price = max(price, bid + tick_at(symbol, bid))
        if own.limit != MARKET:
            price = max(price, own.limit)
    if not 0 < price <= PRICE_MAX or price > symbol.upper or price < symbol.lower:
        return 0
    return price


@jit.once
def leave_old_prices(base: int, symbol_number: int) -> int:
    """All pegs that get another price leave; those with nowhere to go are told. How many move."""
    books = books_at(base)
    symbol = symbol_of(base, symbol_number)
    bid = best_shown(books, base, symbol_number, BUY)
    ask = best_shown(books, base, symbol_number, SELL)
    if bid == symbol.peg_bid and ask == symbol.peg_ask and symbol.state == symbol.pegging:
        return 0
    symbol.peg_bid, symbol.peg_ask, symbol.pegging = bid, ask, symbol.state
    moving = 0
    n = symbol.peg_first
    while n != 0:
        own = own_of(base, n)
        price = peg_price(base, n)
        now = own.price if own.place == IN_HIDDEN else 0
        if price != now:
            if own.place == IN_HIDDEN:
                leave(base, n)
            own.price = price
            own.place = MOVING if price != 0 else PARKED
            moving += 1 if price != 0 else 0
            if price == 0:
                report = report_at(of_order(base, PRIORITY, REPEGGED, n))
                report.other = own.number
                report.open = open_of(books, base, n)
        n = own.peg_after
    return moving


@jit.inlined
def moved(base: int, n: int) -> int:
    """A peg comes back: a new number, told to its owner; the report's address."""
    old = renumber(base, n)
    address = of_order(base, PRIORITY, REPEGGED, n)
    report = report_at(address)
    report.other = old
    report.open = open_of(books_at(base), base, n)
    return address
