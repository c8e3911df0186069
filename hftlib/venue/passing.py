"""Which events of an instrument where we have orders can go by: they are none of our business.

Most of a tape happens at prices where nothing of ours stands. A level that is told elsewhere, and
better than none of ours of the other side, moves nothing of ours, nor does a trade short of ours;
on order-by-order data, nor does a cancel, once nothing taken is remembered, nor an order that meets
none of ours. They go straight into the books.

Worst case: a level told among the prices of ours walks our orders of its side up to it.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import events, jit
from hftlib.venue.lists import BUY_STOPS, SELL_STOPS, first_at
from hftlib.venue.tables import (
    FIFO,
    OWN_REFERENCE,
    first_link,
    key_of,
    last_link,
    own_of,
    venue_at,
)


@jit.inlined
def goes_by(address: int, listing: Any, event: Any) -> bool:
    """Whether an event may go straight into the books. Whatever is strange may not."""
    if listing.rule == FIFO:
        return _goes_by_queues(address, listing, event)
    if meets_ours(address, event):
        return False
    if event.kind == events.LEVEL:
        return _tells_elsewhere(address, event)
    # A trade that reaches no price of ours; a stop would have to look at it.
    venue = venue_at(address)
    stops = first_link(venue, address, event.instrument, BUY_STOPS).number
    stops |= first_link(venue, address, event.instrument, SELL_STOPS).number
    return event.kind == events.TRADE and stops == 0


@jit.compiled()
def _goes_by_queues(address: int, listing: Any, event: Any) -> bool:
    if event.reference >= OWN_REFERENCE:
        return False
    if event.kind == events.ADD:
        return not meets_ours(address, event)
    cancels = event.kind == events.CANCEL or event.kind == events.DELETE
    return cancels and listing.busy == listing.live


@jit.inlined
def meets_ours(address: int, event: Any) -> bool:
    """Whether its price reaches the best of ours of the other side."""
    if event.side != events.BUY and event.side != events.SELL:
        return True
    venue = venue_at(address)
    best = first_link(venue, address, event.instrument, 2 - event.side).number
    reached = key_of(3 - event.side, event.price)
    return best != 0 and own_of(venue, address, best).key <= reached


@jit.inlined
def _tells_elsewhere(address: int, event: Any) -> bool:
    """Whether none of ours stands at the price of its side."""
    venue = venue_at(address)
    side = event.side - 1
    key = key_of(event.side, event.price)
    last = last_link(venue, address, event.instrument, side).number
    if last == 0 or own_of(venue, address, last).key < key:
        return True
    first = first_link(venue, address, event.instrument, side).number
    if own_of(venue, address, first).key > key:
        return True
    return first_at(address, event.instrument, side, key) == 0
