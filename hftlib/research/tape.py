"""The tape as quants use it: recorded market data, sliced without copying an event.

    tape = hft.open_tape("day.tape")
    tape["09:30":"10:00"]                    by time: the venue's clock, on the tape's day
    tape["AAPL"], tape["AAPL", "09:30":]     by instrument, by both
    tape.only("AAPL", "MSFT")                by several
    tape[1000:2000]                          by position; a number alone is one event
    tape.book_at("10:00", "AAPL")            the order book then: a ladder in a notebook

A slice is a tape, too. By time it goes from the first event at or after `begin` up to the first at
or after `end`, in order of arrival: where times go back, an event belongs with its neighbours.
Numbers in brackets are positions; nanoseconds go to `between(begin, end)`, as any time may.

A slice by instrument has also the events that concern every instrument, such as a gap in the feed.
Books and bars of a slice know what came before it. Worst case: several instruments cost a list of
positions, eight bytes an event; `events` of a slice by instrument is a copy, all else a view.
"""

from __future__ import annotations

import atexit
import datetime
import html
import shutil
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.times import Time, duration_text
from hftlib.core.units import INT64_MIN, is_whole, shown
from hftlib.feed.source import CHUNK_EVENTS_MAX, Source
from hftlib.feed.tape_file import TapeSummary, write_tape
from hftlib.feed.tape_reading import TapeFile
from hftlib.feed.walk import highest_time
from hftlib.research import clocks
from hftlib.research.selection import Selection


def open_tape(path: Path | str) -> Tape:
    """The tape in a file: mapped, not read."""
    file = TapeFile(path)
    return Tape(Selection(file, 0, len(file.events)))


