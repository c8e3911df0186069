"""Seqlock: one writer, any number of readers, nobody waits for anybody.

    writer   sequence odd ─▶ write the value ─▶ sequence even
    reader   sequence even? ─▶ copy ─▶ same sequence as before? else again

    offset 0          64
      ┌──────────────┬───────────────
      │ sequence     │ value ...
      └──────────────┴───────────────
        a cache line of its own

A `Cell` holds the latest value of something (a position, a heartbeat, the state of a session) over
shared memory. An arena's `changes` counter is the same lock around all of its state.

They differ in what a writer leaves that died within a write. A cell's next value replaces the half
one whole, so `begin_cell` mends it. An arena's next event is built on the half one, so `begin`
refuses, and the arena stays torn until a snapshot is restored.

Worst case: a reader gives up after a stated number of attempts, when the writer writes without
pause, or died within a write. Whoever calls `end` after `begin` refused hides a torn arena.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.records import CACHE_LINE_BYTES, fill, record
from hftlib.core.units import shown

CELL_HEADER = record(
    "cell header",
    CACHE_LINE_BYTES,
    """
    0   sequence  int64  odd while the writer is writing
    """,
)
ATTEMPTS = 1000
READ, BEGUN, TORN = 1, 1, 0


@jit.compiled("int64(int64)")
def begin(sequence_address: int) -> int:
    """Announce a change to an arena, at its `changes_address`: BEGUN, to be ended with `end`.

    Or TORN, and nothing done: a change began and never ended. Then change nothing and call no
    `end`, which would hide it.
    """
    sequence = jit.load_i64(sequence_address)
    if sequence & 1:
        return TORN
    jit.store_release(sequence_address, sequence + 1)
    jit.fence()
    return BEGUN


@jit.compiled("void(int64)")
def begin_cell(sequence_address: int) -> None:
    """Announce a write of a whole value. An odd sequence stays odd, and is mended by `end`."""
    jit.store_release(sequence_address, (jit.load_i64(sequence_address) + 1) | 1)
    jit.fence()


@jit.compiled("void(int64)")
def end(sequence_address: int) -> None:
    """Publish what was written since `begin` or `begin_cell`."""
    jit.store_release(sequence_address, jit.load_i64(sequence_address) + 1)


@jit.compiled("void(int64, int64, int64)")
def write(cell_address: int, value_address: int, value_bytes: int) -> None:
    """Make the value at `value_address` the cell's latest."""
    begin_cell(cell_address)
    jit.copy_words(cell_address + CACHE_LINE_BYTES, value_address, value_bytes)
    end(cell_address)


@jit.compiled("int64(int64, int64, int64, int64)")
def read(cell_address: int, value_address: int, value_bytes: int, attempts: int) -> int:
    """Copy the latest value out: READ, or TORN when no attempt found the writer at rest."""
    for _ in range(attempts):
        before = jit.load_acquire(cell_address)
        if before & 1 == 0:
            jit.copy_words(value_address, cell_address + CACHE_LINE_BYTES, value_bytes)
            jit.fence()
            if jit.load_acquire(cell_address) == before:
                return READ
        jit.pause()
    return TORN


def cell_dtype(value: np.dtype[Any] | type) -> np.dtype[Any]:
    """The dtype of a cell holding one such value, for an arena's layout."""
    value = np.dtype(value)
    if value.hasobject or value.itemsize == 0 or value.itemsize % 8:
        raise InputError(
            f"A cell's value is plain memory copied in words of 8 bytes; {shown(value)} has "
            f"{value.itemsize} bytes",
            where="cell_dtype(value)",
            do="Use a record of numbers, padded to a multiple of 8 bytes.",
        )
    return np.dtype(
        {
            "names": ["header", "value"],
            "formats": [CELL_HEADER, value],
            "offsets": [0, CACHE_LINE_BYTES],
            "itemsize": CACHE_LINE_BYTES + value.itemsize,
        }
    )


class Cell:
    """The latest value, from Python: `Cell(arena["position"])`, with `write(...)` and `read()`."""

    def __init__(self, memory: np.ndarray[Any, Any]) -> None:
        dtype = memory.dtype
        named = dtype.names == ("header", "value") and dtype == cell_dtype(dtype["value"])
        # Atomic loads and stores are whole only where a word begins.
        if not named or memory.size != 1 or memory.ctypes.data % 8:
            raise InputError(
                f"This memory is no single cell: {memory.size} items of {dtype.names}",
                where="Cell(memory)",
                do="Lay it out with name=cell_dtype(record) and pass arena[name], or one item "
                "[i:i+1].",
            )
        self._memory = memory  # keeps the mapping alive
        self._address = int(memory.ctypes.data)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._memory.dtype["value"]

    def write(self, value: Any) -> None:
        """Publish a record, or a tuple of its fields."""
        if not self._memory.flags.writeable:
            raise StateError(
                "This cell was opened read-only",
                where="Cell.write",
                do="Open the arena with writable=True in the process that owns it.",
            )
        words = self._words()
        fill(words, value, where="Cell.write")
        write(self._address, words.ctypes.data, words.nbytes)

    def read(self, attempts: int = ATTEMPTS) -> Any:
        """A copy of the latest value; raises StateError when the writer never rests."""
        words = self._words()
        if read(self._address, words.ctypes.data, words.nbytes, attempts) == TORN:
            raise StateError(
                f"The value changed during each of {attempts} attempts to read it",
                where="Cell.read",
                do="Read again; if it stays so, the writer died within a write: restart it.",
            )
        return words[0]

    def _words(self) -> np.ndarray[Any, Any]:
        """Memory of one call: threads share a Cell, and compiled code does not hold the GIL."""
        return np.zeros(1, self.dtype)
