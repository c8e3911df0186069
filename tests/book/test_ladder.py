"""Any price finds its level, and levels stand in order of price: on the grid, off it, far away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import agree, answered, check, check_nothing_is_left, made
from hypothesis import given
from hypothesis import strategies as st

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity, grid
from hftlib.book.ladder import best_level, find_level, next_level
from hftlib.book.tables import KEY_MAX, books_at, level_of
from hftlib.core import events, jit
from hftlib.core.events import EVENT

ROOM = Capacity(2, 8, 1 << 13, 1 << 13, 8)


def levels(sides: Any, prices: Any, quantities: Any) -> np.ndarray:
    array = np.zeros(len(prices), EVENT)
    array["kind"], array["side"] = events.LEVEL, sides
    array["price"], array["quantity"] = prices, quantities
    return array


@jit.compiled("int64(int64, int64, int64, int64)")
def walked(base: int, side: int, into: int, count: int) -> int:
    """The keys of a side by `next_level`, best first: how many."""
    books, met = books_at(base), 0
    level = best_level(books, base, side)
    while level != 0 and met < count:
        jit.store_i64(into + met * 8, level_of(books, base, level).key)
        level = next_level(books, base, side, level)
        met += 1
    return met


@jit.compiled("int64(int64, int64, int64)")
def key_found(base: int, side: int, key: int) -> int:
    books = books_at(base)
    level = find_level(books, base, side, key)
    return level_of(books, base, level).key if level != 0 else -1


def keys_of(books: Books, side: int, count: int) -> list[int]:
    into = np.zeros(count + 1, np.int64)
    met = walked(books.address, side, into.ctypes.data, len(into))
    return into[:met].tolist()


@pytest.mark.parametrize("tick", [1, 2, 7, 100, 10_000, 2**40, 2**62])
@pytest.mark.parametrize("apart", [1, 7, 100, 32 * 977, 2**30, KEY_MAX // 1_600])
def test_levels_made_and_removed_in_any_order_stand_in_order_of_price(tick: int, apart: int):
    chance = np.random.default_rng(tick % 1000 + apart % 1000)
    prices = chance.integers(-1_500, 1_500, 2_000) * apart
    prices += chance.integers(0, 3, len(prices))  # some beside the others
    sides = chance.integers(1, 3, len(prices))
    books, twin = made([tick], ROOM)
    array = levels(sides, prices, chance.integers(0, 3, len(prices)))
    assert answered(books, array) == twin.apply(array)
    agree(books, twin)
    for side, there in enumerate(twin.sides[:2]):
        assert keys_of(books, side, len(there)) == sorted(there)
        assert all(key_found(books.address, side, key) == key for key in there)
        assert all(key_found(books.address, side, key + 1) in (-1, key + 1) for key in there)
    order = chance.permutation(len(prices))
    gone = levels(sides[order], prices[order], 0)
    for part in np.array_split(gone, 3):
        assert answered(books, part) == twin.apply(part)
        agree(books, twin)
    check_nothing_is_left(books)


def test_a_chain_of_prices_in_one_slot_grows_and_shrinks_at_every_place():
    """Ten prices between two ticks: each made before and behind the others, each removed first."""
    prices = np.arange(50, 60)
    chance = np.random.default_rng(6)
    for _ in range(60):
        books, twin = made([1_000], ROOM)
        for quantity in (5, 0):
            array = levels(events.SELL, chance.permutation(prices), quantity)
            for one in np.array_split(array, len(array)):
                assert answered(books, one) == twin.apply(one) == [1]
                agree(books, twin)
        check_nothing_is_left(books)


@given(st.integers(1, 2**63 - 1), st.integers(1 - KEY_MAX, KEY_MAX - 1), st.integers(1, 2**20))
def test_a_grid_is_as_fine_as_the_tick_and_in_order_and_does_not_overflow(tick, key, ticks):
    scale, shift = grid(tick)
    assert 1 <= scale <= 64 and 0 <= shift < 64
    assert abs(key * scale) < 2**63
    assert key * scale >> shift <= (key + 1) * scale >> shift
    assert (key * scale >> shift) < ((key + tick) * scale >> shift) or tick > KEY_MAX
    # Hardly finer: a thousand ticks need at most 1,032 slots.
    near = (key // tick) * tick
    slots = ((near + ticks * tick) * scale >> shift) - (near * scale >> shift)
    assert slots <= ticks * 33 // 32 + 1 or tick > KEY_MAX


@pytest.mark.modes
def test_levels_in_every_mode():
    count = 3_000 if jit.COMPILED else 150
    chance = np.random.default_rng(8)
    books, twin = made([7], Capacity(1, 4, 100, 20, 4))
    prices = chance.integers(-60, 60, count) * 3
    array = levels(chance.integers(1, 3, count), prices, chance.integers(0, 2, count))
    assert answered(books, array) == twin.apply(array)
    agree(books, twin)
    for side, there in enumerate(twin.sides):
        assert keys_of(books, side, len(there)) == sorted(there)
    check(books)
