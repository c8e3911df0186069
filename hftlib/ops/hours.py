"""A runner within the hours of its market: held until the open, ended before the close.

    hours = Hours(runner, recovery)       of `runner.hours`, which stands in the journal's OPENED
    hours.turn()                          beside the runner, until it is open
    seconds = hours.seconds(seconds)      after so many the day ends, if not before

Before the open the firm is held by a directive, as after a restart: risk refuses what strategies
want, and what they had goes. At the open it goes on in the state it had, and the journal has both,
so a replay does the same. After a restart the firm is held anyway: there `Recovery` waits for the
open as well. The end is the usual one: strategies hear `on_stop`, orders are taken
back, the journal is closed.

Venues with calendars of their own (`hours_at`) are held one by one: the instruments of one that is
closed, before its open and from `--end-before-close` on. The day ends with the last of them.

Worst case: the open is seen by the thread that dials, some milliseconds late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hftlib.core import clock
from hftlib.core.errors import InputError
from hftlib.core.times import to_text
from hftlib.ops.runner import DESK_MAX, Runner
from hftlib.ops.session_calendar import asked, required, words
from hftlib.risk.authority import PROCESS, ROLES
from hftlib.risk.people import Directive, go_on, scope_row
from hftlib.risk.recovering import GO_ON, HOLD

WHO, SECOND_NS, OPTION = "calendar", 1_000_000_000, "hft live --calendar"


def hours_of(calendar: str, end_before_s: float) -> dict[str, Any]:
    """What is put into the description of a runner: nothing, or today's hours as plain times."""
    if not calendar:
        return {}
    now = clock.now_ns()
    return _times(required(calendar, now), end_before_s, now)


def hours_at(calendars: Mapping[str, str], end_before_s: float) -> dict[str, Any]:
    """The same of several venues. Where one calendar is all of theirs, it is the runner's."""
    named = {one for one in calendars.values() if one}
    if len(named) <= 1 and (not named or all(calendars.values())):
        return hours_of(next(iter(named), ""), end_before_s)
    for venue, name in calendars.items():
        if not name:
            do = f"Write --calendar {venue}=24/7 where it never closes, or one name for all."
            raise InputError(f"{venue} has no calendar, others have", where=OPTION, do=do)
    now = clock.now_ns()
    found = {name: asked(name, now) for name in sorted(named)}
    today = [one for one in found.values() if one["is_today"]]
    if not today:
        soonest = min(found.values(), key=lambda one: one["open_ns"])
        what = f"All are closed: the next session, of {soonest['calendar']}, is {words(soonest)}"
        raise InputError(what, where=OPTION, do="Start on that day, or without a calendar.")
    # One that has no session today is held all day: its hours lie ahead.
    made = {
        venue: _times(found[name], end_before_s if found[name] in today else 0.0, now)
        for venue, name in calendars.items()
    }
    last = max(round(one["end_ns"]) for one in made.values() if one["calendar"] in _names(today))
    whole = {"calendar": ", ".join(sorted(named)), "session": today[0]["session"]}
    whole |= {"open_ns": min(one["open_ns"] for one in made.values())}
    return whole | {"close_ns": last, "end_ns": last, "venues": made}


def _names(found: Sequence[Mapping[str, Any]]) -> set[str]:
    return {one["calendar"] for one in found}


def _times(found: Mapping[str, Any], end_before_s: float, now: int) -> dict[str, Any]:
    """A session as plain times; one that would end before it began is refused."""
    end = found["close_ns"] - round(end_before_s * SECOND_NS)
    if end <= now:
        raise InputError(
            f"{found['calendar']} closes at {to_text(found['close_ns'], zone=found['zone'])[:16]},"
            " and the day ends before that",
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
        self._venues = (
            VenueHours(runner, self._hours["venues"]) if "venues" in self._hours else None
        )
        if self._venues is not None:
            self._venues.turn(self.now)  # before its first frame
        elif recovery is not None:
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
        if not self._hours or self._venues is not None or self.now >= self._hours["open_ns"]:
            return ""
        return f"{self._hours['calendar']} opens at {to_text(self._hours['open_ns'])[11:19]} UTC"

    def turn(self) -> None:
        """Look whether it is time."""
        if self._venues is not None:
            self._venues.turn(self.now)
        elif self.is_held and not self.waits_for():
            why = f"{self._hours['calendar']} is open"
            self.is_held = not self._tell(go_on(at=clock.now_ns(), who=WHO, why=why))

    def _tell(self, directive: Directive) -> bool:
        return self._runner.tell(directive.row(self._runner.live.session.risk, clock.now_ns()))


class VenueHours:
    """Venues with hours of their own: what trades at one is held while that one is closed.

    Its instruments are, each by a directive, and the other venues trade on. Who halts or lifts one
    of them meanwhile has the last word on it. After a restart the journal says which are held.
    """

    def __init__(self, runner: Runner, venues: Mapping[str, Mapping[str, Any]]) -> None:
        self._runner, self._venues = runner, venues
        session = runner.live.session
        several = len(runner.live.links) > 1
        self._scopes: dict[str, list[str]] = {venue: [] for venue in venues}
        for one in session.instruments:
            name = f"{one.symbol}@{one.venue}" if several else one.symbol
            if one.venue in venues:
                self._scopes[one.venue].append(f"instrument:{name}")
        self._was: dict[str, bool | None] = dict.fromkeys(venues)
        self._waits: list[Directive] = []
        most = DESK_MAX // 2
        if sum(map(len, self._scopes.values())) > most:
            what = f"Hours of several calendars are looked after for {most} instruments at most"
            raise InputError(what, where=OPTION, do="Name fewer with --symbols, or one calendar.")

    def turn(self, now: int) -> None:
        """Hold what has closed, let go what has opened."""
        for venue, hours in self._venues.items():
            is_open = hours["open_ns"] <= now < hours["end_ns"]
            was = self._was[venue]
            if was != is_open:
                why = f"{hours['calendar']} is {'open' if is_open else 'closed'}"
                for scope in self._scopes[venue]:
                    if not is_open or was is False or self._is_held(scope):
                        what = GO_ON if is_open else HOLD
                        at = clock.now_ns()
                        self._waits.append(Directive(what, scope, at, WHO, why, ROLES[PROCESS]))
                self._was[venue] = is_open
        while self._waits and self._tell(self._waits[0]):
            self._waits.pop(0)

    def _is_held(self, scope: str) -> bool:
        session = self._runner.live.session
        row = scope_row(session.risk, scope)
        return bool(session.arena["scopes"]["held_from"][row])

    def _tell(self, directive: Directive) -> bool:
        return self._runner.tell(directive.row(self._runner.live.session.risk, clock.now_ns()))
