"""Where bars begin: multiples of a width in UTC, or the days of a clock.

Days are not all equally long, so their begins are listed, and a bar finds its own by halving.
Worst case: a list of at most DAYS_MAX days; a tape that claims more has a time that is none.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.records import record
from hftlib.core.times import Duration, duration_ns, to_ns
from hftlib.core.units import shown
from hftlib.research.clocks import date_of

DAYS_MAX = 40_000
BAR_TIMES = record(
    "bar times",
    32,
    """
    0   width   int64  ns; of no meaning where there is a list
    8   list    int64  address of the begins of days; 0: all bars have one width
    16  count   int64  how many
    24  first   int64  begin of the first bar
    """,
)
_times_at = jit.record_at(BAR_TIMES)


@jit.compiled("int64(int64, int64)")
def bucket_of(times_address: int, moment: int) -> int:
    """The begin of the bar that a time belongs to, the first bar at the earliest."""
    times = _times_at(times_address)
    if moment < times.first:
        return times.first
    if times.list == 0:
        return moment // times.width * times.width
    low, high = 0, times.count
    while high - low > 1:
        middle = (low + high) // 2
        if jit.load_i64(times.list + 8 * middle) <= moment:
            low = middle
        else:
            high = middle
    return jit.load_i64(times.list + 8 * low)


class BarTimes:
    """The begins of all bars of a tape."""

    def __init__(self, width: Duration, begin: int, end: int, zone: str) -> None:
        end = max(begin, end)
        self.begins: np.ndarray[Any, Any] | None = None
        self._width, self._count = 0, 0
        if isinstance(width, str) and width in ("1d", "1D"):
            self.begins = _days(begin, end, zone)
            self._count = len(self.begins)
        else:
            ns = duration_ns(width, field="width")
            if ns <= 0:
                do = "Give a width such as '1s', '5m' or '1d'."
                raise InputError(f"A bar cannot be {shown(width)} wide", where="bars()", do=do)
            self._width, self._count = ns, end // ns - begin // ns + 1
        self.memory = np.zeros(1, BAR_TIMES)
        if self.begins is None:
            self.first: int = begin // self._width * self._width
            self.memory["width"] = self._width
        else:
            self.first = int(self.begins[0])
            self.memory["list"], self.memory["count"] = self.begins.ctypes.data, len(self.begins)
        self.memory["first"] = self.first

    def __len__(self) -> int:
        return self._count

    def numbers(self, begins: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Which bar each begin is that of."""
        if self.begins is None:
            return (begins - self.first) // self._width
        return np.searchsorted(self.begins, begins)

    def all(self) -> np.ndarray[Any, Any]:
        """The begin of each bar."""
        if self.begins is None:
            return self.first + self._width * np.arange(self._count, dtype=np.int64)
        return self.begins


def _days(begin: int, end: int, zone: str) -> np.ndarray[Any, Any]:
    day = datetime.date.fromisoformat(date_of(begin, zone))
    last = datetime.date.fromisoformat(date_of(end, zone))
    if (last - day).days > DAYS_MAX:
        raise InputError(
            f"The tape claims to last from {day} to {last}",
            where="bars('1d')",
            do="Find the time that is none with tape.validate().",
        )
    days = range((last - day).days + 1)
    dates = ((day + datetime.timedelta(days=n)).isoformat() for n in days)
    # Where clocks skip midnight the day begins with the first moment there is.
    return np.array([_midnight(date, zone) for date in dates], np.int64)


def _midnight(date: str, zone: str) -> int:
    for clock in ("00:00", "00:30", "01:00"):
        try:
            return to_ns(f"{date}T{clock}", zone=zone, fold=0)
        except InputError:
            continue
    return to_ns(f"{date}T02:00", zone=zone, fold=0)
