"""That a watchdog watches: what others see of it while it does, after its work, and after a kill."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hftlib.ops.watch_beat import SAID_MAX, Beat, beat_of, beat_path


@pytest.fixture
def place(tmp_path):
    found = tmp_path / "runner.socket"
    yield found
    beat_path(found).unlink(missing_ok=True)


def test_what_it_says_is_seen_until_its_work_is_done(place):
    beat = Beat(place)
    assert beat_of(place) is None
    beat.turn({"AAA@HFTX": "the venue says 5 AAA, the runner 4"})
    found = beat_of(place)
    assert not found["is_left"] and 0 <= found["age_s"] < 60
    assert found["parted"] == {"AAA@HFTX": "the venue says 5 AAA, the runner 4"}
    assert beat_path(place).stat().st_mode & 0o777 == 0o600
    for n in range(SAID_MAX + 3):
        beat.say("halting", {"why": f"rule {n}"})
    beat.turn({})
    assert [one["why"] for one in beat_of(place)["said"]][-1] == f"rule {SAID_MAX + 2}"
    assert len(beat_of(place)["said"]) == SAID_MAX
    beat.remove()
    assert beat_of(place) is None


def test_one_that_was_killed_is_left(place):
    Beat(place).turn({})
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    told = json.loads(beat_path(place).read_text()) | {"pid": gone.pid}
    beat_path(place).write_text(json.dumps(told))
    assert beat_of(place)["is_left"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": 1}', '{"pid":1,"time_ns":"x"}'])
def test_what_is_none_is_none(place, text):
    beat_path(place).write_text(text)
    assert beat_of(place) is None
