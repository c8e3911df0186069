"""The store in ClickHouse: the same questions, asked of a server, or of chdb inside this process.

    ticks_kept, bars_kept, frames_kept   MergeTree, PARTITION BY day, ORDER BY symbol, time, ...
    added                                a row for each day of what was added, in one insert
    ticks, bars, frames, files           views: what `added` says is there

Rows carry the attempt that wrote them, and a view shows one attempt of each thing that `added`
names. So a thing is there from the one insert into `added` on; a writer that died half way, and two
that add the same tape at once, leave rows that no view shows. `chdb://` is ClickHouse's own engine:
one path for each process, and no other process may open it meanwhile.

Worst case: rows of an attempt that failed take room for a day; the next `add` after that takes them
away, for it cannot know before that nobody is at work on them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.times import to_text
from hftlib.core.units import shown
from hftlib.feed.tape_file import Progress
from hftlib.research.catalog import asking, clickhouse_tables
from hftlib.research.catalog.disk import Folder
from hftlib.research.catalog.entries import BARS, FRAMES, TICKS, Entry, Part
from hftlib.research.catalog.places import line_of
from hftlib.research.catalog.tables import bars_of
from hftlib.research.catalog.things import Journaled
from hftlib.research.catalog.writing import Writing, planned
from hftlib.research.clocks import date_of
from hftlib.research.tape import Tape

DATABASE = "hft"
INSERT_ROWS = 1 << 18
STALE_NS = 86_400 * 10**9  # nobody writes one thing for longer


def _moment(ns: int) -> str:
    text = to_text(ns)  # 2019-12-30T09:30:00.123456789+00:00
    return f"toDateTime64('{text[:10]} {text[11:29]}', 9, 'UTC')"


CLICKHOUSE = asking.Dialect(_moment, has_backslashes=True)


def opened(dsn: str) -> ClickHouseBackend:
    """Connected, with database and tables made where they are missing."""
    try:
        import clickhouse_connect
    except ImportError as error:
        raise InputError(
            f"What talks to ClickHouse is not installed: {error.name} is missing",
            where="hft.store('clickhouse://...')",
            do="Run `pip install 'hftlib[clickhouse]'`.",
        ) from None
    bare, database = _parted(dsn)
    try:
        client = clickhouse_connect.get_client(dsn=bare)
        client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        client.database = database
        for statement in clickhouse_tables.statements():
            client.command(statement)
        reader = clickhouse_connect.get_client(dsn=bare)
        reader.database = database
        if bare.startswith("chdb"):  # its settings are the session's, not a question's
            reader.command("SELECT 1")
            reader.command("SET readonly = 2")
    except HftError:
        raise
    except Exception as error:  # of several packages: HTTP, sockets, chdb
        raise HostError(
            f"ClickHouse cannot be reached: {line_of(error)}",
            where=_shown(dsn),
            do="Check host, port, user and database of the DSN; of chdb, one process at a time "
            "opens a path, and a process opens one.",
        ) from None
    settings = {} if bare.startswith("chdb") else {"readonly": 2}
    return ClickHouseBackend(client, reader, settings, _shown(dsn))


class ClickHouseBackend:
    """A database of ClickHouse."""

    def __init__(self, client: Any, reader: Any, settings: dict[str, Any], where: str) -> None:
        self._client, self._where = client, where
        self._reader, self._settings = reader, settings  # it cannot write

    @property
    def where(self) -> str:
        return self._where

    @property
    def folder(self) -> Folder | None:
        return None

    def entries(self) -> list[Entry]:
        """All that was added, in order of time."""
        rows = self._asked("SELECT * FROM added_shown ORDER BY attempt, number").to_pylist()
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["attempt"], []).append(row)
        made = [clickhouse_tables.entry_of(several) for several in found.values()]
        return sorted(made, key=lambda one: (one.begin, one.what, one.key))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """ClickHouse takes many writers; attempts keep them apart."""
        yield

    def add_ticks(self, entry: Entry, tape: Tape, progress: Progress) -> Entry:
        """The events of a tape, a row group at a time."""
        file, attempt = tape.selection.file, self._attempt(entry)
        maker, parts, done = Writing(None, file, entry.file), [], 0
        for plan in planned(file, tape.zone):
            low, high = [], []
            for table, times in maker.tables(plan):
                self._insert(f"{TICKS}_kept", table, entry, attempt, plan.day)
                low.append(int(times.min()))
                high.append(int(times.max()))
                done += len(times)
                progress(done / max(1, len(file.events)), "writing to ClickHouse")
            parts.append(maker.part(plan, min(low), max(high)))
        return self._commit(entry, attempt, parts)

    def add_bars(self, entry: Entry, tape: Tape) -> Entry:
        """The bars of a tape, a day at a time."""
        attempt, parts = self._attempt(entry), []
        for day, table, counts in bars_of(tape, entry.width):
            self._insert(f"{BARS}_kept", table, entry, attempt, day)
            times = table["time"].cast("int64").to_numpy()
            symbols = tuple((s, v, n) for (s, v), n in counts.items())
            parts.append(Part("", day, len(times), 0, "", *_ends(times), symbols))
        return self._commit(entry, attempt, parts)

    def add_frames(self, entry: Entry, journal: Journaled, progress: Progress) -> Entry:
        """The frames of a journal."""
        attempt, day, count = self._attempt(entry), date_of(entry.begin, "UTC"), 0
        for batch in journal.tables(progress):
            self._insert(f"{FRAMES}_kept", batch, entry, attempt, day)
            count += len(batch)
        part = Part("", day, count, 0, "", entry.begin, entry.end, ())
        return self._commit(entry, attempt, [part])

    def forget(self, entry: Entry) -> None:
        """Take it out: first what says that it is there, then its rows."""
        file, width = CLICKHOUSE.text(entry.file), CLICKHOUSE.text(entry.width)
        what = f"file = {file} AND width = {width} AND what = {CLICKHOUSE.text(entry.what)}"
        rows = f"file = {file}" + (f" AND width = {width}" if entry.what == BARS else "")
        for table, which in (("added", what), (f"{entry.what}_kept", rows)):
            self._command(f"ALTER TABLE {table} DELETE WHERE {which} SETTINGS mutations_sync = 2")

    def question(
        self, asked: Callable[[list[Entry]], asking.Question], limit: int
    ) -> tuple[asking.Question, Any]:
        """The question as it was understood, and its answer."""
        made = asked(self.entries())
        return made, self._asked(made.sql(CLICKHOUSE, limit))

    def query(self, text: str) -> Any:
        """What a SELECT says."""
        if clickhouse_tables.writes_a_file(text):
            raise asking.refused("INTO OUTFILE")
        return self._asked(text)

    def close(self) -> None:
        """Let go of the server, or of chdb's folder."""
        self._reader.close()
        self._client.close()

    def _attempt(self, entry: Entry) -> str:
        """A name that no other writer has, and that sorts by when it was begun."""
        if any(one.key == entry.key for one in self.entries()):
            do = "Nothing is to be done: another writer was quicker."
            raise StateError(f"{entry.key} is in the store", where=self._where, do=do)
        self._remove_stale(f"{entry.what}_kept")
        return f"{time.time_ns():016x}{secrets.token_hex(8)}"

    def _remove_stale(self, table: str) -> None:
        """Rows of attempts that were begun long ago and never came to an end."""
        before = f"{time.time_ns() - STALE_NS:016x}"
        stale = f"attempt < '{before}' AND attempt NOT IN (SELECT attempt FROM added)"
        if len(self._asked(f"SELECT 1 FROM {table} WHERE {stale} LIMIT 1")):
            self._command(f"ALTER TABLE {table} DELETE WHERE {stale} SETTINGS mutations_sync = 2")

    def _insert(self, table: str, rows: Any, entry: Entry, attempt: str, day: str) -> None:
        marks = {"file": entry.file, "attempt": attempt, "day": day}
        marks |= {"width": entry.width} if entry.what == BARS else {}
        made = clickhouse_tables.marked(rows, marks)
        with self._failing():
            for first in range(0, len(made), INSERT_ROWS):
                self._client.insert_arrow(table, made.slice(first, INSERT_ROWS))

    def _commit(self, entry: Entry, attempt: str, parts: list[Part]) -> Entry:
        made = entry.with_parts(parts)
        with self._failing():
            self._client.insert_arrow("added", clickhouse_tables.added(made, attempt))
        return made

    def _asked(self, text: str) -> Any:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            return self._reader.query_arrow(text, settings=self._settings, use_strings=True)
        except ClickHouseError as error:
            if "READONLY" in str(error):
                raise asking.refused("that") from None
            raise asking.wrong_sql(error) from None
        except OSError as error:
            raise self._gone(error) from None

    def _command(self, text: str) -> None:
        with self._failing():
            self._client.command(text)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            yield
        except (ClickHouseError, OSError) as error:
            raise self._gone(error) from None

    def _gone(self, error: Exception) -> HostError:
        do = "Look at the server; what was being added is not in the store, so add it again."
        return HostError(f"ClickHouse refused: {line_of(error)}", where=self._where, do=do)


