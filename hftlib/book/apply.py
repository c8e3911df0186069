"""Events into books: one function, one switch, and each impossible input counted with its reason.

    CHANGED    the book of the event's instrument is another than before
    0          the event says nothing to a book
    -reason    impossible: counted, and the book left as it was; but where more is taken off than
               was there, all of it goes, and a replace that finds no room has lost its order

Orders stand in the queue of their level in order of arrival: an execution or a cancel takes off and
keeps the place, a replace goes to the end, as exchanges do it.

A book that began within the day has quantity whose orders nobody can name: levels seeded from
a snapshot. An event about an unknown order that itself names side and price takes from there.
A book is stale while messages are missing (GAP), once one could not be read, or when its memory was
full; a CLEAR of the whole book is a new start. A message of an unknown type makes no book stale:
venues add statements, and never kinds of orders, without a new version of the feed.

Worst case: CLEAR takes the side's orders off one by one, what a level has without names is found
by walking its queue, and GAP marks every book.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.ladder import find_level, leave_level
from hftlib.book.levels import clear, clear_side, set_again, set_level
from hftlib.book.orders import (
    CHANGED,
    append_order,
    drop_order,
    side_of_order,
    take_off,
)
from hftlib.book.references import find_order
from hftlib.book.tables import (
    DOUBLE_ORDER,
    KEY_MAX,
    LEVELS_FULL,
    NO_INSTRUMENT,
    NO_ORDER,
    NO_QUANTITY,
    NO_SIDE,
    ORDERS_FULL,
    OTHER_INSTRUMENT,
    PAGES_FULL,
    QUANTITY_MAX,
    STALE_FULL,
    STALE_GAP,
    STALE_UNREAD,
    TOO_MUCH,
    TOO_MUCH_LEVEL,
    WRONG_PRICE,
    book_address,
    book_at,
    book_of,
    books_at,
    level_of,
    order_of,
    side_in,
)
from hftlib.book.usual import print_trade, usual_change
from hftlib.core import events, jit
from hftlib.core.events import ALL, EVENT

_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64, int64)")
def apply_event(base: int, event_address: int) -> int:
    """Apply one event to the books at `base`: CHANGED, 0, or minus the reason."""
    books_at(base).events += 1
    return apply_inline(base, event_address)


@jit.inlined
def apply_inline(base: int, event_address: int) -> int:
    """`apply_event` for loops over many events, which count them themselves."""
    books = books_at(base)
    event = _event_at(event_address)
    # One call for all that is not usual: each further one would cost the usual events a store.
    if 0 < event.kind < events.REPLACE and event.instrument < books.instruments:
        address = book_address(books, base, event.instrument)
        if usual_change(books, base, address, event) != 0:
            return _changed(address, event)
    elif event.kind == events.LEVEL and event.instrument < books.instruments:
        address = book_address(books, base, event.instrument)
        if set_again(books, base, address, event) != 0:
            return _changed(address, event)
    return apply_any(base, event_address)


@jit.inlined
def _changed(address: int, event: Any) -> int:
    book = book_at(address)
    book.time = event.time
    book.sequence = event.sequence
    return CHANGED


@jit.compiled("int64(int64, int64)")
def apply_any(base: int, event_address: int) -> int:
    """The same for whatever there is; `usual.py` is a shorter way for most of it."""
    books = books_at(base)
    event = _event_at(event_address)
    if event.instrument >= books.instruments:
        return _not_one(books, base, event)
    address = book_address(books, base, event.instrument)
    book = book_at(address)
    book.time = event.time
    book.sequence = event.sequence
    if 0 < event.kind <= events.REPLACE:
        done = _of_order(books, base, book, event)
    else:
        done = _seldom(books, base, book, event)
    if done < 0:
        _impossible(books, book, -done)
    return done


@jit.compiled()
def _impossible(books: Any, book: Any, reason: int) -> None:
    books.impossible[reason] += 1
    if reason in (ORDERS_FULL, LEVELS_FULL, PAGES_FULL):
        book.stale |= STALE_FULL


@jit.inlined
def _of_order(books: Any, base: int, book: Any, event: Any) -> int:
    """ADD, EXECUTE, CANCEL, DELETE and REPLACE, which is a delete and an add."""
    # The kind is the one thing hard to predict, and known at once. Asked first, a wrong guess costs
    # little; asked after the search, it would cost the search as well.
    kind = event.kind
    if kind == events.ADD:
        if event.side != events.BUY and event.side != events.SELL:
            return -NO_SIDE
        if find_order(books, base, event.reference) != 0:
            return -DOUBLE_ORDER
        refused = _refused(event)
        if refused != 0:
            return -refused
        side = 2 * event.instrument + event.side - 1
        reference = event.reference
    else:
        number = find_order(books, base, event.reference)
        if number == 0:
            return _take_unnamed(books, base, book, event)
        order = order_of(books, base, number)
        side = side_of_order(order)
        if side >> 1 != event.instrument:
            return -OTHER_INSTRUMENT
        done = CHANGED
        reference = event.other
        if kind == events.REPLACE:
            refused = _refused(event)
            if refused != 0:
                return -refused
            if reference != event.reference and find_order(books, base, reference) != 0:
                return -DOUBLE_ORDER
        elif kind != events.DELETE:
            if event.quantity <= 0:
                return -NO_QUANTITY
            if kind == events.EXECUTE:
                _execute(books, base, book, event, order)
            if event.quantity < order.quantity:
                take_off(books, base, order, event.quantity)
                return CHANGED
            done = CHANGED if event.quantity == order.quantity else -TOO_MUCH
        drop_order(books, base, number)
        if kind != events.REPLACE:
            return done
    key = event.price if side & 1 else -event.price
    state = side_in(book_address(books, base, event.instrument), side)
    return append_order(books, base, state, side, key, reference, event.quantity)


@jit.inlined
def _refused(event: Any) -> int:
    """Why no order can have the event's quantity and price, or 0."""
    if not 0 < event.quantity < QUANTITY_MAX:
        return NO_QUANTITY
    return 0 if -KEY_MAX < event.price < KEY_MAX else WRONG_PRICE


