"""The helper thread of a writer: it makes segments ahead, syncs, seals blocks, and says how it is.

    each turn   make the next segment, if none is ready    so that `append` never waits for it
                have the next pages made ready             so that no store waits for the kernel
                seal a block that is full                  the hash chain
                tell the file `writer`                     for whoever looks on

    beside it   sync what was appended, in mode `power`    `syncing.py`

What fails is told before it hurts. No room for the next segment is `trouble`: there is still what
is left of the segment in use, and it is tried again. A sync or a write that failed is `failure`:
after it nobody knows what the disk holds, so nothing is appended any more, and no later sync that
works can make it good (the kernel forgets the pages it could not write).

Blocks are walked with their CRCs before they are sealed: memory that this very process has
overwritten is a failure here, and not next year. Worst case: hashing 1 GB/s, without the GIL; where
frames come faster for long, UNSEALED_MAX segments wait for it, and then the appender.
"""

from __future__ import annotations

import atexit
import errno
import mmap
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HftError
from hftlib.core.journal import segments
from hftlib.core.journal.chain import Chain, room_for
from hftlib.core.journal.layout import (
    BLOCK,
    ENDS_SEGMENT,
    OVERWRITTEN,
    PAGE_BYTES,
    POWER,
    PROGRESS,
    SCAN,
    SEALED,
    SEGMENTS_MAX,
    UNEXPECTED,
    VERSION,
    WRITER_MAGIC,
    limit_of,
)
from hftlib.core.journal.scanning import DAMAGES, ENDED, NOTHING, scan
from hftlib.core.journal.segments import Segment, Session
from hftlib.core.journal.syncing import Syncer
from hftlib.core.journal.walking import Place

READY_BYTES, READY_STEP_BYTES = 16 << 20, 1 << 20  # pages kept ready for the appender
TURN_S = 0.005
RETRY_S = 0.05
UNSEALED_MAX = 64  # segments that are mapped and not sealed yet: 4 GB, unless said otherwise
BLOCKS_A_TURN = 1  # then back to what is urgent


