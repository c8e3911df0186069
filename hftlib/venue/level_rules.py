"""Level data: our orders stand beside the book, each with an estimate of what is ahead of it.

One of ours fills
    in part    when trades at its price exceed what is ahead of it (pro-rata: its share of them)
    whole      when a trade prints at a worse price: the market went through it
    whole      when the best price of the other side moves to its price or through it

Several of ours at one price share a print: what one got, the next does not. A print through a
price, or a quote that moves to it, says that all which stood there is gone, so there an order
fills whole, whatever the size printed. Order-by-order data can be used like this, too: an EXECUTE
is then a trade, and each change of a level is as if it had been told.

After a CLEAR an estimate is kept, and is no more than the level when that is told again. Where only
best prices are told (QUOTE), an order entered elsewhere has all ahead that stands there when its
price is first told.

Worst case: each of our orders at a price where something happens is looked at.
"""

from __future__ import annotations

import math
from typing import Any

from hftlib.book import reading
from hftlib.book.ladder import best_level
from hftlib.book.orders import side_of_order
from hftlib.book.references import find_order
from hftlib.book.tables import KEY_MAX, QUANTITY_MAX, books_at, level_of, order_of
from hftlib.core import events, jit
from hftlib.venue.doors import fill_standing, into_books
from hftlib.venue.lists import first_at, first_of
from hftlib.venue.passing import meets_ours
from hftlib.venue.prints import cross, is_printed, who_took
from hftlib.venue.queueing import level_changed
from hftlib.venue.standing import is_open
from hftlib.venue.tables import (
    NO_LIMIT,
    PRO_RATA,
    event_at,
    key_of,
    listing_of,
    own_of,
    venue_at,
)


@jit.compiled()
def level_event(address: int, event_address: int) -> None:
    venue = venue_at(address)
    base = address + venue.books_at
    event = event_at(event_address)
    kind = event.kind
    listing = listing_of(address, event.instrument)
    if kind == events.LEVEL and not meets_ours(listing, event):
        key = key_of(event.side, event.price)  # the one best price that it may move meets nobody
        _watched(address, event_address, event.side - 1, key, key)
        return
    goes_on = is_open(address, event.instrument)
    if kind == events.CROSS:
        cross(address, event)
    elif kind == events.TRADE:
        took = who_took(address, event)
        if goes_on and is_printed(event) and took != 0:
            _printed(address, event, 2 - took, key_of(3 - took, event.price))
    elif kind == events.EXECUTE and goes_on and is_printed(event):
        _executed(address, event)
    bid, ask = _best(base, event.instrument, 0), _best(base, event.instrument, 1)
    if events.ADD <= kind <= events.REPLACE or kind == events.LEVEL or kind == events.QUOTE:
        _told(address, event_address)
    else:
        into_books(address, event_address)
    if goes_on:
        # The best of a side that moved may have reached ours of the other.
        if _best(base, event.instrument, 0) < bid:
            _reached(address, event, 1, -_best(base, event.instrument, 0))
        if _best(base, event.instrument, 1) < ask:
            _reached(address, event, 0, -_best(base, event.instrument, 1))


@jit.compiled()
def _printed(address: int, event: Any, side: int, key: int) -> None:
    """A trade in which orders of this side stood, at this key."""
    if not 0 < event.quantity < QUANTITY_MAX or not -KEY_MAX < key < KEY_MAX:
        return
    number = first_of(address, event.instrument, side)
    while number != 0 and own_of(address, number).key < key:
        own = own_of(address, number)
        after = own.next
        _fill_whole(address, number, event.time)
        number = after
    number = first_at(address, event.instrument, side, key)
    if number == 0:
        return
    if listing_of(address, event.instrument).rule == PRO_RATA:
        _share(address, event, side, key, number)
        return
    # An iceberg shown anew goes behind the last one: it is not to be met twice.
    last = _last_at(address, number, key)
    left, again = event.quantity, True
    while again:
        own = own_of(address, number)
        after = own.next
        again = number != last
        own.printed += event.quantity
        own.ahead -= float(left)
        exceeds = min(math.floor(0.5 - own.ahead), left)
        if exceeds > 0:
            own.ahead = 0.0
            exceeds = min(exceeds, own.shown)
            left = max(left - fill_standing(address, number, exceeds, own.price, event.time), 0)
        number = after


