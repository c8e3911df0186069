"""Events into Parquet: a day of a tape, grouped by symbol, several parts at once.

    a part        some symbols of one day, an eighth of the tape or PART_EVENTS; cut between symbols
    a row group   one symbol, or small neighbours together, GROUP_EVENTS at most; its statistics
                  name the symbols and times in it, so a question reads what it needs

The tape's own index says where the events of a symbol are, so nothing is sorted: machine code reads
each event once (`spreading.py`), Arrow takes the columns as they are, and threads write the parts,
for neither holds the interpreter. Numbers are split by byte and packed with LZ4: of twelve ways
that were measured the quickest per byte saved (`docs/decisions.md`).

A day begins where `tape.between` says it does, so late events stay with their neighbours.
Worst case: each thread holds 60 MB; a tape of 8,000 symbols becomes some 75 files a day.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.events import ALL, KINDS, SIDES
from hftlib.feed.tape_file import Progress
from hftlib.feed.tape_reading import TapeFile
from hftlib.research.bar_times import BarTimes
from hftlib.research.catalog.disk import sha256_of
from hftlib.research.catalog.entries import TICKS, Part
from hftlib.research.catalog.spreading import Spreader
from hftlib.research.clocks import date_of

GROUP_EVENTS, PART_EVENTS, PART_EVENTS_MIN = 1 << 18, 1 << 22, 1 << 19
PARTS_WANTED = 8  # of a tape that has events enough, so that several cores have work to the end
EVERY_ONE = "*"  # the symbol of what concerns every instrument
_AMOUNTS = ("price_units", "lots", "price", "quantity")
_SPLIT = ("position", "time", "sequence", "reference", *_AMOUNTS)
_WORDS = ("symbol", "venue", "kind", "side")
_THREADS_MAX = 8


@dataclass(slots=True)
class Plan:
    """What one part will hold: row groups of stretches of the tape's index."""

    day: str
    number: int
    groups: list[list[tuple[tuple[str, str], np.ndarray[Any, Any]]]] = field(default_factory=list)

    @property
    def events(self) -> int:
        return sum(len(places) for group in self.groups for _, places in group)

    def path(self, file: str) -> str:
        return f"{TICKS}/day={self.day}/file={file}/{self.number:03d}.lz4.parquet"


def schema() -> Any:
    """The columns of ticks, as `tape.frame()` has them, with the venue."""
    import pyarrow as pa

    stamp, name = pa.timestamp("ns", tz="UTC"), pa.dictionary(pa.int32(), pa.string())
    short = pa.dictionary(pa.int8(), pa.string())
    return pa.schema(
        [
            ("position", pa.int64()),
            ("time", stamp),
            ("received", stamp),
            ("sequence", pa.int64()),
            ("symbol", name),
            ("venue", name),
            ("kind", pa.dictionary(pa.int16(), pa.string())),
            ("side", short),
            ("price", pa.float64()),
            ("quantity", pa.float64()),
            ("reference", pa.int64()),
            ("other", pa.int64()),
            ("flags", pa.uint16()),
            ("price_units", pa.int64()),
            ("lots", pa.int64()),
            ("instrument", pa.uint32()),
        ]
    )


