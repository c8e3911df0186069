"""What a strategy reads of a book: compiled, without a copy, by address and instrument.

    level = reading.best_level(base, i, BUY)            0: the side is empty
    while level != 0:
        reading.level_price(base, BUY, level), reading.level_quantity(base, level)
        level = reading.worse_level(base, i, BUY, level)

`base` is `Books.address`; `side` is BUY for the bids and SELL for the asks. Prices count price
units, quantities lots. Where a price is asked for that does not exist the answer is NO_PRICE,
which no order can have (0 is a price like others); where a float is, it is not a number.

Worst case: whatever is said "over n levels" walks n levels, a cache line or two each; an order's
place in the queue walks all orders behind it. Read between two events, or from a snapshot.
"""

from __future__ import annotations

from typing import Any

from hftlib.book import ladder
from hftlib.book.ladder import find_level, next_level
from hftlib.book.tables import KEY_MAX, book_of, books_at, level_of
from hftlib.core import jit
from hftlib.core.events import BUY, SELL
from hftlib.core.records import record

# Sums and differences of a few of these still fit into an int64.
NO_PRICE = -(2**60)
_NAN = float("nan")

LEVEL_VIEW = record(
    "level view",
    24,
    """
    0   price     int64
    8   quantity  int64
    16  orders    int64  0 where the feed does not say
    """,
)
INSIDE_VIEW = record(
    "inside view",
    88,
    """
    0   bid           int64    best prices; NO_PRICE: the side is empty
    8   bid_quantity  int64
    16  bid_orders    int64
    24  ask           int64
    32  ask_quantity  int64
    40  ask_orders    int64
    48  spread        int64    NO_PRICE with an empty side; below zero in a crossed book
    56  twice_mid     int64    likewise; the middle, times two, to stay whole
    64  mid           float64  in price units; not a number with an empty side
    72  microprice    float64  likewise; nearer to the side that is likely to be used up first
    80  imbalance     float64  of the best levels: 1 all bids, -1 all asks
    """,
)
LEVEL_VIEW_BYTES = LEVEL_VIEW.itemsize

_level_view_at = jit.record_at(LEVEL_VIEW)
_inside_view_at = jit.record_at(INSIDE_VIEW)


# Levels, one by one.


@jit.inlined
def best_level(base: int, instrument: int, side: int) -> int:
    """The best level of a side; 0 when it is empty."""
    return ladder.best_level(books_at(base), base, 2 * instrument + side - 1)


@jit.inlined
def worse_level(base: int, instrument: int, side: int, level: int) -> int:
    """The next level behind this one; 0 behind the last."""
    return next_level(books_at(base), base, 2 * instrument + side - 1, level)


@jit.compiled()
def nth_level(base: int, instrument: int, side: int, n: int) -> int:
    """The n-th level from the best one, which is number 0; 0 when there are not so many."""
    level = best_level(base, instrument, side)
    while level != 0 and n > 0:
        level = worse_level(base, instrument, side, level)
        n -= 1
    return level


@jit.compiled("int64(int64, int64, int64)")
def count_levels(base: int, instrument: int, side: int) -> int:
    count = 0
    level = best_level(base, instrument, side)
    while level != 0:
        count += 1
        level = worse_level(base, instrument, side, level)
    return count


@jit.compiled()
def level_at(base: int, instrument: int, side: int, price: int) -> int:
    """The level at a price; 0 when nothing stands there."""
    if not -KEY_MAX < price < KEY_MAX:
        return 0
    key = price if side == SELL else -price
    return find_level(books_at(base), base, 2 * instrument + side - 1, key)


@jit.inlined
def level_price(base: int, side: int, level: int) -> int:
    key = level_of(books_at(base), base, level).key
    return key if side == SELL else -key


@jit.inlined
def level_quantity(base: int, level: int) -> int:
    return level_of(books_at(base), base, level).quantity


@jit.inlined
def level_orders(base: int, level: int) -> int:
    return level_of(books_at(base), base, level).orders


# The inside.


@jit.inlined
def facts(base: int, instrument: int) -> Any:
    """The record BOOK of `tables.py`: `.time .last .volume .state .stale` and so on."""
    return book_of(books_at(base), base, instrument)


@jit.inlined
def is_empty(base: int, instrument: int, side: int) -> bool:
    return best_level(base, instrument, side) == 0


@jit.inlined
def best_price(base: int, instrument: int, side: int) -> int:
    """NO_PRICE when the side is empty."""
    level = best_level(base, instrument, side)
    return level_price(base, side, level) if level != 0 else NO_PRICE


@jit.inlined
def best_quantity(base: int, instrument: int, side: int) -> int:
    level = best_level(base, instrument, side)
    return level_quantity(base, level) if level != 0 else 0


@jit.inlined
def best_orders(base: int, instrument: int, side: int) -> int:
    level = best_level(base, instrument, side)
    return level_orders(base, level) if level != 0 else 0


@jit.inlined
def has_both(base: int, instrument: int) -> bool:
    """Whether neither side is empty, so that there is a middle."""
    bid, ask = best_level(base, instrument, BUY), best_level(base, instrument, SELL)
    return bid != 0 and ask != 0