def to_tape(source: Source, path: Path | str | None = None) -> Tape:
    """Read a source into a tape; without a path into a temporary one, gone with the process."""
    from hftlib.terminal import patience

    if path is None:
        folder = tempfile.mkdtemp(prefix="hft-tape-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = Path(folder) / "made.tape"
    with patience() as advance:
        write_tape(path, source, progress=advance)
    return open_tape(path)


class Tape:
    """Events in order of arrival with their instruments; `open_tape` opens one."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.share_done = 0.0
        self._file = selection.file

    def __len__(self) -> int:
        return len(self.selection)

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def name(self) -> str:
        """What it was read from."""
        return self._file.name

    @property
    def is_one_stream(self) -> bool:
        """Whether all of it is one stream that its venue numbers."""
        return self._file.is_one_stream

    @property
    def counts(self) -> dict[str, int]:
        """What the source met while it was read, by name."""
        return dict(self._file.counts)

    @property
    def instruments(self) -> Instruments:
        """The whole table, whatever the slice: rows keep their numbers."""
        return self._file.instruments

    @property
    def rows(self) -> tuple[int, ...]:
        """The instruments this tape or slice is of."""
        chosen = self.selection.rows
        return tuple(range(len(self.instruments))) if chosen is None else chosen

    @property
    def symbols(self) -> list[str]:
        return [self.instruments[row].symbol for row in self.rows]

    @property
    def digest(self) -> str:
        """SHA-256 of the whole tape's content; slices have that of their tape."""
        return self._file.digest

    @property
    def orderly(self) -> bool:
        """Whether no time of the whole tape is lower than the one before it."""
        return self._file.orderly

    @property
    def events(self) -> np.ndarray[Any, Any]:
        """All events as an array of EVENT: a read-only view; by instrument, a copy."""
        return self.selection.events(0, len(self))

    @property
    def positions(self) -> np.ndarray[Any, Any]:
        """Where each event stands on the whole tape."""
        places, first = self.selection.places, self.selection.first
        return np.arange(first, first + len(self)) if places is None else places

    @cached_property
    def begin(self) -> int:
        """The time of the first event that has one, in ns; 0 without any."""
        if self.selection.is_whole:
            return self._file.begin
        firsts = (chunk["time"][np.flatnonzero(chunk["time"])[:1]] for chunk in self.chunks())
        return next((int(first[0]) for first in firsts if len(first)), 0)

    @cached_property
    def end(self) -> int:
        """The highest time, in ns; 0 without any event."""
        if self.selection.is_whole or not len(self):
            return self._file.end if len(self) else 0
        highest = int(highest_time(self.selection.walk_address))
        return 0 if highest == INT64_MIN else highest

    @property
    def duration(self) -> int:
        """From begin to end, in ns."""
        return max(0, self.end - self.begin)

    @cached_property
    def zone(self) -> str:
        """The clock of its venues, or UTC where they have several."""
        calendars = set(self.instruments.table["calendar"].tolist())
        return clocks.zone_of(bytes(one).decode("utf-8", "replace") for one in calendars)

    def __getitem__(self, key: Any) -> Any:
        """A slice by time, instrument or position, or both first; one event for a number."""
        parts = key if isinstance(key, tuple) else (key,)
        symbols = [part for part in parts if isinstance(part, str)]
        slices = [part for part in parts if isinstance(part, slice)]
        if len(parts) == 1 and is_whole(key):
            return self._one(int(key))
        if len(symbols) + len(slices) != len(parts) or len(slices) > 1 or not parts:
            raise InputError(
                f"{shown(key)} does not say which events are meant",
                where="tape[...]",
                do="Write tape['AAPL'], tape['09:30':'10:00'], tape['AAPL', '09:30':'10:00'], "
                "or tape[10:20] for positions.",
            )
        made = self.only(*symbols) if symbols else self
        return made._sliced(slices[0]) if slices else made

    def only(self, *symbols: str, venue: str | None = None) -> Tape:
        """The events of these instruments, and those that concern every instrument."""
        if not symbols:
            do = "Name one or several: tape.only('AAPL', 'MSFT')."
            raise InputError("No instrument was named", where="tape.only()", do=do)
        rows = sorted({self.instruments.row(symbol, venue) for symbol in symbols})
        chosen = self.selection.rows
        if chosen is not None and (other := [row for row in rows if row not in chosen]):
            raise InputError(
                f"{self.instruments[other[0]].symbol} is not in this slice",
                where=repr(self),
                do=f"Take it from the whole tape; here is {', '.join(self.symbols[:8])}.",
            )
        return Tape(self.selection.of_rows(tuple(rows)))

    def between(
        self, begin: Time | datetime.time | None = None, end: Time | datetime.time | None = None
    ) -> Tape:
        """From the first event at or after `begin` up to the first at or after `end`."""
        here, whole = self.selection, (self.zone, self._file.begin, self._file.end)
        first, last = here.first, here.last
        if begin is not None:
            first = max(first, self._file.first_at(clocks.moment(begin, *whole, "begin")))
        if end is not None:
            last = min(last, self._file.first_at(clocks.moment(end, *whole, "end")))
        return Tape(here.narrowed(first, last))

    def chunks(self, count: int = CHUNK_EVENTS_MAX) -> Iterator[np.ndarray[Any, Any]]:
        """Its events piece by piece, so that a tape can be read, and written, as a source."""
        for first in range(0, len(self), count):
            last = min(first + count, len(self))
            yield self.selection.events(first, last)
            self.share_done = last / len(self)

    def __iter__(self) -> Iterator[Any]:
        for chunk in self.chunks():
            yield from chunk

    def save(self, path: Path | str, *, overwrite: bool = False) -> TapeSummary:
        """This slice as a tape of its own, with the whole table of instruments.

        Where it begins later than the tape, the books as they stood come first, as snapshots.
        """
        from hftlib.research.opening import Saved
        from hftlib.terminal import patience

        with patience() as advance:
            return write_tape(path, Saved(self), overwrite=overwrite, progress=advance)

    def verify(self) -> str:
        """Read the whole tape against its digests: the digest, or a refusal."""
        from hftlib.terminal import patience

        with patience() as advance:
            return self._file.verify(advance)

    def frame(self, limit: int | None = None) -> Any:
        """The first events as a pandas DataFrame for people: times, names, prices, sizes."""
        from hftlib.research.tape_frame import frame

        return frame(self, limit)

    def summary(self, top: int = 10) -> Any:
        """Counts by kind and instrument, the span of times and numbers, rates."""
        from hftlib.research.tape_summary import summarised

        return summarised(self, top)

    def validate(self, **limits: Any) -> Any:
        """What is odd about the events, by kind, with examples: `hftlib.research.tape_checks`."""
        from hftlib.research.tape_checks import validated

        return validated(self, **limits)

    def bars(self, width: Any = "1s", *, adjusted: bool = False, empty: bool = True) -> Any:
        """Open, high, low, close, volume and the book by bar: `hftlib.research.bars`."""
        from hftlib.research.bars import bars

        return bars(self, width, adjusted=adjusted, empty=empty)

    def book_at(
        self,
        time: Time | datetime.time | None = None,
        symbol: str | None = None,
        *,
        venue: str | None = None,
    ) -> Any:
        """The book after the last event at or before a time: `hftlib.research.tape_book`."""
        from hftlib.research.tape_book import book_at

        return book_at(self, time, symbol, venue=venue)

    def __repr__(self) -> str:
        return f"<Tape {self._words}>"

    def _repr_html_(self) -> str:
        return f"<p><b>Tape</b> {html.escape(self._words)}</p>{self.summary()._repr_html_()}"

    @property
    def _words(self) -> str:
        if not len(self):
            return f"of no events, {self.path.name}"
        span = f"{clocks.clock_text(self.begin, self.zone)}, {duration_text(self.duration)}"
        names = self.symbols if self.selection.rows is not None else []
        few = ", ".join(names) if 0 < len(names) < 4 else f"{len(self.rows):,} instruments"
        return f"{len(self):,} events of {few}, {span}, {self.path.name}"

    def _one(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            what = f"There is no event {index:,} among {len(self):,}"
            raise InputError(what, where=repr(self), do="Use a position of this tape.")
        return self._file.events[self.selection.position(index % len(self))]

    def _sliced(self, wanted: slice) -> Tape:
        ends = (wanted.start, wanted.stop)
        if wanted.step is not None or any(isinstance(end, float | bool) for end in ends):
            do = "Give a begin and an end, two times or two positions, and no step."
            raise InputError(f"{shown(wanted)} is no slice of a tape", where="tape[...]", do=do)
        if not any(is_whole(end) for end in ends):
            return self.between(*ends)
        if not all(end is None or is_whole(end) for end in ends):
            do = "Give two times or two positions; nanoseconds go to tape.between(begin, end)."
            raise InputError(f"{shown(wanted)} mixes the two", where="tape[...]", do=do)
        first, last, _ = slice(*ends).indices(len(self))
        return Tape(self.selection.part(first, last))
