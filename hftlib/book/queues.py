"""Where an order stands: what is ahead of it in the queue of its price, and what is behind.

    first ─▶ ... ─▶ the order ─▶ ... ─▶ last
    └─── ahead ───┘            └── behind ──┘

What is behind is walked and added up; the rest of the level is ahead. So quantity that has no names
(a level seeded from a snapshot) counts as ahead, as it was there first.

Worst case: all orders behind are walked, a cache line each. An own order begins at the end, where
that is nothing.
"""

from __future__ import annotations

from hftlib.book.orders import side_of_order
from hftlib.book.reading import level_at
from hftlib.book.references import find_order
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import jit
from hftlib.core.records import record

QUEUE_VIEW = record(
    "queue view",
    64,
    """
    0   instrument     int64
    8   side           int64  BUY or SELL
    16  price          int64
    24  quantity       int64  of the order itself
    32  ahead          int64  quantity before it
    40  orders_ahead   int64
    48  behind         int64  quantity after it
    56  orders_behind  int64
    """,
)
ORDER_VIEW = record(
    "order view",
    16,
    """
    0  reference  int64  0: quantity whose orders nobody can name
    8  quantity   int64
    """,
)
ORDER_VIEW_BYTES = ORDER_VIEW.itemsize

_queue_view_at = jit.record_at(QUEUE_VIEW)
_order_view_at = jit.record_at(ORDER_VIEW)


@jit.compiled("int64(int64, int64, int64)")
def queue_position(base: int, reference: int, out_address: int) -> int:
    """Where an order stands, into a QUEUE_VIEW: 1, or 0 when there is no such order."""
    books = books_at(base)
    number = find_order(books, base, reference)
    if number == 0:
        return 0
    order = order_of(books, base, number)
    level = level_of(books, base, order.level)
    side = side_of_order(order)
    view = _queue_view_at(out_address)
    view.instrument = side >> 1
    view.side = (side & 1) + 1
    view.price = level.key if side & 1 else -level.key
    view.quantity = order.quantity
    behind, orders_behind = 0, 0
    after = order.behind
    while after != order.level:
        one = order_of(books, base, after)
        behind += one.quantity
        orders_behind += 1
        after = one.behind
    view.behind = behind
    view.orders_behind = orders_behind
    view.ahead = level.quantity - order.quantity - behind
    # Taking from nameless quantity tells nobody how many orders that leaves; none, when it is gone.
    view.orders_ahead = level.orders - 1 - orders_behind if view.ahead != 0 else 0
    return 1


@jit.compiled("int64(int64, int64)")
def queue_ahead(base: int, reference: int) -> int:
    """The quantity ahead of an order; -1 when there is no such order."""
    books = books_at(base)
    number = find_order(books, base, reference)
    if number == 0:
        return -1
    order = order_of(books, base, number)
    end = order.level
    ahead = level_of(books, base, end).quantity
    while number != end:
        order = order_of(books, base, number)
        ahead -= order.quantity
        number = order.behind
    return ahead


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def queue_at(
    base: int, instrument: int, side: int, price: int, count_max: int, out_address: int
) -> int:
    """The orders at a price into an array of ORDER_VIEW, first come first; how many there are.

    More than `count_max` are counted but not written. The array must have room for one more, the
    first one: quantity without names, which may be none.
    """
    books = books_at(base)
    level_number = level_at(base, instrument, side, price)
    unnamed = _order_view_at(out_address)
    unnamed.reference = 0
    unnamed.quantity = 0
    if level_number == 0:
        return 0
    level = level_of(books, base, level_number)
    left, count = level.quantity, 0
    number = level.first
    while number != level_number:
        order = order_of(books, base, number)
        left -= order.quantity
        count += 1
        if count <= count_max:
            view = _order_view_at(out_address + count * ORDER_VIEW_BYTES)
            view.reference = order.reference
            view.quantity = order.quantity
        number = order.behind
    unnamed.quantity = left
    return count
