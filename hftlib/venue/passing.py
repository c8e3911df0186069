"""Which events of an instrument where we have orders can go by: they are none of our business.

Most of a tape happens at prices where nothing of ours stands. A level that is told elsewhere, and
better than none of ours of the other side, moves nothing of ours; on order-by-order data, nor does
a cancel, once nothing taken is remembered, nor an order that meets none of ours. They go straight
into the books.

Worst case: a level told among the prices of ours walks our orders of its side up to it.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import events, jit
from hftlib.venue.lists import first_at
from hftlib.venue.tables import FIFO, OWN_REFERENCE, first_link, key_of, own_of, venue_at


@jit.compiled()
def goes_by(address: int, listing: Any, event: Any) -> bool:
    """Whether an event may go straight into the books. Whatever is strange may not."""
    if listing.rule != FIFO:
        if event.kind != events.LEVEL or _meets_ours(address, event):
            return False
        key = key_of(event.side, event.price)
        return first_at(address, event.instrument, event.side - 1, key) == 0
    if event.reference >= OWN_REFERENCE:
        return False
    if event.kind == events.ADD:
        return not _meets_ours(address, event)
    cancels = event.kind == events.CANCEL or event.kind == events.DELETE
    return cancels and listing.busy == listing.live


@jit.inlined
def _meets_ours(address: int, event: Any) -> bool:
    """Whether its price reaches the best of ours of the other side."""
    if event.side != events.BUY and event.side != events.SELL:
        return True
    venue = venue_at(address)
    best = first_link(venue, address, event.instrument, 2 - event.side).number
    reached = key_of(3 - event.side, event.price)
    return best != 0 and own_of(venue, address, best).key <= reached
