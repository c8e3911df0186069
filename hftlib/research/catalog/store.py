"""The store as a quant uses it.

    store = hft.store()                                   data/store, or where HFT_STORE says
    store.add("day.tape", bars="1m")                      once; again changes nothing, and says so
    store.ticks("AAPL", "2019-12-30", "2019-12-31")       a DataFrame, as tape.frame() makes it
    store.bars("AAPL", "1m")                              as tape.bars() makes it
    store.query("select symbol, count(*) from ticks group by symbol")
    store.keep(hot="5d", warm="90d", cold="s3://desk/store")
    store.backup("s3://desk/backup")

Any number of processes read while one writes. Worst case: an answer of more than FRAME_EVENTS_MAX
rows of ticks is refused; `query` gives whatever the memory holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.core.units import shown
from hftlib.research.catalog import asking, framing, things
from hftlib.research.catalog.adding import noted
from hftlib.research.catalog.backend import Backend
from hftlib.research.catalog.entries import BARS, TICKS, Entry
from hftlib.research.catalog.listing import Added, Dropped, days_of, some
from hftlib.research.catalog.writing import EVERY_ONE
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.tape import Tape
from hftlib.research.tape_frame import FRAME_EVENTS_MAX

LISTED_MAX = 200
_DROP_DIGITS = 4


class Store(Shown):
    """Tapes, bars and journals of many days; `hft.store()` opens one."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @property
    def where(self) -> str:
        """The folder, or the DSN without its password."""
        return self.backend.where

    @property
    def entries(self) -> list[Entry]:
        """What is in it now, in order of time."""
        return self.backend.entries()

    @property
    def symbols(self) -> list[str]:
        """Of which there are ticks."""
        names = {s for one in self.entries if one.what == TICKS for s, _ in one.names}
        return sorted(names - {EVERY_ONE})

    def add(self, thing: Any, bars: Any = None) -> Added:
        """A tape, or a journal, or the path of one; with `bars` also its bars of these widths."""
        widths = _widths(bars)
        found = things.thing_of(thing)
        started = time.monotonic()
        if isinstance(found, Tape):
            made = self._add_tape(found, widths)
            source = found.path.name
        else:
            if widths:
                do = "Make a tape of it first: hft journal export FOLDER --tape day.tape."
                raise InputError("A journal has no bars", where=str(found.folder), do=do)
            made = self._add_journal(found)
            source = found.folder.name
        there = tuple(one for one in self.entries if one.digest == found.digest)
        return Added(source, there, tuple(made), time.monotonic() - started)

    def ticks(
        self,
        symbols: Any = None,
        begin: Any = None,
        end: Any = None,
        *,
        kinds: Any = None,
        columns: Any = None,
        venue: str | None = None,
    ) -> Any:
        """Events from `begin` up to but without `end`, as `tape.frame()` has them."""
        chosen, kept = asking.tick_columns(columns), asking.kinds_of(kinds)

        def asked(entries: list[Entry]) -> asking.Question:
            made = asking.asked(TICKS, entries, symbols, venue, begin, end)
            return replace(made, columns=framing.needed(chosen), kinds=kept)

        made, table = self.backend.question(asked, FRAME_EVENTS_MAX + 1)
        return framing.tick_frame(table, chosen, made.entries)

    def bars(
        self,
        symbols: Any = None,
        width: Any = "1m",
        begin: Any = None,
        end: Any = None,
        *,
        venue: str | None = None,
    ) -> Any:
        """Bars that begin from `begin` up to but without `end`, as `tape.bars()` has them."""
        name = asking.width_of(width)

        def asked(entries: list[Entry]) -> asking.Question:
            made = asking.asked(BARS, entries, symbols, venue, begin, end, width=name)
            return replace(made, columns=("time", "symbol", *asking.BAR_COLUMNS))

        _, table = self.backend.question(asked, FRAME_EVENTS_MAX + 1)
        return framing.bar_frame(table, isinstance(symbols, str))

    def query(self, sql: str) -> Any:
        """What one SELECT over `ticks`, `bars`, `frames` and `files` says, as a DataFrame."""
        return framing.plain_frame(self.backend.query(asking.require_one_select(sql)))

    def drop(self, digest: str) -> Dropped:
        """Take out what has this digest, or begins so: ticks, and bars that were made of them."""
        if not isinstance(digest, str) or len(digest) < _DROP_DIGITS:
            do = "Give the digest that the store shows, or four and more of its first digits."
            raise InputError(f"{shown(digest)} is no digest", where="store.drop(digest)", do=do)
        with self.backend.writing():
            gone = [one for one in self.entries if one.digest.startswith(digest.lower())]
            if len({one.digest for one in gone}) != 1:
                what = "Several things begin" if gone else "Nothing in the store begins"
                do = "Give more digits." if gone else "Look at the store; it lists them."
                raise InputError(f"{what} with {digest}", where=self.where, do=do)
            for one in sorted(gone, key=lambda one: one.what):  # bars before their ticks
                self.backend.forget(one)
        return Dropped(tuple(gone))

    def keep(self, hot: Any = "5d", warm: Any = "90d", **options: Any) -> Any:
        """Pack what is older than `hot`, move what is older than `warm` to `cold=`; `tiers.py`."""
        from hftlib.research.catalog.tiers import kept

        return kept(self._folder("keep"), hot, warm, **options)

    def backup(self, target: Any) -> Any:
        """A copy of all there is, with the SHA-256 of each file: `copies.py`."""
        from hftlib.research.catalog.copies import backed_up

        return backed_up(self._folder("backup"), target)

    def restore(self, source: Any) -> Any:
        """A backup into this store's folder, which must not be there yet; all of it, or nothing."""
        from hftlib.research.catalog.copies import restored

        return restored(self._folder("restore"), source)

    def check(self) -> Any:
        """Read every part against its SHA-256: what is damaged, missing, or left behind."""
        from hftlib.research.catalog.copies import checked

        return checked(self._folder("check"))

    def as_json(self) -> list[dict[str, Any]]:
        """A row for each thing and day."""
        return [row for one in self.entries for row in days_of(one)]

    def sheets(self) -> list[Sheet]:
        heads = ("day", "what", "symbols", "events", "MB", "tier", "digest", "from")
        rows = self.as_json()
        shown_rows = [
            (
                row["day"],
                f"{row['what']} {row['width']}".strip(),
                some(row["symbols"]),
                row["events"],
                round(row["bytes"] / 1e6, 1),
                row["tier"],
                row["digest"][:12],
                row["source"].rpartition("/")[2],
            )
            for row in rows[-LISTED_MAX:]
        ]
        total = f"{sum(row['events'] for row in rows):,} events, "
        total += f"{sum(row['bytes'] for row in rows) / 1e6:,.1f} MB"
        left = f"; the last {LISTED_MAX} of {len(rows):,} rows" if len(rows) > LISTED_MAX else ""
        return [Sheet(f"Store {self.where}: {total}{left}", heads, shown_rows)]

    def _add_tape(self, tape: Tape, widths: tuple[str, ...]) -> list[Entry]:
        from hftlib.terminal import patience

        made = []
        with self.backend.writing():
            entries = self.entries
            things.same_name(tape.digest, entries)
            there = {one.key for one in entries if one.digest == tape.digest}
            things.require_alone(tape.digest, tape, entries)
            ticks = noted(TICKS, tape.digest, tape)
            if ticks.key not in there:
                with patience() as advance:
                    made.append(self.backend.add_ticks(ticks, tape, advance))
            for width in widths:
                bars = noted(BARS, tape.digest, tape, width)
                if bars.key not in there:
                    made.append(self.backend.add_bars(bars, tape))
        return made

    def _add_journal(self, journal: things.Journaled) -> list[Entry]:
        from hftlib.terminal import patience

        with self.backend.writing():
            entries = self.entries
            things.same_name(journal.digest, entries)
            if any(one.digest == journal.digest for one in entries):
                return []
            with patience() as advance:
                return [self.backend.add_frames(journal.entry(), journal, advance)]

    def _folder(self, what: str) -> Any:
        folder = self.backend.folder
        if folder is None:
            raise StateError(
                f"store.{what}() is for a store in a folder; this one is ClickHouse",
                where=self.where,
                do="Let ClickHouse do it: its storage policies, BACKUP and RESTORE.",
            )
        return folder


def _widths(bars: Any) -> tuple[str, ...]:
    if bars is None:
        return ()
    several = bars if isinstance(bars, Iterable) and not isinstance(bars, str) else (bars,)
    return tuple(dict.fromkeys(asking.width_of(one) for one in several))
