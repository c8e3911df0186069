"""`hft.volume_curve`: how a symbol's volume is spread over the day, from recorded days.

    curve = hft.volume_curve(tape, "AAPL", every="5m")
    hft.backtest(Strategy, other_day, curves={"AAPL": curve})

Each day counts as one: its shares are averaged, not its lots, so that one busy day does not decide.
A curve made of the day it is used on knows that day's future; take it from days before.

Worst case: a day without a trade has no shares and is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.parents import ONE
from hftlib.core.times import Duration, duration_ns
from hftlib.core.units import shown
from hftlib.execution.curves import POINTS_MAX, VolumeCurve, midnight
from hftlib.execution.schedules import DAY_NS
from hftlib.research.setting_up import tape_of
from hftlib.research.tape import Tape


def volume_curve(tape: Tape | Path | str, symbol: str, every: Duration = "5m") -> VolumeCurve:
    """The mean share of a day's volume done by the end of each step."""
    step = duration_ns(every, field="every")
    if not 0 < step <= DAY_NS or DAY_NS // step > POINTS_MAX:
        raise InputError(
            f"{shown(every)} is no step of a day's curve",
            where="hft.volume_curve(every=...)",
            do="Give a duration from a second to a day, such as '5m'.",
        )
    recorded = tape_of(tape)
    bars = recorded.only(symbol).bars(step, empty=False)
    begins, volumes = _of(bars)
    days: dict[int, np.ndarray[Any, Any]] = {}
    for begin, volume in zip(begins.tolist(), volumes.tolist(), strict=True):
        day = midnight(begin, recorded.zone)
        steps = days.setdefault(day, np.zeros(-(-DAY_NS // step)))
        steps[min((begin - day) // step, len(steps) - 1)] += volume
    shares = [steps / steps.sum() for steps in days.values() if steps.sum() > 0]
    if not shares:
        raise InputError(
            f"Nothing of {shown(symbol)} was traded on this tape",
            where="hft.volume_curve(tape, symbol)",
            do="Take a tape with its trades.",
        )
    done = np.cumsum(np.mean(shares, axis=0))
    points = np.minimum(np.rint(done / done[-1] * ONE), ONE).astype(np.int64)
    return VolumeCurve(points, step, recorded.zone, len(shares))


def _of(bars: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Begins in ns, and volumes, of a frame of bars."""
    index = bars.index.get_level_values(-1)
    return index.as_unit("ns").asi8, bars["volume"].to_numpy(float)
