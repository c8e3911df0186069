"""Which events of an instrument where we have orders can go by: they are none of our business.

Most of a tape happens at prices where nothing of ours stands. A level that is told elsewhere, and
better than none of ours of the other side, moves nothing of ours, nor does a trade short of ours;
on order-by-order data, nor does a cancel, once nothing taken is remembered, nor an order that meets
none of ours. They go straight into the books. So does a level of ours that is told anew, where an
estimate needs no more than what stands there now: ours are told first.

Worst case: a level told among the prices of ours walks our orders of its side up to it.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import KEY_MAX, QUANTITY_MAX
from hftlib.core import events, jit
from hftlib.venue.lists import BUY_STOPS, SELL_STOPS, first_at
from hftlib.venue.queueing import level_changed
from hftlib.venue.tables import (
    FIFO,
    LOG,
    OWN_REFERENCE,
    POWER,
    first_link,
    key_of,
    own_of,
)


@jit.inlined
def goes_by(address: int, listing: Any, event: Any) -> bool:
    """Whether an event may go straight into the books. Whatever is strange may not."""
    if listing.rule == FIFO:
        return _goes_by_queues(address, listing, event)
    if meets_ours(listing, event):
        return False
    if event.kind == events.LEVEL:
        side, key = event.side - 1, key_of(event.side, event.price)
        elsewhere = (key < listing.best[side]) | (key > listing.worst[side])
        return elsewhere or _told_in_passing(address, listing, event)
    # A trade that reaches no price of ours; a stop would have to look at it.
    stops = first_link(address, event.instrument, BUY_STOPS).number
    stops |= first_link(address, event.instrument, SELL_STOPS).number
    return event.kind == events.TRADE and stops == 0


@jit.compiled()
def _goes_by_queues(address: int, listing: Any, event: Any) -> bool:
    if event.reference >= OWN_REFERENCE:
        return False
    if event.kind == events.ADD:
        return not meets_ours(listing, event)
    cancels = event.kind == events.CANCEL or event.kind == events.DELETE
    return cancels and listing.busy == listing.live


@jit.inlined
def meets_ours(listing: Any, event: Any) -> bool:
    """Whether its price reaches the best of ours of the other side."""
    if event.side != events.BUY and event.side != events.SELL:
        return True
    return listing.best[2 - event.side] <= key_of(3 - event.side, event.price)


@jit.compiled()
def _told_in_passing(address: int, listing: Any, event: Any) -> bool:
    """Tell ours at the price of a level what it now is; False: how it was matters, or it is odd."""
    key = key_of(event.side, event.price)
    number = first_at(address, event.instrument, event.side - 1, key)
    if number == 0:
        return True
    if listing.rule == POWER or listing.rule == LOG or listing.by_order != 0:
        return False
    if not 0 <= event.quantity < QUANTITY_MAX or not -KEY_MAX < event.price < KEY_MAX:
        return False
    while number != 0 and own_of(address, number).key == key:
        own = own_of(address, number)
        level_changed(listing, own, 0, event.quantity)
        number = own.next
    return True
