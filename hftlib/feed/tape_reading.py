"""Reading a tape file: checked from its header, then mapped; nothing is copied.

Everything the file says about itself is held against its size, its own counts and its seal before
an event is looked at, so a cut, garbled or foreign file is a sentence. The events themselves and
the instrument index are taken at their word, for to check them is to read them all: `verify` does.
Compiled walkers look at each position of the index before they follow it.

Worst case: a file cut short by its owner while it is mapped kills the processes that read it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HftError, InputError
from hftlib.core.events import NOTICE, UNREADABLE
from hftlib.core.instruments import Instruments
from hftlib.core.layout import PAGE_BYTES, Slot
from hftlib.feed import tape_layout as layout

_ONE_STREAM = ("ITCH", "synthetic")
_STEP_BYTES = 1 << 25  # what is digested between two looks at the progress


class TapeFile:
    """A tape's sections as read-only arrays over one mapping of the file."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        descriptor = _opened(self.path)
        try:
            header, placed = _checked(descriptor, self.path)
            self.header = header[0]
            self._mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise _refused(self.path, f"it cannot be mapped: {error}") from None
        finally:
            os.close(descriptor)
        self._placed = placed
        plain = np.frombuffer(self._mapped, np.uint8)
        arrays = {
            name: plain[slot.offset : slot.offset + slot.nbytes].view(slot.dtype)
            for name, slot in placed.items()
        }
        self.events, self.positions = arrays["events"], arrays["positions"]
        self.marks, self.starts = arrays["marks"], arrays["starts"]
        self.instruments = Instruments(*(arrays[n] for n in ("instruments", "phases", "actions")))
        self._require_sound_tables()
        about = _about(self.path, arrays["about"].tobytes())
        self.name, self.counts, self.is_one_stream = about

    @property
    def digest(self) -> str:
        """SHA-256 of the content, as the writer found it."""
        return bytes(self.header["digest"]).hex()

    @property
    def orderly(self) -> bool:
        """Whether no time is lower than the one before it."""
        return bool(self.header["flags"] & layout.ORDERLY)

    @property
    def begin(self) -> int:
        return int(self.header["begin"])

    @property
    def end(self) -> int:
        return int(self.header["end"])

    def positions_of(self, row: int) -> np.ndarray[Any, Any]:
        """Where the events of an instrument are."""
        return self.positions[int(self.starts[row]) : int(self.starts[row + 1])]

    def first_at(self, moment: int) -> int:
        """The position of the first event at or after a time; the number of events if none is."""
        block = int(np.searchsorted(self.marks, moment, side="left"))
        if block >= len(self.marks):
            return len(self.events)
        # All blocks before end below the moment, and this one does not.
        first = block * layout.MARK_EVENTS
        events = self.events[first : first + layout.MARK_EVENTS]
        late = (events["time"] >= moment) & ~np.isin(events["kind"], (NOTICE, UNREADABLE))
        return first + int(np.argmax(late))

    def verify(self, progress: Callable[[float, str], None] | None = None) -> str:
        """Read all of it against its digests: the digest, or a refusal."""
        wanted = {"digest": layout.CONTENT, "index_digest": layout.INDEX}
        total, done = sum(self._placed[n].nbytes for p in wanted.values() for n in p) or 1, 0
        for field, sections in wanted.items():
            digest = hashlib.sha256()
            for slot in (self._placed[name] for name in sections):
                last = slot.offset + slot.nbytes
                for first in range(slot.offset, last, _STEP_BYTES):
                    count = min(_STEP_BYTES, last - first)
                    digest.update(memoryview(self._mapped)[first : first + count])
                    # Clean pages: the kernel has them still, only our own count of them falls.
                    self._mapped.madvise(mmap.MADV_DONTNEED, first, count)
                    done += count
                    if progress:
                        progress(done / total, "reading all of it")
            if digest.digest() != bytes(self.header[field]):
                raise _refused(self.path, f"its {', '.join(sections)} are not what was written")
        return self.digest

    def _require_sound_tables(self) -> None:
        starts, marks, table = self.starts, self.marks, self.instruments.table
        if starts[0] != 0 or starts[-1] != len(self.events) or (np.diff(starts) < 0).any():
            raise _refused(self.path, "its index by instrument does not add up")
        if len(marks) and (np.diff(marks) < 0).any():
            raise _refused(self.path, "its index by time falls")
        units = ("price_unit_over", "price_unit_under", "lot_unit_over", "lot_unit_under")
        if any((table[field] < 1).any() for field in (*units, "tick", "round_lot")):
            raise _refused(self.path, "an instrument has a unit, tick or lot below 1")
        rows = self.instruments.actions["instrument"]
        if ((rows < 0) | (rows >= len(table))).any():
            raise _refused(self.path, "a corporate action is about no instrument")


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"The tape cannot be opened: {why}",
            where=str(path),
            do="Check the path; `hft data ls` lists tapes, `hft data import` makes them.",
        ) from None


