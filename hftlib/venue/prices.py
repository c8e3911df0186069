"""At what price our taking fills: the book's, made worse by what our taking did before.

Worst case: none; without a shift it is the book's price.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY
from hftlib.venue.impact import IMPACT_BYTES, impact_after_fill, impact_shift
from hftlib.venue.reports import filled
from hftlib.venue.tables import listing_of, venue_at


@jit.compiled()
def shift_of(address: int, own: Any, time: int) -> int:
    """By how much its price is worse than the book's; never below zero."""
    venue = venue_at(address)
    listing = listing_of(address, own.instrument)
    shift = max(listing.shift, 0)
    if listing.impact != 0:
        moved = impact_shift(_impact_address(venue, address, own.instrument), time)
        shift += max(moved if own.side == BUY else -moved, 0)
    return shift


@jit.compiled()
def fill_taking(address: int, own: Any, key: int, shift: int, quantity: int, time: int) -> None:
    """It took so much at a level of this key."""
    venue = venue_at(address)
    price = key + shift if own.side == BUY else -(key + shift)
    filled(address, own, time, price, quantity, 1)
    own.filled += quantity
    if listing_of(address, own.instrument).impact != 0:
        impact = _impact_address(venue, address, own.instrument)
        impact_after_fill(impact, own.side, quantity, time)


@jit.inlined
def _impact_address(venue: Any, address: int, instrument: int) -> int:
    return jit.nth(address + venue.impacts_at, instrument, venue.instruments, IMPACT_BYTES)
