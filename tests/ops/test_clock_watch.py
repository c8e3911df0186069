"""The host's clock beside a runner's time: judged by numbers of its own, and read for real."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from floor_trial import trade

from hftlib.core import clock_look as c
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.core.journal.showing import as_json
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.clock_watch import (
    DRIFT_NS,
    RING_MAX,
    STEP_NS,
    ClockWatch,
    Look,
    Reading,
    looked,
    read_clock,
    worth_keeping,
)
from hftlib.ops.kernel_clock import kernel_clock
from hftlib.ops.launching import laid
from hftlib.ops.showing import worries
from hftlib.ops.status import status

MS, S = 10**6, 10**9
KEPT = Look(0, 0, 1_000, 10 * MS, True)


def test_the_reading_is_of_this_host():
    before = time.time_ns(), time.monotonic_ns()
    found = read_clock()
    after = time.time_ns(), time.monotonic_ns()
    assert before[0] <= found.utc_ns <= after[0]
    assert before[1] <= found.monotonic_ns <= after[1]
    kernel = kernel_clock()
    if kernel is None:
        assert (found.error_ns, found.error_ns_max) == (c.UNKNOWN, c.UNKNOWN)
    else:
        assert found.error_ns_max >= 0 and found.error_ns >= 0
        assert found.is_synchronised == kernel.is_synchronised
        assert not (kernel.is_synchronised and kernel.status_bits & 0x40)


def test_an_offset_is_utc_beside_the_runners_time_and_a_step_is_from_look_to_look():
    first = looked(Reading(1_000 * S, 5 * S), 995 * S, None)
    assert (first.offset_ns, first.step_ns) == (0, 0)
    later = looked(Reading(1_001 * S + 7 * MS, 6 * S), 995 * S, first)
    assert (later.offset_ns, later.step_ns) == (7 * MS, 7 * MS)
    back = looked(Reading(1_002 * S - 3 * MS, 7 * S), 995 * S, later)
    assert (back.offset_ns, back.step_ns) == (-3 * MS, -10 * MS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"step_ns": STEP_NS}, None),
        ({"step_ns": STEP_NS + 1}, c.STEPPED),
        ({"step_ns": -STEP_NS - 1, "is_synchronised": False}, c.STEPPED),
        ({"offset_ns": DRIFT_NS}, None),
        ({"offset_ns": -DRIFT_NS - 1}, c.DRIFTED),
        ({"is_synchronised": False}, c.UNSYNCHRONISED),
        ({"error_ns_max": 20 * MS}, None),
        ({"error_ns_max": 20 * MS + 1}, c.ERROR_CHANGED),
        ({"error_ns_max": 5 * MS}, None),
        ({"error_ns_max": 5 * MS - 1}, c.ERROR_CHANGED),
        ({"error_ns": 10**9}, None),
    ],
)
def test_what_is_worth_a_frame(change, why):
    assert worth_keeping(dataclasses.replace(KEPT, **change), KEPT) == why
    assert worth_keeping(KEPT, None) == c.FIRST
    gone = dataclasses.replace(KEPT, is_synchronised=False)
    assert worth_keeping(KEPT, gone) == c.SYNCHRONISED


def test_a_clock_that_is_steered_drifts_in_few_frames_and_never_steps():
    at = [0]
    watch = ClockWatch(0, lambda: Reading(at[0] + at[0] // 2_000, at[0], 0, 10 * MS, True))
    whys = []
    for second in range(100):
        at[0] = second * S
        watch.look()
        while (row := watch._ring.pop()) is not None:
            whys.append(int(row["why"]))
    assert whys[0] == c.FIRST and set(whys[1:]) == {c.DRIFTED} and len(whys) == 34
    assert watch.steps == 0 and watch.told["offset_us"] == 49_500.0


def test_a_step_that_nobody_takes_away_is_seen_again():
    jumps = iter(range(1_000))
    watch = ClockWatch(0, lambda: Reading(next(jumps) * 10 * MS, 0))
    for _ in range(RING_MAX + 5):
        watch.look()
    assert watch.steps == RING_MAX - 1 and watch.now is not None
    stood = watch.now.offset_ns
    while watch._ring.pop() is not None:
        pass
    watch.look()
    assert watch.steps == RING_MAX and watch.step_ns_max == watch.now.offset_ns - stood > 50 * MS


def an_hour_behind():
    found = read_clock()
    return dataclasses.replace(found, utc_ns=found.utc_ns - 3_600 * S)


def test_a_runner_journals_it_says_it_and_replays_without_it(floor, trial):
    trade(floor, 3)
    told = status(trial.runner)["clock"]
    assert abs(told["offset_us"]) < 1e6 and told["steps"] == 0
    assert not [one for one in worries(status(trial.runner)) if "clock" in one]
    trial.runner.clocks.read = an_hour_behind
    trial.runner.clocks._next = 0.0
    floor.until(lambda: trial.runner.clocks.steps == 1)
    found = status(trial.runner)
    assert found["clock"]["step_us_max"] == pytest.approx(-3.6e9, rel=1e-3)
    assert any("was set 1 times, by -3," in one for one in worries(found))
    trade(floor, 3)
    trial.runner.stop()
    looks = [one for one in frames(trial.folder) if one.kind == kinds.CLOCK]
    rows = [np.frombuffer(one.payload, c.CLOCK_LOOK)[0] for one in looks]
    assert int(rows[0]["why"]) == c.FIRST and c.STEPPED in [int(one["why"]) for one in rows]
    stepped = next(one for one, row in zip(looks, rows, strict=True) if row["why"] == c.STEPPED)
    assert as_json(stepped)["decoded"]["step_ns"] == pytest.approx(-3_600 * S, rel=1e-3)
    (words,) = Decoder(about(trial.folder)).take(stepped)
    assert words["what"] == "clock look" and words["why"] == "stepped"
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference
