"""What stands in the books, written out in one order: for digests, comparisons and twins.

A row for each level, best first, bids before asks, instrument by instrument; behind it a row for
each order of its queue, first to last. Two books are equal when these rows are.
Worst case: as many rows as there are levels and orders; the caller brings the room.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from hftlib.book.ladder import best_level, next_level
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import jit
from hftlib.core.records import record

STANDING = record(
    "standing row",
    40,
    """
    0   instrument  int32
    4   side        int32  1 buy, 2 sell
    8   price       int64
    16  quantity    int64  of the level, or of the order
    24  orders      int64  of the level; 0 in an order's row
    32  reference   int64  of the order; 0 in a level's row
    """,
)
STANDING_BYTES = STANDING.itemsize
_row_at = jit.record_at(STANDING)


@jit.compiled("int64(int64, int64, int64)")
def write_standing(base: int, rows: int, room: int) -> int:
    """Write the rows; how many there are, which may be more than the room."""
    books = books_at(base)
    written = 0
    for side in range(2 * books.instruments):
        level_number = best_level(books, base, side)
        while level_number != 0:
            level = level_of(books, base, level_number)
            price = level.key if side & 1 else -level.key
            _write(rows, written, room, side, price, level.quantity, level.orders, 0)
            written += 1
            number = level.first
            while number != level_number:
                order = order_of(books, base, number)
                _write(rows, written, room, side, price, order.quantity, 0, order.reference)
                written += 1
                number = order.behind
            level_number = next_level(books, base, side, level_number)
    return written


@jit.compiled()
def _write(
    rows: int,
    index: int,
    room: int,
    side: int,
    price: int,
    quantity: int,
    orders: int,
    reference: int,
) -> None:
    if index < room:
        row = _row_at(rows + index * STANDING_BYTES)
        row.instrument = side >> 1
        row.side = 1 + (side & 1)
        row.price = price
        row.quantity = quantity
        row.orders = orders
        row.reference = reference


def standing(base: int, rows_most: int) -> np.ndarray[Any, Any]:
    """The rows as an array of STANDING."""
    rows = np.zeros(rows_most, STANDING)
    count = int(write_standing(base, rows.ctypes.data, len(rows)))
    assert count <= rows_most, "more levels and orders than their counts say"
    return rows[:count]


def digest_of(rows: np.ndarray[Any, Any]) -> str:
    """SHA-256 of the rows."""
    return hashlib.sha256(np.ascontiguousarray(rows).view(np.uint8).data).hexdigest()
