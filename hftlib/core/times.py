"""The door for times and durations: clocks and calendars at the edge, int64 nanoseconds inside.

Inside, a time is nanoseconds since 1970-01-01 in UTC and a duration is nanoseconds. Outside stand
ISO text, datetime, datetime64 and local clocks, which skip an hour in spring and repeat one in
autumn. Every way in is exact or refused: an hour read twice is an hour of trading in the wrong
place, and a datetime or a float would drop the last digits of a timestamp without a word.

    "2026-11-21 09:30:00.123456789"  in America/New_York
        --to_ns-->    1_795_271_400_123_456_789
        --to_text-->  "2026-11-21T09:30:00.123456789-05:00"

A value that names its own offset is taken at its word; `zone` is for the ones that name none. Zone
rules come from the host's zoneinfo files (or the tzdata package where it has none).

Worst case: some 10 µs a value, and milliseconds for the first use of a zone. int64 ends at
2262-04-11T23:47:16.854775807Z and begins at 1677-09-21T00:12:43.145224192Z.
"""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import (
    INT64_MAX,
    INT64_MIN,
    TEXT_CHARACTERS_MAX,
    as_int64,
    exact_fraction,
    is_whole,
    refusal,
    shown,
)

Time: TypeAlias = int | str | datetime | np.datetime64 | np.integer[Any]
Duration: TypeAlias = int | str | timedelta | np.timedelta64 | np.integer[Any]

_EPOCH = datetime(1970, 1, 1)
# The years that int64 nanoseconds reach; within them Python's calendar cannot overflow.
_YEAR_MIN, _YEAR_MAX = 1677, 2262

# numpy's units; Y and M are missing because calendar months and years have no fixed length.
_UNDER_A_MINUTE = ("as", "fs", "ps", "ns", "us", "ms", "s")
_NS_PER = {unit: Fraction(1000) ** power for power, unit in enumerate(_UNDER_A_MINUTE, -3)}
_SECONDS_PER = {"m": 60, "h": 3600, "D": 86_400, "W": 604_800}
_NS_PER |= {unit: Fraction(seconds * 10**9) for unit, seconds in _SECONDS_PER.items()}
_MONTHS_PER = {"M": 1, "Y": 12}
# The units people write. Micro has two signs that look alike: U+00B5 and the Greek U+03BC.
_WRITTEN = {"\u00b5s": "us", "\u03bcs": "us"} | {u: u for u in ("ns", "us", "ms", "s", "m", "h")}
# The units durations are shown in, each with how many of it make the next.
_SHOWN_SHORT = (("ns", "ns", 1000), ("us", "\u00b5s", 1000), ("ms", "ms", 1000))
_SHOWN = (*_SHOWN_SHORT, ("s", "s", 60), ("m", "m", 60), ("h", "h", INT64_MAX))

_TIME_TEXT = re.compile(
    r"(?P<minute>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2})"
    r"(?:(?P<second>:[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<offset>Z|[+-][0-9]{2}(?::?[0-5][0-9](?::[0-5][0-9])?)?)?"
)
_DURATION_TEXT = re.compile(
    rf"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)) ?(?P<unit>{'|'.join(_WRITTEN)})"
)
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
# Files that lie beside the zones: one set counts leap seconds, the others mean this very host.
_NOT_A_ZONE = ("right/", "localtime", "posixrules")


def to_ns(
    value: Time, *, zone: str | None = None, field: str = "time", fold: int | None = None
) -> int:
    """Nanoseconds since the epoch in UTC: of ISO text, datetime, datetime64, or themselves.

    `zone` is where the clock hangs that showed a value without an offset; datetime64 alone may do
    without, for numpy says it is UTC. Where that clock showed the value twice, `fold` says which
    time is meant, 0 the first or 1 the second, and has no say otherwise.
    """
    place = None if zone is None else zone_named(zone, field=f"the zone of {field}")
    if fold is not None and not (is_whole(fold) and fold in (0, 1)):
        what = f"{shown(fold)} is not a fold to read {shown(value)} with"
        raise refusal(what, field, "Give fold=0 for the first time the clock showed it, else 1.")
    if is_whole(value):
        return as_int64(value, field)
    if isinstance(value, str):
        ns = _of_text(value, place, field, fold)
    elif isinstance(value, np.datetime64):
        ns = _of_datetime64(value, place, field, fold)
    elif isinstance(value, datetime):
        ns = _of_datetime(value, place, field, fold)
    else:
        raise _wrong_type(value, field, "a time", "ISO text, a datetime, a datetime64")
    return _within_int64(ns, value, field)


def to_text(ns: int, *, zone: str = "UTC", field: str = "time") -> str:
    """ISO text with nine digits and the offset of `zone` at that time; `to_ns` takes it back."""
    seconds, nanos = divmod(as_int64(ns, field), 10**9)
    place = zone_named(zone, field=f"the zone of {field}")
    moment = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=UTC).astimezone(place)
    text = moment.isoformat()
    whole = len("2026-11-21T09:30:00")
    return f"{text[:whole]}.{nanos:09d}{text[whole:]}"


