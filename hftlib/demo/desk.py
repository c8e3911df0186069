"""The demo's desk: a folder in which real `hft` commands run, and what each of them said.

    desk = Desk.at(Path("demo"), console)
    told = desk.run("rollout", "queue_imbalance", "--to", "shadow", ...)      its JSON, if it is any
    with desk.started("live", ..., until="journal") as runner: ...            a process that stays

Every command is shown as a user would type it. Those that stay end with the demo, also with one
that is killed. Worst case: a command that does not do what the story needs ends the demo with its
own sentence.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from rich.console import Console

from hftlib.core.errors import InputError, StateError

MARK = ".hft-demo"
PASSPHRASE = "a demo keeps no secrets\n"
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
START_S, END_S = 180.0, 30.0


@dataclass(frozen=True, slots=True)
class Typed:
    """One command of the story, and how long it took."""

    words: str
    seconds: float
    code: int


@dataclass
class Running:
    """A process that stays until it is told to end."""

    process: subprocess.Popen[str]
    out: Path
    log: Path

    def ended(self, seconds: float = END_S) -> int:
        return self.process.wait(timeout=seconds)


@dataclass
class Desk:
    """The folder, and all that was typed in it."""

    folder: Path
    console: Console
    sockets: Path
    typed: list[Typed] = field(default_factory=list)

    @classmethod
    @contextmanager
    def at(cls, folder: Path, console: Console) -> Iterator[Desk]:
        """A clean folder; only one that a demo has left is cleared."""
        if folder.exists() and not (folder / MARK).is_file():
            do = "Give another: hft demo --into FOLDER."
            raise InputError("There is something that no demo has left", where=str(folder), do=do)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "keys").mkdir(parents=True)
        (folder / MARK).write_text("Made by hft demo, which clears this folder.\n")
        secret = folder / "passphrase"
        secret.touch(0o600)
        secret.write_text(PASSPHRASE)
        with tempfile.TemporaryDirectory(prefix="hft-demo-") as sockets:  # their paths are short
            yield cls(folder, console, Path(sockets))

    @property
    def own(self) -> dict[str, str]:
        """What these commands keep is kept here, and nobody is asked for a passphrase."""
        here = self.folder.resolve()
        return {
            "HFT_PASSPHRASE_FILE": str(here / "passphrase"),
            "HFT_RELEASES": str(here / "launched.json"),
            "HFT_TAPES": str(here / "tapes"),
            "HFT_TRACKING_URI": f"sqlite:///{here}/mlruns/mlflow.db",
        }

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.own}

    def run(self, *words: object, code: int = 0, shown: bool = True) -> Any:
        """Run it to its end; what it printed, as JSON where it is that."""
        line = self._line(words)
        if shown:
            self._show(line)
        begun = time.perf_counter()
        bars = None if sys.stderr.isatty() else subprocess.PIPE
        done = subprocess.run(
            [*_hft(), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=bars,  # its own progress bars, on a terminal
            text=True,
            env=self.environment,
            check=False,
        )
        self.typed.append(Typed(line, time.perf_counter() - begun, done.returncode))
        if done.returncode != code:
            raise failed(line, done.returncode, done.stderr or "its message is above")
        if code and done.stderr and not done.stdout:
            return done.stderr.strip().splitlines()[0].removeprefix("error: ")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout.strip()

    @contextmanager
    def started(self, name: str, *words: object) -> Iterator[Running]:
        """A process that stays, from its first line on; its last words are in NAME.log."""
        line = self._line(words)
        self._show(f"{line} &")
        begun = time.perf_counter()
        out, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        with out.open("w") as said, log.open("w") as errors:
            running = Running(self._popen(words, said, errors), out, log)
        try:
            while not out.read_text().count("\n"):
                if running.process.poll() is not None or time.perf_counter() - begun > START_S:
                    raise failed(line, running.process.poll(), log.read_text())
                time.sleep(0.02)
            self.typed.append(Typed(f"{line} &", time.perf_counter() - begun, 0))
            yield running
        finally:
            running.process.send_signal(signal.SIGTERM)
            try:
                running.ended()
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()

    def _popen(self, words: tuple[object, ...], out: IO[str], log: IO[str]) -> Any:
        plain = {**self.environment, "NO_COLOR": "1"}
        return subprocess.Popen(
            [*_hft(), *map(str, words)],
            stdout=out,
            stderr=log,
            text=True,
            env=plain,
        )

    def _line(self, words: tuple[object, ...]) -> str:
        told = [str(word) for word in words if word != "--json"]
        return " ".join(["hft", *(shlex.quote(word) for word in told)])

    def _show(self, line: str) -> None:
        self.console.print(f"[dim]    $ {_escaped(line)}[/]", soft_wrap=True)


def _hft() -> list[str]:
    """`hft`, which the kernel ends with a demo that is killed, also while it still starts."""
    program = (
        f"import ctypes, os; ctypes.CDLL(None).prctl({DIE_WITH_PARENT}, {signal.SIGTERM:d});"
        f" os.getppid() == {os.getpid()} or os._exit(1);"
        " from hftlib.cli import main; main()"
    )
    return [sys.executable, "-c", program]


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def failed(line: str, code: int | None, said: str) -> StateError:
    first = next((one for one in said.strip().splitlines() if one.strip()), "it said nothing")
    return StateError(
        f"A step of the demo ended with {code}: {first.removeprefix('error: ')}",
        where=line,
        do="Run that command by itself, and report it with the output of `hft doctor`.",
    )
