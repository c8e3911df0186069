"""Real ITCH through translator and books: order for order as in a plain book of the raw bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from checks import check
from itch_plain import PlainItch
from recorded import recorded, recorded_all

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core.events import EVENT
from hftlib.feed.itch import Translator

# Messages about orders that no message told of, as the data's own notes count them.
UNTOLD = {
    "12302019_SNIPPET.NASDAQ_ITCH50": 394,
    "AAPL_real_20191230_reconstructed_from_karan.itch50": 3_904,
    "LOBSTER_as_ITCH50_20120621.itch50.gz": 0,
    "sephorah_sample_1mb.itch": 0,
}
FOUND = recorded_all("itch/*")


def bytes_of(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def translated(data: bytes) -> tuple[Translator, np.ndarray]:
    """Every message of a file as its event."""
    translator = Translator(date="2019-12-30")
    memory, into = np.frombuffer(data, np.uint8), np.zeros(len(data) // 14, EVENT)
    _, made = translator.frames(memory.ctypes.data, len(memory), into)
    return translator, into[:made]


@pytest.mark.parametrize("path", FOUND or [None], ids=lambda path: path and path.name)
def test_books_of_a_real_file_equal_a_plain_book_of_its_bytes(path: Path | None, record_property):
    path = path or recorded("itch")
    data, plain = bytes_of(path), PlainItch()
    plain.take(data)
    translator, array = translated(data)
    assert len(array) == plain.messages
    instruments = translator.instruments
    capacity = Capacity(instruments=len(instruments), orders=1 << 17, levels=1 << 16)
    books = Books(instruments, capacity=capacity)
    books.apply(array)

    locate_of = {row.row: row.source for row in instruments}
    ours = {
        (locate_of[side >> 1], b"S" if side & 1 else b"B"): [
            (key if side & 1 else -key, quantity, orders, queue)
            for key, quantity, orders, queue in levels
        ]
        for side, levels in check(books, all_named=True).items()
    }
    theirs = {
        place: [
            (price, sum(queue.values()), len(queue), list(queue.items()))
            for price, queue in sorted(levels.items(), reverse=place[1] == b"B")
        ]
        for place, levels in plain.levels.items()
        if levels
    }
    assert ours.keys() == theirs.keys()
    for place, levels in ours.items():
        assert levels == theirs[place], place

    counts = {
        "no such order": plain.orphans,
        "more taken off than was there": plain.too_much,
        "an order of this reference is there already": plain.doubles,
    }
    assert books.impossible == {reason: count for reason, count in counts.items() if count}
    for row, locate in locate_of.items():
        book = books.arena["book"][row]
        assert book["volume"] == plain.volume[locate]
        assert (book["last"], book["last_size"]) == plain.last.get(locate, (0, 0))
        assert book["state"] == plain.state.get(locate, 0)
    told = f"{plain.messages:,} messages, {len(plain.orders):,} orders live, "
    told += f"{plain.orphans:,} messages about orders not there, {plain.untold:,} never told of"
    print(f"\n{path.name}: {told}")
    record_property("itch", told)
    assert plain.untold == UNTOLD.get(path.name, plain.untold)
