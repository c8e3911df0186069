"""What is known of latencies before a run: which feeds are one, what no message falls below.

Worst case: latencies that are drawn or recorded may be nothing at all, so nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.venue.latency import CONSTANT, FEED, LATENCY, MEASURED, RECORDED


def feeds_of(latencies: Sequence[np.ndarray[Any, Any]]) -> list[int]:
    """The feed of each lane: those that always take the same time are one."""
    known: list[object] = []
    made = []
    for lane, legs in enumerate(latencies):
        always = constant(legs)
        one = always if always >= 0 else ("its own", lane)
        if one not in known:
            known.append(one)
        made.append(known.index(one))
    return made


def least_of_feed(legs: np.ndarray[Any, Any]) -> int:
    """What no event of a feed falls below."""
    feed = _leg(legs, FEED)
    if feed["kind"] == CONSTANT:
        return int(feed["constant"])
    if feed["kind"] == RECORDED:
        return 0
    count = int(feed["count"])
    table = legs[FEED * LATENCY.itemsize // 8 + int(feed["table_at"]) // 8 :]
    values = table[count : 2 * count] if feed["kind"] == MEASURED else table[:count]
    return int(values.min())


def constant(legs: np.ndarray[Any, Any]) -> int:
    """The feed's latency where it never changes; -1 otherwise."""
    feed = _leg(legs, FEED)
    return int(feed["constant"]) if feed["kind"] == CONSTANT else -1


def least(legs: np.ndarray[Any, Any], which: Sequence[int]) -> int:
    """What these legs take at least, where they never change; 0 otherwise."""
    rows = [_leg(legs, leg) for leg in which]
    constant = all(row["kind"] == CONSTANT for row in rows)
    return min(int(row["constant"]) for row in rows) if constant else 0


def _leg(legs: np.ndarray[Any, Any], leg: int) -> Any:
    return legs.view(np.uint8)[leg * LATENCY.itemsize :][: LATENCY.itemsize].view(LATENCY)[0]
