"""A walk: how compiled code gets from one event of a tape, or of a slice of it, to the next.

    whole or by time    position = first + n             the events lie side by side
    by instrument       position = the n-th of a list    that of one, or of several merged

One small record says which, so each loop over events is written once and serves all slices.
Worst case: a list is checked once, when the slice is made, so that no walk leaves the events.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record
from hftlib.core.units import INT64_MIN
from hftlib.feed.tape_index import tells_time

AHEAD = 16  # events asked for beforehand, where they lie apart

WALK = record(
    "tape walk",
    40,
    """
    0   events      int64  address of the first event of the tape
    8   positions   int64  address of the list; 0 where the events lie side by side
    16  item_bytes  int64  of the list: 4 or 8
    24  first       int64  position of the first event, without a list
    32  count       int64  events of the walk
    """,
)
walk_at = jit.record_at(WALK)
event_at = jit.record_at(EVENT)
_narrow_at = jit.array_at(np.uint32)


@jit.inlined
def position(walk: Any, n: int) -> int:
    """The position on the tape of the n-th event of the walk."""
    if walk.positions == 0:
        return walk.first + n
    if walk.item_bytes == 8:
        return jit.load_i64(walk.positions + 8 * n)
    return _narrow_at(walk.positions, walk.count)[n]


@jit.inlined
def event_address(walk: Any, n: int) -> int:
    """Where the n-th event of the walk lies."""
    if walk.positions != 0 and n + AHEAD < walk.count:
        jit.prefetch(walk.events + position(walk, n + AHEAD) * EVENT_BYTES)
    return walk.events + position(walk, n) * EVENT_BYTES


@jit.compiled("int64(int64, int64)")
def rises_below(walk_address: int, limit: int) -> int:
    """Whether each position is higher than the one before it and below the limit: 1 or 0."""
    walk = walk_at(walk_address)
    last = -1
    for n in range(walk.count):
        here = position(walk, n)
        if here <= last:
            return 0
        last = here
    return 1 if last < limit else 0


@jit.compiled("int64(int64)")
def highest_time(walk_address: int) -> int:
    """The highest time of a walk, of those events that tell time; INT64_MIN without any."""
    walk = walk_at(walk_address)
    highest = INT64_MIN
    for n in range(walk.count):
        event = event_at(event_address(walk, n))
        if tells_time(event.kind):
            highest = max(highest, event.time)
    return highest


@jit.compiled("void(int64, int64, int64, int64)")
def gather(walk_address: int, first: int, count: int, target: int) -> None:
    """Copy events of the walk side by side."""
    walk = walk_at(walk_address)
    for n in range(count):
        jit.copy_words(target + n * EVENT_BYTES, event_address(walk, first + n), EVENT_BYTES)
