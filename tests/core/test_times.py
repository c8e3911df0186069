"""Times and durations are exact or refused: round trips over clock changes, a slow twin, limits."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.core.times import (
    duration_ns,
    duration_text,
    to_datetime64,
    to_ns,
    to_text,
    zone_named,
)
from hftlib.core.units import INT64_MAX, INT64_MIN, shown

SECOND = 10**9
HOUR = 3600 * SECOND
NEW_YORK = "America/New_York"
# Clock changes in spring and autumn, half an hour of it, a quarter-hour zone, a skipped day.
ZONES = (NEW_YORK, "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC")
CHANGES = (
    "2026-03-08T07:00:00Z",  # New York, spring
    "2026-11-01T06:00:00Z",  # New York, autumn
    "2026-03-29T01:00:00Z",  # London, spring
    "2026-10-25T01:00:00Z",  # London, autumn
    "2026-04-04T15:00:00Z",  # Lord Howe, autumn, by half an hour
    "2026-10-03T15:30:00Z",  # Lord Howe, spring
    "2011-12-30T10:00:00Z",  # Apia goes to the other side of the date line
    "1883-11-18T17:00:00Z",  # New York leaves local mean time, four minutes off
    "2100-11-07T06:00:00Z",  # New York, autumn, by rule and not from the table
)

zones = st.sampled_from(ZONES)
anywhere = st.integers(INT64_MIN, INT64_MAX)
near_changes = st.builds(
    lambda change, offset: to_ns(change) + offset,
    st.sampled_from(CHANGES),
    st.integers(-3 * HOUR, 3 * HOUR) | st.sampled_from([-HOUR, -1, 0, 1, HOUR - 1, HOUR]),
)
times = near_changes | anywhere


def clock_at(seconds: int, zone: str) -> int:
    """What the clocks of `zone` show at a time, both in seconds since 1970."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return seconds + offset.days * 86_400 + offset.seconds


def slow_moments(wall: int, zone: str) -> list[int]:
    """The twin of the clock rule: every offset in use within two days around is tried."""
    around = range(wall - 2 * 86_400, wall + 2 * 86_400, 900)
    offsets = {clock_at(seconds, zone) - seconds for seconds in around}
    return sorted(wall - offset for offset in offsets if clock_at(wall - offset, zone) == wall)


def refused(call: Any, *parts: str) -> InputError:
    with pytest.raises(InputError) as caught:
        call()
    for part in parts:
        assert part in str(caught.value), f"{part!r} is missing in {caught.value}"
    return caught.value


# --- there and back -----------------------------------------------------------------------------


@settings(deadline=None, max_examples=500)
@given(times, zones)
@example(INT64_MIN, NEW_YORK)
@example(INT64_MAX, "Asia/Kathmandu")
def test_text_comes_back(ns: int, zone: str) -> None:
    text = to_text(ns, zone=zone)
    assert to_ns(text) == ns
    assert to_ns(text, zone="Asia/Tokyo") == ns  # the offset in the text has the say
    assert to_text(to_ns(text), zone=zone) == text
    assert len(text[: text.rindex(text[29])]) == 29  # nine digits, always


@settings(deadline=None, max_examples=500)
@given(times, zones)
def test_local_text_agrees_with_the_twin(ns: int, zone: str) -> None:
    wall, nanos = divmod(ns, SECOND)
    shown_by_clock = f"{datetime(1970, 1, 1) + timedelta(seconds=wall)}.{nanos:09d}"
    answers = [seconds * SECOND + nanos for seconds in slow_moments(wall, zone)]
    if any(not INT64_MIN <= answer <= INT64_MAX for answer in answers):
        refused(lambda: to_ns(shown_by_clock, zone=zone), shown_by_clock, "int64")
    elif not answers:
        refused(lambda: to_ns(shown_by_clock, zone=zone), shown_by_clock, "never was", zone)
        refused(lambda: to_ns(shown_by_clock, zone=zone, fold=1), shown_by_clock, "never was")
    elif len(answers) == 1:
        assert [to_ns(shown_by_clock, zone=zone, fold=fold) for fold in (None, 0, 1)] == answers * 3
    else:
        refused(lambda: to_ns(shown_by_clock, zone=zone), shown_by_clock, "was twice", zone)
        assert [to_ns(shown_by_clock, zone=zone, fold=fold) for fold in (0, 1)] == answers


