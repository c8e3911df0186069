"""The Knight list, with processes: an exchange, runners out of releases, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from release_desk import Desk

from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.launching import laid

BEGIN_S, PATIENCE_S = 900.0, 90.0
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from hftlib.cli import main; main()"
)


class Floor:
    """An exchange, and runners that are begun beside it."""

    def __init__(self, folder):
        self.folder, self.every = folder, []
        self.desk = Desk(folder)
        self.release = self.desk.release()
        self.record = folder / "record.json"
        self.kept = folder / "nothing kept"
        self.kept.mkdir(mode=0o700)
        made = self.start("exchange", {}, "exchange", "--demo", "--json", "--control", "off")
        until(lambda: "\n" in (folder / "exchange.out").read_text(), BEGIN_S, made)

    def start(self, name, environment, *words):
        with (self.folder / f"{name}.out").open("wb") as out:
            made = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words],
                cwd=self.folder,
                env={**os.environ, "HFT_RELEASES": str(self.record), **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        made.out = self.folder / f"{name}.out"
        self.every.append(made)
        return made

    def live(self, name, *more, release=None, **environment):
        place = str(release or self.release.folder)
        words = ["live", "--release", place, "--trusted", str(self.desk.keys), "--json"]
        words += ["--exchange", "exchange.out", "--journal", f"{name}.journal", "--control", "off"]
        return self.start(name, {"HFT_CACHE_DIR": str(self.kept), **environment}, *words, *more)

    def refused(self, name, *more, **settings):
        """It ends with a sentence, and nothing was opened: there is no journal."""
        made = self.live(name, *more, **settings)
        assert made.wait(PATIENCE_S) in (2, 3, 4, 5), made.out.read_text()
        told = made.out.read_text()
        assert told.startswith("error: ") and "where: " in told and "Traceback" not in told
        assert not (self.folder / f"{name}.journal").exists()
        return told

    def copy(self, name):
        place = self.folder / name / self.release.name
        shutil.copytree(self.release.folder, place)
        return place

    def end(self):
        for one in self.every:
            if one.poll() is None:
                one.kill()
            one.wait()


def until(holds, seconds, process):
    end = time.monotonic() + seconds
    while not holds():
        assert process.poll() is None, process.out.read_text()
        assert time.monotonic() < end, process.out.read_text()
        time.sleep(0.02)


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    made = Floor(tmp_path_factory.mktemp("floor"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def day(floor):
    """A day of a runner out of the release, which had nothing compiled at hand."""
    made = floor.live("day", "--seconds", "3", "--group-digest", floor.release.digest)
    assert made.wait(PATIENCE_S) == 0, made.out.read_text()
    return floor.folder / "day.journal"


def test_a_runner_trades_out_of_a_release_and_compiles_nothing(floor, day):
    told = json.loads((floor.folder / "day.out").read_text().splitlines()[-1])
    assert told["counts"]["commands"] > 5 and told["why"] == ""
    assert not list(floor.kept.rglob("*")), "nothing was compiled, nothing was kept"


def test_the_journal_says_which_release_it_was(floor, day):
    said = about(day)
    assert said["release"] == {
        "name": "both",
        "serial": floor.release.manifest.serial,
        "digest": floor.release.digest,
        "key": f"desk {floor.desk.key.public.id}",
    }
    assert said["strategies"][0]["params"] == {"clip": 20}
    assert said["strategies"][0]["text"] == floor.desk.idea.read_text()
    assert "some words here" not in "".join(str(one) for one in frames(day))


def test_a_replay_proves_the_day_of_a_release(day):
    told = replay(day, laid)
    assert told.is_identical and told.compared > 5, told.difference


def test_one_altered_byte_on_one_runner_of_a_group_and_none_trades(floor, day):
    bad = floor.copy("altered")
    target = next((bad / "code").glob("Both.*.o"))
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    group = ("--group", f"2@{floor.folder}/group", "--seconds", "3")
    good = floor.live("good", *group)
    told = floor.refused("altered", *group, release=bad)
    assert "is not what was signed" in told
    assert good.wait(PATIENCE_S) == 3
    said = good.out.read_text()
    assert "of the group refused" in said and "is not what was signed" in said
    assert not (floor.folder / "good.journal").exists()


def test_a_runner_with_another_release_than_its_group_does_not_begin(floor, day):
    told = floor.refused("other", "--group-digest", "0" * 64)
    assert "The group runs the release" in told and floor.release.digest in told


def test_an_error_before_the_open_arms_nothing(floor, day):
    told = floor.refused("nowhere", "--mode", "paper", "--symbols", "NONE")
    assert "does not list NONE" in told
    told = floor.refused("strange", release=floor.folder)
    assert "manifest.sig" in told


def test_an_older_release_and_its_reason(floor, day):
    told = json.loads(floor.record.read_text())
    assert told["both"]["digest"] == floor.release.digest
    newer = {**told["both"], "serial": told["both"]["serial"] + 5, "digest": "0" * 64}
    later = floor.folder / "later.json"
    later.write_text(json.dumps({"both": newer}, sort_keys=True, indent=1) + "\n")
    told = floor.refused("older", HFT_RELEASES=str(later))
    assert "an older one" in told
    made = floor.live("back", "--older", "5 loses", "--seconds", "0.5", HFT_RELEASES=str(later))
    assert made.wait(PATIENCE_S) == 0, made.out.read_text()
    assert about(floor.folder / "back.journal")["release"]["older"] == "5 loses"


def test_a_day_of_a_release_goes_on_with_the_same_one_only(floor, day):
    made = floor.live("killed")
    until(lambda: "mode" in made.out.read_text(), PATIENCE_S, made)
    made.send_signal(signal.SIGKILL)
    made.wait()
    journal = ("--resume", "--exchange", "exchange.out", "--journal", "killed.journal", "--json")
    bare = floor.start("bare", {}, "live", *journal)
    assert bare.wait(PATIENCE_S) == 3
    assert "This day is one of the release both-" in bare.out.read_text()
    again = floor.live("again", *journal, "--seconds", "3")
    assert again.wait(PATIENCE_S) == 0, again.out.read_text()
    assert '"recovery"' in again.out.read_text()


def test_what_belongs_to_the_release_is_not_given_beside_it(floor):
    for name, more in {
        "strategy": ("both.py:Both",),
        "parameter": ("-p", "clip=1"),
        "limits": ("--limits", "limits.toml"),
    }.items():
        assert "are those of the release" in floor.refused(name, *more)
    words = ["--exchange", "exchange.out", "--journal", "x.journal", "both.py:Both"]
    for name, more in {
        "digest": ("--group-digest", "0"),
        "keys": ("--trusted", "keys"),
        "why": ("--older", "so"),
        "group": ("--group", "1@g"),
    }.items():
        made = floor.start(f"no-{name}", {}, "live", *words, *more)
        assert made.wait(PATIENCE_S) == 2 and "No release is given" in made.out.read_text()
    bare = floor.start("nobody", {}, "live", "--release", str(floor.release.folder), *words[:4])
    assert bare.wait(PATIENCE_S) == 2 and "Nobody is trusted" in bare.out.read_text()
