"""An order of ours that stands: how it gets its place, loses quantity, fills, and leaves.

Where the rule is FIFO it stands in the venue's own book under a reference of its own, behind all
that was there before it. What others cancel ahead of it brings it forward without any work here.
Elsewhere it stands beside the book with an estimate of what is ahead.

    place_now     at the end of the queue of its price         0, or the reason why not
    take_out      out of the book, for a moment or for good
    fill_now      a share of it trades; an iceberg shows its next part at the end of the queue
    end_now       out of everything, with a CANCELED

Worst case: the book has no room for another price level, and the order ends with VENUE_FULL.
"""

from __future__ import annotations

from typing import Any

from hftlib.book import reading
from hftlib.book.orders import append_order, drop_order, take_off
from hftlib.book.references import find_order
from hftlib.book.tables import books_at, order_of, side_of
from hftlib.core import events, jit
from hftlib.core.orders import VENUE_FULL
from hftlib.venue.lists import end_life, enter_list, leave_list
from hftlib.venue.reports import canceled, filled
from hftlib.venue.tables import (
    FIFO,
    OWN_REFERENCE,
    STANDING,
    listing_of,
    own_of,
    venue_at,
)


@jit.compiled()
def place_now(address: int, number: int, time: int) -> int:
    """At the end of the queue of its price; 0, or the reason why it could not."""
    venue = venue_at(address)
    own = own_of(address, number)
    listing = listing_of(address, own.instrument)
    left = own.quantity - own.filled
    own.shown = min(own.display, left) if own.display > 0 else left
    level = reading.level_at(address + venue.books_at, own.instrument, own.side, own.price)
    ahead = reading.level_quantity(address + venue.books_at, level) if level != 0 else 0
    if listing.rule == FIFO:
        refused = stand_in_book(address, own)
        if refused != 0:
            return refused
    own.entered = max(time, venue.commanded)  # times of a tape may go back
    own.placed = ahead
    own.ahead = float(ahead)
    own.printed = 0
    own.unseen = 1 if listing.quoted != 0 and level == 0 else 0
    enter_list(address, number, STANDING)
    return 0


@jit.compiled()
def stand_in_book(address: int, own: Any) -> int:
    """What it shows, at the end of the queue in the venue's book; 0, or VENUE_FULL."""
    base = address + venue_at(address).books_at
    books = books_at(base)
    reference = OWN_REFERENCE + own.id
    # A tape of garbage may have used a reference of ours before we did.
    if find_order(books, base, reference) != 0:
        return VENUE_FULL
    side = 2 * own.instrument + own.side - 1
    state = side_of(books, base, side)
    done = append_order(books, base, state, side, own.key, reference, own.shown)
    return 0 if done > 0 else VENUE_FULL


@jit.compiled()
def take_out(address: int, own: Any) -> None:
    """Out of the venue's book, if it is there; it keeps its place among our own."""
    base = address + venue_at(address).books_at
    books = books_at(base)
    number = find_order(books, base, OWN_REFERENCE + own.id)
    if number != 0:
        drop_order(books, base, number)


@jit.compiled()
def show_less(address: int, own: Any, quantity: int) -> None:
    """Less of it stands in the venue's book; it keeps its place."""
    base = address + venue_at(address).books_at
    books = books_at(base)
    number = find_order(books, base, OWN_REFERENCE + own.id)
    if number == 0:
        return
    order = order_of(books, base, number)
    if quantity < order.quantity:
        take_off(books, base, order, quantity)
    else:
        drop_order(books, base, number)


@jit.compiled()
def fill_now(address: int, number: int, quantity: int, price: int, time: int) -> int:
    """Up to this quantity of it trades; how much did. It may have left or be shown anew."""
    venue = venue_at(address)
    own = own_of(address, number)
    listing = listing_of(address, own.instrument)
    left = own.quantity - own.filled
    taken = min(quantity, left) if venue.partial_fills != 0 else left
    filled(address, own, time, price, taken, 0)
    own.filled += taken
    if taken == left:
        if listing.rule == FIFO:
            take_out(address, own)
        end_life(address, number)
        return taken
    if taken < own.shown:
        own.shown -= taken
        if listing.rule == FIFO:
            show_less(address, own, taken)
        return taken
    if listing.rule == FIFO:
        take_out(address, own)
    leave_list(address, number)
    refused = place_now(address, number, time)
    if refused != 0:
        canceled(address, own, time, refused)
        end_life(address, number)
    return taken


@jit.compiled()
def end_now(address: int, number: int, time: int, reason: int) -> int:
    """Canceled, and gone."""
    own = own_of(address, number)
    canceled(address, own, time, reason)
    if own.state == STANDING and listing_of(address, own.instrument).rule == FIFO:
        take_out(address, own)
    end_life(address, number)
    return 0


@jit.compiled()
def is_open(address: int, instrument: int) -> bool:
    """Whether orders trade: no state was told, or it is TRADING."""
    state = reading.facts(address + venue_at(address).books_at, instrument).state
    return state == 0 or state == events.TRADING