@jit.compiled()
def _share(address: int, event: Any, side: int, key: int, number: int) -> None:
    """Pro-rata: ours get of a print what their part of the level is, rounded down."""
    venue = venue_at(address)
    base = address + venue.books_at
    price = key if side != 0 else -key
    level = reading.level_at(base, event.instrument, side + 1, price)
    there = float(reading.level_quantity(base, level)) if level != 0 else 0.0
    last = _last_at(address, number, key)
    one = number
    while True:
        there += float(own_of(address, one).shown)
        if one == last:
            break
        one = own_of(address, one).next
    left, again = event.quantity, True
    while again:
        own = own_of(address, number)
        after = own.next
        again = number != last
        part = int(float(event.quantity) * (float(own.shown) / there))
        part = min(part, own.shown, left)
        if part > 0:
            left = max(left - fill_standing(address, number, part, own.price, event.time), 0)
        number = after


@jit.compiled()
def _last_at(address: int, number: int, key: int) -> int:
    after = own_of(address, number).next
    while after != 0 and own_of(address, after).key == key:
        number = after
        after = own_of(address, number).next
    return number


@jit.compiled()
def _fill_whole(address: int, number: int, time: int) -> None:
    own = own_of(address, number)
    fill_standing(address, number, own.quantity - own.filled, own.price, time)


@jit.compiled()
def _reached(address: int, event: Any, side: int, limit: int) -> None:
    """The best of the other side is now at our price or through it."""
    number = first_of(address, event.instrument, side)
    while number != 0 and own_of(address, number).key <= limit:
        after = own_of(address, number).next
        _fill_whole(address, number, event.time)
        number = after


@jit.compiled()
def _executed(address: int, event: Any) -> None:
    base = address + venue_at(address).books_at
    books = books_at(base)
    number = find_order(books, base, event.reference)
    if number != 0:
        order = order_of(books, base, number)
        side = side_of_order(order)
        key = level_of(books, base, order.level).key
        if side >> 1 != event.instrument:
            return
        side &= 1
        if event.price != 0:
            key = min(key, key_of(side + 1, event.price))
    elif (event.side == events.BUY or event.side == events.SELL) and event.price != 0:
        side = event.side - 1
        key = key_of(event.side, event.price)
    else:
        return
    _printed(address, event, side, key)


@jit.compiled()
def _told(address: int, event_address: int) -> None:
    """Apply what changes levels, and let our orders at those prices know."""
    venue = venue_at(address)
    base = address + venue.books_at
    books = books_at(base)
    event = event_at(event_address)
    side, key = -1, 0
    if events.ADD < event.kind <= events.REPLACE:
        number = find_order(books, base, event.reference)
        if number != 0:
            order = order_of(books, base, number)
            side = side_of_order(order) & 1
            key = level_of(books, base, order.level).key
            if event.kind == events.REPLACE and event.price != (key if side != 0 else -key):
                new = key_of(side + 1, event.price)
                _watched(address, event_address, side, key, new)
                return
    if side < 0 and (event.side == events.BUY or event.side == events.SELL):
        side = event.side - 1
        key = key_of(event.side, event.price)
    _watched(address, event_address, side, key, key)


@jit.compiled()
def _watched(address: int, event_address: int, side: int, key: int, new: int) -> None:
    venue = venue_at(address)
    base = address + venue.books_at
    event = event_at(event_address)
    first, other = 0, 0
    if side >= 0:
        first = first_at(address, event.instrument, side, key)
        other = first_at(address, event.instrument, side, new) if new != key else 0
    if first == 0 and other == 0:
        into_books(address, event_address)
        return
    before = _quantity_at(base, event.instrument, side, key)
    before_new = _quantity_at(base, event.instrument, side, new) if other != 0 else 0
    into_books(address, event_address)
    always = event.kind == events.LEVEL or event.kind == events.QUOTE
    _tell(address, first, before, _quantity_at(base, event.instrument, side, key), always)
    if other != 0:
        _tell(address, other, before_new, _quantity_at(base, event.instrument, side, new), always)


@jit.compiled()
def _tell(address: int, number: int, before: int, now: int, always: bool) -> None:
    """To all of ours at a price: its quantity was told anew."""
    if number == 0 or (before == now and not always):
        return
    key = own_of(address, number).key
    while number != 0 and own_of(address, number).key == key:
        own = own_of(address, number)
        level_changed(listing_of(address, own.instrument), own, before, now)
        number = own.next


@jit.inlined
def _quantity_at(base: int, instrument: int, side: int, key: int) -> int:
    level = reading.level_at(base, instrument, side + 1, key if side != 0 else -key)
    return reading.level_quantity(base, level) if level != 0 else 0


@jit.inlined
def _best(base: int, instrument: int, side: int) -> int:
    books = books_at(base)
    number = best_level(books, base, 2 * instrument + side)
    return level_of(books, base, number).key if number != 0 else NO_LIMIT