def _parted(dsn: str) -> tuple[str, str]:
    """The DSN without its database, and the database."""
    parts = urlsplit(dsn)
    if parts.scheme == "chdb":
        inside = parts.netloc in ("memory", ":memory:")
        database = parts.path.strip("/") if inside else ""
        bare = "chdb://memory" if inside else f"chdb://{parts.path}"
        return bare, _name(database or DATABASE, dsn)
    if not parts.hostname:
        do = "Write it as clickhouse://user:password@host:8123/hft."
        raise InputError("The DSN names no host", where=_shown(dsn), do=do)
    scheme = "https" if parts.scheme == "clickhouses" else "http"
    bare = urlunsplit((scheme, parts.netloc, "", parts.query, ""))
    return bare, _name(parts.path.strip("/") or DATABASE, dsn)


def _name(database: str, dsn: str) -> str:
    if not database.replace("_", "").isalnum() or not database.isascii():
        what = f"{shown(database)} is no name of a database"
        raise InputError(what, where=_shown(dsn), do="Use letters, digits and underscores.")
    return database


def _shown(dsn: str) -> str:
    """The DSN without its password."""
    parts = urlsplit(dsn)
    user, found, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{host}" if found else parts.netloc
    return f"{parts.scheme}://{netloc}{parts.path}"


def _ends(times: Any) -> tuple[int, int]:
    return int(times.min()), int(times.max())
