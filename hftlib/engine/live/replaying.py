"""A journal through the same function again: what goes out must be what went out, byte for byte.

    told = replay("day.journal", laid)        laid(about) -> Live, by the journal's first frame
    told.is_identical, told.frames, told.difference
    live, last = taken_up("day.journal", laid)    to go on with it in another process
    Follower("day.journal", laid).turn()          beside the runner, to keep snapshots of it

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

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames, pieces, require_whole, sealed_in
from hftlib.core.journal.scanning import MORE
from hftlib.core.journal.walking import Place, Walk, is_live
from hftlib.core.journal.writing import Journal
from hftlib.engine.live.comparing import COMPARED, TAKEN, let_go
from hftlib.engine.live.laying import Live
from hftlib.engine.live.memory import FAULTS
from hftlib.engine.live.snapshots import keep, take_up
from hftlib.engine.live.way import Way

__all__ = ["COMPARED", "TAKEN", "Follower", "Replayed", "about", "gone_on", "replay", "taken_up"]


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
    return _replayed(Way(laid(about(folder))), folder, advance)


def _replayed(
    way: Way, folder: Path | str, advance: Callable[[float, str], None], start: Place | None = None
) -> Replayed:
    last = max(1, sealed_in(folder))
    begun = time.perf_counter()
    for walk in pieces(folder, start):
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
    say: Callable[[str], None] = lambda _words: None,
) -> tuple[Live, int]:
    """A runner's memory as its last frame left it, and that frame's number, to go on with.

    It begins at the newest snapshot that fits, if there is one; `say` is told of each.
    What was decided because of that frame and is not in the journal never left: it is let go.
    """
    way = Way(laid(about(folder)))
    place, words = take_up(way, folder)
    for one in words:
        say(one)
    told = _replayed(way, folder, advance, place)
    if told.difference:
        raise _no_more(folder, f"it does not replay: {told.difference}")
    header = way.live.header
    if header["fault"]:
        raise _no_more(folder, f"its runner had to stop: {FAULTS[int(header['fault'])]}")
    if header["ended"]:
        raise _no_more(folder, "its day is over: the strategies have said their last word")
    let_go(way.live.address)
    return way.live, told.frames


def gone_on(folder: Path | str, after: int, **says: Any) -> Journal:
    """The journal, from behind its last frame, which must be this one."""
    made = Journal.carry_on(folder, {"what": "runner"} | says)
    if made.sequence != after + 1:
        last = made.sequence - 1
        made.close({"why": "another runner wrote it meanwhile"})
        raise _no_more(folder, f"it has {last:,} frames, not {after:,}: another runner wrote it")
    return made


class Follower:
    """A replay that keeps up with a runner, and keeps its memory for a restart.

    `turn` takes some thousand frames; what is not the same is refused with both sides in words.
    `is_over`: nothing came, and nobody writes the journal now.
    """

    def __init__(self, folder: Path | str, laid: Callable[[Mapping[str, Any]], Live]) -> None:
        self.folder, self.is_over, self.kept = Path(folder), False, 0
        self._way = Way(laid(about(folder)))
        place, self.told = take_up(self._way, folder)
        self._walk = Walk(self.folder, start=place)
        self.kept = self.frames

    @property
    def frames(self) -> int:
        """The number of the last frame that it took."""
        return self._way.count("frames")

    @property
    def has_ended(self) -> bool:
        """Whether the day is over: nobody goes on with it."""
        return bool(self._way.live.header["ended"])

    def turn(self) -> int:
        """How many frames it took; 0: there is none now."""
        live = is_live(self.folder)  # asked before: what it wrote until then is found below
        while self._walk.step() == MORE:
            if self._way.parts_in(self._walk):
                what = f"The journal does not replay: {self._way.difference}"
                do = "Halt it, and see what it did: hft replay."
                raise StateError(what, where=str(self.folder), do=do)
            if self._walk.found:
                return self._walk.found
        self.is_over = not live
        if self.is_over:
            require_whole(self._walk)
        return 0

    def keep(self) -> Path:
        """Its memory, in a file beside the journal."""
        made = keep(self._way, self._walk)
        self.kept = self.frames
        return made


def _no_more(folder: Path | str, why: str) -> StateError:
    return StateError(
        f"Nobody can go on with this journal: {why}",
        where=str(folder),
        do="See what stands at the venue, and begin another journal.",
    )
