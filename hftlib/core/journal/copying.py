"""A standby's end of a journal: another process writes it, and its bytes are put here as they lie.

    copy = Copy.begun("copy.journal", header)          of the journal's first segment
    copy = Copy.taken_up("copy.journal")               one that a standby kept before
    copy.take(segment, begin, data)                    frames as they lie there: the last sequence
    copy.standing                                      what it has, to be held beside the journal
    copy.seal()      a block ends here; copy.end(): the journal was closed; copy.close(): a pause

A copy has the journal's session, so its headers, CRCs and hash chain are the same bytes, and every
reader reads it: `frames`, `verify`, `replay`, and who goes on with it when the journal's host is
gone. Frames are checked before they are put down; their first word is stored last, so a reader of
the copy sees all of them or none.

What follows the last whole frame after a kill was acknowledged to nobody: it is cut off, and kept
beside the copy, when it is taken up. Worst case: then all of it is verified, at some 1 GB/s.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.journal import segments
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import (
    PAGE_BYTES,
    POWER,
    PROCESS,
    REPLICATED,
    SCAN,
    SEGMENT_BYTES_MAX,
    SEGMENT_HEADER,
    limit_of,
)
from hftlib.core.journal.opening import claimed, ends, folder_made
from hftlib.core.journal.repairing import cut
from hftlib.core.journal.replicating import Standing, standing_of
from hftlib.core.journal.scanning import DAMAGES, ENDED, MORE, scan
from hftlib.core.journal.segments import Segment, Session
from hftlib.core.journal.verifying import first_damage
from hftlib.core.journal.walking import Place
from hftlib.core.journal.writing import PATIENCE_S, Journal

CUTS_MAX = 8  # a torn end, and a segment behind it


class Copy(Journal):
    """A copy that this process keeps. Make one with `begun` or `taken_up`."""

    torn = ""  # what was cut off when it was taken up, in words

    @classmethod
    def begun(cls, folder: Path | str, header: bytes, *, synced: bool = False) -> Copy:
        """A new copy of the journal whose first segment begins with this header."""
        target = Path(folder)
        session = session_of_header(header)
        first, held = folder_made(target, session)
        made = cls(target, Chain(target, session), [first], (Place(), Place()), held)
        return made._runs(synced)

    @classmethod
    def taken_up(cls, folder: Path | str, *, synced: bool = False) -> Copy:
        """A copy that is there. One of which a sealed byte was changed is refused."""
        target = Path(folder)
        session = segments.session_of(target)
        held = claimed(target)
        try:
            chain = Chain(target, session).read()
            torn = _cut_torn(target, chain)
            sealed, end = ends(chain, True)
            segments.place(target, end.segment + 1).unlink(missing_ok=True)  # made ahead, empty
            mapped = [
                Segment(segments.place(target, number), number, session, writable=True)
                for number in range(sealed.segment, end.segment + 1)
            ]
            made = cls(target, chain, mapped, (sealed, end), held)
            made.torn = torn
            return made._runs(synced)
        except BaseException:
            held[1].let_go()
            raise

    def _runs(self, synced: bool) -> Copy:
        # Of this process alone: what the segments say is the journal's mode, not the standby's.
        self._record["mode"] = POWER if synced else PROCESS
        self._memory_of_scan = np.zeros(1, SCAN)
        self._helper.start()
        return self

    @property
    def place(self) -> Place:
        """Where the next frame comes."""
        number, position = int(self._record["number"]), int(self._record["position"])
        return Place(number, position, self.sequence + 1)

    @property
    def standing(self) -> Standing:
        """What it has, for who holds it beside the journal."""
        with self._helper._one_at_a_time:
            return standing_of(self.folder, self._helper.chain, self.place)

    def append(self, kind: int, time: int, payload: bytes, source: int = 0) -> int:
        """Nothing but what the journal says gets in here."""
        raise StateError(
            "A standby's copy takes the frames of its journal only",
            where=str(self.folder),
            do="Let it take over first: hft standby promote.",
        )

    def take(self, segment: int, begin: int, data: bytes | memoryview) -> int:
        """Frames as they lie in the journal, behind the last that is here: the last sequence."""
        if self._record["failure"] != 0:
            what = f"The copy takes nothing more: {self.why or 'it was left'}"
            raise HostError(what, where=str(self.folder), do="Give the disk room, or another one.")
        here, end = self.place, begin + len(data)
        if (segment, begin) != (here.segment, here.position):
            where = f"segment {segment} at byte {begin:,}"
            raise self._wrong(f"they are of {where}, and it ends elsewhere")
        if not len(data) or len(data) % 8 or end > self.session.segment_bytes:
            raise self._wrong(f"{len(data):,} bytes are no frames")
        stop, after = self._checked(begin, end, data)
        ahead = self._ahead() if stop == ENDED else None
        view = self._helper._segments[segment].memory
        view[begin + 8 : end] = data[8:]
        view[begin : begin + 8] = data[:8]
        if ahead is None:
            self._record["position"] = end
        else:
            self._record["number"] = segment + 1
            self._record["segment"] = ahead
            self._record["limit"] = limit_of(self.session.segment_bytes)
            self._record["position"] = PAGE_BYTES
            self._record["next_segment"] = 0
        self._record["sequence"] = after
        return after

    def _checked(self, begin: int, end: int, data: bytes | memoryview) -> tuple[int, int]:
        """How a walk over these bytes ends, which is at their end, and the last sequence then."""
        state: Any = self._memory_of_scan[0]
        held = np.frombuffer(data, np.uint8)
        state["segment"] = int(held.ctypes.data) - begin
        state["position"], state["end"], state["full"] = begin, end, end
        state["sequence"], state["seed"] = self.sequence + 1, self.session.seed
        stop = int(scan(self._memory_of_scan.ctypes.data, 0, 1 << 40))
        if stop not in (MORE, ENDED) or int(state["position"]) != end:
            raise self._wrong(DAMAGES.get(stop, "they do not end with a frame"))
        return stop, int(state["sequence"]) - 1

    def _ahead(self) -> int:
        """The address of the segment that comes next, once the helper has made it."""
        until = time.monotonic() + PATIENCE_S
        while not (ahead := int(self._record["next_segment"])):
            if self._record["failure"] != 0 or time.monotonic() > until:
                what = f"The copy has no next segment: {self.why or 'it is not made in time'}"
                raise HostError(what, where=str(self.folder), do="Give the disk room.")
            self._helper.wake()
            time.sleep(0.0005)
        return ahead

    def _wrong(self, what: str) -> InputError:
        return InputError(
            f"These are no frames for this copy: {what}",
            where=str(self.folder),
            do="Only the journal's own runner sends here.",
        )

    def seal(self) -> bytes:
        """A block ends here, as the journal's does where it was closed; the head of the chain."""
        self.sync()
        with self._helper._one_at_a_time:
            while self._helper._seal_next(partial=True):
                pass
        return self.head

    def end(self) -> bytes:
        """The journal was closed, and all of it is here: seal, sync, give back; its head."""
        try:
            self._helper.stop()
            self._helper.finish()
            return self.head
        except OSError as error:
            raise segments.no_room(self.folder, error) from None
        finally:
            self._leave()

    def close(self, about: Mapping[str, Any] | None = None, *, time: int | None = None) -> None:
        """No frame more, and no word of our own: somebody goes on with it, or a standby later."""
        if self._claim.held:
            self._helper.syncer.sync()
            self._leave()


