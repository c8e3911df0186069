"""Many events at once change the books exactly as the same events one by one do."""

from __future__ import annotations

import numpy as np
import pytest
from checks import agree, answered, made
from flows import ORDERS, Flow

from hftlib.book.apply import apply_any
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.tables import LIVE_MIN
from hftlib.core import jit
from hftlib.core.events import ADD, EVENT_BYTES

# Prices of garbage overflow on their way to no level; uncompiled, numpy says so.
WRAPS = pytest.mark.filterwarnings("ignore:overflow encountered")
AHEAD = Capacity(instruments=40, orders=1 << 17, levels=1 << 14, pages=1 << 12, homes=1 << 16)
MANY = Flow(pool=110_000, instruments=39, width=90, kinds=ORDERS | {ADD: 48})
TICKS = [1, 100, 7] * 13


def same_state(one: Books, other: Books) -> None:
    """Byte for byte, but for what the look ahead notes for itself."""
    for name in set(one.arena.names) - {"looks", "books"}:
        assert one.arena[name].tobytes() == other.arena[name].tobytes(), name
    for field in set(one.header.dtype.names) - {"orders_most", "levels_most"}:
        assert np.array_equal(one.header[field], other.header[field]), field


@pytest.mark.parametrize("garbage", [0.0, 0.03])
def test_in_bulk_one_by_one_and_by_the_twin_a_full_feed_gives_the_same_books(garbage: float):
    flow = Flow(**vars(MANY) | {"garbage": garbage, "references": "sparse" if garbage else "dense"})
    books, twin = made(TICKS, AHEAD)
    single, _ = made(TICKS, AHEAD)
    array, at, live = flow.made(450_000, 3), 0, 0
    # Runs of any length, so that batches end anywhere in a run.
    for length in (1, 31, 32, 33, 100_000, 160_003, 189_900):
        part = array[at : at + length]
        ours, theirs = answered(single, part), twin.apply(part)
        assert ours == theirs
        assert books.apply(part) == sum(answer > 0 for answer in theirs)
        live = max(live, int(books.header["orders"]))
        at += length
    assert at == len(array) == books.header["events"]
    assert live > LIVE_MIN * 1.2  # so it did look ahead
    assert books.arena["looks"]["level"].any() and not single.arena["looks"]["level"].any()
    same_state(books, single)
    agree(books, twin)


def test_the_usual_way_and_the_other_one_give_the_same_books():
    flow = Flow(**vars(MANY) | {"pool": 20_000, "garbage": 0.01, "off_grid": 3})
    books, other = made(TICKS, AHEAD)[0], made(TICKS, AHEAD)[0]
    array = flow.made(150_000, 6)
    start = array.ctypes.data
    answers = [apply_any(other.address, start + n * EVENT_BYTES) for n in range(len(array))]
    assert books.apply(array) == sum(answer > 0 for answer in answers)
    assert books.digest() == other.digest() and books.impossible == other.impossible
    assert books.arena["book"].tobytes() == other.arena["book"].tobytes()
    assert books.arena["pages"].tobytes() == other.arena["pages"].tobytes()


def test_the_same_events_give_the_same_arena_to_the_last_byte():
    array = MANY.made(150_000, 4)
    one, other = made(TICKS, AHEAD)[0], made(TICKS, AHEAD)[0]
    for books in (one, other):
        books.apply(array)
    assert one.arena.digest() == other.arena.digest()
    other.apply(array[:1])
    assert one.arena.digest() != other.arena.digest()


@WRAPS
@pytest.mark.modes
def test_in_bulk_as_one_by_one_in_every_mode():
    count = 20_000 if jit.COMPILED else 1_500
    flow, capacity = Flow(garbage=0.05, pool=200), Capacity(4, 100, 60, 30, 32)
    books, twin = made([1, 100, 7], capacity)
    single, _ = made([1, 100, 7], capacity)
    array = flow.made(count, 5)
    assert books.apply(array) == sum(answer > 0 for answer in answered(single, array))
    twin.apply(array)
    same_state(books, single)
    agree(books, twin)


@WRAPS
@pytest.mark.modes
def test_looking_ahead_stays_inside_the_memory_whatever_events_say():
    """Bounds are checked here; uncompiled, a few orders are enough to look ahead."""
    count = LIVE_MIN + 5_000 if jit.COMPILED else 100
    flow = Flow(garbage=0.2, pool=2 * count, instruments=39, width=90, off_grid=3)
    books, twin = made(TICKS, AHEAD)
    if not jit.COMPILED:
        books.header["look_from"] = 20
    array = np.concatenate([Flow(pool=1, kinds={ADD: 1}).made(count, 6), flow.made(count, 7)])
    array["reference"][:count] = 5_000_000_000 + np.arange(count)
    array["instrument"][:count] %= 39
    assert books.apply(array) == sum(answer > 0 for answer in twin.apply(array))
    assert books.arena["looks"]["level"].any()
    agree(books, twin)


@pytest.mark.modes
def test_no_events_change_nothing():
    books, twin = made([1], Capacity(1, 8, 8, 8, 8))
    assert books.apply(Flow().made(0, 1)) == 0
    agree(books, twin)
