"""The memory of a translator: what it counts, its plans by message type, its table of locates.

    TRANSLATOR │ plans by type │ rows by locate │ locates by row │ symbols by locate
                 256             65,536           65,536           65,536

A *plan* says where the fields of one message type stand. `straight` types take the short way of
`translate.py`; a field they lack stands at offset 11, which all of them have, with a mask of zero.
Worst case: a bit over a megabyte for each translator, whatever comes in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.layout import Layout
from hftlib.core.records import record

LOCATES = 65_536
UNSEEN = -1  # a locate without a row
UNNAMED = -2  # minus this and lower: a row whose symbol no message has told yet
DAY_NS = 86_400 * 10**9
PRICE_MAX = 200_000_0000  # the highest limit Nasdaq's rules know, in 1/10,000 dollars

TRANSLATOR = record(
    "itch translator",
    128,
    """
    0   midnight    int64  ns since the epoch, UTC, of the midnight its times count from
    8   received    int64  stamped on every event; 0 unknown
    16  sequence    int64  number of the next message
    24  rows        int64  instruments seen
    32  unreadable  int64  messages that became UNREADABLE
    40  told        int64  how often a message changed what is known of the instruments
    48  strangers   int64  messages whose symbol is not that of their locate
    56  said        int64[6]  when the venue said O, S, Q, M, E, C; 0: not yet
    104 latest      int64  the time of the last message that had one
    """,
)
PLAN = record(
    "itch plan",
    64,
    """
    0   length         int32  of the message, type byte included
    4   straight       int32  1: the short way
    8   price_at       int32
    12  quantity_at    int32
    16  other_at       int32
    20  side_at        int32
    24  price_mask     int64
    32  other_mask     int64
    40  quantity_mask  int64
    48  side_mask      uint8
    49  side_buy       uint8  what the masked side byte is for a buy, and
    50  side_sell      uint8  for a sell; both 0 where there is no side
    51  side_base      uint8
    52  kind           uint8  of the event
    53  flags          uint8
    """,
)
ROW = record("itch row", 4, "0 row int32 of a locate")
COUNT = record("itch count", 8, "0 count int64 of a message type")
SYMBOL = record("itch symbol", 16, "0 symbol S8 padded with blanks\n8 round_lot int64")
PLAN_BYTES = PLAN.itemsize
SYMBOL_WORDS = SYMBOL.itemsize // 8
LAYOUT = Layout(
    translator=TRANSLATOR,
    plans=(PLAN, 256),
    types=(np.dtype(np.int64), 256),
    rows=(np.dtype(np.int32), LOCATES),
    locates=(np.dtype(np.int32), LOCATES),
    symbols=(SYMBOL, LOCATES),
)


def _offset(name: str) -> int:
    return LAYOUT.slots[name].offset - LAYOUT.slots["translator"].offset


PLANS_AT, TYPES_AT, ROWS_AT, LOCATES_AT, SYMBOLS_AT = (
    _offset(name) for name in ("plans", "types", "rows", "locates", "symbols")
)

translator_at = jit.record_at(TRANSLATOR)
plan_at = jit.record_at(PLAN)
row_at = jit.record_at(ROW)
count_at = jit.record_at(COUNT)
counts_at = jit.array_at(np.dtype(np.int64))
numbers_at = jit.array_at(np.dtype(np.int32))

_LENGTHS_TOLD = """
    S 12  R 39  H 25  Y 20  L 26  V 35  W 12  K 28  J 35  h 21  A 36  F 40
    E 31  C 36  X 23  D 19  U 35  P 44  Q 40  B 19  I 50  N 20  O 48
"""
LENGTHS = dict(zip(_LENGTHS_TOLD.split()[::2], map(int, _LENGTHS_TOLD.split()[1::2]), strict=True))
# Straight types: the event's kind, where price, quantity, other and side stand, and its flags.
_STRAIGHT: dict[str, tuple[int, int, int, int, int, int]] = {
    "A": (events.ADD, 32, 20, 0, 19, 0),
    "F": (events.ADD, 32, 20, 0, 19, events.ATTRIBUTED),
    "E": (events.EXECUTE, 0, 19, 23, 0, 0),
    "X": (events.CANCEL, 0, 19, 0, 0, 0),
    "D": (events.DELETE, 0, 0, 0, 0, 0),
    "U": (events.REPLACE, 31, 27, 19, 0, 0),
    "P": (events.TRADE, 32, 20, 36, 19, 0),
}
_ANYWHERE = 11


def plans() -> np.ndarray[Any, Any]:
    """A plan for each type byte; length 0 where there is no such type."""
    table = np.zeros(256, PLAN)
    for letter, length in LENGTHS.items():
        plan = table[ord(letter) : ord(letter) + 1]
        plan["length"] = length
        if letter not in _STRAIGHT:
            continue
        kind, price, quantity, other, side, flags = _STRAIGHT[letter]
        plan["straight"], plan["kind"], plan["flags"] = 1, kind, flags
        for name, place in (("price", price), ("quantity", quantity), ("other", other)):
            plan[f"{name}_at"] = place or _ANYWHERE
            plan[f"{name}_mask"] = -1 if place else 0
        plan["side_at"] = side or _ANYWHERE
        if side:
            plan["side_mask"], plan["side_buy"], plan["side_sell"] = 255, ord("B"), ord("S")
            plan["side_base"] = events.BUY
    return table
