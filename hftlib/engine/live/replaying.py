"""A journal through the same function again: what goes out must be what went out, byte for byte.

    told = replay("day.journal", laid)        laid(about) -> Live, by the journal's first frame
    told.is_identical, told.frames, told.difference
    live, last = taken_up("day.journal", laid)    to go on with it in another process

Frames that came in are taken in; what comes out is held beside the frames that follow in the
journal (`comparing.py`). The first that differs ends it: after that nothing is the same any more.

A journal that was cut off, or that took no more, may lack what went out because of its last frame:
that is no difference. One that was closed may not. A runner that had to stop stops here, too.
Every frame is checked as any reader checks it, some thousand at a time, before it is taken in.
Worst case: a Ctrl-C is heard after those.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame, frame_at, frames, pieces, sealed_in
from hftlib.core.journal.walking import Walk
from hftlib.core.journal.writing import Journal
from hftlib.engine.live import comparing as c
from hftlib.engine.live.comparing import COMPARED, TAKEN, let_go
from hftlib.engine.live.laying import Live, Output
from hftlib.engine.live.memory import FAULTS
from hftlib.engine.live.taking import take
from hftlib.engine.live.telling import payload_text

__all__ = ["COMPARED", "TAKEN", "Replayed", "about", "gone_on", "replay", "taken_up"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of it."""

    frames: int
    compared: int  # frames that went out, and were the same again
    events: int
    seconds: float
    difference: str  # "" where there is none

    @property
    def is_identical(self) -> bool:
        return not self.difference

    def __str__(self) -> str:
        rate = f"{self.frames:,} frames in {self.seconds:.2f} s, {self.events:,} events"
        if self.difference:
            return f"different after {rate}\n{self.difference}"
        return f"identical: {self.compared:,} frames went out again, byte for byte; {rate}"


def about(folder: Path | str) -> dict[str, Any]:
    """What the runner said of itself when its journal was opened."""
    first = next(iter(frames(folder)), None)
    told = json.loads(first.payload) if first and first.kind == kinds.OPENED else {}
    if told.get("what") != "runner":
        raise InputError(
            "This is no journal of a runner",
            where=str(folder),
            do="Give the folder that `hft live --journal FOLDER` wrote; `hft journal ls` tells.",
        )
    return dict(told)


def replay(
    folder: Path | str,
    laid: Callable[[Mapping[str, Any]], Live],
    advance: Callable[[float, str], None] = lambda _share, _what: None,
) -> Replayed:
    """Take it all in again, and compare; `advance` is told the share done."""
    return _replayed(_Way(laid(about(folder))), folder, advance)


def _replayed(way: _Way, folder: Path | str, advance: Callable[[float, str], None]) -> Replayed:
    last = max(1, sealed_in(folder))
    begun = time.perf_counter()
    for walk in pieces(folder):
        if way.parts_in(walk):
            break
        advance(min(1.0, way.count("frames") / last), "replaying")
    events = int(way.live.session.arena["session"]["events"][0])
    seconds = time.perf_counter() - begun
    return Replayed(way.count("frames"), way.count("compared"), events, seconds, way.difference)


def taken_up(
    folder: Path | str,
    laid: Callable[[Mapping[str, Any]], Live],
    advance: Callable[[float, str], None] = lambda _share, _what: None,
) -> tuple[Live, int]:
    """A runner's memory as its last frame left it, and that frame's number, to go on with.

    What was decided because of that frame and is not in the journal never left: it is let go.
    """
    way = _Way(laid(about(folder)))
    told = _replayed(way, folder, advance)
    if told.difference:
        raise _no_more(folder, f"it does not replay: {told.difference}")
    header = way.live.header
    if header["fault"]:
        raise _no_more(folder, f"its runner had to stop: {FAULTS[int(header['fault'])]}")
    if header["ended"]:
        raise _no_more(folder, "its day is over: the strategies have said their last word")
    let_go(way.live.address)
    return way.live, told.frames


def gone_on(folder: Path | str, after: int) -> Journal:
    """The journal, from behind its last frame, which must be this one."""
    made = Journal.carry_on(folder, {"what": "runner"})
    if made.sequence != after + 1:
        last = made.sequence - 1
        made.close({"why": "another runner wrote it meanwhile"})
        raise _no_more(folder, f"it has {last:,} frames, not {after:,}: another runner wrote it")
    return made


def _no_more(folder: Path | str, why: str) -> StateError:
    return StateError(
        f"Nobody can go on with this journal: {why}",
        where=str(folder),
        do="See what stands at the venue, and begin another journal.",
    )


class _Way:
    """How far a replay is, and in words what was not the same."""

    def __init__(self, live: Live) -> None:
        self.live, self.difference = live, ""
        self._memory = np.zeros(1, c.REPLAY)
        self._state = self._memory[0]
        self._state["live"], self._state["take"] = live.address, jit.entry_address(take)

    def count(self, name: str) -> int:
        return int(self._state[name])

    def parts_in(self, walk: Walk) -> bool:
        """Whether it ends among these frames, since something is not the same."""
        self._state["segment"] = walk.segment.address
        done, why = 0, c.CLOSING
        while why == c.CLOSING and done < walk.found:
            place, left = walk.places + 8 * done, walk.found - done
            why = int(c.go_on(self._memory.ctypes.data, place, left))
            done += self.count("done")
            if why != c.SAME:
                self._tell(why, frame_at(walk.segment, walk.positions[done - 1]))
        return why not in (c.SAME, c.CLOSING)

    def _tell(self, why: int, frame: Frame) -> None:
        if why == c.OTHER:
            self.difference = _other(frame, self._mine, self._after)
        elif why == c.MISSING:
            self.difference = _missing(self._mine, self._after)
        elif why == c.STOPPED:
            fault = FAULTS[self.count("fault")]
            self.difference = f"the runner stops now{self._after}: {fault}"
        elif not json.loads(frame.payload).get("why"):  # closed, and not for want of room
            self.difference = _missing(self._mine, self._after)

    @property
    def _mine(self) -> Output | None:
        """What goes out now and was not compared yet, the first of it."""
        return next(self.live.outputs(), None) if self.count("waiting") else None

    @property
    def _after(self) -> str:
        cause = self.count("cause")
        return f", after frame {cause:,} ({kinds.name_of(self.count('cause_kind'))})" * bool(cause)


def _missing(mine: Output | None, after: str) -> str:
    return f"the journal lacks what goes out now{after}:\n  now      {_told(mine)}"


def _other(frame: Frame, mine: Output | None, after: str) -> str:
    theirs = (frame.kind, frame.source, frame.payload)
    return (
        f"frame {frame.sequence:,} is another{after}:\n"
        f"  journal  {_told(theirs)}\n"
        f"  now      {_told(mine)}"
    )


def _told(one: Output | None) -> str:
    if one is None:
        return "nothing"
    kind, source, payload = one
    return f"{kinds.name_of(kind)} {source}: {payload_text(kind, payload)}"
