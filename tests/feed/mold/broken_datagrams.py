"""Memory in which to read one byte too far is a crash, and rounds of chance to fill it by.

Bounds checks see array indexes only, and datagrams are read by address: so they are put where a
page ends and nothing follows. Fuzzing takes one second, or what HFT_FUZZ_SECONDS says; the damage
itself is that of `fuzzing.py`.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import time
from collections.abc import Iterator

from fuzzing import fuzz_seconds

PROT_NONE = 0


class Guarded:
    """Room for one datagram right before a page that cannot be read."""

    def __init__(self, room_bytes: int = 1 << 16) -> None:
        pages = -(-room_bytes // mmap.PAGESIZE)
        self._end = pages * mmap.PAGESIZE
        self._memory = mmap.mmap(-1, self._end + mmap.PAGESIZE)
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        libc = ctypes.CDLL(None, use_errno=True)
        behind = ctypes.c_void_p(self._base + self._end)
        assert libc.mprotect(behind, mmap.PAGESIZE, PROT_NONE) == 0, ctypes.get_errno()

    def put(self, data: bytes) -> int:
        """The address of the bytes, the last of which is the last of the page."""
        self._memory[self._end - len(data) : self._end] = data
        return self._base + self._end - len(data)


def rounds() -> Iterator[random.Random]:
    """A source of chance for each round, until the time is up; at least twenty rounds."""
    until = time.monotonic() + fuzz_seconds(1)
    first = seed = int(os.environ.get("HFT_FUZZ_SEED") or 0)
    while time.monotonic() < until or seed < first + 20:
        yield random.Random(seed)
        seed += 1