def to_datetime64(ns: int, *, field: str = "time") -> np.datetime64:
    """The same time for numpy, whose smallest int64 means no time at all and is refused."""
    whole = as_int64(ns, field)
    if whole == INT64_MIN:
        what = f"{whole} is numpy's not-a-time, not a time"
        raise refusal(what, field, "Look for a missing value that was filled with the least int64.")
    return np.datetime64(whole, "ns")


def duration_ns(value: Duration, *, field: str = "duration") -> int:
    """Nanoseconds of '250us', '1.5ms', '2s', '1m', '1h', timedelta, timedelta64, or themselves."""
    if is_whole(value):
        return as_int64(value, field)
    if isinstance(value, str):
        match = _DURATION_TEXT.fullmatch(value) if len(value) <= TEXT_CHARACTERS_MAX else None
        if match is None:
            do = "Write a number and its unit, one of ns, us, ms, s, m or h, as in '250us'."
            raise refusal(f"{shown(value)} does not read as a duration", field, do)
        ns = exact_fraction(match["number"], field) * _NS_PER[_WRITTEN[match["unit"]]]
    elif isinstance(value, np.timedelta64):
        ns = _counted(value, field)
    elif isinstance(value, timedelta):
        micros = (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds
        ns = Fraction(micros * 1000 + _pandas_nanos(value))
    else:
        raise _wrong_type(value, field, "a duration", "text such as '250us', a timedelta")
    return _within_int64(_whole_ns(ns, value, field), value, field)


def duration_text(ns: int, *, field: str = "duration") -> str:
    """A duration for people, to three digits and with its unit: '12.3 µs'."""
    whole, text = as_int64(ns, field), ""
    for unit, name, next_at in _SHOWN:
        amount = abs(whole) / _NS_PER[unit]
        hundredths = int(round(amount, 2 if amount < 10 else 1 if amount < 100 else 0) * 100)
        digits = f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".")
        text = f"{digits} {name}"
        if hundredths < next_at * 100:
            break
    return f"-{text}" if whole < 0 else text


def zone_named(name: str, *, field: str = "zone") -> tzinfo:
    """The time zone of that name. UTC needs no file, so the default works on a bare host."""
    near: list[str] = []
    if isinstance(name, str) and len(name) <= TEXT_CHARACTERS_MAX:
        if name == "UTC":
            return UTC
        if _ZONE_NAME.fullmatch(name) and not name.startswith(_NOT_A_ZONE):
            # A missing file, a directory, a file of another kind: all the same refusal.
            with contextlib.suppress(KeyError, ValueError, OSError, ImportError):
                return ZoneInfo(name)
            near = get_close_matches(name, sorted(available_timezones()), n=1)
    do = f"Did you mean {near[0]!r}?" if near else "Write it as in 'America/New_York' or 'UTC'."
    raise refusal(f"{shown(name)} is not the name of a time zone this host knows", field, do)


def _of_text(text: str, place: tzinfo | None, field: str, fold: int | None) -> int:
    match = _TIME_TEXT.fullmatch(text) if len(text) <= TEXT_CHARACTERS_MAX else None
    if match is None:
        do = "Write it as '2026-11-21T09:30:00.123456789Z': day, time, at most nine digits, offset."
        raise refusal(f"{shown(text)} does not read as a time", field, do)
    try:
        second, offset = match["second"] or "", match["offset"] or ""
        stamp = datetime.fromisoformat(match["minute"] + second + offset)
    except ValueError as error:
        do = "Give a time that clocks show; a leap second has no nanosecond of its own."
        raise refusal(f"{shown(text)} is no time of any day: {error}", field, do) from None
    nanos = int((match["fraction"] or "").ljust(9, "0"))
    return _ns_of(stamp, nanos, place, field, fold, text)


def _of_datetime64(value: np.datetime64, place: tzinfo | None, field: str, fold: int | None) -> int:
    ns = _within_int64(_whole_ns(_counted(value, field), value, field), value, field)
    if place is None:
        return ns
    seconds, nanos = divmod(ns, 10**9)
    return _ns_of(_EPOCH + timedelta(seconds=seconds), nanos, place, field, fold, value)


def _of_datetime(value: datetime, place: tzinfo | None, field: str, fold: int | None) -> int:
    if value != value:  # pandas calls its NaT a datetime
        raise _not_a_time(value, field)
    # A plain copy, because pandas' Timestamp has its own arithmetic.
    stamp = datetime.combine(value.date(), value.time().replace(microsecond=0), value.tzinfo)
    nanos = value.microsecond * 1000 + _pandas_nanos(value)
    # Nobody sets fold to 1 by accident, so on a datetime it is an answer; 0 is only the default.
    if fold is None and value.fold:
        fold = value.fold
    return _ns_of(stamp, nanos, place, field, fold, value)


