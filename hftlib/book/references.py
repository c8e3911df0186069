"""From an order's reference to the order: at home if it can be, else through a hash.

    orders   homes ...            every reference has a home: the one of its low bits
             strangers ...        guests: orders that found their home taken
    guests   tag << 32 | order    a hash of eight-byte entries, for guests only; 0: empty

An exchange counts its references up, so the homes of today's orders are side by side, in cache
lines that were just touched, and most orders are found with one look. A home knows how many
guests have been sent on from it (`sent`), so it is known at once when there is no need to search.

A tag says where its entry is at home in the hash, so entries move up when one before them goes (no
tombstones), without looking at any order.

Worst case: a reference whose home is taken costs two more cache lines. References chosen by an
enemy can pile up in the hash, which is at most half full: a search is then as long as the pile,
and right.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import GUEST_BITS, SENT_MAX, SIDE_MASK, entry_address, order_of
from hftlib.core import jit

MASK_31 = (1 << 31) - 1
_MIX = 0x5BD1E995


@jit.inlined
def home_of(books: Any, reference: int) -> int:
    return books.homes + (reference & books.home_mask)


@jit.inlined
def find_order(books: Any, base: int, reference: int) -> int:
    """The order of a reference, or 0."""
    number = home_of(books, reference)
    home = order_of(books, base, number)
    if home.reference == reference and home.level != 0:
        return number
    if home.side <= SIDE_MASK:
        return 0
    return _guest(books, base, reference)


@jit.inlined
def take_number(books: Any, base: int, reference: int) -> int:
    """The number of a new order, which is not there yet: its home, or a guest's; 0: no room."""
    number = home_of(books, reference)
    if order_of(books, base, number).level == 0:
        return number
    return _take_guest(books, base, number, reference)


@jit.inlined
def give_number(books: Any, base: int, number: int) -> None:
    """An order has left."""
    order_of(books, base, number).level = 0
    if number >= books.strangers:
        _give_guest(books, base, number)


@jit.inlined
def tag_of(reference: int) -> int:
    """31 bits of a reference, mixed, as both modes compute them: no product exceeds 62 bits."""
    mixed = ((reference ^ (reference >> 31)) & MASK_31) * _MIX
    return (mixed ^ (mixed >> 31)) & MASK_31


@jit.inlined
def guest_address(books: Any, base: int, reference: int) -> int:
    """Where the search for a guest begins."""
    return entry_address(books, base, tag_of(reference) & books.guest_mask)


@jit.compiled()
def _guest(books: Any, base: int, reference: int) -> int:
    place = _guest_place(books, base, reference)
    return 0 if place < 0 else jit.load_i64(entry_address(books, base, place)) & MASK_31


@jit.inlined
def _guest_place(books: Any, base: int, reference: int) -> int:
    """Where the entry of a guest stands; or -1 less where it would."""
    tag = tag_of(reference)
    place = tag & books.guest_mask
    while True:
        entry = jit.load_i64(entry_address(books, base, place))
        if entry == 0:
            return -1 - place
        order = order_of(books, base, entry & MASK_31)
        if entry >> GUEST_BITS == tag and order.reference == reference:
            return place
        place = (place + 1) & books.guest_mask


@jit.compiled()
def _take_guest(books: Any, base: int, home: int, reference: int) -> int:
    number = books.guest_free
    if number != 0:
        books.guest_free = order_of(books, base, number).behind
    elif books.guests_used < books.orders_max:
        number = books.strangers + books.guests_used
        books.guests_used += 1
    else:
        return 0
    books.guests += 1
    _send(books, base, home, 1)
    place = -1 - _guest_place(books, base, reference)
    jit.store_i64(entry_address(books, base, place), tag_of(reference) << GUEST_BITS | number)
    return number


@jit.compiled()
def _give_guest(books: Any, base: int, number: int) -> None:
    order = order_of(books, base, number)
    mask = books.guest_mask
    hole = _guest_place(books, base, order.reference)
    place = (hole + 1) & mask
    entry = jit.load_i64(entry_address(books, base, place))
    while entry != 0:
        wanted = (entry >> GUEST_BITS) & mask
        if ((place - wanted) & mask) >= ((place - hole) & mask):
            jit.store_i64(entry_address(books, base, hole), entry)
            hole = place
        place = (place + 1) & mask
        entry = jit.load_i64(entry_address(books, base, place))
    jit.store_i64(entry_address(books, base, hole), 0)
    books.guests -= 1
    order.behind = books.guest_free
    books.guest_free = number
    _send(books, base, home_of(books, order.reference), -1)


@jit.inlined
def _send(books: Any, base: int, home: int, change: int) -> None:
    """Count the guests sent on from a home; a count that is full stays: there, always search."""
    order = order_of(books, base, home)
    sent = order.side // (SIDE_MASK + 1)
    if sent < SENT_MAX:
        order.side += change * (SIDE_MASK + 1)