@settings(deadline=None)
@given(times.map(lambda ns: ns // 1000 * 1000).filter(lambda ns: ns > INT64_MIN), zones)
def test_every_kind_of_time_agrees(ns: int, zone: str) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)
    local = moment.astimezone(ZoneInfo(zone))
    assert to_ns(moment) == to_ns(local) == to_ns(local.isoformat()) == to_ns(ns) == ns
    assert to_ns(local.replace(tzinfo=None), zone=zone, fold=local.fold) == ns
    naive = local.replace(tzinfo=None, fold=0)
    assert to_ns(naive, zone=zone, fold=local.fold) == ns
    assert to_ns(str(naive), zone=zone, fold=local.fold) == ns
    assert to_ns(np.datetime64(naive, "us"), zone=zone, fold=local.fold) == ns


@given(anywhere.filter(lambda ns: ns != INT64_MIN))
def test_datetime64_comes_back(ns: int) -> None:
    stamp = to_datetime64(ns)
    assert stamp.dtype == "M8[ns]"
    assert to_ns(stamp) == to_ns(ns) == to_ns(np.int64(ns)) == ns
    assert to_ns(str(stamp), zone="UTC") == ns


# --- times ----------------------------------------------------------------------------------------


def test_the_example_of_the_module() -> None:
    ns = to_ns("2026-11-21 09:30:00.123456789", zone=NEW_YORK)
    assert ns == 1_795_271_400_123_456_789
    assert to_text(ns, zone=NEW_YORK) == "2026-11-21T09:30:00.123456789-05:00"
    assert to_text(ns) == "2026-11-21T14:30:00.123456789+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T14:30:00Z",
        "2026-11-21T14:30Z",
        "2026-11-21 14:30:00.000000000Z",
        "2026-11-21T09:30:00-05:00",
        "2026-11-21T09:30:00.0-0500",
        "2026-11-21T09:30-05",
        "2026-11-21T20:15:00+05:45",
        "2026-11-21T09:33:58-04:56:02",
        "2026-11-21T14:30:00-00:00",
    ],
)
def test_ways_to_write_one_time(text: str) -> None:
    assert to_ns(text) == 1_795_271_400 * SECOND


NOT_ISO = ["", "now", "2026", "2026-11-21", "2026-11-21T", "2026-11-21T14", "09:30:00", "nan"]
NOT_ISO += ["2026-11-21T14:30.5Z", "2026-11-21T14:30:00.Z", "2026-11-21T14:30:00,5Z", "2" * 999]
NOT_ISO += ["2026-11-21T14:30:00.1234567890Z", "2026-11-21t14:30z", " 2026-11-21T14:30Z", "\ud800"]
NOT_ISO += ["2026-11-21T14:30Z\n", "20261121T143000Z", "2026-W47-6T14:30Z", "+2026-11-21T14:30Z"]
NOT_ISO += ["2026-11-21T14:30+5", "2026-11-21T14:30+05:60", "\u0662026-11-21T14:30Z", "1795271400"]


@pytest.mark.parametrize("text", NOT_ISO)
def test_garbage_text_is_refused(text: str) -> None:
    told = ("the value given as start", shown(text)[:20], "does not read as a time", "offset")
    refused(lambda: to_ns(text, field="start", zone="UTC"), *told)


NO_SUCH_TIME = ["2026-02-30T00:00Z", "2026-13-01T00:00Z", "2026-01-01T24:00Z", "0000-01-01T00:00Z"]
NO_SUCH_TIME += ["2016-12-31T23:59:60Z", "2026-01-01T00:60Z", "2026-01-01T00:00+24:00"]


@pytest.mark.parametrize("text", NO_SUCH_TIME)
def test_days_and_hours_that_are_none_are_refused(text: str) -> None:
    refused(lambda: to_ns(text, field="start"), shown(text), "start", "no time of any day")


def test_a_leap_second_is_told_apart() -> None:
    refused(lambda: to_ns("2016-12-31T23:59:60Z"), "leap second", "0..59")


