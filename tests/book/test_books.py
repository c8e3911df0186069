"""Books as people make and ask them: what is refused and told, and that their memory is all."""

from __future__ import annotations

import numpy as np
import pytest
from checks import agree, answered, check, check_nothing_is_left, made
from flows import ORDERS, Flow
from stories import add, event, level, tell

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import events
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments

SMALL = Capacity(instruments=4, orders=4_000, levels=1_000, pages=200, homes=1 << 8)


def table(count: int) -> Instruments:
    instruments = Instruments()
    for number in range(count):
        instruments.add(f"S{number}", venue="TEST")
    return instruments


@pytest.mark.parametrize("name", ["instruments", "orders", "levels", "pages", "homes"])
@pytest.mark.parametrize("count", [-1, 2**31, 1.5, "many", None, True])
def test_a_capacity_that_is_none_is_refused_with_a_sentence(name, count):
    with pytest.raises(InputError, match=f"no number of {name}"):
        Capacity(**{name: count})


def test_books_for_fewer_instruments_than_there_are_are_refused():
    with pytest.raises(InputError, match="5 instruments do not fit into books for 4"):
        Books(table(5), capacity=SMALL)


def test_books_too_large_for_their_numbers_are_refused_before_any_memory_is_taken():
    with pytest.raises(InputError, match="numbers of places end at 68,719,476,736"):
        Books(table(1), capacity=Capacity(orders=1 << 30))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(3, np.int64),
        np.zeros(6, EVENT)[::2],
        np.zeros((2, 3), EVENT),
        np.zeros(1, EVENT)[0],
        [1, 2, 3],
        None,
    ],
    ids=["numbers", "every second", "a table", "one event", "a list", "nothing"],
)
def test_only_arrays_of_events_are_applied(wrong):
    books = Books(table(1), capacity=SMALL)
    with pytest.raises(InputError, match="not an array of events side by side"):
        books.apply(wrong)
    check_nothing_is_left(books)


def test_books_of_no_instruments_count_what_they_are_told():
    books = Books(Instruments())
    assert books.apply(add(1, 5, instrument=1)) == 0
    assert books.impossible == {"no such instrument": 1} and books.stale == {}


def test_instruments_have_their_own_books_however_many_there_are():
    count = 3_000
    capacity = Capacity(instruments=count, orders=2 * count, levels=2 * count, pages=2 * count)
    books, twin = made([1, 100, 7] * (count // 3), capacity)
    array = np.concatenate(
        [add(2 * n + side, n + 1, 100 + side, 1 + side, n) for n in range(count) for side in (0, 1)]
    )
    assert answered(books, array) == twin.apply(array) == [1] * 2 * count
    agree(books, twin)
    assert answered(books, event(events.CLEAR, instrument=2**32 - 1)) == [1]
    check_nothing_is_left(books)


def test_the_standing_rows_are_all_levels_and_orders_best_first():
    books, twin = made([1, 100, 7], SMALL)
    array = Flow().made(30_000, 13)
    books.apply(array), twin.apply(array)
    rows = []
    for side, levels in sorted(twin.picture().items()):
        for key, quantity, orders, queue in levels:
            place = (side >> 1, 1 + (side & 1), key if side & 1 else -key)
            rows += [(*place, quantity, orders, 0)]
            rows += [(*place, size, 0, reference) for reference, size in queue]
    assert books.standing().tolist() == rows


def test_digests_are_equal_exactly_when_the_books_are():
    one, other = (made([1, 100, 7], SMALL)[0] for _ in range(2))
    array = Flow(kinds=ORDERS).made(10_000, 14)
    assert one.digest() == other.digest()
    one.apply(array)
    assert one.digest() != other.digest()
    other.apply(array[:5_000]), other.apply(array[5_000:])
    assert one.digest() == other.digest()
    for change in (add(-1, 1), add(-1, 2), add(-2, 1), add(-1, 1, side=2), level(1, 1)):
        other.apply(array[:0])
        assert tell(other, change) == [1]
        assert one.digest() != other.digest()
        tell(other, event(events.DELETE, -1), event(events.DELETE, -2), level(1, 0))
        assert one.digest() == other.digest()


def test_the_arena_is_all_there_is_books_go_on_in_a_copy_and_in_a_file(tmp_path):
    """All is offsets: the same bytes at another address are the same books."""
    books, twin = made([1, 100, 7], SMALL)
    first, second = np.split(Flow(references="random").made(40_000, 15), 2)
    books.apply(first), twin.apply(first)
    copied = Books(books.instruments, capacity=SMALL, arena=books.arena.snapshot())
    path = books.arena.save(tmp_path / "books.arena")
    with Arena.open(path, SMALL.layout(), writable=True) as arena:
        reopened = Books(books.instruments, capacity=SMALL, arena=arena)
        twin.apply(second)
        for each in (books, copied, reopened):
            each.apply(second)
            agree(each, twin)
        assert books.arena.digest() == copied.arena.digest() == reopened.arena.digest()


def test_books_say_what_they_hold():
    books, _ = made([1, 1], Capacity(2, 2, 9, 9, 9))
    tell(books, add(1, 5), add(2, 5, 101), add(3, 5), event(events.GAP, instrument=0))
    assert repr(books) == "<Books of 2 instruments: 2 orders at 2 levels, 4 events>"
    assert books.impossible == {"no room for another order": 1}
    assert books.stale == {"S0": "messages are missing and its memory is full"}
    assert check(books).keys() == {0}
