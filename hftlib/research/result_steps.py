"""Net P&L of each step of a regular grid: the changes that statistics of many runs are made of.

    result.pnl("1m")     a Series: what each minute from the tape's begin brought, after fees

The grid runs from the tape's begin in the clock's own time, so that runs of one tape stand row by
row beside each other, whatever they traded. While nothing was known a change is zero.

Worst case: one search of the grid in the equity's times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import shown
from hftlib.research.result_groups import Grouping, carried

Array = np.ndarray[Any, Any]
STEPS_MAX = 10_000_000


def pnl_of(grouping: Grouping, zone: str, step: Any, currency: str | None) -> Any:
    """What each step brought, at the step's end; the last one may end after the tape does."""
    import pandas as pd

    ends, changes = _changes(grouping, step, currency)
    index = pd.DatetimeIndex(ends.view("datetime64[ns]"), tz="UTC", name="time").tz_convert(zone)
    return pd.Series(changes, index=index, name="pnl")


def _changes(grouping: Grouping, step: Any, currency: str | None) -> tuple[Array, Array]:
    step_ns = duration_ns(step, field="step")
    begin, end = grouping.span
    if step_ns <= 0 or (end - begin) // step_ns >= STEPS_MAX:
        what = f"{shown(step)} is no step for a tape of {(end - begin) / 1e9:,.0f} seconds"
        do = f"Give one above zero that makes at most {STEPS_MAX:,} steps, such as '1m'."
        raise InputError(what, where="step", do=do)
    there = grouping.currencies
    if currency is None and len(there) > 1:
        do = f"Ask for one: result.pnl({shown(step)}, currency={shown(there[0])})."
        raise InputError(f"{', '.join(there)} do not add up", where="result.pnl", do=do)
    if currency is not None and currency not in there:
        do = f"Ask for one of {', '.join(there) or 'none: nothing was traded'}."
        raise InputError(f"Nothing was traded in {shown(currency)}", where="currency", do=do)
    ends = begin + step_ns * np.arange(1, -(-(end - begin) // step_ns) + 1, dtype=np.int64)
    curve = grouping.total(currency or there[0]).curve if there else None
    if curve is None or not len(curve.times):
        return ends, np.zeros(len(ends))
    at = np.searchsorted(curve.times, ends, side="right") - 1
    # A middle that nobody knew yet makes no profit: the last value that was known counts.
    known = np.nan_to_num(carried(curve.net))
    return ends, np.diff(np.where(at >= 0, known[np.maximum(at, 0)], 0.0), prepend=0.0)
