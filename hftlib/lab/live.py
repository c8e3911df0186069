"""Something live in a notebook: a widget, the thread that looks for it, and a picture that stays.

    live = Live(widget, look, still)
    live                       in a cell: shows itself, and looks while somebody sees it
    live.stop()                the thread is gone when this returns

    look()  ─ each EVERY_S, in a thread ─▶ widget.shown ─▶ browser
    still() ─ at the start and the end ─▶ HTML beside it, for pages without a kernel

A thread of its own looks, so a busy kernel does not hold the picture still. It ends with `stop`,
when the cell runs again, when every view of it is closed, when no view has said for GONE_S that it
is there (as when a browser is gone, or never was), and with the kernel. A view that says so later
starts it again. `HftError` is a line below the figures, and looking goes on: runners come and go.

Worst case: a look that takes long is late; there is never more than one at a time.
"""

from __future__ import annotations

import html
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from hftlib.core.errors import HftError
from hftlib.lab import cells
from hftlib.lab.piece import PieceWidget, plain

EVERY_S, GONE_S, JOIN_S = 0.4, 600.0, 5.0
_BY_CELL: dict[str, list[Live]] = {}
_HOOKED: set[int] = set()


class Live:
    """A widget that is looked after."""

    def __init__(
        self,
        widget: PieceWidget,
        look: Callable[[], dict[str, Any]],
        still: Callable[[dict[str, Any]], str],
        name: str,
    ) -> None:
        self.widget, self.name = widget, name
        self._look, self._still = look, still
        self._over, self._lock = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._views: set[str] = set()
        self._seen = 0.0
        self._kept: Any = None
        self._is_stopped = False
        widget.still = secrets.token_hex(6)
        widget.on_msg(self._hear)

    @property
    def is_looking(self) -> bool:
        """Whether its thread runs."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def stop(self) -> None:
        """End looking for good; the figures stay as they are."""
        self._is_stopped = True
        self._rest()
        self.widget.said = self.widget.said or "Stopped: run the cell again to go on."
        self._keep()

    def _start(self) -> None:
        with self._lock:
            if self._is_stopped or self.is_looking:
                return
            self._over.clear()
            self._seen = time.monotonic()
            self.widget.is_live = True
            self._thread = threading.Thread(target=self._run, name=f"hft {self.name}", daemon=True)
            self._thread.start()

    def _rest(self) -> None:
        """End the thread, until somebody looks again."""
        with self._lock:
            self._over.set()
            thread, self._thread = self._thread, None
            if thread is not None and thread is not threading.current_thread():
                thread.join(JOIN_S)
            self.widget.is_live = False

    def _run(self) -> None:
        over = self._over
        while not over.wait(EVERY_S):
            if time.monotonic() - self._seen > GONE_S:
                self.widget.is_live = False
                return
            self._once()

    def _once(self) -> None:
        try:
            self.widget.shown = plain(self._look())
            said = ""
        except HftError as error:
            said = f"{error.what}. {error.do}"
        if self.widget.said != said:
            self.widget.said = said

    def _hear(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        view, what = str(message.get("view")), message.get("hft")
        if what == "here":
            self._views.add(view)
            self._seen = time.monotonic()
            self._start()
        elif what == "gone":
            self._views.discard(view)
            if not self._views:
                self._rest()
                self._keep()

    def _ipython_display_(self) -> None:
        self._once()
        _of_this_cell(self)
        cells.show(self.widget)
        self._kept = cells.show_page(self._picture())
        self._start()

    def _keep(self) -> None:
        """The last figures as a picture in the notebook's file."""
        cells.change(self._kept, self._picture())

    def _picture(self) -> str:
        return still_of(self.widget, self._still)

    def __repr__(self) -> str:
        return f"<{self.name}: {'looking' if self.is_looking else 'still'}>"


def still_of(widget: PieceWidget, still: Callable[[dict[str, Any]], str]) -> str:
    """What a page without a kernel shows; a widget that is drawn hides it."""
    said = f"<p>{html.escape(widget.said)}</p>" if widget.said else ""
    made = still(widget.shown) if widget.shown else ""
    return f'<div data-hft-still="{widget.still}">{made}{said}</div>'


def stop_all() -> None:
    """End every thread of every cell."""
    for cell in list(_BY_CELL):
        _stop_cell(cell)


def _of_this_cell(live: Live) -> None:
    """What the same cell shows again takes its place."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        return
    if id(shell) not in _HOOKED:
        _HOOKED.add(id(shell))
        shell.events.register("pre_run_cell", lambda info: _stop_cell(getattr(info, "cell_id", "")))
    told: Any = getattr(shell, "get_parent", dict)() or {}
    cell = told.get("metadata", {}).get("cellId")
    if cell:  # what runs cells without naming them runs each once
        _BY_CELL.setdefault(str(cell), []).append(live)


def _stop_cell(cell: str | None) -> None:
    for one in _BY_CELL.pop(cell, []) if cell else []:
        one.stop()
