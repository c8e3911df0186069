"""What there is to see, looked at twice a second by one thread, for all who look at the desk.

    watch = Watch()                                  all runners of this user
    watch = Watch({"maker": socket}, shelf=..., trusted=..., alerts=...)
    watch.state()        {"time_ns", "runners": [...], "alerts": [...], "rollouts": [...]}

    watch.start(); watch.latest() -> (version, bytes of compact JSON); watch.close()

Without `start` each `state()` looks itself: a notebook needs no thread. With it, all clients get
the bytes of one look, so a hundred of them cost a runner nothing more than one.

Worst case: a look that takes longer than its turn delays the next; the state says its time.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.ops.desk.discovering import Discovered
from hftlib.ops.desk.looking import NOTHING, Looked
from hftlib.ops.desk.shelf import rollouts_of

EVERY_S, SELDOM_S = 0.5, 5.0


class Watch:
    """Runners, alerts and rollouts."""

    def __init__(
        self,
        sockets: Mapping[str, Path] | Iterable[Path] = (),
        *,
        shelf: Path | None = None,
        trusted: Path | None = None,
        alerts: Path | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        if not isinstance(sockets, Mapping):
            sockets = {path.name.removesuffix(".socket"): path for path in map(Path, sockets)}
        self._found = Discovered(sockets)
        self._shelf, self._trusted, self._alerts = shelf, trusted, alerts
        self._every_s = every_s
        self._looked: dict[str, Looked] = {}
        self._rollouts: tuple[float, list[Any]] = (-math.inf, [])
        self._latest: tuple[int, bytes, dict[str, Any]] = (0, b"", {})
        self._thread: threading.Thread | None = None
        self._ends, self._alone = threading.Event(), threading.Lock()
        self.heard: list[Callable[[], None]] = []  # told after each look, by its thread

    def state(self) -> dict[str, Any]:
        """As it stands: of the last look, or of one now."""
        return self._latest[2] if self._thread is not None else self._look()

    def latest(self) -> tuple[int, bytes]:
        """The number of the last look, and what it saw as JSON."""
        version, text, _ = self._latest
        return version, text

    def socket(self, name: str) -> Path | None:
        """The control socket of the runner with this name."""
        return self._found.sockets().get(name)

    def start(self) -> None:
        """Look from now on, in a thread of its own; the first look is over when this returns."""
        self._turn()
        self._thread = threading.Thread(target=self._run, name="desk-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for one in self._looked.values():
            one.close()

    def _run(self) -> None:
        while not self._ends.wait(self._every_s):
            self._turn()

    def _turn(self) -> None:
        state = self._look()
        self._latest = (self._latest[0] + 1, compact(state), state)
        for tell in list(self.heard):
            with suppress(RuntimeError):  # whoever listened is gone
                tell()

    def _look(self) -> dict[str, Any]:
        with self._alone:
            return {
                "time_ns": time.time_ns(),
                "runners": self._runners(),
                "alerts": alerts_in(self._alerts),
                "rollouts": self._seldom(),
            }

    def _runners(self) -> list[dict[str, Any]]:
        sockets = self._found.sockets()
        for name in [one for one in self._looked if one not in sockets]:
            self._looked.pop(name).close()
        made = []
        for name, socket in sockets.items():
            one = self._looked.get(name)
            if one is None:
                one = self._looked[name] = Looked(name, socket)
            made.append(_look(one))
        return made

    def _seldom(self) -> list[Any]:
        """Rollouts: signatures are checked each time, so not at each look."""
        if self._shelf is None:
            return []
        when, found = self._rollouts
        if time.monotonic() - when > SELDOM_S:
            found = rollouts_of(self._shelf, self._trusted)
            self._rollouts = time.monotonic(), found
        return found


def alerts_in(folder: Path | None) -> list[dict[str, Any]]:
    """Those on the board; one that says so where the board cannot be read."""
    if folder is None:
        return []
    try:
        from hftlib.ops.alerts.board import alerts_of

        return list(alerts_of(folder))
    except ImportError:
        return []
    except Exception as error:  # what others write ends no watch
        return [_unreadable(error)]


def _look(one: Looked) -> dict[str, Any]:
    """What it says; a page that is nonsense in a way that nobody thought of ends no watch."""
    try:
        return one.look()
    except Exception as error:
        one.close()
        told = {"name": one.name, "socket": str(one.socket), "by": NOTHING, "age_ns": 0}
        return told | {"status": None, "worries": [f"it cannot be looked at: {error!r}"]}


def _unreadable(error: Exception) -> dict[str, Any]:
    return {
        "id": "board",
        "rule": "the board of alerts",
        "severity": "critical",
        "runner": "",
        "said": str(error),
        "value": None,
        "since_ns": 0,
        "state": "firing",
        "by": "",
        "why": "",
    }


def compact(told: Any) -> bytes:
    """As a browser reads it: a number that is none is null."""
    try:
        return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        return json.dumps(_finite(told), separators=(",", ":")).encode()


def _finite(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _finite(one) for name, one in told.items()}
    if isinstance(told, list | tuple):
        return [_finite(one) for one in told]
    return None if isinstance(told, float) and not math.isfinite(told) else told
