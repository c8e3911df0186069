"""What time it is on the exchange: the wall's, a faster one, or what somebody says.

    given = FloorClock(configuration.clock, first)
    given.now()        never beyond the end of the day, with whatever it jumped ahead

Worst case: a wall clock that is set back stands still until it has caught up; whoever asks sees to
that (`Exchange`), for this only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hftlib.core import clock
from hftlib.core.times import to_ns

DAY_NS = 86_400_000_000_000


class FloorClock:
    """One day: `midnight` and `first`, the time at which the exchange began."""

    def __init__(
        self, given: Any, first: int | None = None, kept: Mapping[str, Any] | None = None
    ) -> None:
        self.pace: str = given.pace
        self._speed = round(given.speed * 1000)
        today = datetime.fromtimestamp(clock.now_ns() / 1e9, ZoneInfo(given.zone)).date()
        date = today.isoformat() if self.pace == "wall" else given.date or today.isoformat()
        self.midnight = to_ns(f"{date}T00:00:00", zone=given.zone, field="clock.date")
        start = to_ns(f"{date}T{given.start}", zone=given.zone, field="clock.start")
        if self.pace == "wall":
            self.first = clock.now_ns()
        else:
            self.first = start if first is None else first
        if kept:  # the day that a journal is of
            self.first, self.midnight = int(kept["first"]), int(kept["midnight"])
        self.said = self.first  # the time of a lockstep
        self.jumped = 0
        self._began = clock.monotonic_ns()

    def go_on(self, time: int) -> None:
        """After a restart: where the wall does not say what time it is, it is this one."""
        self.said = time - self.jumped
        passed = (self.said - self.first) * 1000 // max(self._speed, 1)
        self._began = clock.monotonic_ns() - passed

    @property
    def last(self) -> int:
        """The end of the day."""
        return self.midnight + DAY_NS

    def now(self) -> int:
        now = self.said
        if self.pace == "wall":
            now = clock.now_ns()
        elif self.pace == "faster":
            now = self.first + (clock.monotonic_ns() - self._began) * self._speed // 1000
        return min(now + self.jumped, self.last)