class Helper:
    """What runs beside an appender. `turn` is one round, and is called by one thread at a time."""

    def __init__(
        self,
        folder: Path,
        record: Any,
        mapped: list[Segment],
        chain: Chain,
        start: Place,
        progress: mmap.mmap,
    ) -> None:
        self.folder, self.record, self.chain = folder, record, chain
        self.session: Session = chain.session
        self._why = ""
        self._segments = {segment.number: segment for segment in mapped}
        self.syncer = Syncer(folder, record, chain.session, self._segments)
        self._ready = {mapped[-1].number: int(record["position"])}
        self._retry_at = 0.0
        self._scan = np.zeros(1, SCAN)
        self._begin = chain.place[1]
        self._waiting: int | None = None  # how the scan of a block ended that is not sealed yet
        self._start_scan(mapped[0], start)
        self._progress = np.frombuffer(progress, PROGRESS, 1)[0]
        self._chain_file = os.open(chain.path, os.O_RDWR | os.O_NOFOLLOW)
        self._wake, self._stopping = threading.Event(), False
        self._owner_pid = os.getpid()
        self._one_at_a_time = threading.Lock()
        self._has_more = False
        self._thread: threading.Thread | None = None

    @property
    def why(self) -> str:
        """The last thing that went wrong, in words."""
        return self.syncer.why or self._why

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="hft-journal", daemon=True)
        self._thread.start()
        if self.record["mode"] == POWER:
            self.syncer.start(self.tell)
        # Without it a journal that nobody closed would be unmapped under the thread at the end.
        atexit.register(self.stop)

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """No further turn after the one that may be under way. Not for a forked child to say."""
        if os.getpid() != self._owner_pid:
            return
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.syncer.stop()
            atexit.unregister(self.stop)

    def _run(self) -> None:
        while not self._stopping:
            self.turn()
            if not self._has_more:
                self._wake.wait(TURN_S)
                self._wake.clear()

    def turn(self) -> None:
        """One round. What goes wrong is in the writer's record, never raised into a thread."""
        with self._one_at_a_time:
            self._guarded(self._round)

    def _round(self) -> None:
        self._make_next()
        readied = self._make_ready()
        if self.record["mode"] == POWER and not self.syncer.has_thread:
            self.syncer.sync()
        self._has_more = self._seal() or readied

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            if self.record["failure"] == 0:
                work()
        except OSError as error:
            self.fail(error.errno or errno.EIO, f"{error.strerror}: {error.filename or 'sync'}")
        except HftError as error:
            self.fail(UNEXPECTED, str(error))
        except Exception as error:
            self.fail(UNEXPECTED, f"{type(error).__name__}: {error}")
        self.tell()

    def fail(self, code: int, why: str) -> None:
        self._why, self._has_more = why, False
        self.record["failure"] = code

    def _make_next(self) -> None:
        record = self.record
        if record["next_segment"] != 0 or time.monotonic() < self._retry_at:
            return
        if len(self._segments) > UNSEALED_MAX:
            return  # the appender has to wait for the chain
        number = int(record["number"]) + 1  # raised before `next_segment` became 0
        try:
            made = self._made(number)
        except (OSError, HftError) as error:
            told, why = errno.EIO, str(error)
            if isinstance(error, OSError):
                told, why = error.errno or errno.EIO, str(error.strerror)
            self._why = f"segment {number} cannot be made: {why}"
            record["trouble"] = told
            self._retry_at = time.monotonic() + RETRY_S
            return
        self._segments[number] = made
        self._ready[number] = 0
        record["trouble"] = 0
        record["next_limit"] = limit_of(self.session.segment_bytes)
        record["next_segment"] = made.address

    def _made(self, number: int) -> Segment:
        if number >= SEGMENTS_MAX:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        os.posix_fallocate(self._chain_file, 0, room_for(self.session, number + 1))
        return segments.make(self.folder, number, self.session)

    def _make_ready(self) -> bool:
        """A step ahead of the appender, where it is near; whether there was one to make."""
        current, position = int(self.record["number"]), int(self.record["position"])
        for number, at in ((current, position), (current + 1, 0)):
            ready = self._ready.get(number)
            if ready is not None and ready < at + READY_BYTES:
                end = ready + READY_STEP_BYTES
                self._segments[number].make_ready(ready, end)
                self._ready[number] = end if end < self.session.segment_bytes else 1 << 62
                return True
        return False

    def _seal(self) -> bool:
        """Seal some blocks; whether there may be more."""
        return all(self._seal_next() for _ in range(BLOCKS_A_TURN))

    def _seal_next(self, partial: bool = False) -> bool:
        state = self._scan[0]
        state["full"] = max(self._begin, PAGE_BYTES) + self.session.block_bytes
        if self._waiting is None:
            self._waiting = int(scan(self._scan.ctypes.data, 0, 1 << 40))
        stop = self._waiting
        if stop < 0:
            number = int(self._segment.number)
            at = f"segment {number} at byte {int(state['position']):,}"
            self.fail(OVERWRITTEN, f"something overwrote the journal: {at}: {DAMAGES[stop]}")
            return False
        if stop == NOTHING and not (partial and int(state["position"]) > self._begin):
            self._waiting = None
            return False
        if self.record["mode"] == POWER and state["sequence"] - 1 > self.record["durable"]:
            return False  # first the frames, then the block that says they were there
        self._waiting = None
        self._write_block(ENDS_SEGMENT if stop == ENDED else SEALED)
        if stop == ENDED:
            following = self._segment.number + 1
            here = Place(following, PAGE_BYTES, int(state["sequence"]))
            self._start_scan(self._segments[following], here, int(state["time_max"]))
            self._begin = 0
            self._retire()
        return True

    def _start_scan(self, segment: Segment, at: Place, time_max: int | None = None) -> None:
        state = self._scan[0]
        self._segment = segment
        state["segment"], state["end"] = segment.address, self.session.segment_bytes
        state["seed"], state["sequence"] = self.session.seed, at.sequence
        state["position"] = at.position
        state["time_max"] = at.time_max if time_max is None else time_max

    def _write_block(self, sealed: int) -> None:
        state = self._scan[0]
        end, first = int(state["position"]), self.chain.sealed + 1
        begins = max(self._begin, PAGE_BYTES)
        frames = int(state["sequence"]) - first
        made = self.chain.block(
            self._segment,
            self._begin,
            end,
            sealed=sealed,
            first=first,
            frames=frames,
            first_time=self._segment.time(begins) if frames else int(state["time_max"]),
            time_max=int(state["time_max"]),
        )
        at = len(self.chain.blocks) * BLOCK.itemsize
        if at % PAGE_BYTES == 0 and self.record["mode"] == POWER:
            os.fdatasync(self._chain_file)  # no page of the chain is on the disk before another
        os.pwrite(self._chain_file, made.tobytes(), at)
        self.chain.blocks.append(made)
        self._begin = end

    def _retire(self) -> None:
        """Let go of segments that nobody writes, syncs or seals any more."""
        synced = self.syncer.number if self.record["mode"] == POWER else self._segment.number
        for number in [n for n in self._segments if n < min(self._segment.number, synced)]:
            self._segments.pop(number).let_go()
            self._ready.pop(number, None)

    def tell(self) -> None:
        """What onlookers may know, in the file `writer`."""
        told, record = self._progress, self.record
        told["magic"], told["version"], told["writer_pid"] = WRITER_MAGIC, VERSION, os.getpid()
        told["mode"], told["sealed"] = record["mode"], self.chain.sealed
        for name in ("sequence", "durable", "failure", "trouble", "refused"):
            told[name] = record[name]
        told["why"] = self.why.encode()[:255]

    def finish(self) -> None:
        """After the last frame: seal what is left, have all of it on the disk, give back the rest.

        The threads are stopped. Raises OSError where the disk fails with what follows the frames.
        """
        self.syncer.sync()
        if self.record["failure"] != 0:
            return
        while self._seal_next(partial=True):
            pass
        os.fdatasync(self._chain_file)
        last = self._segments[int(self.record["number"])]
        last.give_back(int(self.record["position"]))
        segments.place(self.folder, last.number + 1).unlink(missing_ok=True)
        segments.sync_folder(self.folder)

    def let_go(self) -> None:
        for segment in self._segments.values():
            segment.let_go()
        with suppress(OSError):
            os.close(self._chain_file)
