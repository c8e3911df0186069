"""Real days of LOBSTER: the books equal the published order book at every row and every level.

The tape is all that the books get: what the messages cannot tell, that a level came into the
published window or left it, the source has read from the order book file and counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checks import check
from lobster_made import written_day
from lobster_rows import NO_LEVEL, RowJudge, levels_entering, rows_of
from recorded import recorded, recorded_all

from hftlib.book.book import Book
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import events
from hftlib.feed.lobster import LobsterSource

# Levels that entered the window, and rows.
KNOWN = {
    "LOBSTER_SampleFile_AMZN_2012-06-21_1.zip": (13_953, 57_515),
    "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip": (33_840, 155_935),
    "LOBSTER_SampleFile_GOOG_2012-06-21_1.zip": (11_207, 49_482),
}
FOUND = [*recorded_all("lobster/*.zip"), *recorded_all("lobster/**/*_message_*.csv")]
AMZN_5 = "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"


def day(path: Path) -> tuple[LobsterSource, Books, RowJudge]:
    source = LobsterSource(path)
    capacity = Capacity(instruments=1, orders=1 << 16, levels=1 << 14, pages=1 << 12)
    books = Books(source.instruments, capacity=capacity)
    return source, books, RowJudge(books.address, rows_of(path))


@pytest.mark.parametrize("path", FOUND or [None], ids=lambda path: path and path.name)
def test_the_books_equal_every_published_row_at_every_level(path: Path | None, record_property):
    path = path or recorded("lobster")
    told = replayed(path)
    print(f"\n{path.name}: {told}")
    record_property("lobster", told)
    if path.name in KNOWN:
        assert (told["entered"], told["row"]) == KNOWN[path.name]


def replayed(path: Path) -> dict[str, int]:
    """The day of these files, judged row by row; what was compared, and the levels that came."""
    source, books, judge = day(path)
    chunks = []
    for chunk in source.chunks():
        judge.take(chunk)
        chunks.append(chunk.copy())
    assert (judge.mismatches, judge.first) == (0, -1)
    assert judge.row == len(judge.rows)
    assert judge.levels == (abs(judge.rows[:, ::2]) != NO_LEVEL).sum()  # each was looked at
    assert books.impossible == {} and books.stale == {}
    assert source.counts["unreadable"] == 0
    check(books)
    array = np.concatenate(chunks)
    messages = array[array["flags"] & events.SNAPSHOT == 0]
    entered = source.counts["levels that entered the window"]
    assert entered == levels_entering(judge.rows, messages)
    assert source.counts["levels set right by the row"] == 0
    traded = messages[np.isin(messages["kind"], (events.EXECUTE, events.TRADE))]
    assert Book(books, 0).volume == traded["quantity"].sum()
    return {"row": judge.row, "levels": judge.levels, "entered": entered}


@pytest.mark.parametrize("depth", [1, 2, 5, 30])
def test_a_made_up_day_is_matched_at_every_row_too(depth: int, tmp_path: Path):
    """The same without recorded data: books thin and thick, sides that run empty, hidden trades."""
    for thick in (4, 60):
        told = replayed(written_day(tmp_path / str(thick), depth, thick, seed=depth))
        assert told["row"] > 1_500
        # A window wider than the book shows all there is, so nothing ever comes into it.
        assert (told["entered"] == 0) == (depth == 30 and thick == 4)


def test_the_judge_sees_one_share_that_is_wrong_in_a_message_or_in_a_row():
    source, _, judge = day(recorded(AMZN_5))
    chunk = next(iter(source.chunks())).copy()
    judge.take(chunk)
    rest = next(chunk for chunk in source.chunks() if not chunk["flags"][0] & events.SNAPSHOT)
    rest = rest[:2_000].copy()
    adds = np.flatnonzero(rest["kind"] == events.ADD)
    rest["quantity"][adds[-1]] += 1
    judge.take(rest)
    assert judge.mismatches and judge.first >= 0
    source, _, judge = day(recorded(AMZN_5))
    judge.rows[700, 9] += 1  # the size of the third ask
    for chunk in source.chunks():
        judge.take(chunk)
    assert (judge.mismatches, judge.first) == (1, 700)


def test_orders_from_before_the_day_are_taken_off_what_has_no_names():
    """Row 0 says how much stands at a price, not whose it is; later messages name some of it."""
    source, books, judge = day(recorded(AMZN_5))
    unnamed, seen = 0, set()
    for chunk in source.chunks():
        judge.take(chunk)
        unnamed += count_unnamed(chunk, seen)
    assert unnamed > 100 and judge.mismatches == 0 and books.impossible == {}


def count_unnamed(chunk: np.ndarray[Any, Any], seen: set[int]) -> int:
    """Events about an order that no message of the day has added."""
    count = 0
    of_orders = np.isin(chunk["kind"], (events.ADD, events.EXECUTE, events.CANCEL, events.DELETE))
    for event in chunk[of_orders]:
        if event["kind"] == events.ADD:
            seen.add(int(event["reference"]))
        elif int(event["reference"]) not in seen:
            count += 1
            assert event["side"] in (events.BUY, events.SELL)
            assert event["price"] > 0 and event["quantity"] > 0
    return count
