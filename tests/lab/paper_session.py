"""An exchange and a runner as real processes, for what looks at a runner."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

START_S = 120.0
_HFT = (sys.executable, "-c", "from hftlib.cli import main; main()")


class Paper:
    """A paper session, until it is closed; `socket` is the runner's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket, self.journal = folder, folder / "r.sock", folder / "day.journal"
        opened = folder / "exchange.json"
        self.exchange = self._started("exchange", opened, "--demo", "--json", "--control", "off")
        self._until(lambda: opened.read_text().endswith("}\n"))
        told = folder / "live.txt"
        session = ["QueueImbalance", "--symbols", "AAA", "--exchange", str(opened), "--json"]
        session += ["--journal", str(self.journal), "--control", str(self.socket)]
        self.runner = self._started("live", told, *session)
        self._until(lambda: self.socket.exists() and self._has_traded())

    def _has_traded(self) -> bool:
        from hftlib.core.errors import HftError
        from hftlib.ops.page_reading import PageReader, page_path

        try:
            with PageReader(page_path(self.socket)) as reader:
                return any(one["fills"] for one in reader.status()["positions"])
        except HftError:
            return False

    def _started(self, name: str, out: Path, *words: str) -> subprocess.Popen[bytes]:
        with out.open("wb") as said, (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen([*_HFT, name, *words], stdout=said, stderr=log, cwd=self.folder)

    def _until(self, true: object) -> None:
        end = time.monotonic() + START_S
        while not true():  # type: ignore[operator]
            for name, one in (("exchange", "exchange"), ("live", "runner")):
                running = getattr(self, one, None)
                if running is not None and running.poll() is not None:
                    raise AssertionError((self.folder / f"{name}.log").read_text())
            assert time.monotonic() < end, [p.read_text() for p in self.folder.glob("*.log")]
            time.sleep(0.1)

    def close(self) -> None:
        for one in (self.runner, self.exchange):
            one.terminate()
        for one in (self.runner, self.exchange):
            one.wait(timeout=60)
