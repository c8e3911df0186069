"""A runner within the hours of its market: held until the open, ended before the close.

    hours = Hours(runner, recovery)       of `runner.hours`, which stands in the journal's OPENED
    hours.turn()                          beside the runner, until it is open
    seconds = hours.seconds(seconds)      after so many the day ends, if not before

Before the open the firm is held by a directive, as after a restart: risk refuses what strategies
want, and what they had goes. At the open it goes on in the state it had, and the journal has both,
so a replay does the same. After a restart the firm is held anyway: there `Recovery` waits for the
open as well. The end is the usual one: strategies hear `on_stop`, orders are taken
back, the journal is closed.

Worst case: the open is seen by the thread that dials, some milliseconds late.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import clock
from hftlib.core.errors import InputError
from hftlib.core.times import to_text
from hftlib.ops.runner import Runner
from hftlib.ops.session_calendar import required
from hftlib.risk.authority import PROCESS, ROLES
from hftlib.risk.people import Directive, go_on
from hftlib.risk.recovering import HOLD

WHO, SECOND_NS = "calendar", 1_000_000_000


def hours_of(calendar: str, end_before_s: float) -> dict[str, Any]:
    """What is put into the description of a runner: nothing, or today's hours as plain times."""
    if not calendar:
        return {}
    now = clock.now_ns()
    found = required(calendar, now)
    end = found["close_ns"] - round(end_before_s * SECOND_NS)
    if end <= now:
        raise InputError(
            f"{calendar} closes at {to_text(found['close_ns'], zone=found['zone'])[:16]}, and the"
            " day ends before that",
            where="hft live --end-before-close",
            do="Give fewer seconds, or start tomorrow.",
        )
    names = ("calendar", "session", "open_ns", "close_ns")
    return {name: found[name] for name in names} | {"end_ns": end}


class Hours:
    """One runner's day. `is_held`: it waits for the open."""

    def __init__(self, runner: Runner, recovery: Any = None) -> None:
        self._runner = runner
        self._hours: dict[str, Any] = runner.hours or {}
        self.is_held = False
        if recovery is not None:
            recovery.also = self.waits_for  # what holds after a restart holds until the open, too
        elif self.waits_for():
            why = f"{self._hours['calendar']} is closed"
            held = Directive(HOLD, "firm", clock.now_ns(), WHO, why, ROLES[PROCESS])
            self.is_held = self._tell(held)

    @property
    def now(self) -> int:
        """The runner's time, which does not step with the host's clock."""
        return clock.monotonic_ns() + int(self._runner.record["offset"])

    def seconds(self, most: float = 0.0) -> float:
        """How long it may run from now on; 0: for ever."""
        if not self._hours:
            return most
        left = max((self._hours["end_ns"] - self.now) / SECOND_NS, 1e-3)
        return min(left, most) if most else left

    def waits_for(self) -> str:
        """The open, in words, while it is to come."""
        if not self._hours or self.now >= self._hours["open_ns"]:
            return ""
        return f"{self._hours['calendar']} opens at {to_text(self._hours['open_ns'])[11:19]} UTC"

    def turn(self) -> None:
        """Look whether it is time."""
        if self.is_held and not self.waits_for():
            why = f"{self._hours['calendar']} is open"
            self.is_held = not self._tell(go_on(at=clock.now_ns(), who=WHO, why=why))

    def _tell(self, directive: Directive) -> bool:
        return self._runner.tell(directive.row(self._runner.live.session.risk, clock.now_ns()))
