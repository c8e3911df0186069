"""Curves of volume: what share of a day's volume is done by when, for VWAP orders.

    curve = hft.volume_curve(tape, "AAPL", every="5m")       from recorded days
    hft.backtest(..., curves={"AAPL": curve})                  ctx.parent(..., algo=hft.VWAP_CURVE)

`points[n]` is the share done, in billionths, at the end of the n-th step of a day, which begins at
midnight where the venue is. Within a session days are 24 hours long: over a change of daylight
saving time a curve is an hour off until the next session.

Worst case: POINTS_MAX points, a day in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.parents import ONE
from hftlib.execution.schedules import DAY_NS

POINTS_MAX = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class VolumeCurve:
    """Shares of a day's volume done by the end of each step, the last of them all of it."""

    points: np.ndarray[Any, Any]
    step_ns: int
    zone: str = "UTC"
    days: int = 1

    def __post_init__(self) -> None:
        points = np.asarray(self.points)
        sound = points.ndim == 1 and 0 < len(points) <= POINTS_MAX and points.dtype == np.int64
        if not sound or points[0] < 0 or points[-1] != ONE or (np.diff(points) < 0).any():
            raise InputError(
                "These points are no curve of volume",
                where="VolumeCurve(points, step_ns)",
                do=f"Give int64 shares in billionths that rise to {ONE:,}; "
                "hft.volume_curve(tape, symbol) makes them.",
            )
        if not 0 < self.step_ns <= DAY_NS or len(points) > -(-DAY_NS // self.step_ns):
            raise InputError(
                f"{len(points)} steps of {self.step_ns} ns are more than a day",
                where="VolumeCurve(points, step_ns)",
                do="Give steps that together last a day at most.",
            )

    def lay(self, place: Any, room: np.ndarray[Any, Any], at: int, time: int) -> None:
        """Write the points into the room of all curves, and into a PLACE where they lie."""
        room[at : at + len(self.points)] = self.points
        place["curve_at"], place["curve_count"] = at, len(self.points)
        place["curve_step"], place["curve_from"] = self.step_ns, midnight(time, self.zone)

    def share_at(self, time: int) -> float:
        """What share of its day is done at a time."""
        into = (time - midnight(time, self.zone)) / self.step_ns
        ends = np.concatenate([[0], self.points]) / ONE
        return float(np.interp(into, np.arange(len(ends)), ends))

    def __repr__(self) -> str:
        days = "1 day" if self.days == 1 else f"{self.days:,} days"
        return f"<VolumeCurve of {days}: {len(self.points):,} steps of {self.step_ns / 1e9:g} s>"


def points_of(curves: Mapping[str, VolumeCurve]) -> int:
    """How much room these curves need."""
    return sum(len(curve.points) for curve in curves.values())


def midnight(time: int, zone: str) -> int:
    """When the day of a time began at that place, in ns."""
    local = datetime.fromtimestamp(time // 10**9, ZoneInfo(zone))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 10**9
