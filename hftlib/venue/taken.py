"""What we took of others, remembered as long as history still speaks of it.

On order-by-order data our taking makes a real order smaller in the venue's book, or ends it. The
tape knows nothing of that: it will cancel, execute or replace shares that are gone. The memory says
how many of an order's shares history still believes in, so that they are clipped and a replacement
does not bring them back. On level data the book is what the feed says, and the memory is how much
of a level is gone: for as long as the level has the very quantity it had when we took.

    place of a key ─▶ set of four entries; the one we took from longest ago gives way

Worst case: more than four keys of one set are alive, and the oldest is forgotten and counted
(`forgotten`): its shares, gone from the book, then count as impossible if history names them.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.tables import OF_ORDER, WAYS, listing_of, taken_of, venue_at

_MASK_31 = (1 << 31) - 1
_MIX = 0x5BD1E995


@jit.compiled()
def find_taken(address: int, reference: int, place: int) -> int:
    """The entry of a key, or -1."""
    venue = venue_at(address)
    start = _set_of(venue, reference, place)
    for way in range(WAYS):
        entry = taken_of(address, start + way)
        if entry.place == place and entry.reference == reference:
            return start + way
    return -1


@jit.compiled()
def taken_quantity(address: int, reference: int, place: int) -> int:
    found = find_taken(address, reference, place)
    return taken_of(address, found).quantity if found >= 0 else 0


@jit.compiled()
def remember(
    address: int, reference: int, place: int, quantity: int, told: int, time: int, by_order: int
) -> None:
    """The quantity now taken of this key in all; 0 forgets it.

    `by_order` says that the entry concerns events to come, which then may not go straight.
    """
    venue = venue_at(address)
    found = find_taken(address, reference, place)
    if quantity <= 0:
        if found >= 0:
            _forget(venue, address, taken_of(address, found))
        return
    if found < 0:
        found = _room(venue, address, _set_of(venue, reference, place))
        if by_order != 0:
            listing_of(address, place >> 2).busy += 1
    entry = taken_of(address, found)
    entry.reference = reference
    entry.place = place
    entry.quantity = quantity
    entry.told = told if by_order == 0 else -1
    entry.time = time


@jit.compiled()
def forget_all(address: int, instrument: int) -> None:
    """The book of this instrument begins anew."""
    venue = venue_at(address)
    for place in range(venue.taken_sets * WAYS):
        entry = taken_of(address, place)
        if entry.place != 0 and entry.place >> 2 == instrument:
            _forget(venue, address, entry)


@jit.compiled()
def _room(venue: Any, address: int, start: int) -> int:
    oldest = start
    for way in range(WAYS):
        entry = taken_of(address, start + way)
        if entry.place == 0:
            return start + way
        if entry.time < taken_of(address, oldest).time:
            oldest = start + way
    venue.forgotten += 1
    _forget(venue, address, taken_of(address, oldest))
    return oldest


@jit.compiled()
def _forget(venue: Any, address: int, entry: Any) -> None:
    if entry.told == -1:
        listing_of(address, entry.place >> 2).busy -= 1
    entry.place = 0
    entry.quantity = 0
    entry.told = 0


@jit.inlined
def _set_of(venue: Any, reference: int, place: int) -> int:
    # Prices and references come in steps: mixed, as both modes compute it below 2**63.
    mixed = ((reference ^ (reference >> 31) ^ (place << 7)) & _MASK_31) * _MIX
    return ((mixed >> 15) & (venue.taken_sets - 1)) * WAYS


@jit.inlined
def order_place(instrument: int) -> int:
    return 4 * instrument + OF_ORDER


@jit.inlined
def level_place(instrument: int, side: int) -> int:
    """`side` is 0 for bids, 1 for asks."""
    return 4 * instrument + OF_ORDER + 1 + side
