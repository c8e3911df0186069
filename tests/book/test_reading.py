"""What strategies read of a book is what a slow twin reads, whatever the book looks like."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from checks import made
from flows import ORDERS, Flow
from sights import BUY, SELL, add, books_of, one, sight, usual

from hftlib.book import reading
from hftlib.book.capacity import Capacity
from hftlib.book.reading import INSIDE_VIEW, LEVEL_VIEW, NO_PRICE
from hftlib.book.tables import KEY_MAX
from hftlib.core import events, jit
from hftlib.core.records import record

NAN = float("nan")
SEEN = record(
    "all that a strategy reads",
    120,
    """
    0   spread     int64
    8   twice_mid  int64
    16  mid        float64
    24  microprice float64
    32  price      int64[2]  of the bids, of the asks
    48  quantity   int64[2]
    64  orders     int64[2]
    80  second     int64[2]  price of the level behind the best
    96  empty      int64[2]
    112 walked     int64     levels met by walking both sides
    """,
)
_seen_at = jit.record_at(SEEN)


@jit.compiled("void(int64, int64, int64)")
def look(base: int, instrument: int, out_address: int) -> None:
    """A strategy that reads everything there is."""
    seen = _seen_at(out_address)
    seen.spread = reading.spread(base, instrument)
    seen.twice_mid = reading.twice_mid(base, instrument)
    seen.mid = reading.mid(base, instrument)
    seen.microprice = reading.microprice(base, instrument)
    seen.walked = 0
    for side in range(BUY, SELL + 1):
        seen.price[side - 1] = reading.best_price(base, instrument, side)
        seen.quantity[side - 1] = reading.best_quantity(base, instrument, side)
        seen.orders[side - 1] = reading.best_orders(base, instrument, side)
        seen.empty[side - 1] = reading.is_empty(base, instrument, side)
        second = reading.nth_level(base, instrument, side, 1)
        price = reading.level_price(base, side, second) if second != 0 else NO_PRICE
        seen.second[side - 1] = price
        level = reading.best_level(base, instrument, side)
        while level != 0:
            at = reading.level_at(base, instrument, side, reading.level_price(base, side, level))
            seen.walked += at == level
            level = reading.worse_level(base, instrument, side, level)


def seen(books: Any, instrument: int = 0) -> Any:
    out = np.zeros(1, SEEN)
    look(books.address, instrument, out.ctypes.data)
    return out[0]


def inside(books: Any, instrument: int = 0) -> Any:
    out = np.zeros(1, INSIDE_VIEW)
    reading.inside(books.address, instrument, out.ctypes.data)
    return out[0]


def depth(books: Any, instrument: int, side: int, levels: int) -> list[tuple[int, int, int]]:
    out = np.zeros(levels + 1, LEVEL_VIEW)
    out["price"] = -77
    count = reading.depth(books.address, instrument, side, levels, out.ctypes.data)
    assert set(out["price"][count:].tolist()) == {-77}, "more was written than was asked for"
    return out[:count].tolist()


def same(one: float, other: float, prices: float) -> bool:
    """Equal up to float64's rounding at prices of this size, or both not a number."""
    return (math.isnan(one) and math.isnan(other)) or abs(one - other) <= 1e-12 * prices


CASES: dict[str, tuple[Flow, list[int]]] = {
    "crossing": (Flow(width=6), [1, 1, 1]),
    "apart": (Flow(width=30, apart=31), [1, 1, 1]),
    "several prices in a slot": (Flow(width=9, step=100, off_grid=99, apart=900), [100, 1000, 7]),
    "around zero": (Flow(center=0, width=9, apart=5), [1, 2, 5]),
    "far pages": (Flow(step=32 * 977, width=50), [1, 1, 977]),
    "levels and orders mixed": (
        Flow(kinds=ORDERS | {events.LEVEL: 20, events.QUOTE: 0.4, events.CLEAR: 0.2}, width=9),
        [1, 1, 1],
    ),
    "one side only": (Flow(kinds={events.ADD: 2, events.DELETE: 3}, pool=6, width=3), [1, 1, 1]),
}


@pytest.mark.modes
@pytest.mark.parametrize("case", CASES)
def test_what_is_read_is_what_the_twin_has(case):
    flow, ticks = CASES[case]
    room = Capacity(instruments=4, orders=1 << 13, levels=1 << 12, pages=1 << 11, homes=1 << 11)
    books, twin = made(ticks, room)
    array = flow.made(6_000 if jit.COMPILED else 900, 3)
    chance = np.random.default_rng(4)
    for part in np.array_split(array, 30 if jit.COMPILED else 3):
        books.apply(part)
        twin.apply(part)
        for instrument in range(3):
            compare(books, twin.picture(), instrument, chance)


