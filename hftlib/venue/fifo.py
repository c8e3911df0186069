"""Order-by-order data: our orders stand in the venue's own book, each at its exact place.

    EXECUTE of a real order R   whoever took would have met our better orders first, then those of
                                ours ahead of R; each share once. R itself trades as recorded.
    TRADE, no order named       a hidden one: our better orders, and at its price ours only when
                                nothing real stands ahead of them
    ADD, REPLACE                one that meets a price of ours trades with us; what is left stands
    CANCEL, DELETE              bring us forward by themselves
    LEVEL, QUOTE, CLEAR         ours go to the end of what then stands at their price

What we took of real orders stays gone: `history.py`.

Prices of prints are clipped to the worse for us: an execution at another price than its order's
fills only orders of ours better than both.
Worst case: an execution out of order walks the queue of its price up to it.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import find_level
from hftlib.book.orders import side_of_order
from hftlib.book.reading import NO_PRICE
from hftlib.book.references import find_order
from hftlib.book.tables import KEY_MAX, QUANTITY_MAX, books_at, level_of, order_of
from hftlib.core import events, jit
from hftlib.venue.doors import fill_standing, into_books
from hftlib.venue.history import apply_less, can_stand, shrinks, told
from hftlib.venue.lists import first_of
from hftlib.venue.prints import cross, fill_better, is_printed, quantity_of, who_took
from hftlib.venue.standing import is_open
from hftlib.venue.tables import OWN_REFERENCE, event_at, key_of, own_number, own_of, venue_at
from hftlib.venue.taken import order_place, remember, taken_quantity
from hftlib.venue.taking_orders import unnamed_quantity


@jit.compiled()
def match_fifo(address: int, event_address: int) -> int:
    event = event_at(event_address)
    kind = event.kind
    if kind == events.ADD:
        _arrives(address, event_address)
    elif kind == events.REPLACE:
        _replaced(address, event_address)
    elif kind == events.EXECUTE or kind == events.CANCEL or kind == events.DELETE:
        if kind == events.EXECUTE and is_printed(event) and is_open(address, event.instrument):
            _executed(address, event)
        shrinks(address, event_address)
    elif kind == events.LEVEL or kind == events.QUOTE or kind == events.CLEAR:
        told(address, event_address)
    else:
        if kind == events.TRADE and is_printed(event) and is_open(address, event.instrument):
            _traded(address, event)
        elif kind == events.CROSS:
            cross(address, event)
        into_books(address, event_address)
    return 0


@jit.compiled()
def _executed(address: int, event: Any) -> None:
    """Who took would have met ours first."""
    base = address + venue_at(address).books_at
    books = books_at(base)
    number = find_order(books, base, event.reference)
    budget = event.quantity
    if not 0 < budget < QUANTITY_MAX:
        return
    if number != 0:
        order = order_of(books, base, number)
        if side_of_order(order) >> 1 != event.instrument:
            return
        side = side_of_order(order) & 1
        key = level_of(books, base, order.level).key
        gone = taken_quantity(address, event.reference, order_place(event.instrument))
        budget = min(budget, order.quantity + gone)
    elif not _is_named_by_price(event):
        return
    else:
        side = event.side - 1
        key = key_of(event.side, event.price)
        if find_level(books, base, 2 * event.instrument + side, key) == 0:
            return
    limit = key
    if event.price != 0:
        limit = min(key, key_of(side + 1, event.price))
    budget = fill_better(address, event.instrument, side, limit, budget, NO_PRICE, event.time)
    if number != 0 and limit == key:
        _fill_ahead(address, event, number, key, side, budget)


@jit.inlined
def _is_named_by_price(event: Any) -> bool:
    """Whether an event about an order that nobody knows says where it stood."""
    sided = event.side == events.BUY or event.side == events.SELL
    return sided and event.price != 0 and -KEY_MAX < event.price < KEY_MAX


@jit.compiled()
def _fill_ahead(address: int, event: Any, until: int, key: int, side: int, budget: int) -> None:
    """Fill ours that stand ahead of a real order at its price."""
    venue = venue_at(address)
    first = first_of(address, event.instrument, side)
    if first == 0 or own_of(address, first).key != key:
        return
    base = address + venue.books_at
    books = books_at(base)
    number = level_of(books, base, order_of(books, base, until).level).first
    while number != until and budget > 0:
        order = order_of(books, base, number)
        behind = order.behind
        if order.reference >= OWN_REFERENCE:
            place = own_number(venue, order.reference - OWN_REFERENCE)
            own = own_of(address, place)
            wanted = quantity_of(own, budget)
            budget -= fill_standing(address, place, wanted, own.price, event.time)
        number = behind


@jit.compiled()
def _traded(address: int, event: Any) -> None:
    """A hidden execution."""
    took = who_took(address, event)
    if took == 0 or not 0 < event.quantity < QUANTITY_MAX:
        return
    if not -KEY_MAX < event.price < KEY_MAX:
        return
    venue = venue_at(address)
    side = 2 - took  # of who stood: 1 sells, when a buyer took
    key = key_of(side + 1, event.price)
    left = fill_better(address, event.instrument, side, key, event.quantity, NO_PRICE, event.time)
    base = address + venue.books_at
    books = books_at(base)
    while left > 0:
        number = first_of(address, event.instrument, side)
        if number == 0 or own_of(address, number).key != key:
            return
        own = own_of(address, number)
        level = find_level(books, base, 2 * event.instrument + side, key)
        first = order_of(books, base, level_of(books, base, level).first)
        if unnamed_quantity(books, base, level) > 0 or first.reference != OWN_REFERENCE + own.id:
            return
        left -= fill_standing(address, number, quantity_of(own, left), own.price, event.time)


@jit.compiled()
def _arrives(address: int, event_address: int) -> None:
    """A new real order: first it trades with those of ours that it meets."""
    venue = venue_at(address)
    base = address + venue.books_at
    event = event_at(event_address)
    known = find_order(books_at(base), base, event.reference) != 0
    if known or not can_stand(event) or event.side == 0 or event.side > events.SELL:
        into_books(address, event_address)
        return
    left = _meets(address, event, event.side, event.quantity)
    if left == event.quantity:
        into_books(address, event_address)
        return
    place = order_place(event.instrument)
    remember(address, event.reference, place, event.quantity - left, 0, event.time, 1)
    if left > 0:
        apply_less(address, event_address, events.ADD, left)


@jit.compiled()
def _replaced(address: int, event_address: int) -> None:
    """A real order moves; what we took of it does not come back."""
    venue = venue_at(address)
    base = address + venue.books_at
    books = books_at(base)
    event = event_at(event_address)
    place = order_place(event.instrument)
    gone = taken_quantity(address, event.reference, place)
    number = find_order(books, base, event.reference)
    if number == 0:
        if gone == 0 or not can_stand(event):
            into_books(address, event_address)
            return
        venue.consumed += event.quantity
        remember(address, event.reference, place, 0, 0, event.time, 1)
        remember(address, event.other, place, event.quantity, 0, event.time, 1)
        return
    side = side_of_order(order_of(books, base, number))
    new = event.other == event.reference or find_order(books, base, event.other) == 0
    if not can_stand(event) or side >> 1 != event.instrument or not new:
        into_books(address, event_address)
        return
    there = max(event.quantity - gone, 0)
    left = _meets(address, event, (side & 1) + 1, there) if there > 0 else 0
    if gone > 0:
        remember(address, event.reference, place, 0, 0, event.time, 1)
        venue.consumed += event.quantity - there
    if left < event.quantity:
        remember(address, event.other, place, event.quantity - left, 0, event.time, 1)
        apply_less(address, event_address, events.REPLACE if left > 0 else events.DELETE, left)
    else:
        into_books(address, event_address)


@jit.compiled()
def _meets(address: int, event: Any, side: int, quantity: int) -> int:
    """What is left of a real order of this side after it traded with ours."""
    if not is_open(address, event.instrument):
        return quantity
    # The worst key of the other side that it reaches, and then all strictly better than one more.
    limit = key_of(3 - side, event.price) + 1
    return fill_better(address, event.instrument, 2 - side, limit, quantity, NO_PRICE, event.time)
