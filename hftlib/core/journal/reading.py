"""The reading end: frames of a journal that is closed, was cut off, or is being written.

    for frame in frames("day.journal", first=1): ...      all there are now, each checked
    for frame in tail("day.journal"): ...                 and those to come, until it is closed
    for walk in pieces("day.journal"): ...                all there are now, for compiled readers
    Following("day.journal").look()                       what is there now, for who waits elsewhere

A frame is handed out only after its CRC was found right. Where what follows is damaged, `frames`
and `pieces` raise after the last good one: they never read on behind damage, and never guess. A
journal that was cut off between two frames just ends. Worst case: some 2 µs a frame, in plain
Python; of a piece, 4,096 frames are checked before the first is handed out.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hftlib.core.errors import HftError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import FRAME_BYTES, TIME_MIN
from hftlib.core.journal.scanning import MORE
from hftlib.core.journal.segments import Segment, session_of
from hftlib.core.journal.walking import Place, Walk, is_live, remedy, started_at

POLL_S, POLL_S_MAX = 0.0002, 0.02
_HEAD = struct.Struct("<qqIHHII")


class Frame(NamedTuple):
    """One frame; `time` is ns since the epoch, UTC, `kind` and `source` as in `kinds.py`."""

    sequence: int
    time: int
    kind: int
    source: int
    payload: bytes

    @property
    def name(self) -> str:
        return kinds.name_of(self.kind)


def frames(folder: Path | str, first: int = 1, *, since: int = TIME_MIN) -> Iterator[Frame]:
    """All frames from `first` on, and from the first one of time `since` or later."""
    walk = _walk_to(Path(folder), first, since)
    yield from _from(first, since, _rest(walk))
    require_whole(walk)


def pieces(folder: Path | str, start: Place | None = None) -> Iterator[Walk]:
    """All frames some thousand at a time: the walk's `segment`, and `places` of frames in it."""
    walk = Walk(Path(folder), start=start)
    while walk.step() == MORE:
        if walk.found:
            yield walk
    require_whole(walk)


def frame_at(segment: Segment, position: int) -> Frame:
    """The frame there, which a walk has found good."""
    begin = position + FRAME_BYTES
    head = bytes(segment.view(position, begin))
    sequence, moment, length, kind, source, _, _ = _HEAD.unpack(head)
    return Frame(sequence, moment, kind, source, bytes(segment.view(begin, begin + length)))


def sealed_in(folder: Path | str) -> int:
    """How many frames its chain says it has at least, to know how far a reader is."""
    return Chain.index(Path(folder), session_of(Path(folder))).sealed


def require_whole(walk: Walk) -> None:
    """Refuse a journal that is damaged where this walk stopped."""
    damage = _damage(walk)
    if damage:
        raise StateError(
            f"The journal is damaged: {damage}", where=str(walk.folder), do=remedy(walk.folder)
        )


def tail(
    folder: Path | str, first: int = 1, *, since: int = TIME_MIN, patience_s: float | None = None
) -> Iterator[Frame]:
    """The same, and then each frame as it is written, until nobody writes any more.

    `patience_s`: how long to wait for one more frame, which is for ever otherwise.
    """
    yield from _from(first, since, _followed(Following(folder, first, since=since), patience_s))


class Following:
    """A place in a journal that may still be written: `look` takes what is there, and never waits.

    `is_over` once nothing came and nobody writes: then `require_closed` says whether it is whole.
    """

    def __init__(self, folder: Path | str, first: int = 1, *, since: int = TIME_MIN) -> None:
        self.folder = Path(folder)
        self.is_over = False
        self._walk = _walk_to(self.folder, first, since)
        self._last = 0

    def look(self) -> list[Frame]:
        """The next frames there are, some thousand at most; an empty list where there is none."""
        live = is_live(self.folder)  # asked before: what it wrote until then is found below
        self.is_over = False
        for found in _steps(self._walk):
            self._last = found[-1].kind
            return found
        self.is_over = not live
        return []

    @property
    def was_closed(self) -> bool:
        """Whether its writer has said that it ends here; one that is damaged is refused."""
        damage = _damage(self._walk)
        if damage:
            what = f"The journal is damaged: {damage}"
            raise StateError(what, where=str(self.folder), do=remedy(self.folder))
        return (self._last or last_kind(self.folder)) == kinds.CLOSED

    def require_closed(self) -> None:
        if not self.was_closed:
            raise StateError(
                "The journal was cut off: its writer is gone",
                where=str(self.folder),
                do="Go on with it by Journal.carry_on(folder).",
            )


def _damage(walk: Walk) -> str:
    """What is wrong where the walk ended; fewer frames than are sealed, among others."""
    damage = walk.damage()
    if damage or is_live(walk.folder):
        return str(damage or "")
    sealed, last = Chain.index(walk.folder, walk.session).sealed, walk.place.sequence - 1
    return f"{sealed:,} frames were sealed, and only {last:,} are here" if last < sealed else ""


def last_kind(folder: Path) -> int:
    """The kind of the last good frame, 0 where there is none."""
    sequence = Chain.index(folder, session_of(folder)).sealed
    last = 0
    for frame in _rest(_walk_to(folder, max(1, sequence), TIME_MIN)):
        last = frame.kind
    return last


def unsealed_close(chain: Chain, last: int) -> str:
    """What is wrong where a journal was closed and its chain ends before: `close` seals it all."""
    if chain.sealed < last and last_kind(chain.path.parent) == kinds.CLOSED:
        return f"it was closed after {last:,} frames, and its chain seals {chain.sealed:,}"
    return ""


def _followed(place: Following, patience_s: float | None) -> Iterator[Frame]:
    waited, pause = 0.0, POLL_S
    while not place.is_over:
        found = place.look()
        if found:
            waited, pause = 0.0, POLL_S
            yield from found
        elif not place.is_over:
            if patience_s is not None and waited >= patience_s:
                return
            time.sleep(pause)
            waited += pause
            pause = min(2 * pause, POLL_S_MAX)
    place.require_closed()


def _rest(walk: Walk) -> Iterator[Frame]:
    """What is there to be read now."""
    for found in _steps(walk):
        yield from found


def _steps(walk: Walk) -> Iterator[list[Frame]]:
    """The same, as many at a time as a walk finds in a step."""
    while walk.step() == MORE:
        positions = walk.positions
        if not positions:
            continue
        # One copy for all of them: a slice of bytes costs a tenth of one of mapped memory.
        base, end = positions[0], walk.place.position
        data = bytes(walk.segment.view(base, end))
        made = []
        for position in positions:
            at = position - base
            sequence, moment, length, kind, source, _, _ = _HEAD.unpack_from(data, at)
            begin = at + FRAME_BYTES
            made.append(Frame(sequence, moment, kind, source, data[begin : begin + length]))
        yield made


def _from(first: int, since: int, found: Iterator[Frame]) -> Iterator[Frame]:
    begun = False
    for frame in found:
        begun = begun or (frame.sequence >= first and frame.time >= since)
        if begun:
            yield frame


def _walk_to(folder: Path, first: int, since: int) -> Walk:
    """A walk that begins at the block where that frame is, or at the beginning."""
    session = session_of(folder)
    start = Place()
    if first > 1 or since > TIME_MIN:
        chain = Chain.index(folder, session)
        start = started_at(chain.blocks, chain.first_block(first, since))
    try:
        walk = Walk(folder, session, start)
    except HftError:
        walk = Walk(folder, session)
    while (left := first - walk.place.sequence) > 0 and walk.step(left) == MORE:
        pass
    return walk
