"""What a quant means by "09:30": the clock of the venue, on the day of the tape.

A calendar is the venue's code, whose clock stands in the table below, or the name of a time zone.
Instruments of several clocks, or of an unknown one, leave UTC. Worst case: a clock time on a tape
of several days says nothing, and is refused with the two days it could mean.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import Time, to_ns, to_text, zone_named
from hftlib.core.units import shown

ZONES = {
    **dict.fromkeys(("XNAS", "XNYS", "ARCX", "XASE", "BATS", "IEXG"), "America/New_York"),
    **dict.fromkeys(("XBOS", "XPSX", "EDGX", "EDGA", "BATY", "MEMX", "LTSE"), "America/New_York"),
    **dict.fromkeys(("XCME", "GLBX", "XCBT", "XCBO", "XCBF"), "America/Chicago"),
    **dict.fromkeys(("XLON", "XLME", "IFEU"), "Europe/London"),
    **dict.fromkeys(("XETR", "XFRA", "XEUR"), "Europe/Berlin"),
    **dict.fromkeys(("XTKS", "XOSE"), "Asia/Tokyo"),
    "XPAR": "Europe/Paris",
    "XAMS": "Europe/Amsterdam",
    "XMIL": "Europe/Rome",
    "XHKG": "Asia/Hong_Kong",
    "XSHG": "Asia/Shanghai",
    "XTSE": "America/Toronto",
    "XASX": "Australia/Sydney",
    "XSWX": "Europe/Zurich",
    "XSTO": "Europe/Stockholm",
}
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATE_CHARACTERS = len("2019-12-30")


def zone_of(calendars: Iterable[str]) -> str:
    """The clock that all these calendars share; UTC where they do not."""
    zones = {_zone(calendar) for calendar in calendars}
    return zones.pop() if len(zones) == 1 else "UTC"


def _zone(calendar: str) -> str:
    if calendar in ZONES:
        return ZONES[calendar]
    try:
        zone_named(calendar)
    except InputError:
        return "UTC"
    return calendar


def date_of(ns: int, zone: str) -> str:
    """The day that the clock of the zone shows."""
    return to_text(ns, zone=zone)[:DATE_CHARACTERS]


def clock_text(ns: int, zone: str) -> str:
    """A time for people: day, clock, offset."""
    return to_text(ns, zone=zone).replace("T", " ")


def moment(value: Time | datetime.time, zone: str, begin: int, end: int, field: str) -> int:
    """ns of a time as `to_ns` takes it, or of a day, or of a clock time on the tape's day."""
    text: Any = value.isoformat() if isinstance(value, datetime.time) else value
    if isinstance(text, str) and _DAY.fullmatch(text):
        text = f"{text}T00:00"
    elif isinstance(text, str) and _CLOCK.fullmatch(text):
        first, last = date_of(begin, zone), date_of(end, zone)
        if first != last:
            raise InputError(
                f"{shown(value)} could be on any day from {first} to {last}",
                where=f"the time given as {field}",
                do=f"Say the day too: '{first} {text}'.",
            )
        text = f"{first}T{'0' * (text[1] == ':')}{text}"  # 9:30 is 09:30
    # numpy's times are UTC, as those of frames and bars are.
    return to_ns(text, zone=None if isinstance(text, np.datetime64) else zone, field=field)
