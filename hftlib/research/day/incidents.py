"""What went wrong, or might have: connections, feeds, clocks, restarts, differences, alerts.

    incidents_of(sessions, alerts)      rows by time: kind, what, severity

From the frames: connections lost and made again, restarts, repairs, takeovers, clocks that were
set, what a watchdog or a restart ordered. From the tape of the feed: gaps, and what came late. From
the log of alerts: what fired, who acknowledged it and why. Worst case: a row for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import HftError, InputError
from hftlib.core.times import duration_text
from hftlib.research.day.acting import of_day, processes_of
from hftlib.research.day.session import DaySession

Row = dict[str, Any]
INFO, WARNING, CRITICAL = "info", "warning", "critical"
_ANSWERED = ("acknowledged", "acknowledge", "resolved", "delivered", "sent")  # of an alert
GAPS_MAX = 200  # of one feed, each a row; the rest as one
_CONNECTED = {
    "begun": ("connection", "a connection to the venue stands", INFO),
    "lost": ("connection", "the connection to the venue was lost", WARNING),
    "resumed": ("restart", "another process went on: all held until the venue agrees", WARNING),
    "taken over": ("restart", "took over what another runner held", INFO),
    "login rejected": ("connection", "the venue refused the login", CRITICAL),
    "end of session": ("connection", "the venue ended the session", INFO),
}


def incidents_of(sessions: Sequence[DaySession], alerts: Sequence[Any]) -> list[Row]:
    """All of them, in the order in which they came."""
    made: list[Row] = []
    for one in sessions:
        made += [*_connections(one), *_clocks(one), *_seams(one), *_gaps(one), *_ordered(one)]
        if one.cut:
            at = one.facts.end
            what = f"{one.verified.problems[0]} {one.cut}."
            made.append(_row(one.name, at, "damage", what, CRITICAL))
    made += [_alert(line) for line in of_day(sessions, alerts)]
    return sorted(made, key=lambda row: int(row["time_ns"]))


def alert_lines(place: Path | None) -> list[Any]:
    """The lines of the audit logs in the folder where `hft alerts` keeps its own."""
    if place is None:
        return []
    from hftlib.core.audit import read_audit

    folder = Path(place)
    if not folder.exists():
        do = "Give the folder that `hft alerts` writes, or leave --alerts out."
        raise InputError("There is nothing", where=str(folder), do=do)
    files = [folder] if folder.is_file() else sorted(one for one in folder.glob("*.log"))
    return [line for one in files for line in read_audit(one)]


def _row(source: str, time: int, kind: str, what: str, severity: str) -> Row:
    named = {"source": source, "time_ns": int(time), "kind": kind}
    return named | {"what": what, "severity": severity}


def _connections(session: DaySession) -> list[Row]:
    made = []
    for one in session.facts.connections:
        if one["what"] in _CONNECTED:
            kind, what, severity = _CONNECTED[one["what"]]
            more = [str(one[name]) for name in ("venue", "why", "text", "held") if one.get(name)]
            what = f"{what}: {', '.join(more)}" if more else what
            made.append(_row(session.name, one["time"], kind, what, severity))
    return made


def _clocks(session: DaySession) -> list[Row]:
    made = []
    for one in session.facts.clocks:
        why = str(one.get("why", ""))
        if why == "stepped":
            far = duration_text(abs(int(one.get("step_ns", 0))))
            what = f"the host's clock was set by {far}"
            made.append(_row(session.name, one["time"], "clock", what, CRITICAL))
        elif why == "not synchronised" or (why == "first" and not one.get("is_synchronised")):
            what = "the kernel says that the host's clock is not synchronised"
            made.append(_row(session.name, one["time"], "clock", what, WARNING))
        elif why == "drifted":
            far = duration_text(abs(int(one.get("offset_ns", 0))))
            what = f"UTC and the runner's time are {far} apart"
            made.append(_row(session.name, one["time"], "clock", what, INFO))
    return made


def _seams(session: DaySession) -> list[Row]:
    made = []
    for one in session.facts.seams:
        if one["kind"] == "CARRIED_ON":
            what = f"another process went on with the journal after frame {one.get('after', '?')}"
            made.append(_row(session.name, one["time"], "restart", what, WARNING))
        elif one["kind"] == "REPAIRED":
            what = f"the journal was repaired: {one.get('wrong', '')}"
            made.append(_row(session.name, one["time"], "damage", what, CRITICAL))
    for one in session.facts.closings:
        if one.get("why"):
            made.append(_row(session.name, one["time"], "end", str(one["why"]), CRITICAL))
    return made


def _gaps(session: DaySession) -> list[Row]:
    """What the feed lacked: from its tape, where there is one."""
    tape = session.result.tape if session.result is not None else None
    if tape is None:
        return []
    made: list[Row] = []
    left = late = 0
    for chunk in tape.chunks():
        late += int((chunk["flags"] & events.RECOVERED_LATE != 0).sum())
        for one in chunk[chunk["kind"] == events.GAP]:
            if len(made) >= GAPS_MAX:
                left += 1
                continue
            first, after = int(one["reference"]), int(one["other"])
            what = f"messages {first:,} to {max(first, after - 1):,} are missing: a gap"
            at = int(one["received"]) or int(one["time"]) or session.facts.begin
            made.append(_row(session.name, at, "feed", what, WARNING))
    if left:
        what = f"{left:,} more gaps"
        made.append(_row(session.name, session.facts.end, "feed", what, WARNING))
    if late:
        what = f"{late:,} messages of the feed were recovered late"
        made.append(_row(session.name, session.facts.begin, "feed", what, INFO))
    return made


def _ordered(session: DaySession) -> list[Row]:
    """What processes ordered by rules of their own."""
    made = []
    for one in processes_of(session):
        kind = "reconciliation" if one["who"] == "restart" else "watchdog"
        severity = CRITICAL if one["did"] in ("halt", "flatten") else INFO
        what = f"{one['who'] or 'a process'}: {one['did']} {one['what']}"
        what = f"{what}, {one['why']}" if one["why"] else what
        made.append(_row(session.name, one["time_ns"], kind, what, severity))
    return made


def _alert(line: Any) -> Row:
    facts = dict(line.facts)
    severity = str(facts.get("severity", INFO))
    said = str(facts.get("said", "") or line.why)
    what = f"{line.what}: {line.did} by {line.who}"
    what = f"{what}, {said}" if said else what
    is_on = line.did not in _ANSWERED and severity in (INFO, WARNING, CRITICAL)
    known = severity if is_on else INFO
    return _row("alert", int(line.time_ns), "alert", what, known)


def feed_of(session: DaySession) -> dict[str, int]:
    """How much the feed said, and how much of it was asked for again."""
    tape = session.result.tape if session.result is not None else None
    made = {"datagrams": session.facts.kinds["DATAGRAM"], "requests": session.facts.requests}
    if tape is not None:
        try:
            kinds = np.concatenate([np.zeros(0, np.uint8), *(c["kind"] for c in tape.chunks())])
        except HftError:
            return made
        made |= {"events": len(kinds), "gaps": int((kinds == events.GAP).sum())}
    return made
