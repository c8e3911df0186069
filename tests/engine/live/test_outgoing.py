"""What a runner says leaves once the journal's mode has it: at once, or after the sync."""

from __future__ import annotations

import threading
import time

import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to, trade

from hftlib.core.journal import kinds
from hftlib.core.journal.layout import POWER
from hftlib.core.journal.reading import frames
from hftlib.core.journal.syncing import Syncer
from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid


@pytest.fixture(scope="module")
def floor():
    with Floor() as made:
        yield listened_to(made)


@pytest.fixture
def disk(monkeypatch):
    """A disk that may be made to take nothing."""
    stuck, sync = threading.Event(), Syncer._sync
    monkeypatch.setattr(Syncer, "_sync", lambda self: not stuck.is_set() and sync(self))
    return stuck


def lane(trial):
    return trial.runner._lanes[0]


def said(trial):
    return sum(len(one.payload) for one in frames(trial.folder) if one.kind == kinds.SESSION_OUT)


def test_nothing_leaves_before_its_cause_is_on_the_disk(floor, disk, tmp_path):
    trial = begun(floor, tmp_path / "day.journal", durability="power")
    trade(floor, 5)
    floor.until(lambda: said(trial) == int(lane(trial)["sent"]))
    disk.set()
    before, commands = int(lane(trial)["sent"]), trial.counts("commands")
    trade(floor, 5, until=lambda: trial.counts("commands") > commands + 2)
    assert trial.counts("commands") > commands + 2, "it decides all the same"
    for _ in range(50):
        floor.step()
    waits = said(trial) - before
    assert int(lane(trial)["sent"]) == before and waits > 0
    assert 0 < int(lane(trial)["marked"]) <= waits and int(lane(trial)["ready"]) == 0
    disk.clear()
    floor.until(lambda: int(lane(trial)["sent"]) == said(trial) > before)
    trade(floor, 3)
    trial.runner.stop()
    assert trial.runner.why == "" and trial.runner.journal.session.durability == POWER
    told = replay(trial.folder, laid)
    assert told.is_identical, told.difference


def test_in_mode_process_the_disk_is_not_waited_for(floor, disk, tmp_path):
    trial = begun(floor, tmp_path / "day.journal")
    disk.set()
    before = int(lane(trial)["sent"])
    trade(floor, 5, until=lambda: int(lane(trial)["sent"]) > before)
    assert int(lane(trial)["sent"]) > before
    disk.clear()
    trial.runner.stop()


def test_what_waits_for_a_disk_is_gone_with_the_connection(floor, disk, tmp_path):
    trial = begun(floor, tmp_path / "day.journal", durability="power")
    trade(floor, 3)
    disk.set()
    trade(floor, 3, until=lambda: int(lane(trial)["marked"]) > 0)
    assert int(lane(trial)["marked"]) > 0
    falls = int(trial.runner.live.links["hangs"][0])
    floor.exchange.faults.begin(floor.exchange, "kill sessions", user="frm1a")
    floor.until(lambda: int(trial.runner.live.links["hangs"][0]) > falls)
    assert [int(lane(trial)[name]) for name in ("ready", "marked")] == [0, 0]
    disk.clear()
    floor.until(lambda: trial.runner.live.gateway(0)["state"] == 3)
    trade(floor, 3)
    time.sleep(0.01)
    trial.runner.stop()
    assert replay(trial.folder, laid).is_identical