def test_the_hour_that_is_skipped() -> None:
    for value in (
        "2026-03-08 02:30:00",
        datetime(2026, 3, 8, 2, 30),
        np.datetime64("2026-03-08T02:30"),
    ):
        told = (shown(value), "open", "never was", NEW_YORK)
        refused(lambda given=value: to_ns(given, zone=NEW_YORK, field="open"), *told)
        refused(lambda given=value: to_ns(given, zone=NEW_YORK, field="open", fold=1), *told)
    aware = datetime(2026, 3, 8, 2, 30, tzinfo=ZoneInfo(NEW_YORK))
    refused(lambda: to_ns(aware, field="open"), shown(aware), "open", "never was", NEW_YORK)
    refused(lambda: to_ns("2011-12-30 12:00", zone="Pacific/Apia"), "never was", "Pacific/Apia")


def test_the_hour_that_comes_twice() -> None:
    first, second = to_ns("2026-11-01T01:30:00-04:00"), to_ns("2026-11-01T01:30:00-05:00")
    assert second - first == HOUR
    for value in (
        "2026-11-01 01:30:00",
        datetime(2026, 11, 1, 1, 30),
        np.datetime64("2026-11-01T01:30"),
    ):
        told = (shown(value), "open", "was twice", NEW_YORK, "fold=0")
        refused(lambda given=value: to_ns(given, zone=NEW_YORK, field="open"), *told)
        assert to_ns(value, zone=NEW_YORK, fold=0) == first
        assert to_ns(value, zone=NEW_YORK, fold=1) == second
    late = datetime(2026, 11, 1, 1, 30, fold=1)
    assert to_ns(late, zone=NEW_YORK) == second
    assert to_ns(late, zone=NEW_YORK, fold=0) == first
    for fold, answer in ((0, first), (1, second)):
        assert to_ns(datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo(NEW_YORK), fold=fold)) == answer


def test_the_last_and_first_nanosecond_around_a_change() -> None:
    last = to_ns("2026-03-08 01:59:59.999999999", zone=NEW_YORK)
    assert to_ns("2026-03-08 03:00:00", zone=NEW_YORK) == last + 1
    assert to_text(last, zone=NEW_YORK) == "2026-03-08T01:59:59.999999999-05:00"
    assert to_text(last + 1, zone=NEW_YORK) == "2026-03-08T03:00:00.000000000-04:00"


@pytest.mark.parametrize("fold", [2, -1, True, "0", 0.0, None])
def test_a_fold_is_zero_or_one(fold: Any) -> None:
    told = ("2026-11-01T01:30", "open", "fold=0")
    call = lambda: to_ns("2026-11-01T01:30", zone=NEW_YORK, fold=fold, field="open")  # noqa: E731
    refused(call, *told)


def test_a_naive_time_needs_a_zone() -> None:
    for value in ("2026-11-21T09:30", datetime(2026, 11, 21, 9, 30)):
        told = (shown(value), "open", "time zone", "zone='America/New_York'")
        refused(lambda given=value: to_ns(given, field="open"), *told)


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (np.datetime64("1970-01-01T00:00:00.000000001"), 1),
        (np.datetime64("1970-01-01T00:00:00.000000001000", "fs"), 1),
        (np.datetime64("1970-01-01", "as"), 0),
        (np.datetime64("1969-12-31"), -24 * HOUR),
        (np.datetime64("1970-01-08", "W"), 7 * 24 * HOUR),
        (np.datetime64("1972-03", "M"), (365 * 2 + 31 + 29) * 24 * HOUR),
        (np.datetime64("1969", "Y"), -365 * 24 * HOUR),
        (np.array([3], dtype="M8[25s]")[0], 75 * SECOND),
        (np.array([3], dtype=">M8[s]")[0], 3 * SECOND),
    ],
)
def test_datetime64_of_any_unit(value: np.datetime64, ns: int) -> None:
    assert to_ns(value) == ns


def test_datetime64_is_utc_unless_a_zone_is_given() -> None:
    stamp = np.datetime64("2026-11-21T09:30")
    assert to_ns(stamp) == to_ns("2026-11-21T09:30Z")
    assert to_ns(stamp, zone=NEW_YORK) == to_ns("2026-11-21T09:30-05:00")


