"""A runner as it stands now, by its page, and what of its past a rule asks for.

    eye = Eye("maker", socket); look = eye.look(now_s)
    eye.past.earlier(("rate", "refused"), now_s, 10.0, 4_711)     (when, what) it was, 10 s ago

Nothing is asked of a runner that has a page. One that has none is asked by its control socket, for
ASK_S at most.

Worst case: MARKS values of the past for each rule; a runner that begins anew has none.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import told
from hftlib.core.errors import HftError
from hftlib.ops.metrics.stages import Stage, StagesReader
from hftlib.ops.page_reading import page_path
from hftlib.ops.watch_beat import beat_of

ASK_S, MARKS = 0.5, 64


class Past:
    """What figures were."""

    def __init__(self, begun_s: float) -> None:
        self.begun_s = begun_s
        self.lived: set[tuple[str, int]] = set()  # feeds and links that were ready once
        self._marks: dict[Any, deque[tuple[float, Any]]] = {}

    def earlier(self, key: Any, now_s: float, over_s: float, value: Any) -> tuple[float, Any]:
        """What it was `over_s` ago, or at first; what it is now is remembered."""
        marks = self._marks.setdefault((key, over_s), deque())
        while len(marks) > 1 and marks[1][0] <= now_s - over_s:
            marks.popleft()
        if not marks or now_s - marks[-1][0] >= over_s / MARKS:
            marks.append((now_s, value))
        return marks[0]


@dataclass(frozen=True, slots=True)
class Look:
    """One runner at one moment."""

    name: str
    time_s: float
    past: Past
    status: dict[str, Any] | None = None  # None: it is not there
    stages: dict[str, Stage] = field(default_factory=dict)
    beat: dict[str, Any] | None = None  # of its watchdog
    was_there: bool = False
    is_named: bool = False

    @property
    def page(self) -> dict[str, Any]:
        found: dict[str, Any] = (self.status or {}).get("page") or {}
        return found


class Eye:
    """Looks at one runner."""

    def __init__(self, name: str, socket: Path, is_named: bool, now_s: float) -> None:
        self.name, self.socket = name, socket
        self._is_named, self._was_there, self._process = is_named, False, 0
        self.past = Past(now_s)

    def look(self, now_s: float) -> Look:
        status, stages = self._seen()
        if status is not None and status["pid"] != self._process:
            self._process, self.past = status["pid"], Past(now_s)
        self._was_there |= status is not None
        more = {"was_there": self._was_there, "is_named": self._is_named}
        beat = beat_of(self.socket)
        return Look(self.name, now_s, self.past, status, stages, beat, **more)

    def _seen(self) -> tuple[dict[str, Any] | None, dict[str, Stage]]:
        try:
            if os.path.lexists(page_path(self.socket)):
                with StagesReader(page_path(self.socket)) as page:
                    return page.status(), page.stages()
        except HftError:
            pass  # it is asked instead
        try:
            return told(self.socket, {"do": "status"}, "runner", patience_s=ASK_S), {}
        except (HftError, ValueError, KeyError):
            return None, {}
