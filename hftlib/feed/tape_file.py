"""Writing a tape: a source read once, its events streamed to disk, its index built behind them.

    summary = write_tape("day.tape", source)          # whole and synced, or not there at all

Events go from the source's chunk to the file and to the digest; what is kept meanwhile is how
many events each instrument has and one time for 4,096 events. Then the file is read back once, and
each event's position goes to its place in the instrument index through a mapping whose pages are
let go as they pile up. The header comes last, then the name (`tape_part.py`).

Worst case: memory is bounded by the source's chunk, 32 MB of counts and 128 MB of mapped pages,
whatever the size of the tape. A full disk, a signal, a source that fails: a sentence or that
signal, and no file.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.instruments import ACTION, INSTRUMENT, PHASE
from hftlib.core.layout import PAGE_BYTES, Slot
from hftlib.core.units import INT64_MIN
from hftlib.feed import tape_layout as layout
from hftlib.feed.source import CHUNK_EVENTS_MAX, Source
from hftlib.feed.tape_index import SURVEY, scatter_positions, survey_chunk
from hftlib.feed.tape_part import failing, part_of, publish, taken

Progress = Callable[[float, str], None]
"""Told the share done, 0 to 1, and what is being done."""

MAPPED_BYTES_MAX = 1 << 27
_READING, _INDEXING = 0.8, 0.95  # how much of the work is done by the end of each
_NAME_CHARACTERS_MAX = 1000


@dataclass(frozen=True, slots=True)
class TapeSummary:
    """What was written."""

    path: str
    name: str
    events: int
    instruments: int
    begin: int
    end: int
    bytes: int
    digest: str
    counts: dict[str, int]


def write_tape(
    path: Path | str,
    source: Source,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TapeSummary:
    """Read the source to its end into a tape of that name, whole or not at all."""
    target = Path(path)
    if not target.name:
        raise InputError(f"{str(path)!r} names no file", where="the tape", do="Name one.")
    if target.is_dir():
        what = f"{str(path)!r} is a folder"
        raise InputError(what, where="the tape", do="Name a file in it.")
    if target.exists() and not overwrite:
        raise taken(target)
    with part_of(target) as (descriptor, part):
        writing = _Writing(descriptor, target, progress or (lambda _share, _what: None))
        writing.stream(source)
        with failing(target):
            summary = writing.finish(source)
        publish(part, target, overwrite)
    return summary


class _Writing:
    """One tape on its way to the disk."""

    def __init__(self, descriptor: int, target: Path, progress: Progress) -> None:
        self.descriptor, self.target, self.progress = descriptor, target, progress
        self.digest, self.index_digest = hashlib.sha256(), hashlib.sha256()
        self.survey = np.zeros(1, SURVEY)
        self.survey["highest"] = INT64_MIN  # until an event tells the time
        self.rows = 1 << 10
        self.counts = np.zeros(self.rows + 1, np.int64)
        self.marks: list[np.ndarray[Any, Any]] = []

    def stream(self, source: Source) -> None:
        """The first pass: events to disk and digest; counts by instrument and marks of time."""
        with failing(self.target):
            os.lseek(self.descriptor, PAGE_BYTES, os.SEEK_SET)
        what = f"reading {source.name}"
        for chunk in source.chunks():
            _require_events(chunk, source)
            if not len(chunk):
                continue
            self._make_room(int(chunk["instrument"].max()))
            marks = np.zeros(len(chunk) // layout.MARK_EVENTS + 1, np.int64)
            made = survey_chunk(
                self.survey.ctypes.data,
                chunk.ctypes.data,
                len(chunk),
                self.counts.ctypes.data,
                self.rows,
                marks.ctypes.data,
            )
            self.marks.append(marks[:made])
            plain = chunk.view(np.uint8).data
            self.digest.update(plain)
            with failing(self.target):
                _write_all(self.descriptor, plain)
            self.progress(_READING * min(1.0, max(0.0, source.share_done)), what)

    def finish(self, source: Source) -> TapeSummary:
        """What stands behind the events, and the header before them."""
        survey, table = self.survey[0], source.instruments
        if len(table) > layout.ROWS_MAX:
            what = f"{len(table):,} instruments are more than the {layout.ROWS_MAX:,} of one tape"
            raise InputError(what, where=source.name, do="Split it into several tapes.")
        name, events = source.name[:_NAME_CHARACTERS_MAX], int(survey["events"])
        # Somebody's own source may not say it, and has been read to its end by now: no refusal.
        one_stream = bool(getattr(source, "is_one_stream", False))
        told = {"name": name, "counts": source.counts, "one_stream": one_stream}
        about = json.dumps(told).encode()
        parts = (len(table), len(table.phases), len(table.actions), len(about))
        placed = layout.slots(events, *parts)
        tables = {
            "instruments": _as(INSTRUMENT, table.table),
            "phases": _as(PHASE, table.phases),
            "actions": _as(ACTION, table.actions),
        }
        for part in tables.values():
            self.digest.update(part.tobytes())
        last_mark = (
            self.survey["highest"] if events % layout.MARK_EVENTS else self.survey["highest"][:0]
        )
        starts = self._starts(len(table))
        sections = {
            **tables,
            "marks": np.concatenate([*self.marks, last_mark]).astype(np.int64),
            "starts": starts,
            "about": np.frombuffer(about, np.uint8),
        }
        # The whole file is allocated now: later a full disk would be a crash within the mapping.
        total = layout.total_bytes(placed)
        os.posix_fallocate(self.descriptor, 0, total)
        for section, part in sections.items():
            os.lseek(self.descriptor, placed[section].offset, os.SEEK_SET)
            _write_all(self.descriptor, part.tobytes())
        self.index_digest.update(sections["marks"].tobytes() + starts.tobytes())
        if events:
            self._positions(placed["positions"], starts, events)
        self.progress(_INDEXING, "bringing it to the disk")
        os.fsync(self.descriptor)
        self._header(placed, int(starts[-1] - starts[-2]))
        os.fsync(self.descriptor)
        self.progress(1.0, "done")
        return TapeSummary(
            path=str(self.target),
            name=name,
            events=events,
            instruments=len(table),
            begin=int(survey["begin"]),
            end=self._end,
            bytes=total,
            digest=self.digest.hexdigest(),
            counts=dict(source.counts),
        )

    @property
    def _end(self) -> int:
        highest = int(self.survey["highest"][0])
        return 0 if highest == INT64_MIN else highest

    def _make_room(self, highest_row: int) -> None:
        """Counts for all rows up to this one; the last place is for rows beyond every table."""
        rows = self.rows
        while rows <= min(highest_row, layout.ROWS_MAX - 1):
            rows *= 2
        if rows != self.rows:
            counts = np.zeros(rows + 1, np.int64)
            counts[: self.rows], counts[rows] = self.counts[:-1], self.counts[-1]
            self.rows, self.counts = rows, counts

    def _starts(self, rows: int) -> np.ndarray[Any, Any]:
        counts = np.zeros(rows + 1, np.int64)
        known = min(rows, self.rows)
        counts[:known] = self.counts[:known]
        counts[rows] = self.counts[known:].sum()
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])

    def _positions(self, slot: Slot, starts: np.ndarray[Any, Any], events: int) -> None:
        """The second pass: every event's position to its instrument's place."""
        rows, cursors, held = len(starts) - 2, starts[:-1].copy(), 0
        chunk = np.zeros(CHUNK_EVENTS_MAX, EVENT)
        touched_once = min(rows + 1, len(chunk)) * PAGE_BYTES  # each instrument writes elsewhere
        mapped = mmap.mmap(self.descriptor, slot.nbytes, offset=slot.offset)
        positions = np.frombuffer(mapped, np.uint8).ctypes.data
        for first in range(0, events, len(chunk)):
            count = min(len(chunk), events - first)
            _read_all(self.descriptor, chunk[:count], PAGE_BYTES + first * EVENT_BYTES)
            item_bytes = slot.dtype.itemsize
            places = (cursors.ctypes.data, rows, positions, item_bytes)
            scatter_positions(chunk.ctypes.data, count, first, *places)
            held += count * item_bytes
            if held + touched_once > MAPPED_BYTES_MAX:
                mapped.madvise(mmap.MADV_DONTNEED)  # the file keeps what they hold
                held = 0
            done = (first + count) / events
            self.progress(_READING + (_INDEXING - _READING) * done, "indexing")
        for first in range(0, slot.nbytes, MAPPED_BYTES_MAX // 4):
            self.index_digest.update(mapped[first : first + MAPPED_BYTES_MAX // 4])
            mapped.madvise(mmap.MADV_DONTNEED)

    def _header(self, placed: dict[str, Slot], strangers: int) -> None:
        header = np.zeros(1, layout.TAPE_HEADER)
        header["magic"], header["version"] = layout.MAGIC, layout.VERSION
        header["total_bytes"] = layout.total_bytes(placed)
        header["flags"] = 0 if self.survey["back"][0] else layout.ORDERLY
        header["begin"], header["end"] = self.survey["begin"], self._end
        header["strangers"], header["created_ns"] = strangers, time.time_ns()
        header["digest"] = np.frombuffer(self.digest.digest(), np.uint8)
        header["index_digest"] = np.frombuffer(self.index_digest.digest(), np.uint8)
        header["sections"] = np.array(layout.section_rows(placed), layout.SECTION)
        header["seal"] = layout.seal(header)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        _write_all(self.descriptor, header.tobytes())


def _require_events(chunk: Any, source: Source) -> None:
    good = isinstance(chunk, np.ndarray) and chunk.dtype == EVENT and chunk.ndim == 1
    if not (good and chunk.flags.c_contiguous and len(chunk) <= CHUNK_EVENTS_MAX):
        raise InputError(
            f"The source gave something else than up to {CHUNK_EVENTS_MAX:,} events side by side",
            where=source.name,
            do="Correct its chunks(): arrays of EVENT, one after the other.",
        )


def _as(dtype: np.dtype[Any], rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The rows with zeros between their fields, so that equal tables have equal digests."""
    made = np.zeros(len(rows), dtype)
    for field in dtype.names or ():
        made[field] = rows[field]
    return made


def _write_all(descriptor: int, data: memoryview | bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read_all(descriptor: int, into: np.ndarray[Any, Any], offset: int) -> None:
    plain = memoryview(into.view(np.uint8).data)
    while plain:
        got = os.preadv(descriptor, [plain], offset)
        if not got:
            raise OSError(0, "it was cut short while it was being written")
        plain, offset = plain[got:], offset + got