def test_datetime64_that_cannot_be_exact_is_refused() -> None:
    refused(lambda: to_ns(np.datetime64("NaT"), field="open"), "NaT", "open", "not a time")
    fine = np.datetime64("1970-01-01T00:00:00.0000000001")
    refused(lambda: to_ns(fine, field="open"), "open", "whole number of nanoseconds")
    for unit in ("Y", "M", "W", "D", "s", "us"):
        for far in (INT64_MAX, -INT64_MAX):
            stamp = np.datetime64(far, unit)
            refused(lambda value=stamp: to_ns(value, field="open"), "open", "not fit into int64")


def test_the_limits_of_int64() -> None:
    assert to_text(INT64_MIN) == "1677-09-21T00:12:43.145224192+00:00"
    assert to_text(INT64_MAX) == "2262-04-11T23:47:16.854775807+00:00"
    for limit, beyond in ((INT64_MAX, INT64_MAX + 1), (INT64_MIN, INT64_MIN - 1)):
        assert to_ns(limit) == to_ns(to_text(limit)) == limit
        assert duration_ns(limit) == duration_ns(f"{limit}ns") == limit
        for call in (to_ns, to_text, to_datetime64, duration_ns, duration_text):
            refused(lambda method=call, over=beyond: method(over, field="x"), str(beyond), "x")
        refused(lambda over=beyond: duration_ns(f"{over}ns", field="x"), str(beyond), "x")
    for text in ("1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z"):
        refused(lambda given=text: to_ns(given, field="open"), text, "open", "int64")
    for text in ("0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "2263-01-01T00:00Z"):
        refused(lambda given=text: to_ns(given, field="open"), text, "open", "int64")
        naive = datetime.fromisoformat(text).replace(tzinfo=None)
        refused(lambda given=naive: to_ns(given, zone=NEW_YORK), "time", "int64")


def test_numpy_has_no_least_time() -> None:
    refused(lambda: to_datetime64(INT64_MIN, field="open"), str(INT64_MIN), "open", "not-a-time")
    assert to_ns(to_datetime64(INT64_MIN + 1)) == INT64_MIN + 1


class Broken(tzinfo):
    """A time zone that cannot say its offset."""


class Silent(tzinfo):
    """A time zone that declines to say its offset, which by Python's rules makes a time naive."""

    def utcoffset(self, moment: datetime | None, /) -> None:
        return None


def test_time_zones_of_strangers() -> None:
    odd = timezone(timedelta(hours=5, microseconds=7))
    assert to_ns(datetime(1970, 1, 1, 5, 0, 0, 8, tzinfo=odd)) == 1000
    broken = datetime(2026, 11, 21, 9, 30, tzinfo=Broken())
    refused(lambda: to_ns(broken, field="open"), "open", "tzinfo", "NotImplementedError")
    silent = datetime(2026, 11, 21, 9, 30, tzinfo=Silent())
    refused(lambda: to_ns(silent, field="open"), "open", "time zone", "zone=")
    assert to_ns(silent, zone="UTC") == to_ns("2026-11-21T09:30Z")


def test_pytz_zones_set_by_hand_are_caught() -> None:
    pytz = pytest.importorskip("pytz")
    zone = pytz.timezone(NEW_YORK)
    good = zone.localize(datetime(2026, 11, 21, 9, 30))
    assert to_ns(good) == to_ns("2026-11-21T09:30-05:00")
    wrong = datetime(2026, 11, 21, 9, 30, tzinfo=zone)  # four minutes off, by local mean time
    refused(lambda: to_ns(wrong, field="open"), "open", "never was", "localize")


class Stamp(datetime):
    """What pandas' Timestamp is: a datetime with three digits more."""

    nanosecond = 789


class Span(timedelta):
    """What pandas' Timedelta is."""

    nanoseconds = 789


def test_the_nanoseconds_of_pandas_are_not_lost() -> None:
    assert to_ns(Stamp(1970, 1, 1, microsecond=1, tzinfo=UTC)) == 1789
    assert to_ns(Stamp(1970, 1, 1, microsecond=1), zone="UTC") == 1789
    assert duration_ns(Span(microseconds=1)) == 1789


def test_pandas_itself() -> None:
    pandas = pytest.importorskip("pandas")
    for text in ("2026-11-01T01:30:00.123456789-05:00", "2026-11-01T01:30:00.123456789-04:00"):
        stamp = pandas.Timestamp(text).tz_convert(NEW_YORK)
        assert to_ns(stamp) == stamp.value == to_ns(text)
    assert duration_ns(pandas.Timedelta(-1234567, "ns")) == -1234567
    refused(lambda: to_ns(pandas.NaT, field="open"), "NaT", "open")
    refused(lambda: duration_ns(pandas.NaT, field="open"), "NaT", "open")


def test_floats_are_refused_with_the_reason() -> None:
    for value in (1.795e18, np.float64(1.5), np.float32(1), float("nan")):
        refused(lambda given=value: to_ns(given, field="open"), shown(value), "open", "256 ns")
        refused(lambda given=value: duration_ns(given, field="lag"), shown(value), "lag")


NOT_TIMES = [
    True,
    None,
    b"2026-11-21T09:30Z",
    date(2026, 11, 21),
    [],
    1j,
    object(),
    np.True_,
    Fraction(1),
]


@pytest.mark.parametrize("value", [*NOT_TIMES, np.timedelta64(1, "s"), timedelta(1), np.array(1)])
def test_other_types_are_no_times(value: Any) -> None:
    refused(lambda: to_ns(value, field="open"), type(value).__name__, "open", "datetime64")
    for call in (to_text, to_datetime64, duration_text):
        refused(lambda method=call: method(value, field="x"), shown(value), "x", "whole number")


@pytest.mark.parametrize("value", [*NOT_TIMES, np.datetime64(1, "s"), time.struct_time(range(9))])
def test_other_types_are_no_durations(value: Any) -> None:
    refused(lambda: duration_ns(value, field="lag"), type(value).__name__, "lag", "250us")


# --- zones ----------------------------------------------------------------------------------------


NO_ZONES = ["", " ", "Nowhere", "America", "America/", "/etc/passwd", "../../etc/passwd", "utc+1"]
NO_ZONES += ["America/../UTC", "zone.tab", "tzdata.zi", "tzdata", "UTC\x00", "\ud800", "."]
NO_ZONES += [
    "localtime",
    "posixrules",
    "right/UTC",
    "America/New_York\n",
    "A" * 300,
    "A/" * 60 + "A",
]
NOT_NAMES = [None, 1, True, b"UTC", [], UTC, np.array(["UTC", "UTC"]), ZoneInfo("UTC")]


@pytest.mark.parametrize("name", [*NO_ZONES, *NOT_NAMES])
def test_a_zone_needs_its_name(name: Any) -> None:
    refused(lambda: zone_named(name, field="venue"), "venue", "time zone")
    if name is not None:
        for value in (0, "2026-11-21T09:30Z", np.datetime64(0, "s")):
            refused(lambda given=value: to_ns(given, zone=name, field="open"), "the zone of open")
    refused(lambda: to_text(0, zone=name, field="open"), "the zone of open", shown(name))


def test_a_misspelt_zone_gets_a_hint() -> None:
    refused(lambda: zone_named("America/NewYork"), "'America/NewYork'", f"mean {NEW_YORK!r}")
    refused(lambda: zone_named("Mars/Phobos"), "'Mars/Phobos'", "Write it as in")


def test_utc_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftlib.core.times.ZoneInfo", None)
    assert to_text(0) == "1970-01-01T00:00:00.000000000+00:00"
    assert zone_named("UTC") is UTC


# --- durations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        ("250us", 250_000),
        ("250 \u00b5s", 250_000),
        ("250\u03bcs", 250_000),
        ("1.5ms", 1_500_000),
        ("2s", 2 * SECOND),
        ("1m", 60 * SECOND),
        ("1h", HOUR),
        ("0.000000001s", 1),
        (".5h", HOUR // 2),
        ("1.s", SECOND),
        ("-3ns", -3),
        ("+3ns", 3),
        (7, 7),
        (np.uint8(7), 7),
        (timedelta(days=-1, microseconds=1), -24 * HOUR + 1000),
        (np.timedelta64(3, "W"), 21 * 24 * HOUR),
        (np.timedelta64(-1500, "ps") * 2, -3),
        (np.array([2], dtype="m8[25us]")[0], 50_000),
    ],
)
def test_durations(value: Any, ns: int) -> None:
    assert duration_ns(value) == ns


