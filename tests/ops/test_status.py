"""What a runner tells of itself: the stages of its hot loop, measured while it trades."""

from __future__ import annotations

import json

from floor_trial import trade

from hftlib.engine import laps
from hftlib.engine.live.hot_memory import MEASURED_EACH, STAGES
from hftlib.ops.showing import status_table
from hftlib.ops.status import status


def shown(told):
    from rich.console import Console

    console = Console(record=True, width=160)
    console.print(status_table(told))
    return console.export_text()


def test_the_stages_of_the_hot_loop_are_measured_and_shown(floor, trial):
    before = status(trial.runner)
    trade(floor, 12)
    trial.runner.stop()
    told = status(trial.runner)
    times = told["latencies_ns"]
    assert tuple(times) == STAGES
    counts = trial.runner.counts
    some = (counts["frames"] - counts["timers"]) // MEASURED_EACH
    for name in ("journal", "decide"):
        assert 0 < times[name]["count"] <= counts["frames"] // MEASURED_EACH
        assert times[name]["count"] >= some // 4
    lapped = times["journal"]["count"] - times["decide"]["count"]
    assert 0 < lapped <= times["receive"]["count"] <= times["journal"]["count"]
    assert times["parse"]["count"] == lapped, "each of these is parsed; few reach the strategy"
    assert all(times[name]["count"] <= lapped for name in laps.STAGES)
    sent = times["frame to wire"]
    assert (
        before["latencies_ns"]["frame to wire"]["count"] < sent["count"] <= counts["commands"] * 2
    )
    for one in (one for one in times.values() if one["count"]):
        assert 0 < one["p50"] <= one["p99"] <= one["p99.9"] <= one["max"]
    assert sent["p50"] > times["journal"]["p50"], "one holds the other"
    rows = [line.split() for line in shown(told).splitlines()]
    (names,) = (row for row in rows if row[:1] == ["stage"])
    assert names[1:4] == ["receive", "journal", "decide"] and names[-3:] == ["frame", "to", "wire"]
    assert {row[0] for row in rows if row} >= {"half", "99", "longest"}
    assert json.loads(json.dumps(told))["latencies_ns"] == times


def test_nothing_is_told_of_what_was_not_measured(floor, trial):
    told = status(trial.runner)
    told["latencies_ns"] = {name: {"count": 0} for name in STAGES}
    assert "longest" not in shown(told)
