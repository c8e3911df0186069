"""What a print says: who took, at which price, and what it does beyond the queue it happened in.

A print wakes our stops at or through its trigger. A CROSS fills our standing orders that are
strictly better than its price, at its price, each side up to its quantity; at the price itself
none, for who of those was served nobody can know. Executions that are part of a cross (flag
NOT_PRINTABLE) neither fill nor wake: the CROSS does.

Where a TRADE does not say who took, a price at or above the best ask was a buyer's and one at or
below the best bid a seller's; within the spread nobody knows, and none of ours fills.
Worst case: every stop of an instrument wakes at one print.
"""

from __future__ import annotations

from typing import Any

from hftlib.book import reading
from hftlib.book.tables import KEY_MAX, QUANTITY_MAX
from hftlib.core import jit
from hftlib.core.events import BUY, NOT_PRINTABLE, SELL
from hftlib.core.orders import LIMIT, MARKET, STOP
from hftlib.venue.doors import fill_standing, trade_and_rest
from hftlib.venue.lists import BUY_STOPS, SELL_STOPS, first_of, leave_list
from hftlib.venue.tables import key_of, own_of, venue_at


@jit.inlined
def is_printed(event: Any) -> bool:
    return event.flags & NOT_PRINTABLE == 0


@jit.compiled()
def who_took(address: int, event: Any) -> int:
    """BUY, SELL, or 0: nobody knows."""
    if event.side == BUY or event.side == SELL:
        return event.side
    base = address + venue_at(address).books_at
    bid = reading.best_price(base, event.instrument, BUY)
    ask = reading.best_price(base, event.instrument, SELL)
    if ask != reading.NO_PRICE and event.price >= ask:
        return BUY
    if bid != reading.NO_PRICE and event.price <= bid:
        return SELL
    return 0


@jit.compiled()
def fill_better(
    address: int, instrument: int, side: int, limit: int, quantity: int, price: int, time: int
) -> int:
    """Fill our standing orders strictly better than the limit; what is left of the quantity.

    At their own prices, or, where `price` is not NO_PRICE, at that.
    """
    number = first_of(address, instrument, side)
    while number != 0 and quantity > 0:
        own = own_of(address, number)
        if own.key >= limit:
            return quantity
        at = own.price if price == reading.NO_PRICE else price
        quantity -= fill_standing(address, number, quantity_of(own, quantity), at, time)
        number = first_of(address, instrument, side)
    return max(quantity, 0)


@jit.inlined
def quantity_of(own: Any, quantity: int) -> int:
    """No more than what shows at once."""
    return min(quantity, own.shown)


@jit.compiled()
def cross(address: int, event: Any) -> None:
    if not 0 < event.quantity < QUANTITY_MAX or not -KEY_MAX < event.price < KEY_MAX:
        return
    for side in range(2):
        limit = key_of(side + 1, event.price)
        fill_better(address, event.instrument, side, limit, event.quantity, event.price, event.time)


@jit.compiled()
def wake_stops(address: int, instrument: int, price: int, time: int) -> None:
    """A trade printed at this price: the stops that it reaches become what they wait to be."""
    for which in range(BUY_STOPS, SELL_STOPS + 1):
        reached = price if which == BUY_STOPS else -price
        number = first_of(address, instrument, which)
        while number != 0 and own_of(address, number).key <= reached:
            own = own_of(address, number)
            leave_list(address, number)
            own.kind = MARKET if own.kind == STOP else LIMIT
            own.key = key_of(own.side, own.price)
            trade_and_rest(address, number, time)
            number = first_of(address, instrument, which)
