"""`hft bench itch FILE` and `hft bench book FILE`: what reading a day of ITCH costs.

The whole file is brought into memory first; what is measured is one pinned core going through it:
parsed into events, or parsed and applied to the full order book of every symbol. The yardstick
beside each is the least that any reader must do: walk from frame to frame.

Books are sized by a pass that is not measured, as a desk sizes them by yesterday. Latencies are of
single messages, each between two readings of the clock, less what the readings cost. A peer takes
turns with ours, run for run (`peer.py`).
Worst case: memory for the file and the books, a few GB for a full day.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.bench.harness import (
    Bench,
    Measurement,
    as_json,
    measure,
    pinned,
    require_compiled,
)
from hftlib.bench.harness import table as measured_table
from hftlib.bench.peer import Peer
from hftlib.book.apply import apply_event
from hftlib.book.books import Books
from hftlib.book.bulk import apply_events
from hftlib.book.capacity import Capacity
from hftlib.book.tables import BATCH, books_at
from hftlib.core import clock, jit
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.histogram import Histogram, record_value
from hftlib.feed.itch.translate import FRAMES, PREFETCH_BYTES, Translator, translate_frames

# Events handed to the books at once. Few orders: eight kilobytes, still in the first cache
# when the books read them. Many: so many that looking ahead seldom begins anew.
BATCH_EVENTS, BATCH_EVENTS_MANY = 128, 1024
DATE = "2020-01-01"  # no figure depends on it
PARSE_BUDGET_NS = 8.0
PERCENTILES = (50, 90, 99, 99.9, 100)

_frames_at = jit.record_at(FRAMES)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a bench of a file found."""

    what: str
    file: str
    messages: int
    instruments: int
    measurement: Measurement
    messages_per_second: float
    latency_ns: dict[str, float]
    digest: str
    notes: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """All of it, with the host, for `json.dumps`."""
        rest = asdict(self)
        rest.pop("measurement")
        return as_json([self.measurement]) | rest


@jit.compiled("int64(int64, int64, int64, int64)")
def read_all(translator: int, frames_address: int, books: int, events: int) -> int:
    """Parse all frames, and apply them where there are books: messages read."""
    frames = _frames_at(frames_address)
    read = made = room = 0
    while made == room:
        many = books != 0 and books_at(books).orders >= books_at(books).look_from
        room = BATCH_EVENTS_MANY if many else BATCH_EVENTS
        frames.target = events
        frames.room = room
        made = translate_frames(translator, frames_address)
        read += made
        if books != 0:
            apply_events(books, events, made)
    return read


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def time_each(
    translator: int, frames_address: int, books: int, event: int, histogram: int, clock_ns: int
) -> int:
    """The same, a message at a time, each one's time recorded."""
    frames = _frames_at(frames_address)
    read = 0
    made = 1
    while made == 1:
        frames.target = event
        frames.room = 1
        start = clock.monotonic_ns()
        made = translate_frames(translator, frames_address)
        if books != 0 and made == 1:
            apply_event(books, event)
        record_value(histogram, max(0, clock.monotonic_ns() - start - clock_ns))
        read += made
    return read


@jit.compiled("int64(int64, int64)")
def walk(begin: int, end: int) -> int:
    """From frame to frame, and nothing else: frames."""
    count = 0
    cursor = begin
    while cursor + 2 <= end:
        jit.prefetch(cursor + PREFETCH_BYTES)
        cursor += 2 + jit.load_be_u16(cursor)
        count += 1
    return count


@jit.compiled("int64(int64)")
def clock_cost(turns: int) -> int:
    """The least that two readings of the clock say of nothing between them."""
    least = 1 << 40
    for _ in range(turns):
        start = clock.monotonic_ns()
        least = min(least, clock.monotonic_ns() - start)
    return least


