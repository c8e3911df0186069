"""A frame in words, and a journal in one line: for people, and for `--json`.

A payload is shown by what its kind holds: a record by its fields, JSON and text as they are, all
else as hexadecimal digits with the letters that are among them. Worst case: a payload that is not
what its kind says is shown as bytes, with its length; nothing here fails for what it reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# Each draws a record that frames of some kind hold.
from hftlib.core import clock_look as clock_look
from hftlib.core import events as events
from hftlib.core import orders as orders
from hftlib.core import times
from hftlib.core.errors import HftError
from hftlib.core.journal import kinds
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import DURABILITIES
from hftlib.core.journal.reading import Frame, frames
from hftlib.core.journal.segments import numbers_of, place, session_of
from hftlib.core.journal.shadows import pieces_of
from hftlib.core.journal.verifying import CLOSED, CUT_OFF, DAMAGED, LIVE
from hftlib.core.journal.walking import is_live
from hftlib.core.records import RECORDS

SHOWN_BYTES = 32
_TEXT_KINDS = (kinds.NOTE, kinds.CONTROL, kinds.CONNECTED)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a journal is, found without reading all of it."""

    folder: str
    state: str
    frames: int
    first_time: str
    last_time: str
    segments: int
    disk_bytes: int
    durability: str
    about: str
    mode: str = ""
    venues: str = ""
    wrong: str = ""


def summary(folder: Path) -> Summary:
    """Its first frame, its last block, and whether it is closed, live, cut off or damaged."""
    disk = sum(path.stat().st_blocks * 512 for path in folder.iterdir() if path.is_file())
    wrong, first, last = "", None, None
    state, durability, count = CUT_OFF, "", 0
    try:
        session = session_of(folder)
        durability = {n: name for name, n in DURABILITIES.items()}.get(session.durability, "?")
        live = is_live(folder)
        count = Chain.index(folder, session).sealed
        first = next(frames(folder), None)
        for last in frames(folder, max(1, count)):
            count = last.sequence
        closed = last is not None and last.kind == kinds.CLOSED
        state = LIVE if live else CLOSED if closed else CUT_OFF
    except HftError as error:
        state, wrong = DAMAGED, error.what
    told = _of_runner(first)
    mode = told.get("mode")
    return Summary(
        folder=str(folder),
        state=state,
        frames=count,
        first_time=_time(first),
        last_time=_time(last),
        segments=len(numbers_of(folder)),
        disk_bytes=disk,
        durability=durability,
        about=first.payload.decode(errors="replace") if first else "",
        mode=mode if isinstance(mode, str) else "",
        venues=_venues(told),
        wrong=wrong,
    )


def _of_runner(first: Frame | None) -> dict[str, Any]:
    """What a first frame says, as far as it says that as JSON."""
    told = decoded(first) if first is not None and first.kind == kinds.OPENED else None
    return told if isinstance(told, dict) else {}


def _venues(told: dict[str, Any]) -> str:
    """Of a runner's journal: where it trades."""
    links = told.get("links")
    found = (
        [one.get("venue") for one in links if isinstance(one, dict)]
        if isinstance(links, list)
        else []
    )
    return ", ".join(one for one in found if isinstance(one, str))


def journals_in(folder: Path) -> list[Path]:
    """The folder itself if it is a journal, else the journals right below it."""
    if place(folder, 0).exists():
        return [folder]
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        inside = []
    return [path for path in inside if place(path, 0).exists()]


def line(frame: Frame, zone: str = "UTC") -> str:
    """One frame on one line."""
    kind = kinds.KINDS.get(frame.kind)
    arrow = {"in": "◀", "out": "▶"}.get(kind.direction if kind else "", "·")
    head = f"{frame.sequence:>10,} {times.to_text(frame.time, zone=zone)} {arrow} {frame.name:<12}"
    return f"{head} {frame.source:>5} {len(frame.payload):>6,} B  {words(frame)}"


def as_json(frame: Frame) -> dict[str, Any]:
    """The frame for machines, its payload whole."""
    made: dict[str, Any] = {
        "sequence": frame.sequence,
        "time": frame.time,
        "kind": frame.name,
        "source": frame.source,
        "payload": frame.payload.hex(),
    }
    told = decoded(frame)
    return made | ({"decoded": told} if told is not None else {})


def words(frame: Frame) -> str:
    """The payload, as far as one line holds it."""
    told = decoded(frame)
    if isinstance(told, list):
        return "; ".join(" ".join(f"{k}={v}" for k, v in one.items() if v) for one in told)
    if isinstance(told, dict) and kinds.KINDS[frame.kind].record:
        return " ".join(f"{name}={value}" for name, value in told.items() if value)
    if told is not None:
        return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    shown = frame.payload[:SHOWN_BYTES]
    letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in shown)
    more = " …" if len(frame.payload) > SHOWN_BYTES else ""
    return f"{shown.hex(' ', 4)}  {letters}{more}" if shown else ""


def decoded(frame: Frame) -> Any:
    """What the payload says, where its kind tells how to read it; else None."""
    kind = kinds.KINDS.get(frame.kind)
    if kind is None:
        return None
    if kind.number == kinds.SHADOW:
        return [_piece(name, data) for name, data in pieces_of(frame.payload)]
    if kind.record:
        return _fields(RECORDS[kind.record].dtype, frame.payload)
    if kind.number == kinds.TIMER and len(frame.payload) == 8:
        return {"timer": int.from_bytes(frame.payload, "little", signed=True)}
    if kind.holds.startswith("JSON") or kind.number in _TEXT_KINDS:
        return _text(frame.payload)
    return None


def _fields(dtype: np.dtype[Any], payload: bytes) -> dict[str, Any] | None:
    if len(payload) != dtype.itemsize:
        return None
    one = np.frombuffer(payload, dtype)[0]
    return {name: one[name].item() for name in dtype.names or ()}


def _piece(name: str, data: bytes) -> dict[str, Any]:
    """A command or a report of a shadow, by its fields."""
    found = _fields(RECORDS[name].dtype, data) if name in RECORDS else None
    return {"piece": name, "bytes": data.hex()} if found is None else {"piece": name} | found


def _text(payload: bytes) -> Any:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _time(frame: Frame | None) -> str:
    return times.to_text(frame.time) if frame else ""
