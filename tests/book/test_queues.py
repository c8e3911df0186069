"""An order's place in its queue is what the twin counts, from the first order to the last."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import made
from flows import ORDERS, Flow
from sights import BUY, SELL, add, books_of, one

from hftlib.book import queues
from hftlib.book.capacity import Capacity
from hftlib.core import events, jit


def position(books: Any, reference: int) -> tuple[int, ...] | None:
    """(instrument, side, price, quantity, ahead, orders ahead, behind, orders behind)"""
    view = np.zeros(1, queues.QUEUE_VIEW)
    found = queues.queue_position(books.address, reference, view.ctypes.data)
    return view[0].tolist() if found else None


def queue_at(books: Any, instrument: int, side: int, price: int, room: int) -> Any:
    out = np.full(room + 2, -7, queues.ORDER_VIEW)
    count = queues.queue_at(books.address, instrument, side, price, room, out.ctypes.data)
    assert out[min(count, room) + 1].tolist() == (-7, -7), "written beyond the room"
    return count, out[: min(count, room) + 1].tolist()


@pytest.mark.modes
@pytest.mark.parametrize("levels", [0, 8], ids=["all named", "some without names"])
def test_each_order_stands_where_the_twin_has_it(levels):
    flow = Flow(width=3, pool=400, kinds=ORDERS | {events.LEVEL: levels})
    room = Capacity(instruments=4, orders=1 << 11, levels=1 << 10, pages=1 << 9, homes=1 << 7)
    books, twin = made([1, 1, 1], room)
    for part in np.array_split(flow.made(6_000 if jit.COMPILED else 800, 5), 8):
        books.apply(part)
        twin.apply(part)
        for side, found in twin.picture().items():
            for level in found:
                compare(books, side, *level)


def compare(books: Any, side: int, key: int, quantity: int, orders: int, queue: Any) -> None:
    named = sum(size for _, size in queue)
    price = key if side & 1 else -key
    where = (side >> 1, (side & 1) + 1, price)
    ahead, behind = quantity - named, named
    for place, (reference, size) in enumerate(queue):
        behind -= size
        orders_behind = len(queue) - 1 - place
        orders_ahead = orders - 1 - orders_behind if ahead else 0
        expected = (*where, size, ahead, orders_ahead, behind, orders_behind)
        assert position(books, reference) == expected
        assert queues.queue_ahead(books.address, reference) == ahead
        ahead += size
    unnamed = (0, quantity - named)
    assert queue_at(books, *where, len(queue)) == (len(queue), [unnamed, *queue])


@pytest.mark.modes
def test_an_order_moves_up_as_those_ahead_leave():
    books = books_of(*(add(n, BUY, 100, 10 * n) for n in (1, 2, 3, 4)))
    assert position(books, 3) == (0, BUY, 100, 30, 30, 2, 40, 1)
    books.apply(one("EXECUTE", reference=1, quantity=4))
    assert position(books, 3) == (0, BUY, 100, 30, 26, 2, 40, 1)
    books.apply(one("DELETE", reference=1))
    assert position(books, 3) == (0, BUY, 100, 30, 20, 1, 40, 1)
    books.apply(one("CANCEL", reference=4, quantity=39))
    assert position(books, 3) == (0, BUY, 100, 30, 20, 1, 1, 1)


@pytest.mark.modes
def test_a_replaced_order_stands_at_the_end():
    books = books_of(add(1, SELL, 100, 10), add(2, SELL, 100, 20), add(3, SELL, 100, 30))
    books.apply(one("REPLACE", reference=1, other=9, price=100, quantity=5))
    assert position(books, 1) is None and queues.queue_ahead(books.address, 1) == -1
    assert position(books, 9) == (0, SELL, 100, 5, 50, 2, 0, 0)
    assert position(books, 2) == (0, SELL, 100, 20, 0, 0, 35, 2)


@pytest.mark.modes
def test_quantity_without_names_was_there_first():
    seeded = one("LEVEL", side=BUY, price=100, quantity=500, reference=3)
    books = books_of(seeded, add(1, BUY, 100, 10), add(2, BUY, 100, 20))
    assert position(books, 2) == (0, BUY, 100, 20, 510, 4, 0, 0)
    books.apply(one("EXECUTE", reference=77, side=BUY, price=100, quantity=500))
    assert position(books, 1) == (0, BUY, 100, 10, 0, 0, 20, 1)


@pytest.mark.modes
def test_a_queue_is_listed_as_far_as_there_is_room():
    books = books_of(add(1, BUY, 100, 10), add(2, BUY, 100, 20), add(3, BUY, 100, 30))
    assert queue_at(books, 0, BUY, 100, 2) == (3, [(0, 0), (1, 10), (2, 20)])
    assert queue_at(books, 0, BUY, 100, 0) == (3, [(0, 0)])
    assert queue_at(books, 0, SELL, 100, 2) == (0, [(0, 0)])
    assert queue_at(books, 0, BUY, 2**62, 2) == (0, [(0, 0)])
