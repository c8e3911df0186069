"""From an order's reference to its place: a hash of eight-byte entries.

    entry = tag << 32 | order        the tag is 32 bits of the reference, mixed; 0 is an empty entry

The lowest bits of the tag are those of the reference itself, and the entry's home is the tag's
low bits, so neighbouring references share a cache line; what remains is mixed, so that no stride
of references piles up. A tag says where its entry is at home, so entries can move up when one
before them goes (no tombstones), without looking at any order.

Worst case: the table is at most half full, and references chosen by an enemy can still pile up: a
search is then as long as the pile, which is at most all live orders, and right.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import entry_address, order_of
from hftlib.core import jit

NEIGHBOURS = 3  # so many low bits of a reference are not mixed
MASK_31 = (1 << 31) - 1
_MIX = 0x5BD1E995
_HIGH = 32


@jit.inlined
def tag_of(reference: int) -> int:
    """32 bits of a reference, as both modes compute it: no product exceeds 62 bits."""
    rest = reference >> NEIGHBOURS
    mixed = ((rest ^ (rest >> 29)) & MASK_31) * _MIX
    high = ((mixed ^ (mixed >> 31)) & ((1 << (31 - NEIGHBOURS)) - 1)) << NEIGHBOURS
    return high | (reference & ((1 << NEIGHBOURS) - 1))


@jit.inlined
def find_order(books: Any, base: int, reference: int) -> int:
    """Where the entry of a reference stands; or -1 less where it would."""
    mask = books.reference_mask
    tag = tag_of(reference)
    place = tag & mask
    while True:
        entry = jit.load_i64(entry_address(books, base, place))
        if entry == 0:
            return -1 - place
        if entry >> _HIGH == tag and order_of(books, base, entry & MASK_31).reference == reference:
            return place
        place = (place + 1) & mask


@jit.inlined
def order_in(books: Any, base: int, place: int) -> int:
    """The order of the entry that stands there."""
    return jit.load_i64(entry_address(books, base, place)) & MASK_31


@jit.inlined
def enter_order(books: Any, base: int, place: int, reference: int, order: int) -> None:
    """Enter a reference at the free place that a search for it has just found."""
    jit.store_i64(entry_address(books, base, place), tag_of(reference) << _HIGH | order)


@jit.inlined
def remove_entry(books: Any, base: int, place: int) -> None:
    """Take an entry out, and let those that were pushed on by it move up."""
    mask = books.reference_mask
    hole = place
    place = (place + 1) & mask
    entry = jit.load_i64(entry_address(books, base, place))
    while entry != 0:
        home = (entry >> _HIGH) & mask
        if ((place - home) & mask) >= ((place - hole) & mask):
            jit.store_i64(entry_address(books, base, hole), entry)
            hole = place
        place = (place + 1) & mask
        entry = jit.load_i64(entry_address(books, base, place))
    jit.store_i64(entry_address(books, base, hole), 0)
