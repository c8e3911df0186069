"""A runner's page: what it is and holds, in memory that other processes of its user read.

    page = Page(runner, page_path(socket))     before it starts; then its hot thread writes there
    page.turn()                                what only the thread that dials knows
    page.remove()                              the day is over

    hot thread ─ each ms ─▶ live, hot, feeds, links, scopes, positions, best prices, new fills;
                            of one instrument: ladder, our orders in it, what risk counts of it
               ─ as measured ─▶ latencies                (they lie there, nothing is copied)
    this thread ─ TURN_S ─▶ desk: clock, standby, parameters, as JSON

It is an arena in a file under /dev/shm, mode 0600, named after the control socket, so whoever knows
the one knows the other and need not ask. A watchdog sees by it what is held while nobody of the
process answers, and after a kill -9 what was last so: the file stays until a runner begins at the
same socket, or another clears up: eight stay, for an hour. `page_reading.py` reads it.

Worst case: no memory can be had for it: the runner begins without, and says so.
"""

from __future__ import annotations

import ctypes
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.core import clock, jit
from hftlib.core.arena import Arena
from hftlib.core.errors import HftError
from hftlib.core.histogram import HISTOGRAM
from hftlib.core.layout import Layout
from hftlib.core.mapping import shared_memory
from hftlib.core.orders import REASONS, STATES
from hftlib.core.positions import POSITION
from hftlib.core.records import record
from hftlib.engine.live import hot_memory as hot
from hftlib.engine.live import memory as live
from hftlib.engine.live import page_memory as shown
from hftlib.engine.live.page_books import show
from hftlib.engine.live.page_trail import trail
from hftlib.engine.memory import SESSION
from hftlib.execution.memory import EXECUTION
from hftlib.execution.ouch.memory import GATEWAY
from hftlib.execution.ouch.memory import STATES as GATEWAY_STATES
from hftlib.feed.mold import memory as mold
from hftlib.ops.exchanges import venues_of
from hftlib.ops.modes import mode_text
from hftlib.ops.page_reading import PageReader
from hftlib.ops.worth import facts_of
from hftlib.risk.controls import CONTROLS, RING_LIMITS, TRADING_STATES
from hftlib.risk.memory import SCOPE
from hftlib.strategy.abi import CONTEXT

TURN_S = 0.25
OLD_S, LEFT_MAX = 3_600.0, 8  # of pages whose runner was killed
CHUNK_BYTES = 1 << 13
TEXT_BYTES = 16_000
DESK = record(
    "desk's page",
    16_128,
    """
    0    sequence  int64         odd while it is written
    8    time      int64         when, ns since the epoch
    16   length    int64         bytes of the text
    64   text      uint8[16000]  JSON
    """,
)