GARBAGE = [
    "",
    "250",
    "us",
    "1.5",
    "1 d",
    "1.2.3ms",
    "1e3us",
    "1 000us",
    "1  us",
    " 1us",
    "1us ",
    "1US",
]
GARBAGE += [
    "1min",
    "--1us",
    "nan s",
    "inf s",
    "1/2s",
    "\u0661us",
    "1us\n",
    "9" * 200 + "s",
    "\ud800",
]


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_durations_are_refused(text: str) -> None:
    told = ("the value given as lag", shown(text)[:20], "ns, us, ms, s, m or h")
    refused(lambda: duration_ns(text, field="lag"), *told)


@pytest.mark.parametrize(
    "value", ["0.5ns", "1.0001us", "0.0000000000001h", np.timedelta64(1, "ps")]
)
def test_parts_of_a_nanosecond_are_refused(value: Any) -> None:
    refused(lambda: duration_ns(value, field="lag"), shown(value), "lag", "whole number of nano")


def test_durations_without_a_length_are_refused() -> None:
    for value in (np.timedelta64(1, "M"), np.timedelta64(1, "Y"), np.timedelta64(1)):
        refused(lambda given=value: duration_ns(given, field="lag"), shown(value), "lag", "length")
    refused(lambda: duration_ns(np.timedelta64("NaT"), field="lag"), "NaT", "lag")
    for long in (timedelta.max, timedelta.min, np.timedelta64(INT64_MAX, "s"), "1e18h", "9999999h"):
        told = ("lag",) if long == "1e18h" else ("lag", "int64")
        refused(lambda given=long: duration_ns(given, field="lag"), shown(long), *told)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1000, "1 \u00b5s"),
        (12_345, "12.3 \u00b5s"),
        (-12_345, "-12.3 \u00b5s"),
        (1_234, "1.23 \u00b5s"),
        (995_000, "995 \u00b5s"),
        (999_499, "999 \u00b5s"),
        (999_500, "1 ms"),
        (1_500_000, "1.5 ms"),
        (2 * SECOND, "2 s"),
        (59_940_000_000, "59.9 s"),
        (59_960_000_000, "1 m"),
        (90 * SECOND, "1.5 m"),
        (59 * 60 * SECOND + 59 * SECOND, "1 h"),
        (HOUR, "1 h"),
        (1000 * HOUR, "1000 h"),
        (INT64_MAX, "2562048 h"),
        (INT64_MIN, "-2562048 h"),
    ],
)
def test_durations_for_people(ns: int, text: str) -> None:
    assert duration_text(ns) == text


