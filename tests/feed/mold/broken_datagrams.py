"""Broken datagrams, and memory in which to read one byte too far is a crash.

Bounds checks see array indexes only, and datagrams are read by address: so they are put where a
page ends and nothing follows. Fuzzing takes one second, or what HFT_FUZZ_SECONDS says.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import time
from collections.abc import Iterator

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
    until = time.monotonic() + float(os.environ.get("HFT_FUZZ_SECONDS", "1"))
    seed = 0
    while time.monotonic() < until or seed < 20:
        yield random.Random(seed)
        seed += 1


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data with some bytes changed, cut out or repeated; now and then cut off."""
    broken = bytearray(data)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(broken) + 1)
        what = chance.randrange(4)
        if what == 0:
            broken[at : at + 1] = chance.randbytes(1)
        elif what == 1:
            broken[at : at + 2] = chance.choice([b"\0\0", b"\xff\xff", b"\0\1"])
        elif what == 2:
            del broken[at : at + chance.randrange(1, 8)]
        else:
            broken[at:at] = broken[at : at + chance.randrange(1, 30)]
    if chance.random() < 0.2:
        del broken[chance.randrange(len(broken) + 1) :]
    return bytes(broken)
