"""Random wire messages in bulk, and a twin that reads them with numpy alone.

    rows = random_rows(random, 10_000, size_of("cHHTQI"))       messages side by side, any bytes
    differing("cHHTQI", rows, records, drawing.fields)          names of fields read otherwise

A form has a letter for each field, in the order of the wire, and every number is big-endian:
c a letter, 8s a text, B H I Q numbers of 1, 2, 4, 8 bytes, T one of 6 (nanoseconds of a day). It is
written from the table of the protocol; of hftlib's drawing only the places in its record are used.

Worst case: as many bytes as a block has, some copies of it; blocks are small, runs are long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Bytes = np.ndarray[Any, Any]
_WIDTHS = {"c": 1, "B": 1, "H": 2, "I": 4, "T": 6, "Q": 8}
# What decoders stumble over: zeros, signs, spaces, all ones.
EDGES = np.array([0x00, 0x20, 0x7F, 0x80, 0xFF, 0x01, 0x00, 0xFF], np.uint8)


def places(form: str) -> list[tuple[str, int, int]]:
    """Letter, offset and width of each field."""
    found, at = [], 0
    for times, letter in re.findall(r"(\d*)([a-zA-Z])", form.removeprefix(">")):
        width = int(times) if letter == "s" else _WIDTHS[letter]
        found.append((letter, at, width))
        at += width
    return found


def size_of(form: str) -> int:
    return sum(width for _, _, width in places(form))


def chance(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def blocks(count: int, most: int) -> Iterator[int]:
    """So many in all, in blocks of at most so many."""
    while count > 0:
        yield min(count, most)
        count -= most


def random_bytes(random: np.random.Generator, count: int) -> Bytes:
    words = random.integers(0, 1 << 64, count // 8 + 1, np.uint64)
    return words.view(np.uint8)[:count]


def random_rows(random: np.random.Generator, count: int, size: int) -> Bytes:
    """So many messages of any bytes; a part of them of bytes that are hard to read."""
    rows = random_bytes(random, count * size).reshape(count, size)
    hard = rows[: count // 8]
    hard[:] = EDGES[hard & 7]
    rows[:1], rows[1:2] = 0, 0xFF
    return rows


def number(rows: Bytes, at: int, width: int) -> Bytes:
    """The unsigned number in these bytes of each row."""
    if width == 6:
        return number(rows, at, 2) << np.uint64(32) | number(rows, at + 2, 4)
    return _strided(rows, at, f">u{width}").astype(np.uint64)


def differing(form: str, rows: Bytes, records: Bytes, fields: Sequence[Any]) -> list[str]:
    """Which fields the records have otherwise than the twin reads them in the rows."""
    wrong = []
    for (letter, at, width), field in zip(places(form), fields, strict=True):
        there = field.record_at
        if letter in "cs":
            same = (records[:, there : there + field.record_size] == rows[:, at : at + width]).all()
            same &= field.record_size == width
        else:
            ours = _strided(records, there, f"<u{field.record_size}")
            same = (ours == number(rows, at, width)).all()
        if not same:
            wrong.append(field.name)
    return wrong


def _strided(rows: Bytes, at: int, kind: str) -> Bytes:
    """One number of each row, where it lies."""
    return np.ndarray(len(rows), kind, rows, at, (rows.strides[0],))