def _checked(descriptor: int, path: Path) -> tuple[np.ndarray[Any, Any], dict[str, Slot]]:
    """The header and where the sections lie, once all that the header says was verified."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "it is no regular file")
    head = os.pread(descriptor, PAGE_BYTES, 0)
    if len(head) < PAGE_BYTES:
        raise _refused(path, f"it has {status.st_size:,} bytes, less than a header")
    header = np.frombuffer(head, layout.TAPE_HEADER)
    one = header[0]
    if one["magic"] != layout.MAGIC:
        raise _refused(path, f"it begins with {bytes(one['magic'])!r}, not {layout.MAGIC!r}")
    if one["version"] != layout.VERSION:
        raise _refused(path, f"its version is {one['version']}, not {layout.VERSION}")
    if (layout.seal(header) != one["seal"]).any():
        raise _refused(path, "its header is not the one that was sealed")
    counts = dict(zip(layout.SECTIONS, one["sections"]["count"].tolist(), strict=True))
    limits = {"events": layout.EVENTS_MAX, "instruments": layout.ROWS_MAX}
    limits |= {"about": layout.ABOUT_BYTES_MAX}
    for name in ("events", "instruments", "phases", "actions", "about"):
        if not 0 <= counts[name] <= limits.get(name, layout.EVENTS_MAX):
            raise _refused(path, f"it is said to have {counts[name]:,} {name}")
    parts = (counts[name] for name in ("events", "instruments", "phases", "actions", "about"))
    placed = layout.slots(*parts)
    if [tuple(row) for row in one["sections"].tolist()] != layout.section_rows(placed):
        raise _refused(path, "its sections do not lie where its counts put them")
    total = layout.total_bytes(placed)
    if not total == one["total_bytes"] == status.st_size:
        raise _refused(path, f"it has {status.st_size:,} bytes and should have {total:,}")
    return header, placed


def _about(path: Path, text: bytes) -> tuple[str, dict[str, int], bool]:
    """Name, counts, and whether it is one numbered stream: of old tapes the name told that."""
    try:
        about = json.loads(text)
        name = str(about["name"])
        counts = {str(name): int(count) for name, count in about["counts"].items()}
        return name, counts, bool(about.get("one_stream", name.startswith(_ONE_STREAM)))
    except (HftError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(path, f"what it says about itself is damaged ({error})") from None


def _refused(path: Path, what: str) -> InputError:
    return InputError(
        f"The file is not a tape this version can read: {what}",
        where=str(path),
        do="Check the path, or import the recorded data again.",
    )


def is_tape(path: Path) -> bool:
    """Whether a file begins as tapes do; it may still be damaged."""
    try:
        with path.open("rb") as file:
            return file.read(len(layout.MAGIC)) == layout.MAGIC
    except OSError:
        return False
