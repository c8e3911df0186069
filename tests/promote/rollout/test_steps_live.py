"""A release on its whole way, in real processes: shadow, canary, champion, and back to the other.

exchange ── both@shadow ── both@canary ── both@champion ── hft rollback ── both@champion
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from release_desk import WORDS
from release_floor import PATIENCE_S, Floor, said, until
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import HftError
from hftlib.core.journal.repairing import repair
from hftlib.core.release.keys import make_key, save_key, trusted_keys
from hftlib.core.release.rollout import read_rollout
from hftlib.core.release.rollout_step import Draft
from hftlib.core.release.rollout_writing import add_step
from hftlib.core.release.writing import write_release
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.launching import laid

RUNNER = CliRunner()


class Way:
    """A shelf with a release, its successor, and two people who are not who signed them."""

    def __init__(self, folder):
        self.floor = Floor(folder)
        desk, release = self.floor.desk, self.floor.release
        self.shelf, self.keys = folder / "shelf", folder / "keys"
        shutil.copytree(release.folder, self.shelf / release.name)
        self.old, manifest = release, release.manifest
        newer = replace(manifest, serial=manifest.serial + 1)
        self.new = write_release(self.shelf, newer, release.files, desk.key)
        self.people = [make_key("ann"), make_key("bea")]
        self.keys.mkdir()
        save_key(desk.key, self.keys / "desk.key", WORDS)
        for one in self.people:
            save_key(one, self.keys / f"{one.public.name}.key", WORDS)
        self.trusted = trusted_keys(self.keys)

    def typed(self, command, who, *more):
        words = [command, "both", "--shelf", str(self.shelf), "--trusted", str(self.keys)]
        words += ["--key", str(self.keys / f"{who}.key"), "--why", f"{who} says so", "--json"]
        words += ["--passphrase-file", str(self.floor.desk.words), *more]
        done = RUNNER.invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def taken(self, release, *steps):
        """Steps as they are in the log once somebody has taken them."""
        signer = f"{release.key.name} {release.key.id}"
        told = (release.manifest.serial, release.digest, signer, "it is time")
        for key, what, stage in steps:
            add_step(self.shelf, "both", self.trusted, key, Draft(what, stage, *told))

    def day(self, name, stage, *more):
        """A day of what is at the stage now, which ends well."""
        given = (*more, "--seconds", "1")
        made = self.floor.at(name, f"both@{stage}", self.shelf, self.keys, *given)
        assert made.wait(PATIENCE_S) == 0, said(made)
        return self.floor.folder / f"{name}.journal"


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    made = Way(tmp_path_factory.mktemp("way"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HFT_TRACKING_URI", f"sqlite:///{made.floor.folder}/none/mlflow.db")
        patched.setenv("HFT_RELEASES", str(made.floor.record))  # of the runner that takes over, too
        yield made
    made.floor.end()


def test_from_shadow_to_champion_and_back(way):
    """What days must show in between is asked in test_steps_desk.py."""
    old, ann, bea = f"both-{way.old.manifest.serial}", *way.people
    way.typed("rollout", "ann", "--to", "shadow", "--release", old)
    first = about(way.day("shadow", "shadow"))
    assert first["mode"] == "shadow" and first["release"]["stage"] == "shadow"
    way.taken(way.old, (ann, "moved", "canary"))
    last = ((ann, "asked", "champion"), (bea, "moved", "champion"))
    way.taken(way.old, *last)
    way.taken(way.new, (ann, "moved", "shadow"), (ann, "moved", "canary"), *last)

    socket = way.floor.folder / "runner.sock"
    newer = way.floor.at("newer", "both@champion", way.shelf, way.keys, "--control", str(socket))
    until(lambda: "mode" in said(newer), PATIENCE_S, newer)
    first = about(way.floor.folder / "newer.journal")
    assert first["mode"] == "paper" and first["release"] == {
        "name": "both",
        "serial": way.new.manifest.serial,
        "digest": way.new.digest,
        "key": f"desk {way.new.key.id}",
        "stage": "champion",
        "step": 8,
        "allowed": f"bea {bea.public.id}",
        "asked": f"ann {ann.public.id}",
    }
    kept = (way.shelf / "both.rollout").read_bytes()
    told = way.typed("rollback", "bea", "--control", str(socket))
    assert told["step"]["what"] == "rolled back" and told["stages"]["previous"] is None

    (words,) = (one for one in told["said"] if "gone over" in one)
    assert newer.wait(PATIENCE_S) == 0, said(newer)
    after = about(way.floor.folder / "newer-back.journal")["release"]
    assert after["digest"] == way.old.digest and "bea says so" in after["older"]
    os.kill(int(words.rstrip(".").rpartition(" ")[2]), signal.SIGTERM)

    killed = way.floor.at("older", "both@champion", way.shelf, way.keys)
    until(lambda: "mode" in said(killed), PATIENCE_S, killed)
    time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    with suppress(HftError):  # killed in the middle of a frame it has a torn end
        repair(way.floor.folder / "older.journal")
    day = way.day("older", "champion", "--resume")
    first = about(day)["release"]
    assert (first["serial"], first["older"]) == (way.old.manifest.serial, "bea says so")
    assert (first["step"], first["allowed"]) == (9, f"bea {bea.public.id}")
    replayed = replay(day, laid)
    assert replayed.is_identical and replayed.compared > 5, replayed.difference

    # Cut off behind the rollback, the log would have the other one back.
    (way.shelf / "both.rollout").write_bytes(kept)
    assert read_rollout(way.shelf, "both", way.trusted).at("champion").serial > first["serial"]
    made = way.floor.at("cut", "both@champion", way.shelf, way.keys)
    assert made.wait(PATIENCE_S) == 3
    assert "has 8 steps, and 9 were seen here" in said(made).replace("\n", " ")
    assert not (way.floor.folder / "cut.journal").exists()
