"""From frame to frame and from segment to segment, to the end: what all readers are made of.

    walk = Walk(folder)
    while walk.step() == MORE: use walk.segment, walk.positions
    walk.damage()                        None, or what is wrong where it stopped, in words

Where a journal ends is decided here, for readers, `verify`, `repair` and those who go on with one:
behind the last good frame there are zeros only, and after its segment at most one, made ahead, in
which there is nothing. Anything else is damage, unless a writer is at work: then it is a frame
that is being written. Worst case: one look at every byte of a segment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import claim
from hftlib.core.errors import HftError
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import (
    ENDS_SEGMENT,
    FRAME_BYTES,
    PAGE_BYTES,
    SCAN,
    TIME_MIN,
    WRITER_NAME,
)
from hftlib.core.journal.scanning import DAMAGES, ENDED, LENGTH, MORE, NOTHING, first_not_zero, scan
from hftlib.core.journal.segments import (
    Segment,
    Session,
    damaged,
    numbers_of,
    place,
    session_of,
)

STEP_FRAMES = 4096
BLOCKED = -99  # the next segment cannot be gone into


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk is: the frame that comes next, and the latest time before it."""

    segment: int = 0
    position: int = PAGE_BYTES
    sequence: int = 1
    time_max: int = TIME_MIN


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong, and where. `cuts`: nothing behind it can be read; else only bytes are there
    that belong to nothing, up to the end of the segment."""

    segment: int
    position: int
    sequence: int
    what: str
    cuts: bool = True

    def __str__(self) -> str:
        before = f"frame {self.sequence - 1:,} is the last good one"
        return f"segment {self.segment} at byte {self.position:,}: {self.what}; {before}"


class Walk:
    """A reader's way through a journal; `positions` are of the frames of the last step."""

    def __init__(
        self,
        folder: Path,
        session: Session | None = None,
        start: Place | None = None,
        alone: bool = False,
    ) -> None:
        self.folder, self._alone = folder, alone
        self.session = session or session_of(folder)
        self._memory = np.zeros(1, SCAN)
        self._state = self._memory[0]
        self._places = np.zeros(STEP_FRAMES, np.int64)
        self._stop = MORE
        self._blocked: Damage | None = None
        start = start or Place()
        self._state["seed"] = self.session.seed
        self._state["sequence"], self._state["time_max"] = start.sequence, start.time_max
        self._open(start.segment, start.position)

    def _open(self, number: int, position: int) -> None:
        path = place(self.folder, number)
        if not path.exists():
            raise damaged(path, "it is missing")
        self.segment = Segment(path, number, self.session)
        self._state["segment"] = self.segment.address
        self._state["position"] = position
        self._state["end"] = self.session.segment_bytes

    @property
    def place(self) -> Place:
        names = ("position", "sequence", "time_max")
        return Place(self.segment.number, *(int(self._state[name]) for name in names))

    @property
    def positions(self) -> list[int]:
        return self._places[: self._state["found"]].tolist()

    @property
    def found(self) -> int:
        """How many frames the last step found."""
        return int(self._state["found"])

    @property
    def places(self) -> int:
        """The address of their positions, int64; the next step writes others there."""
        return int(self._places.ctypes.data)

    def step(self, most: int = STEP_FRAMES, full: int = 0) -> int:
        """On by so many frames, or to `full` of this segment; MORE while there is anything.

        The end of a segment is a step of its own, into the next one.
        """
        if self._stop == ENDED and not self._cross():
            self._state["found"] = 0
            return BLOCKED
        self._state["full"] = full or self.session.segment_bytes
        places, state = self._places.ctypes.data, self._memory.ctypes.data
        self._stop = int(scan(state, places, min(most, STEP_FRAMES)))
        if self._stop == ENDED or self._state["found"]:
            return MORE
        if self._stop == MORE and not full:
            self._stop = LENGTH  # a place at the very end, where no frame can be
        return self._stop

    @property
    def at_segment_end(self) -> bool:
        return self._stop == ENDED

    def _cross(self) -> bool:
        """Into the next segment; what stands in the way is damage."""
        size, at = self.session.segment_bytes, int(self._state["position"])
        if first_not_zero(self.segment.address, at, size) >= 0:
            self._blocked = self._damage("there are bytes behind the segment's end", cuts=False)
            return False
        try:
            self._open(self.segment.number + 1, PAGE_BYTES)
        except HftError as error:
            # What a segment's end promises is not there: the end itself has to go.
            what = f"what follows the segment cannot be read: {error.what}"
            self._blocked = replace(self._damage(what), position=at - FRAME_BYTES)
            return False
        self._stop = MORE
        return True

    def damage(self) -> Damage | None:
        """What is wrong where the walk stopped, if anything is and no writer is at work there."""
        if self._blocked:
            return self._blocked
        if self._stop < 0:
            return self._damage(DAMAGES[self._stop])
        at = int(self._state["position"])
        if not self._alone and is_live(self.folder):
            return None
        behind = first_not_zero(self.segment.address, at, self.session.segment_bytes)
        if behind >= 0:
            return self._damage(f"there are bytes behind the last frame, the first at {behind:,}")
        what = self._further_segments()
        return self._damage(what) if what else None

    def missing(self) -> Damage:
        """The chain has frames where the walk found none."""
        return self._damage("frames that were sealed are not here")

    def _further_segments(self) -> str:
        """What is wrong with the segments after the last one, of which one may be made ahead."""
        numbers = numbers_of(self.folder)
        ahead = self.segment.number + 1
        if numbers != list(range(len(numbers))) or len(numbers) > ahead + 1:
            return "segments are missing, or there are some behind the last one"
        if len(numbers) == ahead + 1:
            try:
                made = Segment(place(self.folder, ahead), ahead, self.session)
            except HftError as error:
                return error.what
            if first_not_zero(made.address, PAGE_BYTES, self.session.segment_bytes) >= 0:
                return f"segment {ahead}, behind the last one, has bytes in it"
        return ""

    def _damage(self, what: str, cuts: bool = True) -> Damage:
        here = self.place
        return Damage(here.segment, here.position, here.sequence, what, cuts)


