"""The lists of our orders: for each side in order of price and arrival, and the waiting stops.

    first ─▶ best price, first come ─▶ ... ─▶ worst price, last come

Among orders of one price the list is the order in which they got their places, so it agrees with
the queue of a book that they stand in.
Worst case: a new order walks the list up to its place.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.tables import (
    COMING,
    FREE,
    NO_LIMIT,
    STANDING,
    WAITING,
    first_link,
    last_link,
    listing_of,
    own_of,
    venue_at,
)

BUYS, SELLS, BUY_STOPS, SELL_STOPS = range(4)


@jit.inlined
def first_of(address: int, instrument: int, which: int) -> int:
    return first_link(address, instrument, which).number


@jit.inlined
def list_of(own: Any) -> int:
    return own.side - 1 + (2 if own.state == WAITING else 0)


@jit.compiled()
def enter_list(address: int, number: int, state: int) -> None:
    """Into its list, as STANDING or WAITING, behind all of its key."""
    own = own_of(address, number)
    own.state = state
    which = list_of(own)
    before, after = 0, first_link(address, own.instrument, which).number
    while after != 0 and own_of(address, after).key <= own.key:
        before = after
        after = own_of(address, after).next
    own.before = before
    own.next = after
    if before != 0:
        own_of(address, before).next = number
    else:
        first_link(address, own.instrument, which).number = number
    if after != 0:
        own_of(address, after).before = number
    else:
        last_link(address, own.instrument, which).number = number
    _reach_anew(address, own.instrument, which)


@jit.compiled()
def leave_list(address: int, number: int) -> None:
    own = own_of(address, number)
    if own.state != STANDING and own.state != WAITING:
        return
    which = list_of(own)
    if own.before != 0:
        own_of(address, own.before).next = own.next
    else:
        first_link(address, own.instrument, which).number = own.next
    if own.next != 0:
        own_of(address, own.next).before = own.before
    else:
        last_link(address, own.instrument, which).number = own.before
    _reach_anew(address, own.instrument, which)
    own.next = 0
    own.before = 0
    own.state = COMING


@jit.compiled()
def _reach_anew(address: int, instrument: int, which: int) -> None:
    """From our best to our worst price on a side, for `passing.py` to look at."""
    if which > SELLS:
        return
    listing = listing_of(address, instrument)
    first = first_link(address, instrument, which).number
    last = last_link(address, instrument, which).number
    listing.best[which] = own_of(address, first).key if first != 0 else NO_LIMIT
    listing.worst[which] = own_of(address, last).key if last != 0 else -NO_LIMIT


@jit.compiled()
def first_at(address: int, instrument: int, side: int, key: int) -> int:
    """The first of our standing orders at a price; 0: none. `side` is 0 for buys, 1 for sells."""
    last = last_link(address, instrument, side).number
    if last == 0 or own_of(address, last).key < key:
        return 0
    number = first_link(address, instrument, side).number
    while number != 0 and own_of(address, number).key < key:
        number = own_of(address, number).next
    return number if number != 0 and own_of(address, number).key == key else 0


@jit.compiled()
def begin_life(address: int, number: int) -> None:
    venue = venue_at(address)
    own = own_of(address, number)
    own.state = COMING
    venue.live += 1
    venue.number += 1
    own.number = venue.number
    listing = listing_of(address, own.instrument)
    listing.live += 1
    listing.busy += 1


@jit.compiled()
def end_life(address: int, number: int) -> None:
    """Out of its list and gone; whoever calls has taken it out of the book."""
    leave_list(address, number)
    venue = venue_at(address)
    own = own_of(address, number)
    own.state = FREE
    venue.live -= 1
    listing = listing_of(address, own.instrument)
    listing.live -= 1
    listing.busy -= 1
