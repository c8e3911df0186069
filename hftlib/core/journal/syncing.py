"""Have what was appended on the disk, a group at a time: whatever came while the last sync ran.

    sequence ─▶ number, position ─▶ sync those bytes ─▶ durable = sequence

In mode `replicated` it says nothing of `durable`, which is the standby's (`replicating.py`).

Only the bytes that are new are synced, not the pages kept ready behind them. In mode `power` this
has a thread of its own, so that a frame waits for at most two syncs and never for a hash; in the
others it is done when somebody asks.

A sync that failed is for good: the kernel forgets pages that it could not write, so a later one
that works says nothing about them. Worst case: as long as the disk takes, while frames go on
being taken; `durable` says how far behind it is.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hftlib.core.journal import segments
from hftlib.core.journal.layout import REPLICATED, UNEXPECTED
from hftlib.core.journal.segments import Segment, Session

PAUSE_S = 0.0005  # where nothing came


class Syncer:
    """What keeps `durable` of a writer's record true."""

    def __init__(
        self, folder: Path, record: Any, session: Session, mapped: dict[int, Segment]
    ) -> None:
        self._folder, self._record, self._session = folder, record, session
        self._mapped = mapped  # the helper's, who takes out none that is not synced
        self._done = min(mapped), 0
        self.synced = 0  # the last sequence that is on this disk
        self._one_at_a_time = threading.Lock()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.why = ""

    @property
    def number(self) -> int:
        """Of the first segment that is not wholly synced."""
        return self._done[0]

    @property
    def has_thread(self) -> bool:
        return self._thread is not None

    def start(self, tell: Callable[[], None]) -> None:
        self._stopping = False
        self._thread = threading.Thread(
            target=self._run, args=(tell,), name="hft-journal-sync", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, tell: Callable[[], None]) -> None:
        while not self._stopping and self._record["failure"] == 0:
            if not self.sync():
                time.sleep(PAUSE_S)
            tell()

    def sync(self) -> bool:
        """Have all that is appended by now on the disk, then say so. Whether there was anything.

        What fails is in the writer's record, never raised.
        """
        with self._one_at_a_time:
            try:
                return self._record["failure"] == 0 and self._sync()
            except OSError as error:
                self.why = f"{error.strerror}: {error.filename or self._folder}"
                self._record["failure"] = error.errno or errno.EIO
            except Exception as error:
                self.why = f"{type(error).__name__}: {error}"
                self._record["failure"] = UNEXPECTED
            return False

    def _sync(self) -> bool:
        # In this order, which is the opposite of the appender's: what `sequence` counts lies in
        # segments up to `last`, and before `end` unless another one was begun meanwhile.
        sequence = int(self._record["sequence"])
        if sequence <= self.synced:
            return False
        last = int(self._record["number"])
        end = int(self._record["position"])
        if self._record["number"] != last:
            end = self._session.segment_bytes
        for number in range(self._done[0], last + 1):
            begin = self._done[1] if number == self._done[0] else 0
            self._sync_segment(number, begin, end if number == last else 0)
        self._done = last, end
        self.synced = sequence
        if self._record["mode"] != REPLICATED:  # there it is the standby's to say
            self._record["durable"] = sequence
        return True

    def _sync_segment(self, number: int, begin: int, end: int) -> None:
        segment = self._mapped.get(number)
        if segment is not None:
            segment.sync(begin, end)
            return
        # One that is full, and was let go of before anybody asked for this.
        descriptor = os.open(segments.place(self._folder, number), os.O_RDWR | os.O_NOFOLLOW)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
