"""When an exchange is open: read from its calendar in a short process of its own, as plain times.

    found = asked("XNAS", now_ns)     the session that is on or comes next, or a sentence
    python -m hftlib.ops.session_calendar XNAS 1795780000000000000     that process

    {"calendar": "XNAS", "session": "2026-11-27", "zone": "America/New_York",
     "open_ns": ..., "close_ns": ..., "is_today": true}

Calendars are those of `exchange_calendars` (holidays, early closes, weekends), which needs pandas:
a process that trades must not load that, so it asks one that ends before it begins. A host whose
runners have no such package names the Python of an environment that has: HFT_CALENDAR_PYTHON.

Worst case: half a second to two for that process. Breaks within a session are not looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.times import to_text
from hftlib.core.units import shown

ASK_S, BEFORE_DAYS, AFTER_DAYS = 60.0, 10, 40
DAY_NS = 86_400_000_000_000
WHERE = "the calendar of a market"
Session = dict[str, Any]


def asked(name: str, at_ns: int) -> Session:
    """The session of a calendar that is on at a time, or else the next."""
    python = os.environ.get("HFT_CALENDAR_PYTHON") or sys.executable
    command = [python, "-m", "hftlib.ops.session_calendar", name, str(at_ns)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ASK_S, env=os.environ, check=False
        )
        found: Session = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise HostError(
            f"The calendar cannot be read: {type(error).__name__}",
            where=WHERE,
            do="Run `hft calendar` by itself, or start without a calendar.",
        ) from None
    if "refused" in found:
        raise InputError(found["refused"], where=WHERE, do=found["do"])
    return found


def required(name: str, at_ns: int) -> Session:
    """The same; a day without a session, or one that is over, is refused with when the next is."""
    found = asked(name, at_ns)
    if not found["is_today"]:
        raise InputError(
            f"{found['calendar']} is closed: the next session is {words(found)}",
            where=WHERE,
            do="Start on that day, or without a calendar.",
        )
    return found


def words(found: Session) -> str:
    """A session for people."""
    begin, end = (to_text(found[n], zone=found["zone"])[:16] for n in ("open_ns", "close_ns"))
    return f"{begin} to {end[11:] if end[:10] == begin[:10] else end} ({found['zone']})"


def _read(name: str, at_ns: int) -> Session:
    """In the process of its own."""
    try:
        import exchange_calendars as calendars
    except ImportError as error:
        what = f"The package exchange-calendars cannot be loaded: {error}"
        return {"refused": what, "do": "Run `pip install 'hftlib[calendar]'`."}
    around = (_date(at_ns - BEFORE_DAYS * DAY_NS), _date(at_ns + AFTER_DAYS * DAY_NS))
    try:
        found = calendars.get_calendar(name, start=around[0], end=around[1])
    except Exception as error:  # whatever it refuses: it has many errors of its own
        do = "Give a market's code, such as XNAS, XNYS, XLON or 24/7."
        return {"refused": f"{shown(name)} is no calendar here: {type(error).__name__}", "do": do}
    zone = str(found.tz)
    for session, opens in found.opens.items():
        begin, end = int(opens.value), int(found.closes[session].value)
        if end > at_ns:
            is_today = begin <= at_ns or _date(begin, zone) == _date(at_ns, zone)
            made = {"calendar": name, "session": str(session)[:10], "zone": zone}
            return made | {"open_ns": begin, "close_ns": end, "is_today": is_today}
    return {"refused": f"{name} has no session after this", "do": "Give another calendar."}


def _date(at_ns: int, zone: str = "UTC") -> str:
    return to_text(at_ns, zone=zone)[:10]


if __name__ == "__main__":
    print(json.dumps(_read(sys.argv[1], int(sys.argv[2]))))
