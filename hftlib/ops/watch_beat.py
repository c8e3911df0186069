"""That a watchdog watches, for others to see: a small file in shared memory that it keeps fresh.

    beat = Beat(socket); beat.turn(parted); beat.say("halted", {...}); beat.remove()
    beat_of(socket)      {"pid", "age_s", "is_left", "parted": {...}, "said": [...]}, or nothing

As with a runner's page it is removed when the watchdog's work is done, and stays after a kill: then
nobody guards that runner, and `is_left` says so.

Worst case: it cannot be written; the watchdog goes on without, and others see none.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core import clock
from hftlib.core.mapping import shared_memory

BEAT_S, SAID_MAX, BYTES_MAX = 0.5, 16, 1 << 16


def beat_path(socket: Path) -> Path:
    """Where the beat of whoever watches the runner with this control socket lies."""
    name = hashlib.sha256(os.fsencode(socket.absolute())).hexdigest()[:24]
    found = shared_memory(f"watchdog-{name}")
    return found if found.parent.is_dir() else socket.with_name(f"{socket.name}.watchdog")


class Beat:
    """The watchdog's end."""

    def __init__(self, socket: Path) -> None:
        self.path = beat_path(socket)
        self._said: list[dict[str, Any]] = []
        self._next = 0.0

    def say(self, what: str, facts: dict[str, Any]) -> None:
        """Something happened: it is seen there at once."""
        why = str(facts.get("why", ""))[:400]
        self._said = [*self._said, {"time_ns": clock.now_ns(), "what": what, "why": why}]
        self._said = self._said[-SAID_MAX:]
        self._next = 0.0

    def turn(self, parted: dict[str, str]) -> None:
        """It watches still; `parted`: where the venue and the runner say different things."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + BEAT_S
        told = {"pid": os.getpid(), "time_ns": clock.now_ns(), "parted": parted, "said": self._said}
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError):
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(json.dumps(told))
            aside.replace(self.path)

    def remove(self) -> None:
        """Its work is done."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def beat_of(socket: Path) -> dict[str, Any] | None:
    """What a watchdog of this runner said last; nothing where there was none."""
    try:
        with beat_path(socket).open("rb") as file:
            found = json.loads(file.read(BYTES_MAX))
        age_s = max(0, clock.now_ns() - int(found["time_ns"])) / 1e9
        is_left = not Path("/proc", str(int(found["pid"]))).exists()
        parted = {str(name): str(words) for name, words in found["parted"].items()}
        said = [{"what": str(one["what"]), "why": str(one["why"])} for one in found["said"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return {"pid": found["pid"], "age_s": age_s, "is_left": is_left, "parted": parted, "said": said}
