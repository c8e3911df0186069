"""The writing end of a journal: made, appended to, carried on, closed.

    with Journal.create("day.journal", {"what": "exchange"}, durability="power") as journal:
        append(journal.address, DATAGRAM, source, time, payload, length)      compiled code
        journal.append(NOTE, time, b"the market opens")                       Python

One process writes a journal, and in it one thread; another helps (`sealing.py`). The first frame
is OPENED, with what the maker says of itself as JSON; the last of a closed one is CLOSED. A
journal whose writer was killed is carried on where it ends, with a frame that says so; one that is
torn or tampered with is not, until it is repaired.

Times are arguments, as everywhere; what opens and closes a journal is a driver, and takes the
clock's where none is given. Worst case: `close` waits for the disk to have all of it.
"""

from __future__ import annotations

import mmap
import os
import time as clocks
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import clock
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.journal import appending, kinds, segments
from hftlib.core.journal.chain import Chain
from hftlib.core.journal.layout import (
    BLOCK_BYTES,
    CLOSED,
    FORKED,
    FRAME_BYTES,
    PROCESS,
    SEGMENT_BYTES,
    WRITER,
    length_max,
    limit_of,
)
from hftlib.core.journal.opening import Held, as_json, claimed, ends, folder_made, new_session
from hftlib.core.journal.sealing import Helper
from hftlib.core.journal.segments import Segment
from hftlib.core.journal.walking import Place
from hftlib.core.units import INT64_MAX, INT64_MIN, is_whole, shown

PATIENCE_S = 5.0
SCRATCH_BYTES = 1 << 16
_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


