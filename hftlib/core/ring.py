"""Bounded ring: one producer, one consumer, any two threads or processes over one piece of memory.

    0          64                     128                    192
    ┌──────────┬──────────────────────┬──────────────────────┬────────┬────────┬───
    │ capacity │ head      producer's │ tail      consumer's │ item 0 │ item 1 │ ...
    │ item     │ tail_seen own line   │ head_seen own line   │        │        │
    └──────────┴──────────────────────┴──────────────────────┴────────┴────────┴───

`head` counts items ever published and `tail` items ever taken; neither wraps within 290 years at
10⁹ a second. Each side keeps its last sight of the other's count on its own cache line, so as long
as the ring is neither full nor empty no line travels between the cores but the items' own.

    slot = reserve(ring)      0 means FULL, counted in `refused`; else the address of a free slot
    ... fill the slot ...
    publish(ring)

    slot = peek(ring)         0 means EMPTY; else the address of the oldest item
    ... use it ...
    release(ring)

`push` and `pop` copy a whole item. Nothing blocks and nothing is overwritten: what to do about a
full ring is the producer's decision. Worst case: one cache miss to each other's line per lap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.records import field_offset, fill, items, record
from hftlib.core.units import is_whole, shown

RING_HEADER = record(
    "ring header",
    192,
    """
    0    capacity    int64  items it holds, a power of two
    8    item_bytes  int64  size of one, a multiple of 8
    64   head        int64  items ever published; only the producer writes it
    72   tail_seen   int64  the producer's last sight of `tail`
    80   refused     int64  how often the producer found the ring full
    128  tail        int64  items ever taken; only the consumer writes it
    136  head_seen   int64  the consumer's last sight of `head`
    """,
)
ITEMS_OFFSET = RING_HEADER.itemsize
BYTES_MAX = (1 << 31) - 1  # what a numpy dtype can measure
DONE, NOT_NOW = 1, 0

_header_at = jit.record_at(RING_HEADER)
_HEAD_OFFSET = field_offset(RING_HEADER, "head")
_TAIL_OFFSET = field_offset(RING_HEADER, "tail")


@jit.compiled("int64(int64)")
def reserve(ring_address: int) -> int:
    """The address of the slot to fill next, or 0 if the ring is full."""
    ring = _header_at(ring_address)
    if ring.head - ring.tail_seen >= ring.capacity:
        ring.tail_seen = jit.load_acquire(ring_address + _TAIL_OFFSET)
        if ring.head - ring.tail_seen >= ring.capacity:
            ring.refused += 1
            return 0
    return ring_address + ITEMS_OFFSET + (ring.head & (ring.capacity - 1)) * ring.item_bytes


@jit.compiled("void(int64)")
def publish(ring_address: int) -> None:
    """Hand the reserved slot to the consumer."""
    ring = _header_at(ring_address)
    jit.store_release(ring_address + _HEAD_OFFSET, ring.head + 1)


@jit.compiled("int64(int64)")
def peek(ring_address: int) -> int:
    """The address of the oldest item, or 0 if the ring is empty."""
    ring = _header_at(ring_address)
    if ring.tail >= ring.head_seen:
        ring.head_seen = jit.load_acquire(ring_address + _HEAD_OFFSET)
        if ring.tail >= ring.head_seen:
            return 0
    return ring_address + ITEMS_OFFSET + (ring.tail & (ring.capacity - 1)) * ring.item_bytes


@jit.compiled("void(int64)")
def release(ring_address: int) -> None:
    """Give the peeked slot back to the producer."""
    ring = _header_at(ring_address)
    jit.store_release(ring_address + _TAIL_OFFSET, ring.tail + 1)


@jit.compiled("int64(int64, int64)")
def push(ring_address: int, item_address: int) -> int:
    """Copy an item in: DONE, or NOT_NOW when the ring is full."""
    slot = reserve(ring_address)
    if slot == 0:
        return NOT_NOW
    jit.copy_words(slot, item_address, _header_at(ring_address).item_bytes)
    publish(ring_address)
    return DONE


@jit.compiled("int64(int64, int64)")
def pop(ring_address: int, item_address: int) -> int:
    """Copy the oldest item out: DONE, or NOT_NOW when the ring is empty."""
    slot = peek(ring_address)
    if slot == 0:
        return NOT_NOW
    jit.copy_words(item_address, slot, _header_at(ring_address).item_bytes)
    release(ring_address)
    return DONE


def ring_dtype(item: np.dtype[Any] | type, capacity: int) -> np.dtype[Any]:
    """The dtype of a ring of that many items, for an arena's layout."""
    where = "ring_dtype(item, capacity)"
    item = np.dtype(item)
    if not is_whole(capacity) or capacity < 1 or capacity & (capacity - 1):
        raise InputError(
            f"A ring holds a power of two of items, not {shown(capacity)}",
            where=where,
            do="Round the capacity up to the next power of two.",
        )
    if item.hasobject or item.itemsize == 0 or item.itemsize % 8:
        raise InputError(
            f"A ring's items are plain memory copied in words of 8 bytes; {shown(item)} has "
            f"{item.itemsize} bytes",
            where=where,
            do="Use a record of numbers, padded to a multiple of 8 bytes.",
        )
    capacity = int(capacity)
    if ITEMS_OFFSET + item.itemsize * capacity > BYTES_MAX:
        raise InputError(
            f"{capacity:,} items of {item.itemsize} bytes are more than a ring holds, which is "
            f"{BYTES_MAX:,} bytes",
            where=where,
            do="Make the capacity smaller.",
        )
    return np.dtype(
        {
            "names": ["header", "items"],
            "formats": [RING_HEADER, items(item, capacity)],
            "offsets": [0, ITEMS_OFFSET],
            "itemsize": ITEMS_OFFSET + item.itemsize * capacity,
        }
    )


