"""What a watchdog sees of the process it watches, and whether that is there at all.

    Line(path, until).ask({"do": "status"}, until)
    Sight(path, process).look(silence_s)     its answer; while there is none what its page says
    stays(process)                           alive, and not at its end
    follower(path, process)                  who listens there in its place

The page (`page_reading.py`) is memory of the runner that its hot thread keeps: positions, P&L and
the heartbeat are seen although the thread that answers is held up, and what was last so after a
kill. A page that cannot be read is told once, and the socket is asked as ever.

Worst case: one that does not answer is waited for until `until`, a monotonic time.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import pid_of
from hftlib.core.errors import HftError, StateError
from hftlib.ops.page_reading import PageReader, page_path

GONE_S = 0.1
ANSWER_S = 0.1  # for an answer, before the page is looked at
Told = dict[str, Any]


class Line:
    """A connection that stays, so that a look costs no more than its question."""

    def __init__(self, path: Path, until: float) -> None:
        self._own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._own.settimeout(max(0.001, until - time.monotonic()))
        self._own.connect(str(path))
        self._heard = b""
        self.asked = 0.0  # since when it waits for an answer; 0: it waits for none

    def ask(self, said: Told, until: float) -> Told:
        """What it answers to this; who asked before is answered first."""
        if self.asked:
            self.answer(until)
        self.say(said, until)
        return self.answer(until)

    def say(self, said: Told, until: float) -> None:
        self._own.settimeout(max(0.001, until - time.monotonic()))
        self._own.sendall(json.dumps(said).encode() + b"\n")
        self.asked = time.monotonic()

    def answer(self, until: float) -> Told:
        """What it answers; TimeoutError where it has not yet, and may be asked for it again."""
        while not self._heard.endswith(b"\n"):
            self._own.settimeout(max(0.001, until - time.monotonic()))
            piece = self._own.recv(1 << 16)
            if not piece:
                raise StateError("The runner hung up", where="watchdog", do="See whether it runs.")
            self._heard += piece
        heard, self._heard, self.asked = self._heard, b"", 0.0
        found: Told = json.loads(heard)
        return found if found["ok"] else {}


def follower(path: Path, process: int) -> int:
    """The process that listens there in place of this one; 0: there is none yet."""
    with suppress(StateError):
        found = pid_of(path, "runner")
        return found if found != process else 0
    return 0


class Sight:
    """How a runner stands, by whichever way says so."""

    def __init__(self, path: Path, process: int) -> None:
        self._path, self._process = path, process
        self._line: Line | None = None
        self._page: PageReader | None = None
        self.wrong = ""  # why its page says nothing

    def ask(self, said: Told, until: float) -> Told:
        """What it answers to a command."""
        if self._line is None:
            self._line = Line(self._path, until)
        return self._line.ask(said, until)

    def look(self, silence_s: float) -> Told:
        """Its status. TimeoutError: it has been silent for so long."""
        now = time.monotonic()
        if self._line is None:
            self._line = Line(self._path, now + silence_s)
        line = self._line
        if not line.asked:
            line.say({"do": "status"}, now + silence_s)
        end = line.asked + silence_s
        page = self._paged()
        try:
            return line.answer(end if page is None else min(end, now + ANSWER_S))
        except TimeoutError:
            if page is None or time.monotonic() >= end:
                raise
        return self.last() or line.answer(end)

    def last(self) -> Told | None:
        """What its page says, also when it is gone; nothing where there is none."""
        page = self._paged()
        try:
            return None if page is None else page.status(is_brief=True)
        except HftError as error:
            self.wrong, self._page = str(error), None
            return None

    def _paged(self) -> PageReader | None:
        place = page_path(self._path)
        if self._page is None and not self.wrong and os.path.lexists(place):
            try:
                page = PageReader(place)
            except HftError as error:
                self.wrong = str(error)
                return None
            if page.process != self._process:
                self.wrong = f"Its page is of another process, {page.process}"
                page.close()
                return None
            self._page = page
        return self._page


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
