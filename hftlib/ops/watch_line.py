"""A watchdog's line to the process it watches, and whether that is there at all.

    Line(path, until).ask({"do": "status"}, until)
    stays(process)            alive, and not at its end
    follower(path, process)   who listens there in its place

Worst case: one that does not answer is waited for until `until`, a monotonic time.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import pid_of
from hftlib.core.errors import StateError

GONE_S = 0.1
Told = dict[str, Any]


class Line:
    """A connection that stays, so that a look costs no more than its question."""

    def __init__(self, path: Path, until: float) -> None:
        self._own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._own.settimeout(max(0.001, until - time.monotonic()))
        self._own.connect(str(path))

    def ask(self, said: Told, until: float) -> Told:
        self._own.settimeout(max(0.001, until - time.monotonic()))
        self._own.sendall(json.dumps(said).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            self._own.settimeout(max(0.001, until - time.monotonic()))
            piece = self._own.recv(1 << 16)
            if not piece:
                raise StateError("The runner hung up", where="watchdog", do="See whether it runs.")
            answer += piece
        found: Told = json.loads(answer)
        return found if found["ok"] else {}


def follower(path: Path, process: int) -> int:
    """The process that listens there in place of this one; 0: there is none yet."""
    with suppress(StateError):
        found = pid_of(path, "runner")
        return found if found != process else 0
    return 0


def stays(process: int, patience_s: float = GONE_S) -> bool:
    """Whether it is alive, and not at its end: sockets are closed before a process is gone."""
    until = time.monotonic() + patience_s
    while _is_alive(process):
        if time.monotonic() > until:
            return True
        time.sleep(0.005)
    return False


def _is_alive(process: int) -> bool:
    try:
        text = Path("/proc", str(process), "stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"