@given(st.integers(-(2**62), 2**62) | st.integers(-(10**7), 10**7))
def test_a_shown_duration_reads_back_to_three_digits(ns: int) -> None:
    back = Fraction(duration_text(ns).split()[0])
    assert abs(duration_ns(duration_text(ns)) - ns) * 200 <= abs(ns), back


# --- anything at all ------------------------------------------------------------------------------


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


anything = st.one_of(
    st.text(),
    st.binary(),
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones(), allow_imaginary=True),
    st.timedeltas(),
    st.builds(np.datetime64, anywhere, st.sampled_from(["Y", "M", "W", "D", "s", "ns", "as"])),
    st.builds(np.timedelta64, anywhere, st.sampled_from(["Y", "M", "W", "D", "s", "ns", "as"])),
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-9:.]{5,18}([-+Z][0-9:]{0,8})?", fullmatch=True
    ),
    st.from_regex(r"[-+]?[0-9.]{0,9} ?[a-z\u00b5]{0,2}", fullmatch=True),
    st.from_regex(r"[A-Za-z./_+-]{0,20}", fullmatch=True),
    st.sampled_from([object(), Unshowable(), 10**5000, np.ones(2), ..., "UTC", NEW_YORK]),
)


@settings(deadline=None, max_examples=500)
@given(anything, anything, anything)
def test_only_input_error_ever_escapes(value: Any, zone: Any, fold: Any) -> None:
    calls = (
        lambda: to_ns(value),
        lambda: to_ns(value, zone=NEW_YORK),
        lambda: to_ns(value, zone=zone, fold=fold),
        lambda: to_text(value, zone=zone),
        lambda: to_text(0, zone=zone),
        lambda: to_datetime64(value),
        lambda: duration_ns(value),
        lambda: duration_text(value),
        lambda: zone_named(value),
    )
    for call in calls:
        try:
            call()
        except InputError as error:
            assert error.what and error.where and error.do
