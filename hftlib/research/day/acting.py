"""Who did what: directives of people in the journals, and the lines of the audit log.

    actions_of(sessions, audit)         rows by time: who, role, second, did, what, why, outcome

What risk refused of them stands in its own log, as the outcome. A process that holds or halts by a
rule of its own (a restart, a watchdog, a calendar) is among the incidents instead. Of the audit log
the lines of the day count, and of an hour around it. Worst case: a row for each line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hftlib.research.day.session import DaySession
from hftlib.risk.directives import OUTCOMES
from hftlib.risk.states import REFUSED

Row = dict[str, Any]
HOUR_NS = 3_600 * 10**9
PROCESS = "process"


def audit_lines(place: Path | None) -> list[Any]:
    """All lines of an audit log; one that does not hold is refused by its own sentence."""
    if place is None:
        return []
    from hftlib.core.audit import read_audit

    return list(read_audit(place))


def actions_of(sessions: Sequence[DaySession], audit: Sequence[Any]) -> list[Row]:
    """What people did, and processes on their behalf."""
    made = [row for one in sessions for row in _told(one) if row["role"] != PROCESS]
    made += [row for one in sessions for row in _handed_over(one)]
    made += [_audited(line) for line in of_day(sessions, audit)]
    return sorted(made, key=lambda row: int(row["time_ns"]))


def processes_of(session: DaySession) -> list[Row]:
    """What processes ordered: a restart, a watchdog, a calendar."""
    return [row for row in _told(session) if row["role"] == PROCESS]


def of_day(sessions: Sequence[DaySession], lines: Sequence[Any]) -> list[Any]:
    """The lines of a log from an hour before the first session to an hour after the last."""
    found = [one for one in sessions if one.facts.frames]
    if not found:
        return []
    begin = min(one.facts.begin for one in found) - HOUR_NS
    end = max(one.facts.end for one in found) + HOUR_NS
    return [line for line in lines if begin <= line.time_ns <= end]


def _told(session: DaySession) -> list[Row]:
    refused = _refused(session)
    names = list(session.result.about.get("scopes", ())) if session.result is not None else []
    made = []
    for one in session.facts.directives:
        if one["what"] in _FIGURES:
            continue  # figures that a watch tells risk: many, and nobody's decision
        scope = int(one.get("scope", 0))
        who, second = _text(one.get("who")), _text(one.get("second"))
        time = int(one["time"])
        made.append(
            {
                "source": session.name,
                "time_ns": time,
                "who": who,
                "role": _text(one.get("role")),
                "second": second,
                "did": _did(one),
                "what": f"{names[scope] if scope < len(names) else scope}{_value(one)}",
                "why": _text(one.get("why")),
                "outcome": refused.get((time, who), "done"),
            }
        )
    return made


def _handed_over(session: DaySession) -> list[Row]:
    """Who had another runner take over."""
    made = []
    for one in session.facts.closings:
        told = one.get("handed_over")
        if isinstance(told, Mapping):
            row: Row = {"role": "", "second": "", "source": session.name}
            row |= {"time_ns": int(one["time"]), "did": "switch", "outcome": "done"}
            row |= {"who": _text(told.get("who")), "why": _text(told.get("why"))}
            made.append(row | {"what": f"to {Path(_text(told.get('to'))).name}"})
    return made


_FIGURES = ("tell risk", "tell rate", "ask risk", "disconnect")
_STATES = {"active": "lift", "reducing": "reduce", "halted": "halt"}


def _did(one: Mapping[str, Any]) -> str:
    what = str(one["what"])
    return _STATES.get(str(one.get("state")), what) if what == "state" else what


def _value(one: Mapping[str, Any]) -> str:
    if one["what"] == "limit":
        return f": {one.get('limit')} = {one.get('value'):,}"
    if one["what"] == "parameter":
        return f": {one.get('parameter')} = {one.get('value')}"
    return ""


def _refused(session: DaySession) -> dict[tuple[int, str], str]:
    """Why risk took no notice, by when and who."""
    if session.result is None:
        return {}
    rows = session.result.records["changes"]
    return {
        (int(row["time"]), row["who"].decode("utf-8", "replace")): OUTCOMES[int(row["reason"])]
        for row in rows[rows["what"] == REFUSED]
    }


def _audited(line: Any) -> Row:
    facts = dict(line.facts)
    more = ", ".join(f"{name} {one}" for name, one in facts.items() if name not in _COLUMNS)
    return {
        "source": "audit log",
        "time_ns": int(line.time_ns),
        "who": line.who,
        "role": str(facts.get("role", "") or ""),
        "second": str(facts.get("second", "") or ""),
        "did": line.did,
        "what": f"{line.what} ({more})" if more else line.what,
        "why": line.why,
        "outcome": str(facts.get("outcome", "") or ""),
    }


_COLUMNS = ("role", "second", "outcome")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
