"""The book at a moment of a tape is that of all its instrument's events up to then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tapes import OPEN, SECOND, ArraySource, event, two_stocks

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import events, jit
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.feed.tape_file import write_tape
from hftlib.research import booking
from hftlib.research.tape import Tape, open_tape

COUNT = 20_000 if jit.COMPILED else 2_000
ALL = 2**32 - 1


def written(path: Path, array: Any, table: Any = None) -> Tape:
    write_tape(path, ArraySource(array, table), overwrite=True)
    return open_tape(path)


def orders(count: int, orderly: bool, seed: int = 2) -> np.ndarray[Any, Any]:
    """Orders that come, trade and go in two books, gaps now and then; times may go back."""
    chance = np.random.default_rng(seed)
    made = np.zeros(count, events.EVENT)
    made["time"] = OPEN + np.cumsum(chance.integers(0 if orderly else -(10**6), 2 * 10**6, count))
    made["sequence"] = np.arange(1, count + 1)
    kinds = (events.ADD, events.EXECUTE, events.DELETE, events.REPLACE)
    made["kind"] = chance.choice(kinds, count, p=(0.5, 0.2, 0.2, 0.1))
    made["reference"], made["other"] = chance.integers(1, 500, (2, count))
    made["instrument"] = made["reference"] & 1
    made["other"] = made["other"] & ~1 | made["instrument"]
    made["side"] = chance.integers(1, 3, count)
    made["price"] = 100 * chance.integers(28_900, 29_000, count)
    made["quantity"] = chance.integers(1, 300, count)
    gaps = np.arange(200, count, 997)
    made["kind"][gaps] = np.where(np.arange(len(gaps)) & 1, events.RECOVERED, events.GAP)
    made["instrument"][gaps] = ALL
    return made


@pytest.fixture(scope="module", params=[True, False], ids=["orderly", "times go back"])
def tape(request: Any, tmp_path_factory: Any) -> Tape:
    array = orders(COUNT, request.param)
    return written(tmp_path_factory.mktemp("tape") / "day.tape", array)


def test_a_slice_of_no_events_has_the_book_of_its_place(tape: Tape) -> None:
    one = tape["AAPL"]
    for first in (0, 1, len(one) // 2, len(one) - 1, len(one)):
        before = tape[: one.selection.position(first)] if first < len(one) else tape
        assert str(one[first:first].book_at()) == str(before.book_at(None, "AAPL"))
    assert str(one["09:30":"09:30"][:0].book_at()) == str(tape[:0].book_at(None, "AAPL"))  # type: ignore[misc]


def slow_book(tape: Tape, row: int, last: int) -> str:
    """The picture of a book fed with everything up to a position."""
    books = Books(two_stocks(), capacity=Capacity(instruments=2, orders=1 << 12, levels=1 << 10))
    array = tape.events[:last]
    books.apply(np.ascontiguousarray(array))
    return str(books.of(tape.instruments[row].symbol, zone=tape.zone).ladder(1000))


def test_the_book_is_that_of_all_events_up_to_then(tape):
    times, stale = tape.events["time"], set()
    for position in (0, 1, 199, 200, 201, COUNT // 3, COUNT // 2, COUNT - 2, COUNT - 1):
        moment = int(times[position])
        behind = np.flatnonzero(times > moment)
        last = int(behind[0]) if len(behind) else COUNT  # the first event that is later
        for row, symbol in enumerate(("AAPL", "MSFT")):
            book = tape.book_at(moment, symbol)
            assert str(book.ladder(1000)) == slow_book(tape, row, last)
            assert book.symbol == symbol
            assert book.time <= moment or not tape.orderly
            stale.add(bool(book.stale))
    assert stale == {False, True}


def test_between_two_events_it_is_that_after_the_first(tape):
    moment = int(tape.events["time"][COUNT // 2])
    book = tape.book_at(moment, "AAPL")
    if not (tape.events["time"] == moment + 1).any():
        assert str(tape.book_at(moment + 1, "AAPL")) == str(book)


def test_before_the_first_event_it_is_empty_and_at_the_end_whole(tape):
    before = tape.book_at(OPEN - SECOND, "MSFT")
    assert before.best_bid is None and before.time == 0
    assert str(tape.book_at(None, "AAPL").ladder(1000)) == slow_book(tape, 0, COUNT)
    assert str(tape.book_at(2**63 - 1, "AAPL").ladder(1000)) == slow_book(tape, 0, COUNT)


def test_a_slice_knows_what_came_before_it_and_not_what_comes_behind(tape):
    piece = tape[COUNT // 4 : COUNT // 2]
    moment = int(tape.events["time"][COUNT // 3])
    assert str(piece.book_at(moment, "AAPL")) == str(tape.book_at(moment, "AAPL"))
    assert str(piece.book_at(None, "AAPL").ladder(1000)) == slow_book(tape, 0, COUNT // 2)
    assert str(piece.book_at(OPEN + 10**6, "AAPL")) == str(tape.book_at(OPEN + 10**6, "AAPL"))
    behind = int(tape.events["time"].max())
    assert str(piece.book_at(behind, "MSFT").ladder(1000)) == slow_book(tape, 1, COUNT // 2)
    assert str(piece["MSFT"].book_at(moment)) == str(tape.book_at(moment, "MSFT"))


def test_clock_times_are_those_of_the_venue(tape):
    book = tape.book_at("09:30:05", "AAPL")
    assert str(book) == str(tape.book_at(OPEN + 5 * SECOND, "AAPL"))
    assert "2019-12-30 09:30:0" in str(book) and "-05:00" in str(book)


def test_its_queues_are_there(tape):
    book = tape.book_at("09:30:05", "AAPL")
    best = book.best_bid
    assert best is not None
    queue = book.orders_at(best.price)
    ahead = 0
    for reference, quantity in queue:
        place = book.queue(reference)
        assert (place.ahead, place.quantity) == (ahead, quantity)
        ahead += quantity
    assert ahead == best.quantity


def test_it_keeps_no_more_memory_than_it_needs(tape):
    book = tape.book_at("09:30:05", "MSFT")
    assert len(book.books.instruments) == 1 and book.instrument.row == 1
    assert book.books.arena.layout.total_bytes < 1 << 20


def test_where_room_runs_out_the_replay_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(booking, "_LEVELS_FIRST", 0)
    adds = [
        event("ADD", time=OPEN + n, reference=n + 1, side=1, price=5000 * n + 1, quantity=1)
        for n in range(5_000)
    ]
    tape = written(tmp_path / "wide.tape", np.concatenate(adds))
    book = tape.book_at(None, "AAPL")
    assert book.count(events.BUY) == 5_000 and book.stale == ""


def test_which_book_must_be_clear(tmp_path, tape):
    with pytest.raises(InputError, match="A book is of one instrument, and this tape has 2"):
        tape.book_at("09:30:05")
    with pytest.raises(InputError, match="There is no instrument 'NVDA'"):
        tape.book_at("09:30:05", "NVDA")
    with pytest.raises(InputError, match="MSFT is not in this slice"):
        tape["AAPL"].book_at("09:30:05", "MSFT")
    with pytest.raises(InputError, match="does not read as a time"):
        tape.book_at("noon", "AAPL")
    both = Instruments()
    both.add("AAPL", venue="XNAS")
    both.add("AAPL", venue="ARCX")
    added = event("ADD", time=OPEN, reference=1, side=1, price=100, quantity=5, instrument=1)
    twice = written(tmp_path / "two.tape", added, both)
    assert twice.book_at(None, "AAPL", venue="ARCX").best_bid is not None
    assert twice.book_at(None, "AAPL", venue="XNAS").best_bid is None
    with pytest.raises(InputError, match="several venues"):
        twice.book_at(None, "AAPL")
