"""Doors between the parts of a venue: calls through addresses in its header.

A function that calls another by name carries the other's code along, and the compiler works on it
anew for every caller: the venue would take minutes to compile. Behind a door each part is compiled
once. `exchange.py` writes the addresses when it lays a venue out.

Worst case: a door costs an indirect call, some nanoseconds, and only where we have orders.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.venue.tables import venue_at

_two = jit.caller("int64(int64, int64)")
_three = jit.caller("int64(int64, int64, int64)")
_four = jit.caller("int64(int64, int64, int64, int64)")
_five = jit.caller("int64(int64, int64, int64, int64, int64)")


@jit.inlined
def fill_standing(address: int, number: int, quantity: int, price: int, time: int) -> int:
    """A share of our standing order trades: `standing.fill_now`."""
    return _five(venue_at(address).call_fill, address, number, quantity, price, time)


@jit.inlined
def end_standing(address: int, number: int, time: int, reason: int) -> int:
    """Our order is canceled: `standing.end_now`."""
    return _four(venue_at(address).call_end, address, number, time, reason)


@jit.inlined
def place_order(address: int, number: int, time: int) -> int:
    """Our order gets a place, 0, or a reason: `standing.place_now`."""
    return _three(venue_at(address).call_place, address, number, time)


@jit.inlined
def trade_and_rest(address: int, number: int, time: int) -> int:
    """Our order takes what it can and then stands or ends: `trading.trade_now`."""
    return _three(venue_at(address).call_trade, address, number, time)


@jit.inlined
def into_books(address: int, event_address: int) -> int:
    """An event, as it is, into the venue's books."""
    venue = venue_at(address)
    return _two(venue.call_apply, address + venue.books_at, event_address)


@jit.inlined
def fifo_event(address: int, event_address: int) -> int:
    """An event where our orders stand in the book: `fifo.match_fifo`."""
    return _two(venue_at(address).call_fifo, address, event_address)


@jit.inlined
def busy_event(address: int, event_address: int) -> int:
    """An event of an instrument where we have orders: `matching.match_event`."""
    return _two(venue_at(address).call_busy, address, event_address)


@jit.inlined
def event_of_all(address: int, event_address: int) -> int:
    """An event that concerns every instrument: `matching.match_all`."""
    return _two(venue_at(address).call_all, address, event_address)
