"""Doors between the parts of a venue: calls through addresses in its header.

A function that calls another by name carries the other's code along, and the compiler works on it
anew for every caller: the venue would take minutes to compile. Behind a door each part is compiled
once. `exchange.py` writes the addresses when it lays a venue out.

Worst case: a door costs an indirect call, some nanoseconds, and only where we have orders.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.venue.tables import VENUE, venue_at


def _door(field: str, takes: int) -> Any:
    """A call of the function at this field of the header; the venue's address comes first."""
    signature = f"int64({', '.join(['int64'] * takes)})"
    return jit.caller_at(signature, field_offset(VENUE, field))


# A share of our standing order trades: `standing.fill_now`. Venue, number, quantity, price, time.
fill_standing = _door("call_fill", 5)
# Our order is canceled: `standing.end_now`. Venue, number, time, reason.
end_standing = _door("call_end", 4)
# Our order gets a place, 0, or a reason: `standing.place_now`. Venue, number, time.
place_order = _door("call_place", 3)
# Our order takes what it can and then stands or ends: `trading.trade_now`. Venue, number, time.
trade_and_rest = _door("call_trade", 3)
# An event where our orders stand in the book: `fifo.match_fifo`. Venue, event.
fifo_event = _door("call_fifo", 2)
# An event of an instrument where we have orders: `matching.match_event`. Venue, event.
busy_event = _door("call_busy", 2)
# An event that concerns every instrument: `matching.match_all`. Venue, event.
event_of_all = _door("call_all", 2)

_apply = jit.caller("int64(int64, int64)")


@jit.inlined
def into_books(address: int, event_address: int) -> int:
    """An event, as it is, into the venue's books."""
    venue = venue_at(address)
    return _apply(venue.call_apply, address + venue.books_at, event_address)
