"""Processes that are killed while they append, that follow, and that find the disk full."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from journal_process import payload_of
from journal_twin import read

from hftlib.core import jit
from hftlib.core.errors import StateError
from hftlib.core.journal import Journal, frames, kinds, repair, tail, verify

HERE = Path(__file__).parent
PATIENCE_S = 60
pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="children of a compiled process only")


def started(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """A child at its task, on its own; it is killed by whoever started it."""
    places = [str(HERE), str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", "import journal_process as p; p.main()", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    if child.stdout:
        child.stdout.close()


@pytest.mark.parametrize("durability", ["process", "power"])
def test_what_a_killed_writer_was_told_is_taken_is_there(tmp_path, durability):
    """Killed at random moments, again and again; each time it is carried on where it ended."""
    folder, told = tmp_path / "a.journal", tmp_path / "told"
    np.zeros(2, np.int64).tofile(told)
    chance = random.Random(5)
    repaired = 0
    for _ in range(5):
        notes = np.memmap(told, np.int64, "r+", shape=(2,))
        notes[:] = 0
        child = started("write", folder, durability, told)
        try:
            until = time.monotonic() + PATIENCE_S
            before = 0
            while notes[0] < before + 300 and time.monotonic() < until:
                before = before or int(notes[0])
                time.sleep(0.001)
            time.sleep(chance.random() * 0.05)
        finally:
            ended(child)
        acknowledged, durable = int(notes[0]), int(notes[1])
        assert acknowledged >= 300 and durable <= acknowledged + 1
        try:
            found = list(frames(folder))
        except StateError as error:  # killed between two stores of a frame
            assert "hft journal repair" in str(error)
            repair(folder)
            repaired += 1
            found = list(frames(folder))
        assert len(found) >= acknowledged
        for sequence, at, kind, source, payload in found:
            if kind == kinds.DATAGRAM:
                assert (at, source, payload) == (sequence, sequence % 100, payload_of(sequence))
        report = verify(folder)
        assert report.is_whole and report.state == ("closed" if repaired else "cut off")
        repaired = 0
    with Journal.carry_on(folder) as journal:
        journal.append(kinds.NOTE, 0, b"still alive")
    assert verify(folder).is_whole and read(folder)[-2][4] == b"still alive"


def test_another_process_follows_until_the_journal_is_closed(tmp_path):
    folder, count = tmp_path / "a.journal", 5_000
    follower = started("follow", folder)
    writer = started("slowly", folder, count)
    try:
        assert writer.wait(PATIENCE_S) == 0
        assert follower.communicate(timeout=PATIENCE_S)[0].split() == [str(count), "True"]
    finally:
        for child in (follower, writer):
            ended(child)


def test_who_follows_a_writer_that_is_killed_is_told(tmp_path):
    folder, told = tmp_path / "a.journal", tmp_path / "told"
    np.zeros(2, np.int64).tofile(told)
    child = started("write", folder, "process", told)
    try:
        while not (folder / "writer").exists() or not np.fromfile(told, np.int64)[0]:
            time.sleep(0.01)
        got = 0
        with pytest.raises(StateError, match=r"its writer is gone|journal repair"):
            for one in tail(folder):
                got = one.sequence
                if got == 200:
                    ended(child)
    finally:
        ended(child)
    assert got >= int(np.fromfile(told, np.int64)[0])


@pytest.mark.parametrize("how", ["files are limited", "the disk is full"])
def test_a_full_disk_is_a_reason_and_loses_nothing(tmp_path, how):
    place, limit = tmp_path / "disk", 0
    place.mkdir()
    if how == "the disk is full":
        mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(place)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this user may mount nothing")
    else:
        limit = 40_000
    try:
        child = started("fill", place / "a.journal", limit)
        told = child.communicate(timeout=PATIENCE_S)[0]
        count, kind, words = told.split(maxsplit=2)
        assert child.returncode == 0 and kind == "HostError", told
        assert "takes nothing more: segment" in words
        assert ("File too large" if limit else "No space left on device") in words
        assert "Make room" in words or "give the disk room" in words
        found = list(frames(place / "a.journal"))
        notes = [one.payload for one in found if one.kind == kinds.NOTE]
        assert notes == [payload_of(n) for n in range(int(count))] and int(count) > 500
        # Its last words had room: it is closed and sealed as any other.
        assert found[-1].kind == kinds.CLOSED and verify(place / "a.journal").is_whole
        shutil.copytree(place / "a.journal", tmp_path / "larger")
    finally:
        if not limit:
            subprocess.run(["umount", str(place)], capture_output=True, check=False)
    with Journal.carry_on(tmp_path / "larger") as journal:
        journal.append(kinds.NOTE, 0, bytes(20_000))
    assert verify(tmp_path / "larger").is_whole
