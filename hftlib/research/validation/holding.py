"""How long lots were held: from a lot's purchase to its sale, first in first out; the longest.

The n-th lot bought and the n-th lot sold belong to each other, long or short, so the time held is
the distance between two counts that rise. What is still open at the end is held until the end.

Worst case: two sorted searches over the fills of each instrument.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.events import BUY
from hftlib.research.result import Result

Array = np.ndarray[Any, Any]


def longest_held(result: Result) -> int:
    """The longest that any lot was held, in ns; 0 where nothing was traded."""
    fills = result.records["fills"]
    end = int(result.about.get("end") or 0)
    longest = 0
    for row in np.unique(fills["instrument"]).tolist():
        mine = fills[fills["instrument"] == row]
        longest = max(longest, _longest(mine, max(end, int(mine["time"].max()))))
    return longest


def _longest(fills: Array, end: int) -> int:
    times, sides = fills["time"].astype(np.int64), fills["side"] == BUY
    bought = np.cumsum(fills["quantity"][sides])
    sold = np.cumsum(fills["quantity"][~sides])
    # At each count where either changes, the lot up to there has one time of each kind.
    lots = np.union1d(bought, sold)
    apart = np.abs(_at(lots, bought, times[sides], end) - _at(lots, sold, times[~sides], end))
    return int(apart.max(initial=0))


def _at(lots: Array, counts: Array, times: Array, end: int) -> Array:
    """When the lot of each number was traded; the end, where it never was."""
    place = np.searchsorted(counts, lots, side="left")
    return np.append(times, end)[place]
