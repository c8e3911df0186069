"""What history says where we have changed it: order-by-order data with our orders in the book.

Shares that we took from real orders stay gone: what the tape still says of them is clipped and
counted (`consumed`). An order that we took whole and that is then replaced does not come back.
Where a LEVEL, QUOTE or CLEAR says anew what stands at a price, our orders go to its end.

Worst case: a CLEAR of everything takes all our orders of an instrument out and puts them in again.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import find_level
from hftlib.book.references import find_order
from hftlib.book.tables import KEY_MAX, QUANTITY_MAX, books_at, order_of
from hftlib.core import events, jit
from hftlib.core.events import EVENT_BYTES
from hftlib.venue.doors import end_standing, into_books
from hftlib.venue.lists import first_of
from hftlib.venue.standing import stand_in_book, take_out
from hftlib.venue.tables import NO_LIMIT, OF_ORDER, event_at, key_of, own_of, venue_at
from hftlib.venue.taken import forget_all, level_place, order_place, remember, taken_quantity
from hftlib.venue.taking_orders import unnamed_quantity


@jit.compiled()
def shrinks(address: int, event_address: int) -> None:
    """EXECUTE, CANCEL, DELETE: as recorded, less the shares that we had taken before."""
    venue = venue_at(address)
    base = address + venue.books_at
    books = books_at(base)
    event = event_at(event_address)
    number = find_order(books, base, event.reference)
    place = order_place(event.instrument)
    gone = taken_quantity(address, event.reference, place)
    if gone > 0:
        there = order_of(books, base, number).quantity if number != 0 else 0
        _clipped(address, event_address, event.reference, place, there, gone)
        return
    named = event.side == events.BUY or event.side == events.SELL
    if number == 0 and named and event.price != 0:
        place = level_place(event.instrument, event.side - 1)
        gone = taken_quantity(address, event.price, place)
        if gone > 0:
            key = key_of(event.side, event.price)
            level = find_level(books, base, 2 * event.instrument + event.side - 1, key)
            there = unnamed_quantity(books, base, level) if level != 0 else 0
            _clipped(address, event_address, event.price, place, there, gone)
            return
    into_books(address, event_address)


@jit.compiled()
def _clipped(
    address: int, event_address: int, reference: int, place: int, there: int, gone: int
) -> None:
    """An event about `there` lots that stand and `gone` ones that history only believes in."""
    venue = venue_at(address)
    event = event_at(event_address)
    time = event.time
    if event.kind == events.DELETE and place & 3 == OF_ORDER:
        venue.consumed += gone
        remember(address, reference, place, 0, 0, time, 1)
        if there > 0:
            into_books(address, event_address)
        return
    clipped = min(max(event.quantity - there, 0), gone)
    if clipped == 0:
        into_books(address, event_address)
        return
    venue.consumed += clipped
    remember(address, reference, place, gone - clipped, 0, time, 1)
    if event.quantity > clipped:
        apply_less(address, event_address, event.kind, event.quantity - clipped)


@jit.compiled()
def told(address: int, event_address: int) -> None:
    """LEVEL, QUOTE, CLEAR: ours stand behind whatever then stands at their price."""
    event = event_at(event_address)
    instrument = event.instrument
    sided = event.side == events.BUY or event.side == events.SELL
    side = event.side - 1 if sided else -1
    low, high = -NO_LIMIT, NO_LIMIT
    if event.kind == events.CLEAR:
        if event.side > events.SELL or not -KEY_MAX < event.price < KEY_MAX:
            into_books(address, event_address)
            return
        if side < 0:
            forget_all(address, instrument)
        elif event.price != 0:
            high = key_of(event.side, event.price)
    else:
        in_range = -KEY_MAX < event.price < KEY_MAX and 0 <= event.quantity < QUANTITY_MAX
        if not sided or not in_range:
            into_books(address, event_address)
            return
        remember(address, event.price, level_place(instrument, side), 0, 0, event.time, 1)
        if event.kind == events.LEVEL:
            low = high = key_of(event.side, event.price)
    out_of_book(address, instrument, side, low, high)
    into_books(address, event_address)
    back_into_book(address, instrument, side, low, high, event.time)


@jit.compiled()
def out_of_book(address: int, instrument: int, side: int, low: int, high: int) -> None:
    """Our standing orders of a side, -1 both, between two keys leave the book, not our lists."""
    for one in range(2):
        if side != 1 - one:
            number = first_of(address, instrument, one)
            while number != 0 and own_of(address, number).key <= high:
                own = own_of(address, number)
                if own.key >= low:
                    take_out(address, own)
                number = own.next


@jit.compiled()
def back_into_book(
    address: int, instrument: int, side: int, low: int, high: int, time: int
) -> None:
    """And stand in it again, each at the end of its price, in the order they had."""
    for one in range(2):
        if side != 1 - one:
            number = first_of(address, instrument, one)
            while number != 0 and own_of(address, number).key <= high:
                own = own_of(address, number)
                after = own.next
                if own.key >= low:
                    refused = stand_in_book(address, own)
                    if refused != 0:
                        end_standing(address, number, time, refused)
                number = after


@jit.inlined
def can_stand(event: Any) -> bool:
    """Whether the books would take an order of its quantity and price."""
    return 0 < event.quantity < QUANTITY_MAX and -KEY_MAX < event.price < KEY_MAX


@jit.compiled()
def apply_less(address: int, event_address: int, kind: int, quantity: int) -> None:
    """The event with another quantity: it is made in memory of our own, tapes stay as they are."""
    venue = venue_at(address)
    made = address + venue.event_at
    jit.copy_words(made, event_address, EVENT_BYTES)
    event = event_at(made)
    event.kind = kind
    event.quantity = quantity
    into_books(address, made)