def planned(file: TapeFile, zone: str) -> list[Plan]:
    """The parts of a tape: days by its venues' clock, symbols in order."""
    made: list[Plan] = []
    lists = _lists(file)
    enough = min(PART_EVENTS, max(PART_EVENTS_MIN, len(file.events) // PARTS_WANTED))
    for day, first, last in _days(file, zone):
        plan = Plan(day, 0)
        room = 0  # what the last row group still takes
        for name, places in lists:
            low, high = np.searchsorted(places, np.array([first, last], places.dtype))
            if plan.events >= enough and low < high:
                made.append(plan)
                plan, room = Plan(day, plan.number + 1), 0
            while low < high:
                if room <= 0:
                    plan.groups.append([])
                    room = GROUP_EVENTS
                if plan.groups[-1] and high - low > room:  # whole in one of its own, if it can be
                    room = 0
                    continue
                step = min(int(high - low), room)
                plan.groups[-1].append((name, places[low : low + step]))
                low, room = low + step, room - step
        if plan.events:
            made.append(plan)
    return made


def _days(file: TapeFile, zone: str) -> Iterator[tuple[str, int, int]]:
    """Each day with the positions it is between."""
    begins = BarTimes("1d", file.begin, file.end, zone).all()
    cuts = [0, *(file.first_at(int(moment)) for moment in begins[1:]), len(file.events)]
    for begin, first, last in zip(begins, cuts[:-1], cuts[1:], strict=True):
        if first < last:
            yield date_of(int(begin), zone), first, last


def _lists(file: TapeFile) -> list[tuple[tuple[str, str], np.ndarray[Any, Any]]]:
    """Where the events of each instrument are, by name; of strangers by their number."""
    found = []
    for one in file.instruments:
        if len(places := file.positions_of(one.row)):
            found.append(((one.symbol, one.venue), places))
    others = file.positions_of(len(file.instruments))
    numbers = file.events["instrument"][others]
    for number in np.unique(numbers).tolist():
        symbol = EVERY_ONE if number == ALL else f"#{number}"
        found.append(((symbol, ""), others[numbers == number]))
    return sorted(found, key=lambda one: one[0])


class Writing:
    """The parts of one tape, on their way to the disk."""

    def __init__(self, root: Path | None, file: TapeFile, name: str) -> None:
        self._root, self._file, self._name = root or Path(), file, name
        self._done, self._stopped = 0, False
        self._lock, self._mine = threading.Lock(), threading.local()

    def write(self, plans: list[Plan], progress: Progress) -> list[tuple[Part, Path]]:
        """All parts, on the disk but not named yet, in the order of the plans."""
        total = sum(plan.events for plan in plans) or 1
        for plan in plans:
            (self._root / plan.path(self._name)).parent.mkdir(parents=True, exist_ok=True)
        workers = max(1, min(len(os.sched_getaffinity(0)), len(plans), _THREADS_MAX))
        with ThreadPoolExecutor(workers) as threads:
            jobs = [threads.submit(self._write_one, plan) for plan in plans]
            try:
                left: Any = set(jobs)
                while left:
                    done, left = wait(left, timeout=0.1)
                    for job in done:
                        job.result()
                    progress(self._done / total, "writing Parquet")
            finally:
                self._stopped = True  # of no meaning once all are done
        return [job.result() for job in jobs]

    def _write_one(self, plan: Plan) -> tuple[Part, Path]:
        import pyarrow.parquet as pq

        path = plan.path(self._name)
        target = self._root / f"{path}.part"
        low, high = [], []
        with target.open("wb") as file:
            with pq.ParquetWriter(file, schema(), **writer_options()) as writer:
                for table, times in self.tables(plan):
                    low.append(int(times.min()))
                    high.append(int(times.max()))
                    writer.write_table(table, row_group_size=GROUP_EVENTS)
                    with self._lock:
                        self._done += len(times)
            file.flush()
            os.fsync(file.fileno())
        size, sign = target.stat().st_size, sha256_of(target)
        part = replace(self.part(plan, min(low), max(high)), path=path, bytes=size, sha256=sign)
        return part, target

    def tables(self, plan: Plan) -> Iterator[tuple[Any, np.ndarray[Any, Any]]]:
        """The row groups of a part as Arrow tables, each with its times, valid until the next."""
        for group in plan.groups:
            if self._stopped:
                raise InterruptedError
            yield self._table(group)

    def part(self, plan: Plan, low: int, high: int) -> Part:
        """What is said of a part that is nowhere yet."""
        return Part("", plan.day, plan.events, 0, "", low, high, _counted(plan))

    def _table(self, group: list[tuple[tuple[str, str], np.ndarray[Any, Any]]]) -> Any:
        """One row group, and its times. Columns are lent to Arrow until the next is made."""
        if not hasattr(self._mine, "spreader"):
            self._mine.spreader = Spreader(self._file, GROUP_EVENTS)
        lists = [places for _, places in group]
        places = lists[0] if len(lists) == 1 else np.concatenate(lists)
        columns = self._mine.spreader.columns(places)
        counts = [len(one) for one in lists]
        codes = np.repeat(np.arange(len(lists), dtype=np.int32), counts)
        return table_of(columns, places, codes, [name for name, _ in group]), columns["time"]


def table_of(
    columns: dict[str, np.ndarray[Any, Any]],
    places: np.ndarray[Any, Any],
    codes: np.ndarray[Any, Any],
    names: list[tuple[str, str]],
) -> Any:
    """Columns as an Arrow table; numbers are not copied."""
    import pyarrow as pa

    received = columns["received"]
    unknown = received == 0
    made = {name: pa.array(values) for name, values in columns.items()}
    made["position"] = pa.array(places.astype(np.int64))
    made["time"] = made["time"].view(pa.timestamp("ns", tz="UTC"))
    made["received"] = pa.array(received, mask=unknown if unknown.any() else None).view(
        pa.timestamp("ns", tz="UTC")
    )
    for name in ("price", "quantity"):  # not a number is no value
        made[name] = _there(columns[name])
    made["symbol"], made["venue"] = (coded([one[n] for one in names], codes) for n in (0, 1))
    for name, known in (("kind", KINDS), ("side", SIDES)):
        index = columns[name]
        made[name] = pa.DictionaryArray.from_arrays(
            pa.array(index.astype(np.int16 if name == "kind" else np.int8)), labels(known, index)
        )
    return pa.Table.from_arrays([made[name] for name in schema().names], schema=schema())


def _there(values: np.ndarray[Any, Any]) -> Any:
    """Floats, of which those that are no number are no value; they are not copied."""
    import pyarrow as pa

    bits = np.packbits(~np.isnan(values), bitorder="little")
    buffers = [pa.py_buffer(bits), pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.float64(), len(values), buffers)


def writer_options() -> dict[str, Any]:
    """How ticks are encoded as they come: quickly."""
    return {
        "compression": "lz4",
        "use_dictionary": list(_WORDS),
        "column_encoding": dict.fromkeys(_SPLIT, "BYTE_STREAM_SPLIT"),
        "write_statistics": ["symbol", "time"],
        "write_batch_size": 1 << 16,
    }


def packed_options() -> dict[str, Any]:
    """How they are encoded to be kept: small."""
    rising = dict.fromkeys(("position", "time", "sequence"), "DELTA_BINARY_PACKED")
    return writer_options() | {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": [*_WORDS, *_AMOUNTS],
        "column_encoding": rising | {"reference": "BYTE_STREAM_SPLIT"},
    }


def coded(texts: list[str], codes: np.ndarray[Any, Any]) -> Any:
    """Words by their places in a list, in which one may stand more than once."""
    import pyarrow as pa

    distinct = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    if len(distinct) < len(texts):
        codes = np.array([distinct[text] for text in texts], np.int32)[codes]
    words = pa.array(list(distinct), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32, copy=False)), words)


def labels(known: tuple[str, ...], numbers: np.ndarray[Any, Any]) -> Any:
    """Words for small numbers, as `tape.frame()` says them; one without a word is #21."""
    import pyarrow as pa

    top = max(len(known), int(numbers.max(initial=0)) + 1)
    return pa.array([*known, *(f"#{n}" for n in range(len(known), top))], pa.string())


def _counted(plan: Plan) -> tuple[tuple[str, str, int], ...]:
    counts: dict[tuple[str, str], int] = {}
    for group in plan.groups:
        for name, places in group:
            counts[name] = counts.get(name, 0) + len(places)
    return tuple((symbol, venue, count) for (symbol, venue), count in counts.items())
