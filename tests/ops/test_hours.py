"""A runner within its hours: nothing leaves before the open, the day ends before the close."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import ClassVar

import pytest
from floor_trial import Resumed, Trial, killed, trade

from hftlib.core import clock
from hftlib.core.errors import InputError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import about, replay
from hftlib.ops import hours as room
from hftlib.ops.hours import Hours, hours_of
from hftlib.ops.launching import laid
from hftlib.ops.showing import worries
from hftlib.ops.status import status

S = 10**9
needs = pytest.mark.skipif(
    importlib.util.find_spec("exchange_calendars") is None, reason="no hftlib[calendar] here"
)


def told(opens_s, closes_s=3_600.0):
    """Plain times, so far from now."""
    now = clock.now_ns()
    named = {"calendar": "XNAS", "session": "today"}
    times = {"open_ns": opens_s, "close_ns": closes_s, "end_ns": closes_s - 60.0}
    return named | {name: now + round(s * S) for name, s in times.items()}


def begun(floor, folder, given):
    """A runner that is held from its first frame on, if it is before its hours."""

    class Timed(Trial):
        hours: ClassVar = {"hours": given}

    trial = Timed(floor, folder)
    hours = Hours(trial.runner)
    trial.runner.start()
    floor.until(lambda: trial.runner.live.gateway(0)["state"] == 3)
    floor.until(lambda: trial.runner.live.sequencers[0].state == "LIVE")
    return trial, hours


def firm(trial):
    return status(trial.runner)["scopes"][0]["state"]


def open_now(hours):
    hours._hours["open_ns"] = hours.now


def test_before_the_open_nothing_leaves_and_after_it_orders_do(floor, tmp_path):
    trial, hours = begun(floor, tmp_path / "day.journal", told(3_600.0, 7_200.0))
    trade(floor, 10)
    hours.turn()
    assert hours.is_held and firm(trial) == "halted" and trial.counts("commands") == 0
    assert any("held until XNAS opens" in one for one in worries(status(trial.runner)))
    open_now(hours)
    hours.turn()
    assert not hours.is_held
    assert not any("held until" in one for one in worries(status(trial.runner)))
    trade(floor, 40, lambda: trial.counts("commands") > 0)
    assert firm(trial) == "active" and trial.counts("commands") > 0
    trial.runner.stop()
    assert about(trial.folder)["hours"]["calendar"] == "XNAS"
    said = [one for one in frames(trial.folder) if one.kind == kinds.DIRECTIVE]
    assert len(said) == 2 and b"XNAS is closed" in said[0].payload
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference


def test_a_person_that_halts_before_the_open_has_the_last_word(floor, tmp_path):
    from hftlib.ops.obeying import obey

    trial, hours = begun(floor, tmp_path / "day.journal", told(3_600.0, 7_200.0))
    obey(trial.runner, {"do": "halt", "scope": "firm", "who": "ann", "why": "not today"})
    open_now(hours)
    hours.turn()
    trade(floor, 10)
    assert firm(trial) == "halted" and trial.counts("commands") == 0


def test_a_runner_that_was_killed_before_the_open_waits_for_it_again(floor, tmp_path):
    trial, _hours = begun(floor, tmp_path / "day.journal", told(3_600.0, 7_200.0))
    trade(floor, 3)
    again = Resumed(floor, killed(trial))
    hours = Hours(again.runner, again.recovery)
    again.runner.start()
    floor.until(lambda: "XNAS opens at" in again.recovery.told)
    trade(floor, 10)
    hours.turn()
    assert firm(again) == "halted" and again.counts("commands") == 0
    open_now(hours)
    trade(floor, 40, lambda: again.counts("commands") > 0)
    assert again.counts("commands") > 0
    again.runner.stop()
    found = replay(again.folder, laid)
    assert found.is_identical, found.difference


def test_within_its_hours_it_is_not_held_and_ends_in_time(floor, tmp_path):
    trial, hours = begun(floor, tmp_path / "day.journal", told(-60.0, 100.0))
    assert not hours.is_held and firm(trial) == "active"
    assert 0 < hours.seconds() < 40.0 and hours.seconds(5.0) == 5.0
    assert hours.seconds(1_000.0) < 40.0
    hours._hours["end_ns"] = hours.now - S
    assert hours.seconds() == 1e-3, "it ends at once, not never"
    hours._hours = {}
    assert hours.seconds() == 0.0 and hours.seconds(7.0) == 7.0


@needs
def test_a_calendar_gives_plain_times_or_refuses():
    assert hours_of("", 60.0) == {}
    found = hours_of("24/7", 60.0)
    assert found["close_ns"] - found["end_ns"] == 60 * S
    with pytest.raises(InputError, match="the day ends before that"):
        hours_of("24/7", 2 * 86_400.0)
    assert room.WHO == "calendar"


@needs
def test_a_runner_with_a_calendar_as_a_process(floor, tmp_path, monkeypatch):
    """It loads no pandas: what it knows of the calendar are two plain times."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    program = (
        "import sys; from hftlib.cli import main\ntry: main()\n"
        "finally: print(sorted({'pandas', 'exchange_calendars'} & set(sys.modules)))"
    )
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    given += ["--calendar", "24/7", "--seconds", "1", "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *given], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as runner:
        floor.until(lambda: runner.poll() is not None, 300)
        assert runner.stdout is not None and runner.stdout.readlines()[-1].strip() == "[]"
        assert runner.returncode == 0
    assert about(tmp_path / "day.journal")["hours"]["calendar"] == "24/7"