def end_of(
    folder: Path, session: Session, start: Place, alone: bool = False
) -> tuple[Place, Damage | None]:
    """Where the journal ends, and what is wrong there. `alone`: the caller is its writer."""
    try:
        walk = Walk(folder, session, start, alone)
    except HftError as error:
        return start, Damage(start.segment, start.position, start.sequence, error.what)
    while walk.step() == MORE:
        pass
    return walk.place, walk.damage()


def after(chain: Chain) -> Place:
    """The place behind the last sealed block."""
    if not chain.blocks:
        return Place()
    return started_at(chain.blocks, len(chain.blocks))


def is_live(folder: Path) -> bool:
    """Whether some process is writing this journal at this moment."""
    return claim.is_written(folder / WRITER_NAME)


def remedy(folder: Path) -> str:
    return (
        f"`hft journal verify {folder}` says all there is to say; `hft journal repair {folder}` "
        "keeps the damaged part in a file beside it and goes on before it."
    )


def started_at(blocks: list[np.ndarray[Any, Any]], number: int) -> Place:
    """Where block `number` begins, which may be the one that is not sealed yet."""
    if number == 0:
        return Place()
    before = blocks[number - 1][0]
    segment, position = int(before["segment"]), int(before["end"])
    if int(before["sealed"]) == ENDS_SEGMENT:
        segment, position = segment + 1, PAGE_BYTES
    sequence = int(before["first"]) + int(before["frames"])
    return Place(segment, position, sequence, int(before["time_max"]))


__all__ = ["NOTHING", "Damage", "Place", "Walk", "after", "end_of", "is_live", "started_at"]
