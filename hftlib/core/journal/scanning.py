"""Walk over frames and believe nothing: sequence, length, CRC, padding, and zeros behind the end.

    scan(state, places, most)    the offsets of the next frames, at most so many, as int64 at
                                 `places`; 0 there: none are wanted. `state` is a SCAN record, and
                                 goes on where it stopped

        MORE       `most` were found, or `full` was reached
        NOTHING    there is no frame here yet
        ENDED      the segment's end: the next frame is the first of the next segment
        a DAMAGE   a frame that is none; `position` says where

A frame counts when its sequence is the expected one, its length stays in the segment, and its CRC
is that of its bytes: the CRC covers padding, which must be zeros besides. Worst case: a length of
random bytes is believed for one CRC over what is left of the segment.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal.layout import FRAME_BYTES, PAGE_BYTES, SCAN

MORE, NOTHING, ENDED = range(3)
SEQUENCE, LENGTH, CRC, PADDING = range(-1, -5, -1)
DAMAGES = {
    SEQUENCE: "the number of a frame is not the one that follows",
    LENGTH: "a frame is said to be longer than its segment",
    CRC: "a frame's CRC is not that of its bytes",
    PADDING: "bytes of a frame that must be zero are not",
}

_scan_at = jit.record_at(SCAN)


@jit.compiled("int64(int64, int64, int64)")
def scan(state_address: int, places: int, most: int) -> int:
    """Why it stopped; `found` says how many frames there were before."""
    state = _scan_at(state_address)
    state.found = 0
    stop = MORE
    while state.found < most and state.position < state.full:
        stop = _frame(state_address, state.segment + state.position)
        if stop != MORE:
            break
        if places != 0:
            jit.store_i64(places + 8 * state.found, state.position)
        at = state.segment + state.position
        time = jit.load_i64(at + 8)
        state.time_max = max(state.time_max, time)
        state.position += FRAME_BYTES + (((jit.load_i64(at + 16) & 0xFFFF_FFFF) + 7) & -8)
        state.sequence += 1
        state.found += 1
    if stop == ENDED:
        state.position += FRAME_BYTES
    state.stop = stop
    return stop


@jit.compiled()
def _frame(state_address: int, at: int) -> int:
    """MORE if a whole frame lies here, else what does."""
    state = _scan_at(state_address)
    if state.position + FRAME_BYTES > state.end:
        return LENGTH
    sequence = jit.load_acquire(at)
    if sequence == 0:
        return NOTHING
    if sequence != state.sequence and sequence != -state.sequence:
        return SEQUENCE
    about = jit.load_i64(at + 16)
    length = about & 0xFFFF_FFFF
    size = FRAME_BYTES + ((length + 7) & -8)
    if state.position + size > state.end or (sequence < 0 and about != 0):
        return LENGTH
    stated = jit.load_i64(at + 24)
    if stated < 0 or stated > 0xFFFF_FFFF:
        return PADDING
    crc = jit.crc_word(jit.crc_word(state.seed, sequence), jit.load_i64(at + 8))
    crc = jit.crc_word(crc, about)
    for offset in range(FRAME_BYTES, size, 8):
        crc = jit.crc_word(crc, jit.load_i64(at + offset))
    if crc ^ 0xFFFF_FFFF != stated:
        return CRC
    for offset in range(length, size - FRAME_BYTES):
        if jit.load_u8(at + FRAME_BYTES + offset) != 0:
            return PADDING
    if sequence < 0:
        return ENDED if jit.load_i64(at + 8) == 0 else PADDING
    return MORE


@jit.compiled("int64(int64, int64, int64)")
def first_not_zero(segment: int, begin: int, end: int) -> int:
    """Where the first byte that is not zero lies, from `begin`, a multiple of 8; or -1."""
    for offset in range(begin, end, 8):
        if jit.load_i64(segment + offset) != 0:
            for place in range(offset, offset + 8):
                if jit.load_u8(segment + place) != 0:
                    return place
    return -1


@jit.compiled("int64(int64, int64, int64)")
def last_not_zero(segment: int, begin: int, end: int) -> int:
    """Behind the last byte that is not zero, in words of 8; `begin` where all are zeros."""
    for offset in range(end - 8, begin - 8, -8):
        if jit.load_i64(segment + offset) != 0:
            return offset + 8
    return begin


@jit.compiled("int64(int64, int64, int64)")
def crc_of(crc: int, address: int, words: int) -> int:
    """The state after so many words of eight bytes."""
    for offset in range(0, 8 * words, 8):
        crc = jit.crc_word(crc, jit.load_i64(address + offset))
    return crc


assert PAGE_BYTES % 8 == 0 == FRAME_BYTES % 8