class Page:
    """The writing end; made before the runner starts."""

    def __init__(self, runner: Any, path: Path) -> None:
        self.path, self._runner, self._said = path, runner, 0.0
        _clear(path)
        sources = _sources(runner)
        about = json.dumps(_about(runner)).encode()
        session = runner.live.session
        rows, seats, uppers = len(session.instruments), len(session.seats), session.risk.uppers
        arrays: dict[str, Any] = {name: (one.dtype, len(one)) for name, one in sources.items()}
        each = shown.room_each(rows)
        layout = Layout(
            about=(np.dtype(np.uint8), len(about)),
            desk=DESK,
            quotes=(np.dtype(np.int64), 2 * rows),
            latencies=(HISTOGRAM, len(hot.STAGES)),
            trails=(shown.TRAIL, seats),
            counts=(shown.COUNTS, uppers),
            **arrays,
            moments=(np.dtype(np.int64), rows),  # the rest is large, and looked at by itself
            views=(shown.VIEW, rows),
            working=(shown.WORKING, rows * each),
        )
        self.arena = Arena.create(layout, path)
        self.arena["about"][:] = np.frombuffer(about, np.uint8)
        self.arena["quotes"][:] = NO_PRICE
        self._pieces = self._cut(sources)
        self._copying = np.zeros(1, hot.COPYING)
        row = self._copying[0]
        row["changes"], row["quotes"] = self.arena.changes_address, self.arena.address_of("quotes")
        row["pieces"], row["count"] = self._pieces.ctypes.data, len(self._pieces)
        row["show"], row["trail"] = jit.entry_address(show), jit.entry_address(trail)
        self._trailed = np.zeros(seats, shown.TRAILED)
        row["trailed"] = self._trailed.ctypes.data
        for name in ("moments", "views", "working", "trails", "counts"):
            row[name] = self.arena.address_of(name)
        row["each"], row["strategies"], row["scopes"] = each, seats, uppers
        row["is_shadow"] = runner.live.shadow is not None
        runner.shown_on(self, self.arena["latencies"], self._copying.ctypes.data)
        self.turn()
        self._said = 0.0  # and again as soon as it runs

    def _cut(self, sources: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """Each source in parts of whole records, so that none keeps the hot thread long."""
        made = []
        for name, source in sources.items():
            size, to = source.dtype.itemsize, self.arena.address_of(name)
            each = max(1, CHUNK_BYTES // size)
            for first in range(0, len(source), each):
                count = min(each, len(source) - first)
                at = first * size
                made.append((to + at, source.ctypes.data + at, count * size))
        return np.array(made, hot.PIECE)

    def turn(self, leaves: bool = False) -> None:
        """What is not the hot thread's to know, at most each TURN_S; or that the day ends now."""
        now = time.monotonic()
        if now - self._said < TURN_S and not leaves:
            return
        self._said = now
        told = _desk(self._runner) | ({"is_running": False} if leaves else {})
        text = json.dumps(told).encode()
        if len(text) > TEXT_BYTES:
            text = json.dumps(told | {"strategies": []}).encode()[:TEXT_BYTES]
        row = self.arena["desk"]
        row["sequence"] |= 1
        row["text"][0, : len(text)] = np.frombuffer(text, np.uint8)
        row["time"], row["length"] = clock.now_ns(), len(text)
        row["sequence"] += 1

    def goes_to(self, path: Path) -> None:
        """It is found there from now on: its runner listens where another one did."""
        self.path.rename(path)
        self.path = path

    def remove(self) -> None:
        """Nobody finds it any more; who has read it keeps what it said."""
        self.path.unlink(missing_ok=True)
        self.arena.close()


def _sources(runner: Any) -> dict[str, np.ndarray[Any, Any]]:
    """What is copied, the heartbeat first. All of it is memory that stays where it is."""
    laid, session = runner.live, runner.live.session
    found = {
        "live": _at(laid.address, live.LIVE),
        "hot": _at(runner.address, hot.HOT),
        "feeds": laid.feeds,
        "links": laid.links,
        "scopes": session.arena["scopes"],
    }
    for n, one in enumerate(laid.sequencers):
        found[f"feed_{n}"] = _at(one.address, mold.SEQUENCER)
    for n in range(len(laid.links)):
        found[f"gateway_{n}"] = _at(int(laid.links[n]["gateway"]), GATEWAY)
    for seat in session.seats:
        for name in ("session", "context", "execution", "positions"):
            found[f"{name}_{seat.number}"] = seat[name]
    known = {SESSION, CONTEXT, EXECUTION, POSITION, SCOPE}
    assert {one.dtype for one in found.values()} >= known, "as the reader expects them"
    return found


def _at(address: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """One record, where it lies; whoever owns the memory is held by the runner."""
    room = (ctypes.c_uint8 * dtype.itemsize).from_address(address)
    return np.frombuffer(memoryview(room), np.uint8).view(dtype)


def _about(runner: Any) -> dict[str, Any]:
    """What does not change in a day, and the words for numbers that do."""
    session = runner.live.session
    return {
        "pid": os.getpid(),
        "mode": runner.mode,
        "mode_says": mode_text(runner.about),
        "release": runner.about.get("release"),
        "journal": str(runner.journal.folder),
        "hours": runner.hours,
        "venues": venues_of(runner.about),
        "is_shadow": runner.live.shadow is not None,
        "strategies": session.names,
        "scopes": list(session.risk.names),
        "instruments": [facts_of(session.seats[0], one) for one in session.instruments],
        "factors": [float(one) for one in session.arena["rules"]["factor"][:-1]],
        "currency": session.risk.limits.currency or session.instruments[0].currency,
        "controls": [[one.name, one.unit] for one in CONTROLS],
        "rings": list(RING_LIMITS),
        "order_states": list(STATES),
        "stages": list(hot.STAGES),
        "feed_states": list(mold.STATES),
        "feed_reasons": list(mold.REASONS),
        "link_states": list(GATEWAY_STATES),
        "trading_states": list(TRADING_STATES),
        "reasons": {str(n): one for n, one in enumerate(REASONS) if one},
    }


def _desk(runner: Any) -> dict[str, Any]:
    """What changes, and is known in Python."""
    from hftlib.ops.status import strategies_told

    return {
        "is_running": runner.is_running,
        "is_handed_over": runner.is_handed_over,
        "why": runner.why,
        "clock": runner.clocks.told,
        "standby": runner.standby.told if runner.standby is not None else None,
        "strategies": strategies_told(runner),
        "links": list(runner.dialler.why),
        "journaled": runner.journal.sequence,
    }


def _clear(path: Path) -> None:
    """Take away what a runner at this socket left; of others that are gone the newest few stay."""
    path.unlink(missing_ok=True)
    left = []
    for one in path.parent.glob(shared_memory("page-").name + "*"):
        with suppress(OSError, HftError):
            if _is_left(one):
                left.append((one.stat().st_mtime, one))
    for n, (made, one) in enumerate(sorted(left, reverse=True)):
        if n >= LEFT_MAX or time.time() - made > OLD_S:
            one.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    with PageReader(path) as reader:
        return not Path("/proc", str(reader.process)).exists()
