"""A cell's writer and reader as compiled loops, and a process to run the writer in.

The value is one record whose words are all equal, so a read that mixes two writes betrays itself.
"""

from __future__ import annotations

import sys

import numpy as np
from processes import SIGKILL, kill_myself, other_end, patience_ends_ns, patience_is_over

from hftlib.core import clock, jit, seqlock
from hftlib.core.records import CACHE_LINE_BYTES
from hftlib.core.seqlock import ATTEMPTS, READ

WORDS = 32
VALUE = np.dtype([("words", "i8", (WORDS,))])
VALUE_BYTES = VALUE.itemsize
# What the reader reports.
READS, VALUES_SEEN, TORN_READS, WENT_BACK, GAVE_UP, PLAIN_TORN = range(6)

_words_at = jit.array_at(np.int64)


@jit.compiled()
def number_of(value_address: int) -> int:
    """The number that all words of the value agree on, or -1."""
    first = jit.load_i64(value_address)
    for offset in range(8, VALUE_BYTES, 8):
        if jit.load_i64(value_address + offset) != first:
            return -1
    return first


@jit.compiled("void(int64, int64, int64, int64)")
def write_all(cell: int, value_address: int, go_address: int, last: int) -> None:
    """Write the numbers up to `last` once the reader says go, with rests of changing length."""
    spins = 0
    while jit.load_acquire(go_address) == 0:
        spins += 1
        if patience_is_over(spins, jit.load_i64(go_address + 8)):
            return
    for number in range(1, last + 1):
        for offset in range(0, VALUE_BYTES, 8):
            jit.store_i64(value_address + offset, number)
        seqlock.write(cell, value_address, VALUE_BYTES)
        for _ in range(number & 31):
            jit.pause()


@jit.compiled("void(int64, int64, int64, int64, int64, int64)")
def read_until(
    cell: int, value_address: int, last: int, report_address: int, go_address: int, until_ns: int
) -> None:
    """Read until the value is `last` or patience is over, beside each read a plain copy."""
    report = _words_at(report_address, 6)
    seen = -1
    spins = 0
    while seen < last:
        spins += 1
        # Without leaving the core: the writer waits for nobody, and the race is what we are after.
        if spins & 1023 == 0 and clock.monotonic_ns() > until_ns:
            return
        if seqlock.read(cell, value_address, VALUE_BYTES, ATTEMPTS) == READ:
            number = number_of(value_address)
            report[READS] += 1
            if number < 0:
                report[TORN_READS] += 1
            elif number < seen:
                report[WENT_BACK] += 1
            elif number > seen:
                report[VALUES_SEEN] += 1
                seen = number
            jit.store_release(go_address, 1)
        else:
            report[GAVE_UP] += 1
        jit.copy_words(value_address, cell + CACHE_LINE_BYTES, VALUE_BYTES)
        if number_of(value_address) < 0:
            report[PLAIN_TORN] += 1


@jit.compiled("int64(int64, int64, int64)")
def write_half(cell: int, number: int, deadly: int) -> int:
    """Begin a write and stop halfway, if `deadly` by being killed."""
    seqlock.begin_cell(cell)
    for offset in range(0, VALUE_BYTES // 2, 8):
        jit.store_i64(cell + CACHE_LINE_BYTES + offset, number)
    return kill_myself(SIGKILL) if deadly else 0


def main() -> None:
    task, path, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    arena = other_end(path)
    cell, go = arena.address_of("cell"), arena.address_of("go")
    if task == "write":
        value = np.zeros(WORDS, np.int64)
        arena["go"][1] = patience_ends_ns()
        write_all(cell, value.ctypes.data, go, number)
    elif task == "die":
        write_half(cell, number, 1)