def compare(books: Any, picture: Any, instrument: int, chance: Any) -> None:
    bids, asks = (sight(picture, instrument, side) for side in (BUY, SELL))
    see, view = seen(books, instrument), inside(books, instrument)
    for n, side in enumerate((bids, asks)):
        best = side.levels[0] if side.levels else (NO_PRICE, 0, 0)
        assert (see["price"][n], see["quantity"][n], see["orders"][n]) == best
        assert see["empty"][n] == (not side.levels)
        assert see["second"][n] == (side.levels[1][0] if len(side.levels) > 1 else NO_PRICE)
        assert view.tolist()[3 * n : 3 * n + 3] == best
    assert see["walked"] == len(bids.levels) + len(asks.levels)
    both = bool(bids.levels and asks.levels)
    assert see["spread"] == view["spread"] == (asks.price - bids.price if both else NO_PRICE)
    assert see["twice_mid"] == view["twice_mid"] == (asks.price + bids.price if both else NO_PRICE)
    mid, micro = ((asks.price + bids.price) / 2, microprice(bids, asks)) if both else (NAN, NAN)
    size = abs(bids.price) + abs(asks.price) + 1
    assert same(see["mid"], mid, size) and same(view["mid"], mid, size)
    assert same(see["microprice"], micro, size) and same(view["microprice"], micro, size)
    for count in (0, 1, 3, 10_000):
        ours = reading.imbalance(books.address, instrument, count)
        b, a = bids.quantity(count), asks.quantity(count)
        assert ours == ((b - a) / (b + a) if a + b else 0)
    assert view["imbalance"] == reading.imbalance(books.address, instrument, 1)
    for side, sees in ((BUY, bids), (SELL, asks)):
        compare_side(books.address, instrument, side, sees, chance)
        for n in (0, 2, max(0, len(sees.levels) - 1), len(sees.levels)):
            level = reading.nth_level(books.address, instrument, side, n)
            price = sees.levels[n][0] if n < len(sees.levels) else NO_PRICE
            assert level_price(books.address, side, level) == price
        for count in (0, 1, 3, len(sees.levels), len(sees.levels) + 5):
            assert depth(books, instrument, side, count) == sees.levels[:count]


@jit.compiled("int64(int64, int64, int64)")
def level_price(base: int, side: int, level: int) -> int:
    return reading.level_price(base, side, level) if level != 0 else NO_PRICE


def compare_side(base: int, instrument: int, side: int, sees: Any, chance: Any) -> None:
    for count in (0, 1, 2, 10_000):
        assert reading.quantity_to(base, instrument, side, count) == sees.quantity(count)
    some = [price for price, _, _ in sees.levels] or [0]
    for price in (*chance.choice(some, 3).tolist(), some[0] - 1, some[0] + 1, some[-1]):
        assert reading.quantity_within(base, instrument, side, price) == sees.within(price, side)
    total = sees.quantity(10_000)
    for quantity in (-1, 0, 1, total // 3, total, total + 1):
        worst, average = sees.swept(quantity)
        assert reading.sweep_limit(base, instrument, side, quantity) == worst
        ours = reading.sweep_price(base, instrument, side, quantity)
        assert same(ours, average, abs(sees.price) + 1)


def microprice(bids: Any, asks: Any) -> float:
    b, a = bids.levels[0][1], asks.levels[0][1]
    return (bids.price * a + asks.price * b) / (a + b)


@pytest.mark.modes
def test_a_usual_book_to_the_share():
    view = inside(usual())
    assert view.tolist()[:8] == (2894700, 150, 2, 2894900, 30, 1, 200, 5789600)
    assert view["mid"] == 2894800.0
    assert view["microprice"] == 2894700 + 200 * 150 / 180
    assert view["imbalance"] == 120 / 180


@pytest.mark.modes
def test_an_empty_side_has_no_price_and_the_other_keeps_its_own():
    books = books_of(add(1, SELL, 0, 5))  # zero is a price like others
    view = inside(books)
    assert view.tolist()[:8] == (NO_PRICE, 0, 0, 0, 5, 1, NO_PRICE, NO_PRICE)
    assert math.isnan(view["mid"]) and math.isnan(view["microprice"]) and view["imbalance"] == -1
    assert math.isnan(reading.sweep_price(books.address, 0, BUY, 1))
    nothing = inside(books_of())
    assert nothing["imbalance"] == 0 and nothing["bid"] == nothing["ask"] == NO_PRICE


@pytest.mark.modes
def test_a_crossed_book_has_a_spread_below_zero_and_a_locked_one_none():
    assert inside(books_of(add(1, BUY, 1050, 5), add(2, SELL, 1000, 5)))["spread"] == -50
    assert inside(books_of(add(1, BUY, 1000, 5), add(2, SELL, 1000, 5)))["spread"] == 0


@pytest.mark.modes
def test_no_level_is_found_at_prices_that_none_can_have():
    books = usual()
    for price in (KEY_MAX, -KEY_MAX, 2**63 - 1, -(2**63), NO_PRICE, 2894701):
        for side in (BUY, SELL):
            assert reading.level_at(books.address, 0, side, price) == 0


@pytest.mark.modes
def test_the_largest_prices_and_quantities_are_swept_without_overflow():
    top, much = KEY_MAX - 1, 2**55
    books = books_of(add(1, SELL, -top, much), add(2, SELL, top, much))
    assert reading.sweep_limit(books.address, 0, SELL, 2 * much) == top
    assert reading.sweep_price(books.address, 0, SELL, 2 * much) == 0
    view = inside(books_of(add(1, BUY, -top, much), add(2, SELL, top, much)))
    assert (view["spread"], view["twice_mid"], view["mid"]) == (2 * top, 0, 0)


@pytest.mark.modes
def test_the_facts_of_a_book_are_read_by_name():
    books = usual()
    books.apply(np.concatenate([one("EXECUTE", reference=4, quantity=10, time=70)]))
    assert facts_of(books.address) == 2894900 + 10 + 70


@jit.compiled("int64(int64)")
def facts_of(base: int) -> int:
    facts = reading.facts(base, 0)
    return facts.last + facts.volume + facts.time + facts.stale + facts.state
