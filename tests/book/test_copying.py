"""A copied book has the same levels, queues and facts as the book, and the book's own memory."""

from __future__ import annotations

import numpy as np
import pytest
from flows import ORDERS, Flow
from sights import BUY, SELL, add, books_of, one

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.copying import events_of
from hftlib.core import events, jit
from hftlib.core.errors import StateError
from hftlib.core.instruments import Instruments

FACTS = ("time", "sequence", "last", "last_size", "volume", "state", "stale", "trades")
FLOWS = {
    "orders": Flow(width=20, kinds=ORDERS | {events.STATUS: 1, events.GAP: 0.1}),
    "off the grid": Flow(width=9, step=100, off_grid=99),
    "orders and levels": Flow(width=9, kinds=ORDERS | {events.LEVEL: 30}),
    "any references": Flow(references="random", center=-40),
}


def rows_of(books: Books, row: int) -> list[tuple[int, ...]]:
    """What stands in one book, without the number of its row."""
    standing = books.standing()
    return [one[1:] for one in standing[standing["instrument"] == row].tolist()]


@pytest.mark.modes
@pytest.mark.parametrize("name", FLOWS)
def test_a_copy_is_equal_to_the_order(name):
    instruments = Instruments()
    for number, tick in enumerate((1, 100, 7)):
        instruments.add(f"S{number}", venue="TEST", tick=tick)
    room = Capacity(instruments=3, orders=1 << 12, levels=1 << 11, pages=1 << 10, homes=1 << 10)
    books = Books(instruments, capacity=room)
    books.apply(FLOWS[name].made(8_000 if jit.COMPILED else 700, 9))
    for row in range(3):
        book = books.of(f"S{row}")
        copy = book.copy()
        before = rows_of(books, row)
        assert before and forgiving(rows_of(copy.books, 0)) == forgiving(before)
        assert copy.instrument.row == row and copy.row == 0
        for fact in FACTS:
            assert copy.books.arena["book"][fact][0] == books.arena["book"][fact][row]
        assert copy.books.arena.layout.total_bytes < books.arena.layout.total_bytes


def forgiving(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Without the count of orders that nobody can name, where no quantity of theirs is left."""
    made: list[tuple[int, ...]] = []
    named = [0, 0, -1]  # quantity, orders, the level's place
    for side, price, quantity, orders, reference in (*rows, (0, 0, 0, 0, 0)):
        if reference:
            named[0], named[1] = named[0] + quantity, named[1] + 1
        else:
            if named[2] >= 0 and made[named[2]][2] == named[0]:
                made[named[2]] = (*made[named[2]][:3], named[1], 0)
            named = [0, 0, len(made)]
        made.append((side, price, quantity, orders, reference))
    return made


def test_the_events_of_a_book_are_a_snapshot_of_it():
    seeded = one("LEVEL", side=BUY, price=100, quantity=500, reference=3)
    books = books_of(
        seeded, add(1, BUY, 100, 10), add(7, SELL, 300, 2, time=50, sequence=9), instruments=None
    )
    made = events_of(books.of("AAPL"))
    told = [
        (events.KINDS[e["kind"]], e["reference"], e["side"], e["price"], e["quantity"])
        for e in made
    ]
    assert told == [
        ("LEVEL", 3, BUY, 100, 500),
        ("ADD", 1, BUY, 100, 10),
        ("LEVEL", 0, SELL, 300, 0),
        ("ADD", 7, SELL, 300, 2),
    ]
    assert set(made["flags"].tolist()) == {events.SNAPSHOT}
    assert set(made["time"].tolist()) == {50} and set(made["sequence"].tolist()) == {9}


def test_an_empty_book_is_copied_too():
    copy = books_of().of("AAPL").copy()
    assert copy.best_bid is None and len(events_of(copy)) == 0


def test_a_book_that_changes_meanwhile_is_refused(monkeypatch):
    books = books_of(add(1, BUY, 100, 10))
    book = books.of("AAPL")
    zeros = np.zeros

    def disturbed(*arguments, **named):
        monkeypatch.undo()
        books.apply(add(2, BUY, 100, 10))
        return zeros(*arguments, **named)

    monkeypatch.setattr(np, "zeros", disturbed)
    with pytest.raises(StateError, match="changed while it was copied"):
        book.copy()
