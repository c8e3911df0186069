"""How far a replay is: frames through `take`, and in words what was not the same.

    way = Way(laid(about))
    for walk in pieces(folder):                  frames some thousand at a time, found good
        if way.parts_in(walk): ...               way.difference says where, both sides in words

Worst case: that of `comparing.go_on`, whose state this holds.
"""

from __future__ import annotations

import json

import numpy as np

from hftlib.core import jit
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame, frame_at
from hftlib.core.journal.walking import Walk
from hftlib.engine.live import comparing as c
from hftlib.engine.live.laying import Live, Output
from hftlib.engine.live.memory import FAULTS
from hftlib.engine.live.taking import take
from hftlib.engine.live.telling import payload_text

KEPT = ("frames", "compared", "waiting", "cause", "cause_kind")  # of its state, in a snapshot


class Way:
    """How far a replay is, and in words what was not the same."""

    def __init__(self, live: Live) -> None:
        self.live, self.difference = live, ""
        self.last: tuple[int, int] | None = None  # segment and position of the last frame
        self._memory = np.zeros(1, c.REPLAY)
        self._state = self._memory[0]
        self._state["live"], self._state["take"] = live.address, jit.entry_address(take)

    def count(self, name: str) -> int:
        return int(self._state[name])

    @property
    def counts(self) -> dict[str, int]:
        """What another process needs to go on from here."""
        return {name: self.count(name) for name in KEPT}

    @counts.setter
    def counts(self, counts: dict[str, int]) -> None:
        for name in KEPT:
            self._state[name] = counts[name]

    def parts_in(self, walk: Walk) -> bool:
        """Whether it ends among these frames, since something is not the same."""
        self._state["segment"] = walk.segment.address
        if walk.found:
            self.last = walk.segment.number, walk.positions[-1]
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
