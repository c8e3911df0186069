"""Several venues as one book, for compiled code: the best of all, and their levels merged by price.

    CONSOLIDATED ─ venue 0 ─▶ a row of some books ─┐
                   venue 1 ─▶ another ─────────────┼─▶ MERGED_VIEW: price, quantity, by venue
                   ...      at most VENUES_MAX ────┘

Nothing is kept but where the books are: each read asks the books themselves, so there is nothing to
update. Venues that are stale are left out of every answer, and `stale_venues` says which.

All venues count in the same price unit and lot: `consolidated.py` refuses others. The books are
reached by their distance from the record, so both may lie in one arena and be mapped elsewhere.

Worst case: VENUES_MAX looks for each level of the answer.
"""

from __future__ import annotations

from typing import Any

from hftlib.book import reading
from hftlib.book.reading import NO_PRICE
from hftlib.core import jit
from hftlib.core.events import BUY, SELL
from hftlib.core.records import field_offset, record

VENUES_MAX = 16

# What the inside of a consolidated book is, in words.
INSIDES = ("normal", "locked", "crossed", "one side only", "empty")
NORMAL, LOCKED, CROSSED, ONE_SIDE, EMPTY = range(5)

VENUE = record(
    "consolidated venue",
    24,
    """
    0   books_at    int64  bytes from the CONSOLIDATED record to the header of its books
    8   instrument  int64  its row there
    16  level       int64  the next level, while a walk goes on
    """,
)
CONSOLIDATED = record(
    "consolidated",
    392,
    """
    0  count   int64      venues there are
    8  venues  venue[16]
    """,
    venue=VENUE,
)
MERGED_VIEW = record(
    "merged view",
    160,
    """
    0   price     int64
    8   quantity  int64      of all venues
    16  orders    int64      0 where a venue does not say
    24  venues    int64      bit 0 is set where venue 0 has some, and so on
    32  split     int64[16]  the quantity by venue
    """,
)
MERGED_VIEW_BYTES, _VENUE_BYTES = MERGED_VIEW.itemsize, VENUE.itemsize
_VENUES_AT = field_offset(CONSOLIDATED, "venues")

_consolidated_at = jit.record_at(CONSOLIDATED)
_venue_at = jit.record_at(VENUE)
_merged_view_at = jit.record_at(MERGED_VIEW)


@jit.inlined
def _venue(address: int, venue: int) -> Any:
    return _venue_at(jit.nth(address + _VENUES_AT, venue, VENUES_MAX, _VENUE_BYTES))


@jit.inlined
def best_price_at(address: int, venue: int, side: int) -> int:
    """What one venue shows; NO_PRICE when its side is empty or it is stale."""
    one = _venue(address, venue)
    base = address + one.books_at
    if reading.facts(base, one.instrument).stale != 0:
        return NO_PRICE
    return reading.best_price(base, one.instrument, side)


@jit.compiled("int64(int64, int64)")
def best_venue(address: int, side: int) -> int:
    """The first venue that shows the best price of all; -1 when none shows any."""
    best, found = NO_PRICE, -1
    for venue in range(_consolidated_at(address).count):
        price = best_price_at(address, venue, side)
        if price == NO_PRICE:
            continue
        if found < 0 or (price < best if side == SELL else price > best):
            best, found = price, venue
    return found


@jit.compiled("int64(int64, int64)")
def best_price(address: int, side: int) -> int:
    """The best price of all venues; NO_PRICE when none shows any."""
    venue = best_venue(address, side)
    return best_price_at(address, venue, side) if venue >= 0 else NO_PRICE


@jit.compiled("int64(int64, int64)")
def best_quantity(address: int, side: int) -> int:
    """The quantity at the best price, of all venues that show it."""
    best, total = best_price(address, side), 0
    if best == NO_PRICE:
        return 0
    for venue in range(_consolidated_at(address).count):
        if best_price_at(address, venue, side) == best:
            one = _venue(address, venue)
            total += reading.best_quantity(address + one.books_at, one.instrument, side)
    return total


@jit.compiled("int64(int64)")
def inside(address: int) -> int:
    """NORMAL, LOCKED where best bid and ask are equal, CROSSED where the bid is higher, ..."""
    bid, ask = best_price(address, BUY), best_price(address, SELL)
    if bid == NO_PRICE or ask == NO_PRICE:
        return EMPTY if bid == ask else ONE_SIDE
    return NORMAL if bid < ask else (LOCKED if bid == ask else CROSSED)


@jit.compiled("int64(int64)")
def stale_venues(address: int) -> int:
    """The venues that are left out because they may be wrong, as bits."""
    bits = 0
    for venue in range(_consolidated_at(address).count):
        one = _venue(address, venue)
        if reading.facts(address + one.books_at, one.instrument).stale != 0:
            bits |= 1 << venue
    return bits


@jit.compiled("int64(int64, int64, int64, int64)")
def merged(address: int, side: int, levels: int, out_address: int) -> int:
    """The best levels of all venues into an array of MERGED_VIEW; how many there were."""
    count = _consolidated_at(address).count
    for venue in range(count):
        one = _venue(address, venue)
        base = address + one.books_at
        stale = reading.facts(base, one.instrument).stale != 0
        one.level = 0 if stale else reading.best_level(base, one.instrument, side)
    made = 0
    while made < levels:
        price = _next_price(address, side, count)
        if price == NO_PRICE:
            break
        _merge(address, side, count, price, out_address + made * MERGED_VIEW_BYTES)
        made += 1
    return made


@jit.inlined
def _next_price(address: int, side: int, count: int) -> int:
    """The best price among the levels that come next at each venue."""
    best = NO_PRICE
    for venue in range(count):
        one = _venue(address, venue)
        if one.level != 0:
            price = reading.level_price(address + one.books_at, side, one.level)
            if best == NO_PRICE or (price < best if side == SELL else price > best):
                best = price
    return best


@jit.inlined
def _merge(address: int, side: int, count: int, price: int, out_address: int) -> None:
    """One level of the answer; the venues that have it go on to their next."""
    view = _merged_view_at(out_address)
    view.price = price
    quantity, orders, venues, untold = 0, 0, 0, 0
    for venue in range(VENUES_MAX):
        view.split[venue] = 0
    for venue in range(count):
        one = _venue(address, venue)
        base = address + one.books_at
        if one.level == 0 or reading.level_price(base, side, one.level) != price:
            continue
        here = reading.level_quantity(base, one.level)
        view.split[venue] = here
        quantity += here
        told = reading.level_orders(base, one.level)
        orders += told
        untold += told == 0
        venues |= 1 << venue
        one.level = reading.worse_level(base, one.instrument, side, one.level)
    view.quantity = quantity
    view.orders = orders if untold == 0 else 0
    view.venues = venues
