"""An exchange and runners beside it, each a process, as a user starts them: a day on paper.

with PaperDay(tmp_path) as day:
    maker = day.runner("maker"); maker.status(); maker.kill(); day.exchange.stop()
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import told

BEGIN_S, PATIENCE_S = 600.0, 60.0
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from hftlib.cli import main; main()"
)


def until(holds: Any, seconds: float = PATIENCE_S, about: Any = "") -> Any:
    """What it says, once that is something."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, about() if callable(about) else about
        time.sleep(0.02)
    return found


class Started:
    """One `hft` process; what it prints goes to a file."""

    def __init__(self, folder: Path, name: str, words: list[str], **more: str) -> None:
        self.out, self.errors = folder / f"{name}.out", folder / f"{name}.errors"
        self.folder, self.name = folder, name
        with self.out.open("wb") as out, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=os.environ | more,
            )

    def said(self) -> list[str]:
        """Its whole lines; it must not have ended for want of something."""
        lines = [one for one in self.out.read_text().splitlines(True) if one.endswith("\n")]
        if not lines:
            assert self.process.poll() is None, self.errors.read_text()
        return lines

    def tell(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ended(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Runner(Started):
    """`hft live`, with a control socket of its own."""

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.name}.s"

    def ask(self, **said: Any) -> dict[str, Any]:
        return told(self.socket, said, "runner")

    def status(self) -> dict[str, Any]:
        return self.ask(do="status")

    def is_trading(self) -> bool:
        """Whether the feed is live and orders have left."""
        if not self.socket.exists():
            assert self.process.poll() is None, self.errors.read_text()
            return False
        found = self.status()
        live = all(one["state"] == "LIVE" for one in found["feeds"])
        return live and found["counts"]["commands"] > 3


class PaperDay:
    """All that a story starts; what is left of it ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.every: list[Started] = []

    def __enter__(self) -> PaperDay:
        self.exchange = self.start("exchange", "exchange", "--demo", "--json", "--control", "off")
        until(self.exchange.said, BEGIN_S)
        return self

    def __exit__(self, *_failure: Any) -> None:
        for one in reversed(self.every):
            if one.process.poll() is None:
                one.tell(signal.SIGCONT)
                one.kill()

    def start(self, name: str, *words: str, **more: str) -> Started:
        self.every.append(Started(self.folder, name, list(words), **more))
        return self.every[-1]

    def runner(self, name: str, *words: str, trading: bool = True) -> Runner:
        given = ["live", "QueueImbalance", "--exchange", "exchange.out", "--user", "frm1a"]
        given += ["--journal", f"{name}.journal", "--control", f"{name}.s", "--json", *words]
        made = Runner(self.folder, name, given)
        self.every.append(made)
        until(lambda: made.is_trading() or not trading, BEGIN_S, made.errors.read_text)
        return made


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in text.splitlines() if one.startswith("{")]
