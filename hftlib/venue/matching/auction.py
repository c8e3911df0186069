"""At which price a cross would happen: most shares, then the least surplus, then the reference.

    bought(p) = all buys at p or more        volume(p)  = the smaller of the two
    sold(p)   = all sells at p or less       surplus(p) = bought less sold

Both are constant between two prices at which orders stand, so it is enough to look at those, and
between two of them at the price nearest to the reference. Of two as near the lower one is taken.
Market orders stand at no price of their own: they buy at any, sell at any.

Worst case: all orders of the symbol are added up and their prices sorted.
"""

from __future__ import annotations

from hftlib.book.ladder import best_level, next_level
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import jit
from hftlib.venue.matching.records import BUY, MARKET, PRICE_MAX, SELL
from hftlib.venue.matching.tables import (
    HELD_ROW,
    HIDDEN_ROW,
    SHOWN_ROW,
    curve_of,
    engine_of,
    own_of,
    price_of,
    row_side,
    symbol_of,
    tick_at,
)


@jit.once
def find_price(base: int, symbol: int, cross: int, with_book: int, reference: int) -> int:
    """The answer into the engine's `answer_*`; how many prices the curve has, for `at_price`."""
    count = _gather(base, symbol, cross, with_book)
    _sort(base, count)
    count = _merge(base, count)
    _search(base, symbol, count, reference)
    return count


@jit.once
def at_price(base: int, count: int, price: int, side: int) -> int:
    """What would be bought, or sold, at that price."""
    total = 0
    for k in range(count):
        point = curve_of(base, k)
        if side == BUY:
            total += point.bought if point.price >= price else 0
        else:
            total += point.sold if point.price <= price else 0
    return total


@jit.once
def _gather(base: int, symbol: int, cross: int, with_book: int) -> int:
    count = 0
    for side in range(BUY, SELL + 1):
        if with_book != 0:
            count = _gather_side(base, row_side(base, SHOWN_ROW, symbol, side), side, count)
            count = _gather_side(base, row_side(base, HIDDEN_ROW, symbol, side), side, count)
        held = row_side(base, HELD_ROW + cross - 1, symbol, side)
        count = _gather_side(base, held, side, count)
    return count


@jit.once
def _gather_side(base: int, ladder: int, side: int, count: int) -> int:
    """A point for each level, with what its orders hold back."""
    books, engine = books_at(base), engine_of(base)
    level_number = best_level(books, base, ladder)
    while level_number != 0:
        level = level_of(books, base, level_number)
        total = 0
        number = level.first
        while number != level_number:
            order = order_of(books, base, number)
            total += order.quantity + own_of(base, number - engine.order_first).reserve
            number = order.behind
        point = curve_of(base, count)
        point.price = price_of(ladder, level.key)
        point.bought = total if side == BUY else 0
        point.sold = total if side == SELL else 0
        count += 1
        level_number = next_level(books, base, ladder, level_number)
    return count


@jit.once
def _sort(base: int, count: int) -> None:
    """By price, in place: shells of a third, then a ninth, ... of all."""
    gap = 1
    while 3 * gap + 1 < count:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, count):
            point = curve_of(base, k)
            price, bought, sold = point.price, point.bought, point.sold
            at = k
            while at >= gap and curve_of(base, at - gap).price > price:
                before = curve_of(base, at - gap)
                _put(base, at, before.price, before.bought, before.sold)
                at -= gap
            _put(base, at, price, bought, sold)
        gap //= 3


@jit.inlined
def _put(base: int, k: int, price: int, bought: int, sold: int) -> None:
    point = curve_of(base, k)
    point.price = price
    point.bought = bought
    point.sold = sold


@jit.once
def _merge(base: int, count: int) -> int:
    """One point for each price; how many there are."""
    last = 0
    for k in range(1, count):
        point, one = curve_of(base, k), curve_of(base, last)
        if point.price == one.price:
            _put(base, last, one.price, one.bought + point.bought, one.sold + point.sold)
        else:
            last += 1
            _put(base, last, point.price, point.bought, point.sold)
    return last + 1 if count > 0 else 0


@jit.once
def _search(base: int, symbol_number: int, count: int, reference: int) -> None:
    engine, symbol = engine_of(base), symbol_of(base, symbol_number)
    engine.answer_price, engine.answer_volume, engine.answer_surplus = 0, 0, 0
    bought, sold = at_price(base, count, 0, BUY), 0
    for k in range(count):
        point = curve_of(base, k)
        sold += point.sold
        if 0 < point.price <= PRICE_MAX and point.price % tick_at(symbol, point.price) == 0:
            _consider(base, point.price, bought, sold, reference)
        bought -= point.bought
        end = curve_of(base, k + 1).price if k + 1 < count else MARKET
        low = point.price // tick_at(symbol, point.price) * tick_at(symbol, point.price)
        low += tick_at(symbol, low)
        high = PRICE_MAX
        if end <= PRICE_MAX:
            tick = tick_at(symbol, end - 1)
            high = (end - 1) // tick * tick
        if low > high:
            continue
        tick = tick_at(symbol, reference)
        below = reference // tick * tick
        _consider(base, min(max(below, low), high), bought, sold, reference)
        _consider(base, min(max(below + tick, low), high), bought, sold, reference)


@jit.once
def _consider(base: int, price: int, bought: int, sold: int, reference: int) -> None:
    """Is it better than the best so far? Prices come in rising order, but for equal ones."""
    engine = engine_of(base)
    volume, surplus = min(bought, sold), bought - sold
    if volume == 0 or volume < engine.answer_volume:
        return
    if volume == engine.answer_volume:
        less = abs(surplus) - abs(engine.answer_surplus)
        nearer = abs(price - reference) - abs(engine.answer_price - reference)
        if less > 0 or (less == 0 and nearer >= 0):
            return
    engine.answer_price = price
    engine.answer_volume = volume
    engine.answer_surplus = surplus
