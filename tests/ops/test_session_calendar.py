"""When a market is open, by its calendar: read for real, in the process that does so."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from hftlib.core.errors import InputError
from hftlib.core.times import to_ns
from hftlib.ops.session_calendar import asked, required, words

needs = pytest.mark.skipif(
    importlib.util.find_spec("exchange_calendars") is None, reason="no hftlib[calendar] here"
)


def utc(text):
    return to_ns(text, zone="UTC")


@needs
@pytest.mark.parametrize(
    ("at", "session", "begin", "end", "is_today"),
    [
        ("2026-11-25T15:00", "2026-11-25", "2026-11-25T14:30", "2026-11-25T21:00", True),
        ("2026-11-25T06:00", "2026-11-25", "2026-11-25T14:30", "2026-11-25T21:00", True),
        ("2026-11-25T21:00", "2026-11-27", "2026-11-27T14:30", "2026-11-27T18:00", False),
        ("2026-11-26T15:00", "2026-11-27", "2026-11-27T14:30", "2026-11-27T18:00", False),
        ("2026-11-27T17:59", "2026-11-27", "2026-11-27T14:30", "2026-11-27T18:00", True),
        ("2026-11-27T18:00", "2026-11-30", "2026-11-30T14:30", "2026-11-30T21:00", False),
        ("2026-07-01T14:00", "2026-07-01", "2026-07-01T13:30", "2026-07-01T20:00", True),
    ],
)
def test_days_holidays_early_closes_and_summers(at, session, begin, end, is_today):
    found = asked("XNAS", utc(at))
    assert found["session"] == session and found["is_today"] == is_today
    assert (found["open_ns"], found["close_ns"]) == (utc(begin), utc(end))


@needs
def test_a_day_without_a_session_says_when_the_next_is():
    with pytest.raises(InputError, match=r"XNAS is closed.*2026-11-27T09:30 to 13:00"):
        required("XNAS", utc("2026-11-26T15:00"))
    assert required("24/7", utc("2026-11-26T15:00"))["open_ns"] == utc("2026-11-26T00:00")
    overnight = required("CMES", utc("2026-11-22T23:30"))
    assert words(overnight) == "2026-11-22T17:00 to 2026-11-23T17:00 (America/Chicago)"
    with pytest.raises(InputError, match="'XNOPE' is no calendar here"):
        asked("XNOPE", utc("2026-11-26T00:00"))


def test_without_the_package_a_sentence_says_what_to_install(tmp_path):
    (tmp_path / "exchange_calendars.py").write_text("raise ImportError('none')")
    program = "import sys; sys.path.insert(0, '.'); from hftlib.ops.session_calendar import _read;"
    program += "print(_read('XNAS', 10**18)['do'])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "pip install 'hftlib[calendar]'" in done.stdout


def test_another_environment_may_know_the_calendar(tmp_path, monkeypatch):
    """A runner's own has no such package, on purpose."""
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("HFT_CALENDAR_PYTHON", str(other))
    assert asked("24/7", 1_795_780_000_000_000_000)["is_today"]
    assert "hftlib.ops.session_calendar 24/7" in (tmp_path / "asked").read_text()
