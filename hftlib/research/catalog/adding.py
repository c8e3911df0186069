"""Things into a folder: the ticks of a tape, its bars, the frames of a journal.

Each is written as parts without a name, which get their names together, and then one JSON says that
they are there (`disk.py`). What is in the store already, by its digest, is not written again.

Worst case: a machine that loses power at any moment has the thing whole, or has not got it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hftlib.feed.tape_file import Progress
from hftlib.research.catalog.disk import Folder, failing, name_parts, sha256_of
from hftlib.research.catalog.entries import BARS, FRAMES, WARM, Entry, Part
from hftlib.research.catalog.things import Journaled
from hftlib.research.catalog.writing import Writing, planned
from hftlib.research.clocks import date_of
from hftlib.research.tape import Tape

ROW_GROUP_ROWS = 1 << 17


class FolderWriter:
    """Writes into a folder; only inside `with folder.writing()`."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def ticks(self, entry: Entry, tape: Tape, progress: Progress) -> Entry:
        """The events of a tape."""
        file, root = tape.selection.file, self._folder.root
        with failing(root):
            written = Writing(root, file, entry.file).write(planned(file, tape.zone), progress)
            return self._named(entry, written)

    def bars(self, entry: Entry, days: Sequence[tuple[str, Any, Any]]) -> Entry:
        """Tables of bars, one for each day."""
        import pyarrow.parquet as pq

        written = []
        for day, table, counts in days:
            path = f"{BARS}/width={entry.width}/day={day}/file={entry.file}/000.lz4.parquet"
            target = self._folder.root / f"{path}.part"
            with failing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    options: dict[str, Any] = {"compression": "lz4"}
                    pq.write_table(table, file, row_group_size=ROW_GROUP_ROWS, **options)
                    file.flush()
                    os.fsync(file.fileno())
            times = table["time"].cast("int64").to_numpy()
            symbols = tuple((s, v, n) for (s, v), n in counts.items())
            low, high = int(times.min()), int(times.max())
            size = target.stat().st_size
            part = Part(path, day, len(times), size, sha256_of(target), low, high, symbols)
            written.append((part, target))
        with failing(self._folder.root):
            return self._named(entry, written)

    def frames(self, entry: Entry, journal: Journaled, progress: Progress) -> Entry:
        """The frames of a journal, as one part of the day it began."""
        day = date_of(entry.begin, "UTC")
        path = f"{FRAMES}/day={day}/file={entry.file}/000.zstd.parquet"
        target = self._folder.root / f"{path}.part"
        with failing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
        count = journal.write(target, progress)
        sign, size = sha256_of(target), target.stat().st_size
        part = Part(path, day, count, size, sign, entry.begin, entry.end, (), tier=WARM)
        with failing(self._folder.root):
            return self._named(entry, [(part, target)])

    def _named(self, entry: Entry, written: list[tuple[Part, Path]]) -> Entry:
        name_parts([(place, self._folder.root / part.path) for part, place in written])
        made = entry.with_parts(part for part, _ in written)
        self._folder.commit(made)
        return made


def noted(what: str, digest: str, tape: Tape, width: str = "") -> Entry:
    """What is said of a tape's ticks or bars."""
    return Entry(
        what=what,
        digest=digest,
        name=tape.name,
        source=str(tape.path),
        zone=tape.zone,
        begin=tape.begin,
        end=tape.end,
        added=time.time_ns(),
        width=width,
    )
