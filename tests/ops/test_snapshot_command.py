"""`hft snapshot`: once, beside a runner that is killed and gone on with, and what it refuses."""

from __future__ import annotations

import json
import threading
import time

import pytest
from floor_trial import Resumed, killed, trade
from replay_twin import written

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal.reading import frames
from hftlib.engine.live.snapshots import snapshots_of
from hftlib.ops.snapshot_command import snapshot_command


def said(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_once_it_keeps_what_the_last_frame_left(floor, trial, capsys):
    trade(floor, 2)
    folder = killed(trial)
    last = [one.sequence for one in frames(folder)][-1]
    snapshot_command(folder, json_out=True)
    follows, kept = said(capsys)
    path = snapshots_of(folder)[0]
    assert follows == {"what": "follows", "journal": str(folder), "frame": last}
    assert kept.pop("took_ms") > 0
    assert kept == {
        "what": "kept",
        "file": str(path),
        "frame": last,
        "bytes": path.stat().st_size,
    }
    snapshot_command(folder)  # the same frame again: there is nothing to keep
    told = capsys.readouterr().out
    assert told == f"follows: journal {folder}, frame {last:,}\n"


def test_beside_a_runner_it_keeps_on_until_the_day_is_over(floor, trial, capsys):
    trade(floor, 2)
    folder, others = trial.folder, []

    def day():
        while not snapshots_of(folder):
            time.sleep(0.01)
        killed(trial)
        last = [one.sequence for one in frames(folder)][-1]
        while int(snapshots_of(folder)[0].stem) < last:
            time.sleep(0.01)
        again = Resumed(floor, folder, say=others.append)
        again.runner.start()
        again.runner.stop()
        others.append(again.runner.why)

    beside = threading.Thread(target=day)
    beside.start()
    snapshot_command(folder, every=0.2, json_out=True)
    beside.join()
    told = said(capsys)
    last = [one.sequence for one in frames(folder)][-1]
    assert others[-1] == "" and others[0].startswith("from ")
    assert [one["what"] for one in told[:2]] == ["follows", "kept"]
    assert told[-1] == {"what": "over", "frame": last}
    assert all(path.exists() for path in snapshots_of(folder))


def test_a_journal_that_does_not_replay_ends_it_with_both_sides_in_words(floor, trial, tmp_path):
    trade(floor, 2)
    trial.runner.stop()
    kept = list(frames(trial.folder))
    place = next(n for n, one in enumerate(kept) if one.name == "SESSION_OUT" and n > 40)
    edited = kept[place]._replace(payload=kept[place].payload[:-1] + b"!")
    begun = written(
        tmp_path / "edited.journal", json.loads(kept[0].payload), [*kept[1:place], edited]
    )
    with pytest.raises(StateError, match=r"does not replay: frame .* is another"):
        snapshot_command(begun)
    assert snapshots_of(begun) == []


def test_what_is_no_journal_of_a_runner_is_refused(tmp_path):
    with pytest.raises(InputError, match="no journal"):
        snapshot_command(tmp_path)
