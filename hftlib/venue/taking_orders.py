"""Taking a level order by order, as its queue stands: first what has no name, then the orders.

What we take of a real order is off the venue's book for good, and remembered for the events that
will still speak of it. Where an order of our own is met, the self-match rule speaks.
Worst case: the whole queue is walked, once to see what has no name and once to take.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import best_level, leave_level
from hftlib.book.orders import drop_order, take_off
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import jit
from hftlib.core.orders import SELF_MATCH
from hftlib.venue.doors import end_standing
from hftlib.venue.prices import fill_taking
from hftlib.venue.tables import (
    CANCEL_BOTH,
    CANCEL_NEWEST,
    OWN_REFERENCE,
    own_number,
    venue_at,
)
from hftlib.venue.taken import level_place, order_place, remember, taken_quantity


@jit.compiled()
def take_level(address: int, own: Any, number: int, shift: int, time: int) -> int:
    """Take of the best level what is wanted: 0, or SELF_MATCH when the rest must be cancelled.

    Afterwards the level is gone, or the order is filled, or both.
    """
    venue = venue_at(address)
    base = address + venue.books_at
    books = books_at(base)
    side = 2 * own.instrument + 2 - own.side
    key = level_of(books, base, number).key
    left = own.quantity - own.filled
    piece = _take_unnamed(address, own, number, left, time)
    while best_level(books, base, side) == number and piece < left:
        first = level_of(books, base, number).first
        order = order_of(books, base, first)
        if order.reference < OWN_REFERENCE:
            wanted = min(order.quantity, left - piece)
            place = order_place(own.instrument)
            gone = taken_quantity(address, order.reference, place)
            remember(address, order.reference, place, gone + wanted, 0, time, 1)
            piece += wanted
            _take_of(books, base, first, order, wanted)
            continue
        if piece > 0:
            fill_taking(address, own, key, shift, piece, time)
            left -= piece
            piece = 0
        if venue.self_match != CANCEL_NEWEST:
            end_standing(
                address, own_number(venue, order.reference - OWN_REFERENCE), time, SELF_MATCH
            )
        if venue.self_match == CANCEL_NEWEST or venue.self_match == CANCEL_BOTH:
            return SELF_MATCH
    if piece > 0:
        fill_taking(address, own, key, shift, piece, time)
    return 0


@jit.compiled()
def real_quantity(address: int, number: int, to_own: int) -> int:
    """What of a level is not ours; with `to_own` only what stands before the first of ours."""
    base = address + venue_at(address).books_at
    books = books_at(base)
    level = level_of(books, base, number)
    there = level.quantity
    met = 0
    order = level.first
    while order != number:
        one = order_of(books, base, order)
        if one.reference >= OWN_REFERENCE:
            met = 1
        if one.reference >= OWN_REFERENCE or met + to_own == 2:
            there -= one.quantity
        order = one.behind
    return there


@jit.compiled()
def unnamed_quantity(books: Any, base: int, number: int) -> int:
    """What of a level has no orders: it was there before them."""
    level = level_of(books, base, number)
    unnamed = level.quantity
    order = level.first
    while order != number:
        unnamed -= order_of(books, base, order).quantity
        order = order_of(books, base, order).behind
    return unnamed


@jit.compiled()
def _take_unnamed(address: int, own: Any, number: int, left: int, time: int) -> int:
    base = address + venue_at(address).books_at
    books = books_at(base)
    wanted = min(unnamed_quantity(books, base, number), left)
    if wanted <= 0:
        return 0
    level = level_of(books, base, number)
    side = 2 - own.side
    price = level.key if side != 0 else -level.key
    place = level_place(own.instrument, side)
    remember(address, price, place, taken_quantity(address, price, place) + wanted, 0, time, 1)
    level.quantity -= wanted
    leave_level(books, base, 2 * own.instrument + side, number)
    return wanted


@jit.inlined
def _take_of(books: Any, base: int, number: int, order: Any, quantity: int) -> None:
    if quantity < order.quantity:
        take_off(books, base, order, quantity)
    else:
        drop_order(books, base, number)
