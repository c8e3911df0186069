"""An order of ours that takes: it walks the other side of the venue's book, best price first.

On order-by-order data (FIFO) it meets order after order, and what it takes is gone from the book
(`taking_orders.py`). On level data it meets level after level, less what we took there before
(`taken.py`). One report for each price. The impact model and `shift` make its prices worse, never
better, and its limit holds for the price so made.

It never trades with an order of our own: the newer, the older or both are cancelled instead.
With `partial_fills` off it fills whole at the best price, whatever stands there, and takes nothing
off the book.

Worst case: all levels within the limit are walked, on FIFO all their orders.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level, next_level
from hftlib.book.tables import books_at, level_of
from hftlib.core import jit
from hftlib.core.orders import SELF_MATCH
from hftlib.venue.doors import end_standing
from hftlib.venue.lists import first_of
from hftlib.venue.prices import fill_taking, shift_of
from hftlib.venue.tables import (
    CANCEL_BOTH,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    FIFO,
    NO_LIMIT,
    key_of,
    listing_of,
    own_of,
    taken_of,
    venue_at,
)
from hftlib.venue.taken import find_taken, level_place, remember
from hftlib.venue.taking_orders import real_quantity, take_level


@jit.compiled()
def best_opposite(address: int, own: Any) -> int:
    """The key of the best that it could meet, ours among them; NO_LIMIT: nothing is there."""
    side = 2 - own.side  # of the other side: 1 asks for a buy, 0 bids for a sell
    first = first_of(address, own.instrument, side)
    key = own_of(address, first).key if first != 0 else NO_LIMIT
    return min(key, _best_key(address, own.instrument, side))


@jit.inlined
def limit_of(own: Any, market: int) -> int:
    """The worst key of the other side that it may meet."""
    return NO_LIMIT - 1 if market != 0 else key_of(3 - own.side, own.price)


@jit.compiled()
def enough_there(address: int, own: Any, limit: int, time: int) -> int:
    """Whether all of it would fill within the limit: 1 or 0."""
    venue = venue_at(address)
    base = address + venue.books_at
    books = books_at(base)
    side = 2 - own.side
    shift = shift_of(address, own, time)
    wall = NO_LIMIT  # the best order of our own, where the walk would end
    if venue.self_match != CANCEL_OLDEST:
        first = first_of(address, own.instrument, side)
        wall = own_of(address, first).key if first != 0 else NO_LIMIT
    left = own.quantity - own.filled
    number = best_level(books, base, 2 * own.instrument + side)
    if venue.partial_fills == 0:
        key = _best_key(address, own.instrument, side)
        return 1 if key + shift <= limit and key < wall else 0
    while number != 0 and left > 0:
        level = level_of(books, base, number)
        if level.key + shift > limit or level.key > wall:
            return 0
        if listing_of(address, own.instrument).rule == FIFO:
            left -= real_quantity(address, number, 1 if level.key == wall else 0)
        else:
            left -= level.quantity - _gone(address, own.instrument, side, level)
        if level.key == wall and left > 0:
            return 0
        number = next_level(books, base, 2 * own.instrument + side, number)
    return 1 if left <= 0 else 0


@jit.compiled()
def take(address: int, number: int, limit: int, time: int) -> int:
    """Take what is there within the limit: 0, or SELF_MATCH when what is left must be cancelled."""
    venue = venue_at(address)
    own = own_of(address, number)
    if venue.partial_fills == 0:
        return _take_whole(address, own, limit, time)
    if listing_of(address, own.instrument).rule == FIFO:
        return _take_orders(address, own, limit, time)
    return _take_levels(address, own, limit, time)


@jit.compiled()
def _take_orders(address: int, own: Any, limit: int, time: int) -> int:
    base = address + venue_at(address).books_at
    books = books_at(base)
    side = 2 * own.instrument + 2 - own.side
    number = best_level(books, base, side)
    while number != 0 and own.filled < own.quantity:
        shift = shift_of(address, own, time)
        if level_of(books, base, number).key + shift > limit:
            return 0
        stopped = take_level(address, own, number, shift, time)
        if stopped != 0:
            return stopped
        number = best_level(books, base, side)
    return 0


@jit.compiled()
def _take_whole(address: int, own: Any, limit: int, time: int) -> int:
    side = 2 - own.side
    key = _best_key(address, own.instrument, side)
    shift = shift_of(address, own, time)
    stopped = _meet_own(address, own, min(limit, key - 1), time)
    if stopped != 0:
        return stopped
    # In this order: a market order's limit is no price, and an empty side's key neither.
    if key == NO_LIMIT or key + shift > limit:
        return 0
    fill_taking(address, own, key, shift, own.quantity - own.filled, time)
    return 0


@jit.compiled()
def _take_levels(address: int, own: Any, limit: int, time: int) -> int:
    base = address + venue_at(address).books_at
    books = books_at(base)
    side = 2 - own.side
    number = best_level(books, base, 2 * own.instrument + side)
    while number != 0 and own.filled < own.quantity:
        level = level_of(books, base, number)
        key = level.key
        shift = shift_of(address, own, time)
        if key + shift > limit:
            break
        stopped = _meet_own(address, own, key - 1, time)
        if stopped != 0:
            return stopped
        gone = _gone(address, own.instrument, side, level)
        piece = min(own.quantity - own.filled, level.quantity - gone)
        if piece > 0:
            price = key if side != 0 else -key
            place = level_place(own.instrument, side)
            remember(address, price, place, gone + piece, level.quantity, time, 0)
            fill_taking(address, own, key, shift, piece, time)
        number = next_level(books, base, 2 * own.instrument + side, number)
    return _meet_own(address, own, limit, time) if own.filled < own.quantity else 0


@jit.compiled()
def _meet_own(address: int, own: Any, limit: int, time: int) -> int:
    """Deal with our standing orders up to this key: they are behind others of the same price."""
    venue = venue_at(address)
    side = 2 - own.side
    first = first_of(address, own.instrument, side)
    while first != 0 and own_of(address, first).key <= limit:
        if venue.self_match != CANCEL_NEWEST:
            end_standing(address, first, time, SELF_MATCH)
        if venue.self_match == CANCEL_NEWEST or venue.self_match == CANCEL_BOTH:
            return SELF_MATCH
        first = first_of(address, own.instrument, side)
    return 0


@jit.compiled()
def _gone(address: int, instrument: int, side: int, level: Any) -> int:
    """How much of a level we have taken, as long as it has the quantity that it had then."""
    price = level.key if side != 0 else -level.key
    found = find_taken(address, price, level_place(instrument, side))
    if found < 0:
        return 0
    entry = taken_of(address, found)
    return entry.quantity if entry.told == level.quantity else 0


@jit.inlined
def _best_key(address: int, instrument: int, side: int) -> int:
    base = address + venue_at(address).books_at
    books = books_at(base)
    number = best_level(books, base, 2 * instrument + side)
    return level_of(books, base, number).key if number != 0 else NO_LIMIT
