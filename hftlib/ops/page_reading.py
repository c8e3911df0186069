"""A runner's page read by another process: what `hft status` says, though nobody there answers.

    reader = PageReader(page_path(socket))     a sentence where there is none, or it is none
    reader.status()                            as `ops/status.py` tells it, `page` added:
        {"age_ns": ..., "is_torn": false, "is_left": false}

It is only read (`pread`, never written, never mapped: one that is cut short while it is looked at
is a sentence, and no crash). What a file says of itself is checked before it is used, and every
number that names something is looked up. Figures of one piece belong together, those of a page are
of one call of `publish`, where that is caught at rest; `is_torn` says that it was not, as after
a kill in the middle. `is_left`: the process that wrote it is gone. Of an instrument ladder and
orders are of one moment, its own (`page_views.py`); one that is never caught at rest is left out.

Worst case: whoever owns the file may write anything into it: it is believed no more than what the
same process says by its socket.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import clock, mapping
from hftlib.core.errors import HftError, StateError
from hftlib.core.histogram import Histogram
from hftlib.core.layout import Layout
from hftlib.core.mapping import ARENA_HEADER, shared_memory
from hftlib.core.records import field_offset
from hftlib.ops.page_views import VIEWED, caught, desk_told
from hftlib.ops.worth import position_told

ATTEMPTS, BYTES_MAX = 50, 1 << 26
MODEL = "MODEL"
NONE_PRICE = -(2**60)
PERCENTILES = ("p50", "p99", "p99.9", "max")
_CHANGES = field_offset(ARENA_HEADER, "changes")
_COUNTS = ("frames", "timers", "alarms", "directives")
_OF_FEEDS = ("datagrams", "messages", "strangers", "notices")
_OF_LINKS = ("commands", "reports", "rejected", "segments")
Arrays = dict[str, np.ndarray[Any, Any]]


def page_path(socket: Path) -> Path:
    """Where the page of the runner with this control socket lies."""
    name = hashlib.sha256(os.fsencode(socket.absolute())).hexdigest()[:24]
    found = shared_memory(f"page-{name}")
    return found if found.parent.is_dir() else socket.with_name(f"{socket.name}.page")


class PageReader:
    """The reading end; it may be opened before, during and after the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags)
        except OSError as error:
            raise self._none(error.strerror or str(error)) from None
        try:
            self._size = os.fstat(self._file).st_size
            if self._size > BYTES_MAX:
                raise self._none(f"it has {self._size:,} bytes")
            self._layout: Layout = mapping.checked(self._file, path)
            slots = self._layout.slots
            if not {*VIEWED} <= slots.keys():
                raise self._none("it was laid out by another version")
            self._near = min(slots[name].offset for name in VIEWED)
            self._is_torn = False
            self.about = self._about(self._arrays())
        except BaseException:
            self.close()
            raise

    @property
    def process(self) -> int:
        """Who writes it, or wrote it."""
        return int(self.about["pid"])

    def status(self, is_brief: bool = False) -> dict[str, Any]:
        """How things stand, as far as a page says; brief: without books, orders, fills, limits."""
        if is_brief:
            return self._believed(lambda: self._status(self._arrays()))
        return self._believed(lambda: self._whole(self._seen()))

    def beside(self) -> dict[str, Any]:
        """What only a page says: books, orders, fills, refusals, limits."""
        return self._believed(lambda: desk_told(self.about, self._seen()))

    def _whole(self, arrays: Arrays) -> dict[str, Any]:
        return self._status(arrays) | desk_told(self.about, arrays)

    def _believed(self, made: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return made()
        except HftError:
            raise
        except (KeyError, ValueError, IndexError, TypeError, ArithmeticError) as error:
            raise self._none(f"what it says is nonsense, {error!r}") from None

    def histograms(self) -> Arrays:
        """What each stage took since the start: one HISTOGRAM each, by its name."""
        rows = self._arrays()["latencies"]
        return {str(name): rows[n : n + 1] for n, name in enumerate(self.about["stages"])}

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _none(self, why: str) -> StateError:
        return StateError(
            f"The runner's page cannot be read: {why}",
            where=str(self.path),
            do="See that the runner runs, and is of this version; `hft status` asks it by socket.",
        )

    def _arrays(self) -> Arrays:
        """A copy of all but views, of a moment in which nobody wrote if there was one."""
        for _ in range(ATTEMPTS):
            data = self._read(0, self._near)
            before = int.from_bytes(data[_CHANGES : _CHANGES + 8], "little")
            after = int.from_bytes(os.pread(self._file, 8, _CHANGES), "little")
            self._is_torn = before != after or before & 1 == 1
            if not self._is_torn:
                break
        return {
            name: np.frombuffer(data, slot.dtype, slot.count, slot.offset)
            for name, slot in self._layout.slots.items()
            if slot.offset + slot.nbytes <= self._near
        }

    def _seen(self) -> Arrays:
        """All of it, views as they were caught."""
        return self._arrays() | caught(self._read, self._layout.slots, ATTEMPTS)

    def _read(self, begin: int, count: int) -> bytes:
        data = os.pread(self._file, count, begin)
        if len(data) < count:
            raise self._none("it was cut short")
        return data

    def _about(self, arrays: Arrays) -> dict[str, Any]:
        try:
            found = json.loads(arrays["about"].tobytes())
            int(found["pid"])
        except (KeyError, ValueError, TypeError) as error:
            raise self._none(f"it does not say whose it is, {error!r}") from None
        return dict(found)

    def _status(self, arrays: Arrays) -> dict[str, Any]:
        about, live, hot = self.about, arrays["live"][0], arrays["hot"][0]
        desk = _desk_of(arrays["desk"][0])
        is_left = not Path("/proc", str(self.process)).exists()
        seats = range(len(about["strategies"]))
        status = int(hot["status"])
        return {
            "mode": about["mode"],
            "mode_says": about["mode_says"],
            "release": about["release"],
            "is_running": bool(desk["is_running"]) and not is_left and status == 0,
            "is_handed_over": bool(desk["is_handed_over"]),
            "why": desk["why"] or ("the process is gone" if is_left else ""),
            "pid": self.process,
            "time_ns": clock.now_ns(),
            "clock": desk["clock"],
            "hours": about["hours"],
            "journal": about["journal"],
            "standby": desk["standby"],
            "counts": _counts(arrays, len(seats)) | {"journaled": int(desk["journaled"])},
            "open_orders": sum(int(arrays[f"execution_{n}"]["open_orders"][0]) for n in seats),
            "scopes": _scopes(about, arrays["scopes"]),
            "strategies": desk["strategies"],
            "positions": [one for n in seats for one in _positions(about, arrays, n)],
            "feeds": _feeds(about, arrays),
            "latencies_ns": _latencies(about, arrays["latencies"]),
            "links": _links(about, arrays, desk),
            "page": {
                "age_ns": max(0, clock.now_ns() - int(live["now"])),
                "is_torn": self._is_torn,
                "is_left": is_left,
            },
        }

    def __enter__(self) -> PageReader:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()


def stands(socket: Path, patience_s: float) -> dict[str, Any]:
    """A runner's status: its answer, or without one its page's, with `page` saying so."""
    from hftlib.core.control.asking import told

    try:
        return told(socket, {"do": "status"}, "runner", patience_s=patience_s)
    except StateError:
        if not os.path.lexists(page_path(socket)):
            raise
    with PageReader(page_path(socket)) as reader:
        return reader.status()


def beside(socket: Path, process: int) -> dict[str, Any]:
    """What the page of this process says that its answer does not; nothing where it has none."""
    try:
        with PageReader(page_path(socket)) as reader:
            return reader.beside() if reader.process == process else {}
    except HftError:
        return {}


def _desk_of(row: Any) -> dict[str, Any]:
    length = int(row["length"])
    return dict(json.loads(bytes(row["text"][: max(0, length)])))


def _counts(arrays: Arrays, seats: int) -> dict[str, int]:
    live, feeds, links = arrays["live"][0], arrays["feeds"], arrays["links"]
    found = {name: int(live[name]) for name in _COUNTS}
    found |= {name: int(feeds[name].sum()) for name in _OF_FEEDS}
    found |= {name: int(links[name].sum()) for name in _OF_LINKS}
    found["refused"] = sum(int(arrays[f"session_{n}"]["refused"][0].sum()) for n in range(seats))
    found["events"] = int(arrays["session_0"]["events"][0])
    return found


def _scopes(about: dict[str, Any], rows: Any) -> list[dict[str, Any]]:
    words = about["reasons"]
    return [
        {
            "scope": name,
            "state": "flattening" if row["flattening"] else _word(about, "trading", row["state"]),
            "since_ns": int(row["since"]),
            "why": words.get(str(int(row["why"])), "") if row["state"] else "",
        }
        for name, row in zip(about["scopes"], rows, strict=False)
    ]


def _positions(about: dict[str, Any], arrays: Arrays, seat: int) -> list[dict[str, Any]]:
    quotes, rows = arrays["quotes"].reshape(-1, 2), arrays[f"positions_{seat}"]
    return [
        position_told(facts, about["strategies"][seat], rows[n], *map(_price, quotes[n]))
        for n, facts in enumerate(about["instruments"])
    ]


def _price(units: Any) -> int | None:
    """A best price; nothing where the side is empty, or was not looked at yet."""
    return None if int(units) == NONE_PRICE else int(units)


def _feeds(about: dict[str, Any], arrays: Arrays) -> list[dict[str, Any]]:
    made = []
    for n, venue in enumerate(about["venues"]):
        row = arrays[f"feed_{n}"][0]
        state, why = _word(about, "feed", row["state"]), about["feed_reasons"][_at(row["reason"])]
        made.append({"venue": venue, "state": state, "why": why, "next": int(row["expected"])})
    return made


def _links(about: dict[str, Any], arrays: Arrays, desk: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    for n, link in enumerate(arrays["links"]):
        gateway = arrays[f"gateway_{n}"][0]
        state = MODEL if about["is_shadow"] else _word(about, "link", gateway["state"])
        told = {"venue": about["venues"][n], "state": state, "is_up": bool(link["is_up"])}
        told |= {"why": desk["links"][n], "commands": int(link["commands"])}
        made.append(
            told | {"reports": int(link["reports"]), "strangers": int(gateway["strangers"])}
        )
    return made


def _latencies(about: dict[str, Any], rows: Any) -> dict[str, dict[str, int]]:
    made = {}
    for n, name in enumerate(about["stages"]):
        told = Histogram(rows[n : n + 1].copy()).summary()
        made[name] = {one: int(told[one]) for one in ("count", *PERCENTILES) if one in told}
    return made


def _word(about: dict[str, Any], of: str, number: Any) -> str:
    return str(about[f"{of}_states"][_at(number)])


def _at(number: Any) -> int:
    """A place in a list: a number below zero is none."""
    found = int(number)
    if found < 0:
        raise ValueError(f"{found} names nothing")
    return found