class Ring:
    """One end of a ring, from Python: `Ring(arena["commands"])`, with `push(...)` and `pop()`.

    Both ends open it the same way; the first to do so writes capacity and item size.
    """

    def __init__(self, memory: np.ndarray[Any, Any]) -> None:
        item = _item_dtype(memory)
        if item is None:
            raise InputError(
                f"This memory is no single ring: {memory.size} items of {memory.dtype.names}",
                where="Ring(memory)",
                do="Lay it out with name=ring_dtype(record, capacity) and pass arena[name], or "
                "one item [i:i+1].",
            )
        if not memory.flags.writeable:
            raise StateError(
                "This memory is read-only, and both ends of a ring write their own count",
                where="Ring(memory)",
                do="Open its arena with writable=True, and exclusive=False at the second end; "
                "a mere onlooker reads memory['header'].",
            )
        self.capacity = int(memory.dtype["items"].shape[0])
        self._dtype = item
        self._memory = memory  # keeps the mapping alive
        self._header = memory["header"].reshape(-1)[0]
        # One each, for the two ends may be two threads, and compiled code does not hold the GIL.
        self._pushed, self._popped = np.zeros(1, item), np.zeros(1, item)
        self.address = int(memory.ctypes.data)
        for field, ours in (("capacity", self.capacity), ("item_bytes", item.itemsize)):
            held = int(self._header[field])
            if held not in (0, ours):
                raise StateError(
                    f"This memory is a ring already, of {field} {held:,} and not {ours:,}",
                    where="Ring(memory)",
                    do="Open it with the dtype that it was made with, or use other memory.",
                )
            self._header[field] = ours

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    @property
    def refused(self) -> int:
        """How often `push` found the ring full."""
        return int(self._header["refused"])

    def __len__(self) -> int:
        # The tail first: both may move on in between, and a length is never negative.
        tail = int(self._header["tail"])
        return min(int(self._header["head"]) - tail, self.capacity)

    def push(self, item: Any) -> bool:
        """Add a record, or a tuple of its fields; False means the ring is full."""
        fill(self._pushed, item, where="Ring.push")
        return bool(push(self.address, self._pushed.ctypes.data) == DONE)

    def pop(self) -> Any | None:
        """The oldest item, or None when the ring is empty."""
        if pop(self.address, self._popped.ctypes.data) == NOT_NOW:
            return None
        return self._popped[0].copy()

    def __repr__(self) -> str:
        return f"<Ring {len(self)} of {self.capacity} items, {self.refused} refused>"


def _item_dtype(memory: np.ndarray[Any, Any]) -> np.dtype[Any] | None:
    """The dtype of the items if this is the memory of one ring."""
    dtype = memory.dtype
    if dtype.names != ("header", "items") or dtype["items"].subdtype is None:
        return None
    base, shape = dtype["items"].subdtype
    item = np.dtype((base, shape[1:]))  # numpy folds an item that is an array into the ring's
    # Atomic loads and stores are whole only where a word begins.
    whole = memory.size == 1 and memory.ctypes.data % 8 == 0
    return item if whole and dtype == ring_dtype(item, shape[0]) else None
