"""The layout of a tape file: one page of header, the events, and what finds one's way in them.

    0        4096
    ┌────────┬────────┬─────────────┬────────┬─────────┬───────┬────────┬───────────┬───────┐
    │ header │ events │ instruments │ phases │ actions │ marks │ starts │ positions │ about │
    └────────┴────────┴─────────────┴────────┴─────────┴───────┴────────┴───────────┴───────┘
               64 B each, in order of arrival            time index      instrument index

Every section begins on a page, right behind the one before it, so where each lies follows from
the counts alone; a header that says otherwise is refused.

*Marks*: the highest time met up to the end of each block of 4,096 events. They never fall, whatever
the events do, so a time is found by halving. *Starts* and *positions*: for each instrument the
positions of its events, side by side, `positions[starts[row] : starts[row + 1]]`; one row more, the
last, holds the strangers, whose instrument is in no row of the table. *About*: JSON of the
source's name, of what it met, and of whether it is one numbered stream.

The digest is that of the content: events, instruments, phases, actions. The index follows from
them and has a digest of its own. The seal is the digest of the header, so no bit of it flips
unseen. Worst case: 2**40 events; a page and the table are read to open a tape, never the events.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from hftlib.core.events import EVENT
from hftlib.core.instruments import ACTION, INSTRUMENT, PHASE
from hftlib.core.layout import PAGE_BYTES, Slot
from hftlib.core.records import field_offset, items, record, rounded_up

MAGIC = b"HFTTAPE"
VERSION = 1
MARK_EVENTS = 4096
EVENTS_MAX = 1 << 40
ROWS_MAX = 1 << 22  # instruments of one tape
ABOUT_BYTES_MAX = 1 << 20
NARROW_EVENTS_MAX = 1 << 32  # positions of more than this take eight bytes

SECTION = record(
    "tape section",
    24,
    """
    0   offset      int64  from the start of the file, a multiple of 4096
    8   count       int64  items
    16  item_bytes  int64  each
    """,
)
TAPE_HEADER = record(
    "tape header",
    PAGE_BYTES,
    """
    0     magic         S8         HFTTAPE
    8     version       int64      of this layout
    16    total_bytes   int64      of the file
    24    flags         int64      1: no time is lower than the one before it
    32    begin         int64      the first time that is not 0
    40    end           int64      the highest time
    48    strangers     int64      events whose instrument is in no row
    56    created_ns    int64      UTC; in no digest but the seal
    64    digest        uint8[32]  SHA-256 of events, instruments, phases and actions
    96    index_digest  uint8[32]  SHA-256 of marks, starts and positions
    128   sections      sections   where each of the eight lies
    4064  seal          uint8[32]  SHA-256 of all before it
    """,
    sections=items(SECTION, 8),
)
ORDERLY = 1
SECTIONS = (
    "events",
    "instruments",
    "phases",
    "actions",
    "marks",
    "starts",
    "positions",
    "about",
)
CONTENT, INDEX = SECTIONS[:4], SECTIONS[4:7]
_NUMBER, _NARROW, _WIDE = (np.dtype(kind) for kind in (np.int64, np.uint32, np.uint64))
_SEAL_AT = field_offset(TAPE_HEADER, "seal")


def slots(
    events: int, instruments: int, phases: int, actions: int, about_bytes: int
) -> dict[str, Slot]:
    """Where each section lies in a tape of so many of each."""
    wanted: dict[str, tuple[np.dtype[Any], int]] = {
        "events": (EVENT, events),
        "instruments": (INSTRUMENT, instruments),
        "phases": (PHASE, phases),
        "actions": (ACTION, actions),
        "marks": (_NUMBER, -(-events // MARK_EVENTS)),
        "starts": (_NUMBER, instruments + 2),
        "positions": (_NARROW if events < NARROW_EVENTS_MAX else _WIDE, events),
        "about": (np.dtype(np.uint8), about_bytes),
    }
    made: dict[str, Slot] = {}
    offset = PAGE_BYTES
    for name, (dtype, count) in wanted.items():
        made[name] = Slot(dtype, count, offset)
        offset = rounded_up(offset + made[name].nbytes, PAGE_BYTES)
    return made


def total_bytes(placed: dict[str, Slot]) -> int:
    """The size of a file that holds these sections."""
    last = placed["about"]
    return rounded_up(last.offset + last.nbytes, PAGE_BYTES)


def section_rows(placed: dict[str, Slot]) -> list[tuple[int, int, int]]:
    """The sections as the header has them."""
    return [(slot.offset, slot.count, slot.dtype.itemsize) for slot in placed.values()]


def seal(header: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The seal that a header must carry."""
    return np.frombuffer(hashlib.sha256(header.tobytes()[:_SEAL_AT]).digest(), np.uint8)