def _ns_of(
    stamp: datetime, nanos: int, place: tzinfo | None, field: str, fold: int | None, given: object
) -> int:
    """When the clock at `place`, or the stamp's own, showed `stamp`, a whole second, plus nanos."""
    if not _YEAR_MIN <= stamp.year <= _YEAR_MAX:
        raise _beyond(given, field)
    try:
        own = stamp.tzinfo if stamp.utcoffset() is not None else None
        clock, folds = (place, (0, 1)) if own is None else (own, (stamp.fold,))
        moments = [] if clock is None else _moments(stamp, clock, folds)
    except Exception as error:  # a tzinfo is anybody's code
        what = f"the tzinfo of {shown(given)} fails with {type(error).__name__}"
        raise refusal(what, field, "Use zoneinfo.ZoneInfo, or pass the time as text.") from error
    if clock is None:
        do = "Pass zone='America/New_York' or the like, or write its offset with it."
        raise refusal(f"{shown(given)} does not say in which time zone it is", field, do)
    where = str(clock) if isinstance(clock, ZoneInfo) else shown(clock)
    if not moments:
        what = f"{shown(given)} never was: the clocks of {where} skip it"
        do = "Correct it; with pytz, let zone.localize set the tzinfo."
        raise refusal(what, field, do)
    if len(moments) > 1 and fold is None:
        what = f"{shown(given)} was twice: the clocks of {where} were set back over it"
        do = "Pass fold=0 for the first time or fold=1 for the second, or write its offset."
        raise refusal(what, field, do)
    moment = moments[fold or 0] if len(moments) > 1 else moments[0]
    micros = (moment - _EPOCH.replace(tzinfo=UTC)) // timedelta(microseconds=1)
    return micros * 1000 + nanos


def _moments(stamp: datetime, clock: tzinfo, folds: tuple[int, ...]) -> list[datetime]:
    """The moments, first one first, at which `clock` shows `stamp`."""
    wall = stamp.replace(tzinfo=None)
    found: list[datetime] = []
    for fold in folds:
        moment = stamp.replace(tzinfo=clock, fold=fold).astimezone(UTC)
        # In a skipped hour Python answers with a neighbour, which the way back betrays.
        if moment.astimezone(clock).replace(tzinfo=None) == wall and moment not in found:
            found.append(moment)
    return found


def _counted(value: np.datetime64 | np.timedelta64, field: str) -> Fraction:
    """Nanoseconds in a numpy time or duration of any unit."""
    if np.isnat(value):
        raise _not_a_time(value, field)
    unit, step = np.datetime_data(value.dtype)
    ticks = int(value.astype(np.int64)) * step
    if unit in _NS_PER:
        return ticks * _NS_PER[unit]
    if unit not in _MONTHS_PER or isinstance(value, np.timedelta64):
        do = "Give it in one of the units from weeks to nanoseconds."
        raise refusal(f"{shown(value)} has no unit of fixed length", field, do)
    years, months = divmod(ticks * _MONTHS_PER[unit], 12)
    if not _YEAR_MIN <= 1970 + years <= _YEAR_MAX:
        raise _beyond(value, field)
    return (datetime(1970 + years, 1 + months, 1) - _EPOCH).days * _NS_PER["D"]


def _pandas_nanos(value: datetime | timedelta) -> int:
    # pandas adds what datetime and timedelta lack; to leave it out would be wrong in silence.
    name = "nanosecond" if isinstance(value, datetime) else "nanoseconds"
    return int(getattr(value, name, 0))


def _whole_ns(ns: Fraction, given: object, field: str) -> int:
    if ns.denominator == 1:
        return ns.numerator
    do = "Round it to whole nanoseconds first."
    raise refusal(f"{shown(given)} is not a whole number of nanoseconds", field, do)


def _within_int64(ns: int, given: object, field: str) -> int:
    if INT64_MIN <= ns <= INT64_MAX:
        return ns
    raise _beyond(given, field)


def _beyond(given: object, field: str) -> InputError:
    do = "Stay within 292 years: of 1970 for a time, in all for a duration."
    return refusal(f"{shown(given)} does not fit into int64 nanoseconds", field, do)


def _not_a_time(given: object, field: str) -> InputError:
    do = "Drop the record, or fill the time in before it comes here."
    return refusal(f"{shown(given)} is not a time", field, do)


def _wrong_type(value: object, field: str, kind: str, wanted: str) -> InputError:
    why = ""
    if isinstance(value, float | np.floating):
        why = "; a float64 holds time since the epoch only in steps of 256 ns"
    what = f"{shown(value)}, a {type(value).__name__}, is not taken as {kind}{why}"
    return refusal(what, field, f"Give {wanted} or an int of nanoseconds.")