class Journal:
    """A journal that this process writes. Make one with `create` or `carry_on`."""

    def __init__(
        self,
        folder: Path,
        chain: Chain,
        mapped: list[Segment],
        places: tuple[Place, Place],
        held: Held,
    ) -> None:
        sealed, end = places
        self.folder, self.session = folder, chain.session
        self._claim = held[1]
        # Of this process alone: a forked child has a copy, which is marked below.
        self._memory = mmap.mmap(-1, WRITER.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory = np.frombuffer(self._memory, WRITER, 1)
        self.address = int(memory.ctypes.data)
        self._record = memory[0]
        self._scratch = np.zeros(SCRATCH_BYTES, np.uint8)
        self._scratch_address = int(self._scratch.ctypes.data)
        self._record["segment"], self._record["number"] = mapped[-1].address, mapped[-1].number
        self._record["position"], self._record["sequence"] = end.position, end.sequence - 1
        self._record["limit"] = limit_of(self.session.segment_bytes)
        self._record["last_limit"] = self.session.segment_bytes - FRAME_BYTES
        self._record["seed"], self._record["mode"] = self.session.seed, self.session.durability
        self._helper = Helper(folder, self._record, mapped, chain, sealed, held[0])
        self._helper.turn()
        _journals.add(self)

    @classmethod
    def create(
        cls,
        folder: Path | str,
        about: Mapping[str, Any],
        *,
        durability: str = "process",
        segment_bytes: int = SEGMENT_BYTES,
        block_bytes: int = BLOCK_BYTES,
        followed: bool = False,
        key: bytes | None = None,
        time: int | None = None,
    ) -> Journal:
        """A new journal in a folder that does not exist yet; its first frame holds `about`.

        `followed`: a standby follows it, as mode `replicated` needs (`replicating.py`).
        """
        text, target = as_json(about, "about"), Path(folder)
        session = new_session(durability, segment_bytes, block_bytes, key, target, followed)
        chain = Chain(target, session, key)
        first, held = folder_made(target, session)
        made = cls(target, chain, [first], (Place(), Place()), held)
        return made._begun(kinds.OPENED, text, time)

    @classmethod
    def carry_on(
        cls,
        folder: Path | str,
        about: Mapping[str, Any] | None = None,
        *,
        key: bytes | None = None,
        time: int | None = None,
    ) -> Journal:
        """Go on behind the last frame. A torn or tampered end is refused, and `repair` named."""
        target = Path(folder)
        session = segments.session_of(target)
        held = claimed(target)
        try:
            chain = Chain(target, session, key).read()
            return cls._gone_on(held, chain, kinds.CARRIED_ON, about or {}, time)
        except BaseException:
            held[1].let_go()
            raise

    @classmethod
    def _gone_on(
        cls, held: Held, chain: Chain, kind: int, about: Mapping[str, Any], time: int | None
    ) -> Journal:
        target, session = chain.path.parent, chain.session
        sealed, end = ends(chain, kind == kinds.REPAIRED)
        text = as_json(dict(about) | {"after": end.sequence - 1}, "about")
        segments.place(target, end.segment + 1).unlink(missing_ok=True)  # made ahead, empty
        mapped = [
            Segment(segments.place(target, number), number, session, writable=True)
            for number in range(sealed.segment, end.segment + 1)
        ]
        return cls(target, chain, mapped, (sealed, end), held)._begun(kind, text, time)

    def _begun(self, kind: int, text: bytes, at: int | None) -> Journal:
        self._helper.start()
        try:
            self.append(kind, clock.now_ns() if at is None else at, text)
            self.sync()
        except BaseException:
            self._leave()
            raise
        return self

    @property
    def sequence(self) -> int:
        """Of the last frame."""
        return int(self._record["sequence"])

    @property
    def durable(self) -> int:
        """The last sequence that is where the mode promises it to be."""
        return self.sequence if self._record["mode"] == PROCESS else int(self._record["durable"])

    @property
    def refused(self) -> int:
        """How many frames were not taken."""
        return int(self._record["refused"])

    @property
    def why(self) -> str:
        """What is wrong, in words: no room for the next segment, a sync that failed. Else empty."""
        wrong = self._record["failure"] != 0 or self._record["trouble"] != 0
        return self._helper.why if wrong else ""

    @property
    def head(self) -> bytes:
        """The hash of all that is sealed so far: note it where the journal's owner cannot write."""
        return self._helper.chain.head

    def append(self, kind: int, time: int, payload: bytes, source: int = 0) -> int:
        """Append a frame and return its sequence. Waits for a segment that is being made."""
        for name, value, least in (("kind", kind, 1), ("source", source, 0)):
            if not is_whole(value) or not least <= value <= kinds.NUMBER_MAX:
                do = f"Give an int from {least} to {kinds.NUMBER_MAX:,}."
                raise _not_taken(f"{shown(value)} is no {name} of a frame", do)
        if not is_whole(time) or not INT64_MIN <= time <= INT64_MAX:
            raise _not_taken(f"{shown(time)} is no time", "Give int64 ns since the epoch, UTC.")
        if not isinstance(payload, bytes | bytearray | memoryview):
            raise _not_taken(f"{shown(payload)} is no payload", "Give bytes.")
        return self._appended(int(kind), int(time), bytes(payload), int(source))

    def _appended(self, kind: int, at: int, payload: bytes, source: int) -> int:
        until, length = 0.0, len(payload)
        if length > len(self._scratch):
            self._scratch = np.zeros(length, np.uint8)
            self._scratch_address = int(self._scratch.ctypes.data)
        self._scratch.data[:length] = payload
        arguments = (kind, source, at, self._scratch_address, length)
        while True:
            sequence = int(appending.append(self.address, *arguments))
            if sequence > 0:
                return sequence
            waits = sequence == appending.NO_ROOM and self._record["trouble"] == 0
            until = until or clocks.monotonic() + PATIENCE_S
            if not waits or clocks.monotonic() > until:
                raise self._refusal(sequence, length)
            self._helper.wake()
            clocks.sleep(0.0005)

    def _refusal(self, code: int, length: int) -> HftError:
        if code == appending.TOO_LONG:
            most = length_max(self.session.segment_bytes)
            what = f"{length:,} bytes are more than a frame of this journal holds"
            return _not_taken(what, f"Give at most {most:,}, or make its segments larger.")
        if self._record["failure"] in (CLOSED, FORKED):
            what = "was closed" if self._record["failure"] == CLOSED else "is its parent's"
            return StateError(
                f"The journal {what}",
                where=str(self.folder),
                do="Go on with it by Journal.carry_on(folder) once nobody writes it.",
            )
        return HostError(
            f"The journal takes nothing more: {self.why or 'the next segment is not made in time'}",
            where=str(self.folder),
            do="Stop, give the disk room or another one, and go on with the journal.",
        )

    def last_words(self) -> int:
        """Let appends use the room kept for the end, where NO_ROOM was said; its bytes."""
        return int(appending.last_words(self.address))

    def sync(self) -> int:
        """Wait until all that is appended is on the disk, whatever the mode; its last sequence."""
        if self._claim.held:
            self._helper.syncer.sync()
        if self._record["failure"] != 0:
            raise self._refusal(appending.FAILED, 0)
        return self._helper.syncer.synced

    def close(self, about: Mapping[str, Any] | None = None, *, time: int | None = None) -> None:
        """Write CLOSED, seal and sync all of it, and let another process go on with it."""
        if not self._claim.held:
            return
        try:
            if self._record["failure"] == 0:
                self.last_words()
                text = as_json(about or {}, "about")
                at = clock.now_ns() if time is None else time
                self._appended(kinds.CLOSED, at, text, 0)
                self._helper.stop()
                self._helper.finish()
                if self._record["failure"] != 0:
                    raise self._refusal(appending.FAILED, 0)
        except OSError as error:
            raise segments.no_room(self.folder, error) from None
        finally:
            self._leave()

    def _leave(self) -> None:
        self._helper.stop()
        if self._record["failure"] == 0:
            self._record["failure"] = CLOSED
        self._helper.tell()
        self._helper.let_go()
        self._claim.let_go()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_failure: object) -> None:
        self.close({"ended_by": kind.__name__} if kind else None)

    def __repr__(self) -> str:
        return f"<Journal {self.folder}, {self.sequence:,} frames, {self.why or 'well'}>"


def _not_taken(what: str, do: str) -> InputError:
    return InputError(what, where="Journal.append(kind, time, payload, source)", do=do)


def _in_child() -> None:
    """A forked child's copy appends nothing: the segments are its parent's."""
    for journal in list(_journals):
        journal._record["failure"] = FORKED


os.register_at_fork(after_in_child=_in_child)
