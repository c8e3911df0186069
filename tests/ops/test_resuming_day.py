"""A runner that was killed goes on: what it waits for, what holds it, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from floor_trial import Resumed, killed, trade

import hftlib as hft
from hftlib.core import clock
from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import about, gone_on, replay, taken_up
from hftlib.ops.launching import laid
from hftlib.ops.obeying import obey
from hftlib.ops.resuming import require_same_day
from hftlib.ops.status import status
from hftlib.risk.people import go_on


def states(runner):
    return {one["scope"]: (one["state"], one["why"]) for one in status(runner)["scopes"]}


def held(one):
    return int(one.runner.live.session.seats[0]["positions"]["quantity"][0])


def is_identical(folder):
    told = replay(folder, laid)
    assert told.is_identical, told.difference
    return told


@pytest.fixture
def day(floor, trial):
    """A journal whose runner was killed while it traded."""
    trade(floor, 10)
    trial.held = held(trial)
    killed(trial)
    return trial


def test_it_goes_on_where_it_was_and_trades_once_the_venue_agrees(floor, day):
    trade(floor, 3)  # the market goes on without it
    again = Resumed(floor, day.folder)
    assert held(again) == day.held and again.counts("commands") == day.counts("commands")
    again.runner.start()
    assert states(again.runner)["firm"] == (
        "halted",
        "after a restart, until the venue and we agree",
    )
    assert again.runner.live.sequencers[0].state == "SILENT"
    assert all(one["is_up"] == 0 for one in again.runner.live.links)
    waited = set()
    floor.until(lambda: waited.add(again.recovery.told) or again.recovery.is_over)
    assert "link 0 is SHUT" in waited and again.recovery.told.startswith(
        "goes on: as the drop copy"
    )
    floor.until(lambda: states(again.runner)["firm"][0] == "active")
    before = again.counts("commands")
    trade(floor, 5)
    floor.until(lambda: again.counts("commands") > before)
    again.runner.stop()
    assert again.runner.why == ""
    assert [one.name for one in frames(day.folder)].count("CARRIED_ON") == 1
    is_identical(day.folder)
    result = hft.journal_result(day.folder)
    result.check()
    assert len(result.fills) > 0


def test_killed_again_before_it_went_on_it_is_still_held(floor, day):
    for _ in range(3):
        again = Resumed(floor, day.folder)
        again.runner.start()
        assert states(again.runner)["firm"][0] == "halted"
        killed(again)
    last = Resumed(floor, day.folder)
    last.runner.start()
    floor.until(lambda: last.recovery.is_over)
    floor.until(lambda: states(last.runner)["firm"][0] == "active")
    last.runner.stop()
    is_identical(day.folder)


def test_who_halts_meanwhile_has_the_last_word(floor, day):
    again = Resumed(floor, day.folder)
    again.runner.start()
    obey(again.runner, {"do": "halt", "scope": "firm", "who": "ann", "why": "I look first"})
    floor.until(lambda: again.recovery.is_over)
    told = go_on(at=clock.now_ns(), who="restart", why="once more")
    before = again.counts("directives")
    again.runner.tell(told.row(again.runner.live.session.risk, clock.now_ns()))
    floor.until(lambda: again.counts("directives") > before)
    assert states(again.runner)["firm"][0] == "halted"
    two = {"who": "ann", "second": "bob", "role": "risk", "why": "all is well"}
    obey(again.runner, {"do": "lift", "scope": "firm"} | two)
    assert states(again.runner)["firm"][0] == "active"
    again.runner.stop()
    is_identical(day.folder)


def test_what_was_halted_before_is_halted_afterwards(floor, trial):
    trade(floor, 3)
    obey(trial.runner, {"do": "reduce", "scope": "firm", "who": "ann", "why": "it is late"})
    again = Resumed(floor, killed(trial))
    again.runner.start()
    assert states(again.runner)["firm"][0] == "halted"
    floor.until(lambda: states(again.runner)["firm"][0] == "reducing")
    again.runner.stop()
    is_identical(trial.folder)


def test_where_the_venue_says_something_else_it_stays_halted_and_says_what(floor, day):
    again = Resumed(floor, day.folder)
    again.recovery.copies["HFTX"].positions["AAA"] += 7  # an execution that nobody told the runner
    again.runner.start()
    floor.until(lambda: again.recovery.is_over)
    assert again.recovery.told.startswith("stays halted: the venue says ")
    floor.until(lambda: "watchdog" in states(again.runner)["firm"][1])
    rows = [one.payload for one in frames(day.folder) if one.kind == kinds.DIRECTIVE]
    assert b"the venue says " in bytes(rows[-1]) and b"AAA, the runner" in bytes(rows[-1])
    before = again.counts("commands")
    trade(floor, 5)
    assert again.counts("commands") == before and states(again.runner)["firm"][0] == "halted"
    again.runner.stop()
    is_identical(day.folder)


def test_a_drop_copy_that_cannot_be_heard_is_waited_for(floor, day):
    again = Resumed(floor, day.folder, copy_user="frm9z")
    again.runner.start()
    floor.until(lambda: "refuses" in again.recovery.told)
    assert again.recovery.told == "the drop copy: the venue refuses the login"
    assert states(again.runner)["firm"][0] == "halted"
    again.runner.stop()


def test_a_day_that_was_ended_or_decided_otherwise_is_not_gone_on_with(floor, trial):
    trade(floor, 5)
    trial.runner.stop()

    def other(told):
        told["strategies"][0]["params"] = {"edge_ticks": 5}
        return laid(told)

    with pytest.raises(StateError, match="its day is over: the strategies have said"):
        taken_up(trial.folder, laid)
    with pytest.raises(StateError, match="it does not replay: frame"):
        taken_up(trial.folder, other)


def test_a_journal_that_somebody_wrote_meanwhile_is_not_gone_on_with(floor, day):
    _, after = taken_up(day.folder, laid)
    gone_on(day.folder, after)._leave()
    with pytest.raises(StateError, match=f"it has {after + 1:,} frames, not {after:,}"):
        gone_on(day.folder, after)


def test_another_day_of_the_exchange_is_another_day(floor, day):
    told = about(day.folder)
    require_same_day(told, {"HFTX": floor.exchange.places}, "day")
    other = dict(floor.exchange.places, session="TOMORROW")
    with pytest.raises(InputError, match=r"session is TOMORROW, the journal's \w+"):
        require_same_day(told, {"HFTX": other}, "day")


def test_from_the_command_line_after_a_kill(floor, tmp_path):
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    program = "from hftlib.cli import main; main()"
    usual = ["live", "--exchange", "exchange.json", "--journal", "day.journal", "--json"]

    def run(*more):
        given = [sys.executable, "-c", program, *usual, *more]
        return subprocess.Popen(
            given, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(process):
        os.set_blocking(process.stdout.fileno(), False)
        text = ""

        def has_come():
            nonlocal text
            text += process.stdout.readline()
            return text.endswith("\n")

        floor.until(has_come, 600)
        return json.loads(text)

    refused = run("--resume", "QueueImbalance")
    assert "are those of the journal" in refused.communicate()[1] and refused.returncode == 2
    with run("QueueImbalance") as first:
        line(first)
        trade(floor, 10)
        first.kill()
    with run("--resume") as second:
        line(second)
        told = line(second)
        while not told["recovery"].startswith("goes on"):
            told = line(second)
        trade(floor, 5)
        second.send_signal(signal.SIGTERM)
        floor.until(lambda: second.poll() is not None)
        assert second.returncode == 128 + signal.SIGTERM, second.stderr.read()
    is_identical(tmp_path / "day.journal")
