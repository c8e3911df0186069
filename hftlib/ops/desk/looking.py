"""One runner, looked at: by its page, by its socket where there is none, or not at all.

    one = Looked("maker", socket)
    one.look()     {"name", "socket", "by", "age_ns", "status", "worries"}

A page is opened again when another runner has put its own in its place. Reading it is a `pread`:
the runner does not notice. Worst case: a runner without a page that does not answer is waited for
ASK_S, once in AGAIN_S.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import told
from hftlib.core.errors import HftError
from hftlib.ops.page_reading import PageReader, page_path
from hftlib.ops.showing import worries

PAGE, SOCKET, NOTHING = "page", "socket", "nothing"
ASK_S, AGAIN_S, OLD_NS = 0.5, 5.0, 2_000_000_000


class Looked:
    """What is known of it."""

    def __init__(self, name: str, socket: Path) -> None:
        self.name, self.socket = name, socket
        self._place = page_path(socket)
        self._page: PageReader | None = None
        self._page_is: tuple[int, int] = (0, 0)
        self._silent_until = 0.0

    def look(self) -> dict[str, Any]:
        """How it stands now; never an error."""
        status, why = self._by_page()
        by, age = PAGE, 0
        if status is not None:
            age = int(status["page"]["age_ns"])
        else:
            status, said = self._by_socket()
            by, why = (SOCKET, "") if status is not None else (NOTHING, said or why)
        return {
            "name": self.name,
            "socket": str(self.socket),
            "by": by,
            "age_ns": age,
            "status": status,
            "worries": [why] if status is None else _worries(status, age),
        }

    def close(self) -> None:
        if self._page is not None:
            self._page.close()
        self._page = None

    def _by_page(self) -> tuple[dict[str, Any] | None, str]:
        try:
            there = os.stat(self._place, follow_symlinks=False)
        except OSError:
            self.close()
            return None, "There is no page of it"
        try:
            if self._page is None or (there.st_dev, there.st_ino) != self._page_is:
                self.close()
                self._page = PageReader(self._place)
                self._page_is = (there.st_dev, there.st_ino)
            return self._page.status(), ""
        except HftError as error:
            self.close()
            return None, error.what

    def _by_socket(self) -> tuple[dict[str, Any] | None, str]:
        now = time.monotonic()
        if now < self._silent_until:
            return None, "It does not answer"
        try:
            return told(self.socket, {"do": "status"}, "runner", patience_s=ASK_S), ""
        except (HftError, ValueError, KeyError) as error:
            self._silent_until = now + AGAIN_S
            return None, error.what if isinstance(error, HftError) else "It answers nonsense"


def _worries(status: dict[str, Any], age_ns: int) -> list[str]:
    found = []
    if not status.get("is_running"):
        found.append(f"it does not run: {status.get('why') or 'it was told to stop'}")
    elif age_ns > OLD_NS:
        found.append(f"its hot thread is silent for {age_ns / 1e9:,.1f} s")
    try:
        return found + worries({name: one for name, one in status.items() if name != "page"})
    except (KeyError, TypeError, IndexError, ValueError) as error:
        return [*found, f"what it says of itself is nonsense: {error!r}"]
