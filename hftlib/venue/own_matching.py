"""An event of an instrument where we have orders: matched with them first, then into the books.

    FIFO rule      fifo.py          our orders stand in the book
    other rules    level_rules.py   our orders stand beside it
    then           stops that the print reaches, if trading goes on

While trading is halted only a CROSS fills. Events that name an order by a number of our range are
garbage, left out and counted (`foreign`).
Worst case: a CLEAR of everything takes all our orders out of the books and puts them in again.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.orders import side_of_order
from hftlib.book.reading import NO_PRICE
from hftlib.book.references import find_order
from hftlib.book.tables import KEY_MAX, QUANTITY_MAX, books_at, level_of, order_of
from hftlib.core import events, jit
from hftlib.venue.doors import fifo_event, into_books
from hftlib.venue.history import back_into_book, out_of_book
from hftlib.venue.level_rules import level_event
from hftlib.venue.prints import is_printed, wake_stops
from hftlib.venue.standing import is_open
from hftlib.venue.tables import FIFO, NO_LIMIT, OWN_REFERENCE, event_at, listing_of, venue_at
from hftlib.venue.taken import forget_all


@jit.compiled()
def match_event(address: int, event_address: int) -> int:
    venue = venue_at(address)
    event = event_at(event_address)
    if 0 < event.kind <= events.REPLACE:
        renamed = event.kind == events.REPLACE and event.other >= OWN_REFERENCE
        if event.reference >= OWN_REFERENCE or renamed:
            venue.foreign += 1
            return 0
    printed = _printed_at(address, event)
    if listing_of(address, event.instrument).rule == FIFO:
        fifo_event(address, event_address)
    else:
        level_event(address, event_address)
    if printed != NO_PRICE and is_open(address, event.instrument):
        wake_stops(address, event.instrument, printed, event.time)
    return 0


@jit.compiled()
def match_all(address: int, event_address: int) -> int:
    """What concerns every instrument, or one that there is not."""
    venue = venue_at(address)
    event = event_at(event_address)
    anew = event.kind == events.CLEAR and event.instrument == events.ALL
    if anew:
        for instrument in range(venue.instruments):
            listing = listing_of(address, instrument)
            if listing.busy != 0 and listing.rule == FIFO:
                out_of_book(address, instrument, -1, -NO_LIMIT, NO_LIMIT)
                forget_all(address, instrument)
    into_books(address, event_address)
    if anew:
        for instrument in range(venue.instruments):
            listing = listing_of(address, instrument)
            if listing.busy != 0 and listing.rule == FIFO:
                back_into_book(address, instrument, -1, -NO_LIMIT, NO_LIMIT, event.time)
    return 0


@jit.compiled()
def _printed_at(address: int, event: Any) -> int:
    """The price of the trade that the event tells of; NO_PRICE: it tells of none."""
    if not is_printed(event) or not 0 < event.quantity < QUANTITY_MAX:
        return NO_PRICE
    named = event.kind == events.EXECUTE and event.price == 0
    if not named:
        trades = event.kind == events.TRADE or event.kind == events.CROSS
        trades = trades or event.kind == events.EXECUTE
        return event.price if trades and -KEY_MAX < event.price < KEY_MAX else NO_PRICE
    base = address + venue_at(address).books_at
    books = books_at(base)
    number = find_order(books, base, event.reference)
    if number == 0:
        return NO_PRICE
    order = order_of(books, base, number)
    key = level_of(books, base, order.level).key
    return key if side_of_order(order) & 1 else -key