class _Input:
    """A file in memory, and a translator for it."""

    def __init__(self, path: Path) -> None:
        self.bytes = _loaded(path)
        self.begin = int(self.bytes.ctypes.data)
        self.end = self.begin + len(self.bytes)
        self._frames = np.zeros(1, FRAMES)
        self._events = np.zeros(BATCH_EVENTS_MANY, EVENT)
        read, _cost, translator = self.read(None)
        self.messages = read
        if not any(len(name) == 1 for name in translator.counts):  # a letter: a known type
            raise InputError(
                f"{path} has no ITCH message: no frame has the length and the type of one",
                where=str(path),
                do="Give a file of {length, message} frames as Nasdaq publishes it, plain or gzip.",
            )

    def read(self, books: Books | None) -> tuple[int, float, Translator]:
        """One pass: messages, ns for each, and the translator as it is then."""
        translator, frames = self._start()
        address = books.address if books else 0
        start = clock.monotonic_ns()
        read = read_all(translator.address, frames, address, self._events.ctypes.data)
        elapsed = clock.monotonic_ns() - start
        return int(read), elapsed / max(read, 1), translator

    def latencies(self, books: Books | None) -> Histogram:
        """One pass with the clock in hand."""
        translator, frames = self._start()
        histogram = Histogram()
        time_each(
            translator.address,
            frames,
            books.address if books else 0,
            self._events.ctypes.data,
            histogram.address,
            clock_cost(100_000),
        )
        return histogram

    def walked(self) -> float:
        start = clock.monotonic_ns()
        count = walk(self.begin, self.end)
        return (clock.monotonic_ns() - start) / max(count, 1)

    def _start(self) -> tuple[Translator, int]:
        self._frames[0] = (self.begin, self.end, 0, 0)
        return Translator(date=DATE), int(self._frames.ctypes.data)


def read_file(
    what: str,
    path: Path,
    runs: int,
    advance: Callable[[int, str], None],
    peer_command: str | None = None,
) -> Reading:
    """`what` is itch: every message into an event; or book: and into its symbol's full book."""
    require_compiled(f"hft bench {what}")
    peer = Peer(peer_command, path) if peer_command is not None else None
    with pinned(0):
        given = _Input(path)
        translator = given.read(None)[2]
        make = _books_for(given, translator) if what == "book" else lambda: None
        turns = iter(range(runs + 2))

        def run() -> float:
            advance(next(turns), path.name)
            return given.read(make())[1]

        measured = measure(
            Bench(
                "parse + book" if what == "book" else "parse",
                run,
                budget=None if what == "book" else PARSE_BUDGET_NS,
                against="walk the frames",
                probe=given.walked,
                peer_name=peer.name if peer else "",
                peer=peer.run if peer else None,
            ),
            runs,
        )
        latencies = given.latencies(make())
        books = make()
        given.read(books)
    notes = {name: count for name, count in translator.counts.items() if len(name) > 1}
    return Reading(
        what,
        path.name,
        given.messages,
        len(translator.instruments),
        measured,
        1e9 / measured.median,
        {f"p{p:g}": float(latencies.percentile(p)) for p in PERCENTILES},
        books.digest() if books else "",
        notes | (books.impossible if books else {}),
    )


def _books_for(given: _Input, translator: Translator) -> Callable[[], Books]:
    """A maker of empty books that fit, sized by reading once with more than enough."""
    count = max(1, len(translator.instruments))
    orders = min(1 << 22, max(1 << 10, given.messages))
    levels, pages = min(orders, 1 << 21), min(orders, 1 << 20)
    books = Books(
        translator.instruments, capacity=Capacity(count, orders, levels, pages, 2 * orders)
    )
    given.read(books)
    used = [
        int(books.header[name]) + BATCH for name in ("orders_most", "levels_most", "pages_used")
    ]
    return lambda: Books(translator.instruments, capacity=Capacity(count, *used))


def table(reading: Reading) -> Any:
    """The reading for people."""
    from rich.console import Group
    from rich.table import Table

    about = Table.grid(padding=(0, 2))
    row = reading.measurement
    rows = {
        "peer": f"{row.peer} {row.peer_median:,.1f} {row.unit}, ours is {row.peer_ratio:.2f} of it"
        if row.peer_median and row.peer_ratio
        else "",
        "messages": f"{reading.messages:,} of {reading.instruments:,} instruments",
        "a second": f"{reading.messages_per_second / 1e6:,.1f} million messages",
        "a message": ", ".join(f"{k} {n:,.0f} ns" for k, n in reading.latency_ns.items()),
        "final books": reading.digest[:16],
        "odd": ", ".join(f"{name}: {count:,}" for name, count in reading.notes.items()),
    }
    for name, text in rows.items():
        if text:
            about.add_row(name, text)
    return Group(measured_table([reading.measurement], reading.file), about)


def _loaded(path: Path) -> np.ndarray[Any, Any]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as packed:
                return np.frombuffer(packed.read(), np.uint8)
        return np.fromfile(path, np.uint8)
    except (OSError, EOFError) as error:
        raise InputError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}",
            where="hft bench",
            do="Give the path of a file of ITCH 5.0 messages.",
        ) from None