@jit.inlined
def spread(base: int, instrument: int) -> int:
    """Best ask less best bid, below zero in a crossed book; NO_PRICE with an empty side."""
    if not has_both(base, instrument):
        return NO_PRICE
    return best_price(base, instrument, SELL) - best_price(base, instrument, BUY)


@jit.inlined
def twice_mid(base: int, instrument: int) -> int:
    """Best bid plus best ask: twice the middle, exactly; NO_PRICE with an empty side."""
    if not has_both(base, instrument):
        return NO_PRICE
    return best_price(base, instrument, BUY) + best_price(base, instrument, SELL)


@jit.inlined
def mid(base: int, instrument: int) -> float:
    """The middle as a float; not a number with an empty side."""
    if not has_both(base, instrument):
        return _NAN
    return 0.5 * twice_mid(base, instrument)


@jit.inlined
def microprice(base: int, instrument: int) -> float:
    """The middle, weighted by the quantity on the *other* side; not a number with an empty side."""
    if not has_both(base, instrument):
        return _NAN
    bids = best_quantity(base, instrument, BUY)
    asks = best_quantity(base, instrument, SELL)
    bid = best_price(base, instrument, BUY)
    return bid + spread(base, instrument) * (bids / (float(bids) + float(asks)))


@jit.compiled("void(int64, int64, int64)")
def inside(base: int, instrument: int, out_address: int) -> None:
    """All of the above at once, into an INSIDE_VIEW."""
    view = _inside_view_at(out_address)
    view.bid = best_price(base, instrument, BUY)
    view.bid_quantity = best_quantity(base, instrument, BUY)
    view.bid_orders = best_orders(base, instrument, BUY)
    view.ask = best_price(base, instrument, SELL)
    view.ask_quantity = best_quantity(base, instrument, SELL)
    view.ask_orders = best_orders(base, instrument, SELL)
    view.spread = spread(base, instrument)
    view.twice_mid = twice_mid(base, instrument)
    view.mid = mid(base, instrument)
    view.microprice = microprice(base, instrument)
    view.imbalance = _balance(view.bid_quantity, view.ask_quantity)


# Depth.


@jit.compiled("int64(int64, int64, int64, int64)")
def quantity_to(base: int, instrument: int, side: int, levels: int) -> int:
    """The quantity of the best levels together."""
    total = 0
    level = best_level(base, instrument, side)
    while level != 0 and levels > 0:
        total += level_quantity(base, level)
        level = worse_level(base, instrument, side, level)
        levels -= 1
    return total


@jit.compiled("int64(int64, int64, int64, int64)")
def quantity_within(base: int, instrument: int, side: int, price: int) -> int:
    """The quantity at a price and all better ones."""
    total = 0
    key = price if side == SELL else -price
    books = books_at(base)
    level = best_level(base, instrument, side)
    while level != 0 and level_of(books, base, level).key <= key:
        total += level_quantity(base, level)
        level = worse_level(base, instrument, side, level)
    return total


@jit.compiled("float64(int64, int64, int64)")
def imbalance(base: int, instrument: int, levels: int) -> float:
    """Of the best levels of each side: 1 all bids, -1 all asks, 0 as much of both or nothing."""
    bids = quantity_to(base, instrument, BUY, levels)
    return _balance(bids, quantity_to(base, instrument, SELL, levels))


@jit.inlined
def _balance(bids: int, asks: int) -> float:
    both = float(bids) + float(asks)
    return (float(bids) - float(asks)) / both if both > 0 else 0.0


@jit.compiled("int64(int64, int64, int64, int64)")
def sweep_limit(base: int, instrument: int, side: int, quantity: int) -> int:
    """The worst price met when this much is taken from the side; NO_PRICE: there is not as much."""
    level = best_level(base, instrument, side)
    while level != 0 and quantity > level_quantity(base, level):
        quantity -= level_quantity(base, level)
        level = worse_level(base, instrument, side, level)
    return level_price(base, side, level) if level != 0 and quantity > 0 else NO_PRICE


@jit.compiled("float64(int64, int64, int64, int64)")
def sweep_price(base: int, instrument: int, side: int, quantity: int) -> float:
    """The average price when this much is taken from the side; not a number: not as much there."""
    best = best_price(base, instrument, side)
    left, paid_beyond_best = quantity, 0.0
    level = best_level(base, instrument, side)
    while level != 0 and left > 0:
        taken = min(left, level_quantity(base, level))
        # From the best price on, because whole prices times quantities could overflow.
        paid_beyond_best += float(level_price(base, side, level) - best) * float(taken)
        left -= taken
        level = worse_level(base, instrument, side, level)
    if left > 0 or quantity <= 0:
        return _NAN
    return best + paid_beyond_best / quantity


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def depth(base: int, instrument: int, side: int, levels: int, out_address: int) -> int:
    """The best levels into an array of LEVEL_VIEW, best first; how many there were."""
    count = 0
    level = best_level(base, instrument, side)
    while level != 0 and count < levels:
        view = _level_view_at(out_address + count * LEVEL_VIEW_BYTES)
        view.price = level_price(base, side, level)
        view.quantity = level_quantity(base, level)
        view.orders = level_orders(base, level)
        level = worse_level(base, instrument, side, level)
        count += 1
    return count
