"""Real ITCH through translator and books: order for order as in a plain book of the raw bytes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checks import check
from itch_plain import PlainItch, Queue
from recorded import recorded, recorded_all

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core.events import EVENT
from hftlib.feed.itch import Translator
from hftlib.feed.synthetic.market import synthetic

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
    plain = judged(bytes_of(path))
    told = f"{plain.messages:,} messages, {len(plain.orders):,} orders live, "
    told += f"{plain.orphans:,} messages about orders not there, {plain.untold:,} never told of"
    print(f"\n{path.name}: {told}")
    record_property("itch", told)
    assert plain.untold == UNTOLD.get(path.name, plain.untold)


@pytest.mark.parametrize("lost", [0, 97])
def test_books_of_a_synthetic_day_equal_a_plain_book_of_its_bytes(lost: int):
    """All of it; and with every 97th message lost, so that orders are unknown or still there."""
    data = synthetic(symbols=5, seconds=200, seed=7).itch_bytes()
    if lost:
        frames = list(frames_of(data))
        data = b"".join(frame for n, frame in enumerate(frames) if n % lost != lost - 1)
    plain = judged(data)
    assert (
        plain.messages > 20_000 and [volume > 0 for volume in plain.volume.values()] == [True] * 5
    )
    assert bool(plain.orphans) == bool(lost)


def judged(data: bytes) -> PlainItch:
    """Read by translator and books, and by the plain book: the plain one, once they are equal."""
    plain = PlainItch()
    plain.take(data)
    translator, array = translated(data)
    assert len(array) == plain.messages
    instruments = translator.instruments
    capacity = Capacity(instruments=len(instruments), orders=1 << 17, levels=1 << 16)
    books = Books(instruments, capacity=capacity)
    books.apply(array)
    locate_of = {row.row: row.source for row in instruments}
    ours = levels_of(books, locate_of)
    theirs = {place: told(place, levels) for place, levels in plain.levels.items() if levels}
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
    return plain


def levels_of(books: Books, locate_of: dict[int, int]) -> dict[tuple[int, bytes], list[Any]]:
    """By locate and side: (price, quantity, orders, queue), best first."""
    return {
        (locate_of[side >> 1], b"BS"[side & 1 : (side & 1) + 1]): [
            (key if side & 1 else -key, *rest) for key, *rest in levels
        ]
        for side, levels in check(books, all_named=True).items()
    }


def told(place: tuple[int, bytes], levels: dict[int, Queue]) -> list[Any]:
    return [
        (price, sum(queue.values()), len(queue), list(queue.items()))
        for price, queue in sorted(levels.items(), reverse=place[1] == b"B")
    ]


def frames_of(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + 2 + (data[at] << 8 | data[at + 1])
        yield data[at:end]
        at = end
