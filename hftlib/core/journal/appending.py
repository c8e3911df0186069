"""Append a frame: the one function of the journal that the tick path calls.

    sequence = append(writer, kind, source, time, payload, length)
        > 0       its sequence: the frame is in the mapping, and survives `kill -9`
        NO_ROOM   the next segment is not there yet, or the disk is full
        TOO_LONG  no segment holds a payload of this length
        FAILED    the disk has failed, or this is not the process that opened the journal

The payload is copied and its CRC taken in one pass; the sequence is stored last, so who looks from
another process, or after a kill between any two stores, finds a whole frame or none. A frame is
never split: where it does not fit, the segment is ended and the next one, made ahead by the helper
thread, is begun with two stores.

One thread appends. Nothing is allocated, nothing waits, no clock is read. What to do about a
refusal is the caller's decision, and the right one is to stop: nothing was overwritten and nothing
was lost, and `refused` counts. For stopping, `last_words` opens the room that is kept for it.

Worst case: a store into a page that the kernel has not made ready (the helper keeps some megabytes
ready) or is just writing out waits for it, some microseconds.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal.layout import FRAME_BYTES, PAGE_BYTES, PROCESS, WRITER
from hftlib.core.records import field_offset

NO_ROOM, TOO_LONG, FAILED = -1, -2, -3

_writer_at = jit.record_at(WRITER)
_NEXT = field_offset(WRITER, "next_segment")
_DURABLE = field_offset(WRITER, "durable")
_POSITION = field_offset(WRITER, "position")
_SEQUENCE = field_offset(WRITER, "sequence")


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def append(writer: int, kind: int, source: int, time: int, payload: int, length: int) -> int:
    """The frame's sequence, counted from 1, or why it was not taken."""
    record = _writer_at(writer)
    if record.failure != 0:
        record.refused += 1
        return FAILED
    size = FRAME_BYTES + ((length + 7) & -8)
    if length < 0 or record.position + size > record.limit:
        why = _next_segment(writer, size if length >= 0 else 0)
        if why != 0:
            record.refused += 1
            return why
    place = record.segment + record.position
    sequence = record.sequence + 1
    write_frame(place, record.seed, sequence, kind, source, time, payload, length)
    record.position += size
    jit.store_release(writer + _SEQUENCE, sequence)  # who sees it sees the position too
    return sequence


@jit.inlined
def write_frame(
    place: int,
    seed: int,
    sequence: int,
    kind: int,
    source: int,
    time: int,
    payload: int,
    length: int,
) -> None:
    """A frame at this address, its sequence last."""
    about = length | (kind << 32) | (source << 48)
    crc = jit.crc_word(jit.crc_word(jit.crc_word(seed, sequence), time), about)
    jit.store_i64(place + 8, time)
    jit.store_i64(place + 16, about)
    whole = length & -8
    for offset in range(0, whole, 8):
        word = jit.load_i64(payload + offset)
        jit.store_i64(place + FRAME_BYTES + offset, word)
        crc = jit.crc_word(crc, word)
    if length > whole:
        word = 0
        # Byte by byte: the word may reach into a page that is not there.
        for offset in range(length - 1, whole - 1, -1):
            word = (word << 8) | jit.load_u8(payload + offset)
        jit.store_i64(place + FRAME_BYTES + whole, word)
        crc = jit.crc_word(crc, word)
    jit.store_i64(place + 24, crc ^ 0xFFFF_FFFF)
    jit.store_release(place, sequence)


@jit.compiled()
def _next_segment(writer: int, size: int) -> int:
    """End the segment in use and begin the next: 0, or why not."""
    record = _writer_at(writer)
    if size < FRAME_BYTES or PAGE_BYTES + size > record.limit:
        return TOO_LONG
    ahead = jit.load_acquire(writer + _NEXT)
    if ahead == 0:
        return NO_ROOM
    if PAGE_BYTES + size > record.next_limit:
        return TOO_LONG
    write_frame(
        record.segment + record.position, record.seed, -(record.sequence + 1), 0, 0, 0, 0, 0
    )
    record.number += 1
    record.segment, record.limit = ahead, record.next_limit
    jit.store_release(writer + _POSITION, PAGE_BYTES)  # who sees it sees the number too
    jit.store_release(writer + _NEXT, 0)
    return 0


@jit.compiled("int64(int64)")
def last_words(writer: int) -> int:
    """From here on appends also use the room that is kept for the end; how many bytes there are.

    For whoever was refused with NO_ROOM: the cancels that must go out, and why it stopped.
    """
    record = _writer_at(writer)
    record.limit = record.last_limit
    return record.limit - record.position


@jit.compiled("int64(int64, int64)")
def is_durable(writer: int, sequence: int) -> int:
    """1 if this frame is where the journal's mode promises it to be, else 0."""
    record = _writer_at(writer)
    if record.mode == PROCESS:
        return 1 if sequence <= jit.load_acquire(writer + _SEQUENCE) else 0
    return 1 if sequence <= jit.load_acquire(writer + _DURABLE) else 0
