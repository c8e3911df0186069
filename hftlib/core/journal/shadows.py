"""What a frame SHADOW holds: commands that were not sent, and what a venue's model answered.

    frame    ┌ piece ┬ piece ┬ ...      in the order in which they left us or reached us
    piece    what it is, int64 ─ a COMMAND or an EVENT, 64 bytes each

Worst case: bytes that are no whole pieces, or of an unknown sort, are told as bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from hftlib.core.records import field_offset, record

COMMANDED, REPORTED = 1, 2
NAMES = ("bytes", "command", "event")

PIECE = record(
    "shadow piece",
    72,
    """
    0  what    int64      1: a command that was not sent; 2: what the venue's model reports
    8  record  uint8[64]  the command, or the event
    """,
)
PIECE_BYTES, RECORD_AT = PIECE.itemsize, field_offset(PIECE, "record")


def pieces_of(payload: bytes) -> Iterator[tuple[str, bytes]]:
    """Each piece: the name of its record, and its bytes."""
    for at in range(0, len(payload), PIECE_BYTES):
        part = payload[at : at + PIECE_BYTES]
        what = int.from_bytes(part[:RECORD_AT], "little", signed=True)
        if len(part) < PIECE_BYTES or not COMMANDED <= what <= REPORTED:
            yield NAMES[0], payload[at:]
            return
        yield NAMES[what], part[RECORD_AT:]