def session_of_header(header: bytes) -> Session:
    """What a header that came from elsewhere says of all segments."""
    where = "the journal's header"
    size = SEGMENT_HEADER.itemsize
    found = segments.session_in(bytes(header[:size]), Path(where) / "000000.segment")
    fits = len(header) == size and found.header(0) == bytes(header)
    fits = fits and found.segment_bytes % PAGE_BYTES == 0 and found.durability == REPLICATED
    if not fits or not PAGE_BYTES <= found.block_bytes <= SEGMENT_BYTES_MAX:
        raise InputError(
            "This is no header of a replicated journal's first segment",
            where=where,
            do="Only a runner sends one: hft live --durability replicated --standby.",
        )
    if found.keyed:
        raise InputError(
            "The chain of this journal is made with a key, which a standby does not have",
            where=where,
            do="Make the journal without one.",
        )
    return found


def _cut_torn(folder: Path, chain: Chain) -> str:
    """Cut off what a kill left behind the last whole frame, in words; "" where there is nothing."""
    torn = ""
    for _ in range(CUTS_MAX):
        good, damage = first_damage(folder, chain, alone=True)
        if damage is None:
            return torn
        if good < len(chain.blocks):
            raise StateError(
                f"The copy is not what was sent: {damage}",
                where=str(folder),
                do="Somebody changed it, or a disk failed: let the standby make another one.",
            )
        torn = torn or str(damage)
        cut(folder, chain.session, damage)
    raise StateError(
        "The copy cannot be mended", where=str(folder), do="Let the standby make another one."
    )
