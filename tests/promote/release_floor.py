"""An exchange and runners beside it, all processes: what tests of launching releases stand on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from release_desk import made_once

BEGIN_S, PATIENCE_S = 900.0, 90.0
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from hftlib.cli import main; main()"
)


class Floor:
    """An exchange, and runners that are begun beside it."""

    def __init__(self, folder):
        self.folder, self.every = folder, []
        self.desk, self.release = made_once()
        self.record = folder / "record.json"
        self.kept = folder / "nothing kept"
        self.kept.mkdir(mode=0o700)
        made = self.start("exchange", {}, "exchange", "--demo", "--json", "--control", "off")
        until(lambda: "\n" in (folder / "exchange.out").read_text(), BEGIN_S, made)

    def start(self, name, environment, *words):
        with (
            (self.folder / f"{name}.out").open("wb") as out,
            (self.folder / f"{name}.errors").open("wb") as errors,
        ):
            made = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words],
                cwd=self.folder,
                env={**os.environ, "HFT_RELEASES": str(self.record), **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )
        made.out, made.errors = self.folder / f"{name}.out", self.folder / f"{name}.errors"
        self.every.append(made)
        return made

    def live(self, name, *more, release=None, **environment):
        place = str(release or self.release.folder)
        words = ["live", "--release", place, "--trusted", str(self.desk.keys), "--json"]
        words += ["--exchange", "exchange.out", "--journal", f"{name}.journal", "--control", "off"]
        return self.start(name, {"HFT_CACHE_DIR": str(self.kept), **environment}, *words, *more)

    def at(self, name, stage, shelf, keys, *more, **environment):
        """A runner of what a rollout's steps say: NAME@STAGE."""
        words = ["live", stage, "--shelf", str(shelf), "--trusted", str(keys), "--json"]
        words += ["--exchange", "exchange.out", "--journal", f"{name}.journal"]
        words += [] if "--control" in more else ["--control", "off"]
        return self.start(name, {"HFT_CACHE_DIR": str(self.kept), **environment}, *words, *more)

    def refused(self, name, *more, **settings):
        """It ends with a sentence, and nothing was opened: there is no journal."""
        made = self.live(name, *more, **settings)
        assert made.wait(PATIENCE_S) in (2, 3, 4, 5), said(made)
        told = said(made)
        assert "error: " in told and "where: " in told and "Traceback" not in told
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


def said(process):
    return process.out.read_text() + process.errors.read_text()


def until(holds, seconds, process):
    end = time.monotonic() + seconds
    while not holds():
        assert process.poll() is None, said(process)
        assert time.monotonic() < end, said(process)
        time.sleep(0.02)