@jit.inlined
def _execute(books: Any, base: int, book: Any, event: Any, order: Any) -> None:
    key = level_of(books, base, order.level).key
    price = key if side_of_order(order) & 1 else -key
    price = price if event.price == 0 else event.price
    print_trade(book, event, price, min(event.quantity, order.quantity))


@jit.compiled()
def _not_one(books: Any, base: int, event: Any) -> int:
    """What concerns every instrument, or one that there is not."""
    if not concerns_all(event):
        books.impossible[NO_INSTRUMENT] += 1
        return -NO_INSTRUMENT
    for instrument in range(books.instruments):
        apply_of_all(base, event, instrument)
    return CHANGED if event.kind == events.CLEAR else 0


@jit.inlined
def concerns_all(event: Any) -> bool:
    kind = event.kind
    of_one = (0 < kind <= events.CROSS) | (kind == events.LEVEL) | (kind == events.QUOTE)
    return event.instrument == ALL and not of_one


@jit.compiled()
def apply_of_all(base: int, event: Any, instrument: int) -> None:
    """What concerns every instrument, for one of them."""
    books = books_at(base)
    book = book_of(books, base, instrument)
    kind = event.kind
    if kind == events.CLEAR:
        clear_side(books, base, 2 * instrument, KEY_MAX)
        clear_side(books, base, 2 * instrument + 1, KEY_MAX)
        book.stale = 0
    elif kind == events.GAP:
        book.stale |= STALE_GAP
    elif kind == events.RECOVERED:
        book.stale &= ~STALE_GAP
    elif kind == events.STATUS:
        book.state = event.reference
    elif kind == events.UNREADABLE and event.reference != events.UNKNOWN_TYPE:
        book.stale |= STALE_UNREAD


@jit.compiled()
def _seldom(books: Any, base: int, book: Any, event: Any) -> int:
    kind = event.kind
    if kind == events.LEVEL or kind == events.QUOTE:
        return set_level(books, base, event)
    if kind == events.CLEAR:
        return clear(books, base, book, event)
    if kind == events.TRADE or kind == events.CROSS:
        if not 0 <= event.quantity < QUANTITY_MAX:
            return -NO_QUANTITY
        if event.quantity > 0:
            print_trade(book, event, event.price, event.quantity)
    elif kind == events.STATUS:
        book.state = event.reference
    elif kind == events.GAP:
        book.stale |= STALE_GAP
    elif kind == events.RECOVERED:
        book.stale &= ~STALE_GAP
    elif kind == events.UNREADABLE and event.reference != events.UNKNOWN_TYPE:
        book.stale |= STALE_UNREAD
    return 0


@jit.compiled()
def _take_unnamed(books: Any, base: int, book: Any, event: Any) -> int:
    """Take from what a level has without names; only an event that names side and price can.

    An execution that names its price is a trade, whatever the book knows of its order.
    """
    if event.kind == events.EXECUTE and event.price != 0 and 0 < event.quantity < QUANTITY_MAX:
        print_trade(book, event, event.price, event.quantity)
    if event.side != events.BUY and event.side != events.SELL:
        return -NO_ORDER
    if event.price == 0 or event.kind == events.REPLACE:  # a replace names its new price
        return -NO_ORDER
    if event.quantity <= 0:
        return -NO_QUANTITY
    key = event.price if event.side == events.SELL else -event.price
    side = 2 * event.instrument + event.side - 1
    number = find_level(books, base, side, key)
    if number == 0:
        return -NO_ORDER
    level = level_of(books, base, number)
    unnamed = level.quantity
    order = level.first
    while order != number:
        named = order_of(books, base, order)
        unnamed -= named.quantity
        order = named.behind
    if event.quantity > unnamed:
        return -TOO_MUCH_LEVEL
    level.quantity -= event.quantity
    leave_level(books, base, side, number)
    return CHANGED
