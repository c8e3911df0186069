"""A replay as slow and obvious as it can be: frame by frame, outputs in a queue, in plain Python.

It shares no line with `hftlib.engine.live.replaying` but what reads frames and says bytes in words.
`outcome` is what either of the two comes to, refusals among it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError
from hftlib.core.journal import Journal, kinds
from hftlib.core.journal.reading import Frame, frames
from hftlib.engine.live.memory import FAULTS
from hftlib.engine.live.replaying import Replayed, about
from hftlib.engine.live.telling import payload_text

TAKEN = {"DATAGRAM", "SESSION_IN", "CONNECTED", "TIMER", "DIRECTIVE"}
COMPARED = {"SESSION_OUT", "DATAGRAM_OUT"}


def slow_replay(folder: Path, laid: Callable[[Any], Any]) -> Replayed:
    """Take it all in again, and compare."""
    live = laid(about(folder))
    ours: deque[tuple[int, int, bytes]] = deque()
    taken = compared = fault = 0
    cause: Frame | None = None
    difference = ""
    for frame in frames(folder):
        taken += 1
        if frame.name in TAKEN:
            if ours:
                difference = missing(ours[0], cause)
                break
            if fault:
                difference = f"the runner stops now{after(cause)}: {FAULTS[fault]}"
                break
            fault = live.take(frame.kind, frame.source, frame.time, frame.payload)
            cause = frame
            ours.extend(() if fault else live.outputs())
        elif frame.name in COMPARED:
            mine = ours.popleft() if ours else None
            if mine != (frame.kind, frame.source, frame.payload):
                difference = other(frame, mine, cause)
                break
            compared += 1
        elif frame.name == "CARRIED_ON":
            ours.clear()
        elif frame.name == "CLOSED" and ours and not json.loads(frame.payload).get("why"):
            difference = missing(ours[0], cause)
    events = int(live.session.arena["session"]["events"][0])
    return Replayed(taken, compared, events, 0.0, difference)


def after(cause: Frame | None) -> str:
    return f", after frame {cause.sequence:,} ({cause.name})" if cause else ""


def missing(mine: tuple[int, int, bytes], cause: Frame | None) -> str:
    kind, source, payload = mine
    return (
        f"the journal lacks what goes out now{after(cause)}:\n"
        f"  now      {kinds.name_of(kind)} {source}: {payload_text(kind, payload)}"
    )


def other(frame: Frame, mine: tuple[int, int, bytes] | None, cause: Frame | None) -> str:
    told = "nothing"
    if mine is not None:
        told = f"{kinds.name_of(mine[0])} {mine[1]}: {payload_text(mine[0], mine[2])}"
    return (
        f"frame {frame.sequence:,} is another{after(cause)}:\n"
        f"  journal  {frame.name} {frame.source}: {payload_text(frame.kind, frame.payload)}\n"
        f"  now      {told}"
    )


def outcome(replayer: Callable[..., Replayed], folder: Path, laid: Callable[[Any], Any]) -> Any:
    """What comes of it, or how it was refused."""
    try:
        told = replayer(folder, laid)
    except HftError as error:
        return type(error).__name__, str(error)
    return told.frames, told.compared, told.events, told.difference


def written(
    folder: Path,
    said: dict[str, Any],
    kept: Iterable[Frame],
    close: Any = None,
    segment_bytes: int = 1 << 17,
) -> Path:
    """A journal of these frames, with numbers and CRCs of its own; not closed without `close`."""
    with Journal.create(folder, said, time=1, segment_bytes=segment_bytes) as journal:
        for one in kept:
            journal.append(one.kind, one.time, one.payload, one.source)
        if close is None:
            journal.sync()
            copied = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        else:
            journal.close(close, time=2)
    if close is None:  # as if its writer had been killed before it sealed anything
        for path, data in copied.items():
            path.write_bytes(bytes(len(data)) if path.name == "chain" else data)
        (folder / "writer").unlink(missing_ok=True)
    return folder
