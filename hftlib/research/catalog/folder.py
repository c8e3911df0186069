"""A folder of Parquet, asked through DuckDB in this process.

A question sees the store as it was when it was asked: the JSON files say which parts there are, and
DuckDB is told exactly those, as the views `ticks`, `bars`, `frames` and `files`. Nothing is shared
between processes but files that never change, so readers and the writer do not meet.

Parts of the cold tier are read where they lie, through fsspec. Worst case: a part that was moved
after the question was asked is gone; then it is asked again, as long as the JSON files change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.times import to_text
from hftlib.core.units import shown
from hftlib.research.catalog import asking
from hftlib.research.catalog.disk import Folder
from hftlib.research.catalog.entries import BARS, FRAMES, TICKS, Entry, Part
from hftlib.research.catalog.places import line_of, path_of, protocol_of
from hftlib.research.catalog.tables import empty, files_table

ASKED_MAX = 1000
_HIVE = "hive_partitioning = true, hive_types = {'day': DATE, 'file': VARCHAR%s}"

DUCKDB = asking.Dialect(lambda ns: f"TIMESTAMPTZ_NS '{to_text(ns)}'", has_backslashes=False)


class FolderAnswers:
    """What is asked of a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def question(self, asked: Callable[[list[Entry]], asking.Question], limit: int) -> Any:
        """An Arrow table, from the parts that can have what is asked."""

        def ask(entries: list[Entry]) -> Any:
            made = asked(entries)
            parts = [part for one in made.entries for part in one.parts if made.may_be_in(part)]
            connection = self._connection(parts)
            _view(connection, made.what, self._folder.root, parts)
            return made, connection.sql(made.sql(DUCKDB, limit)).to_arrow_table()

        return self._again_if_moved(ask)

    def query(self, text: str) -> Any:
        """An Arrow table of what a SELECT asks."""

        def ask(entries: list[Entry]) -> Any:
            connection = self._connection(part for one in entries for part in one.parts)
            for what in (TICKS, BARS, FRAMES):
                parts = [part for one in entries if one.what == what for part in one.parts]
                _view(connection, what, self._folder.root, parts)
            connection.register("files", files_table(entries))
            _require_select(text)
            answer = connection.sql(text)
            if answer is None:
                raise asking.refused(shown(text))
            return answer.to_arrow_table()

        return self._again_if_moved(ask)

    def _again_if_moved(self, ask: Callable[[list[Entry]], Any]) -> Any:
        """What was there when it was asked may have moved since: then the JSON says where."""
        import duckdb

        entries = self._folder.entries()
        for _ in range(ASKED_MAX):
            try:
                return ask(entries)
            except (duckdb.IOException, FileNotFoundError) as error:
                told, before = line_of(error), entries
                entries = self._folder.entries()
                if entries == before:
                    break  # nothing moved: it is gone, or damaged
            except duckdb.Error as error:
                raise asking.wrong_sql(error) from None
        raise HostError(
            f"A part of the store cannot be read: {told}",
            where=str(self._folder.root),
            do="`hft store check` says which parts are missing.",
        )

    def _connection(self, parts: Iterable[Part]) -> Any:
        import duckdb
        import fsspec

        connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
        connection.execute("SET TimeZone = 'UTC'")
        for protocol in sorted({protocol_of(part.base) for part in parts} - {""}):
            connection.register_filesystem(fsspec.filesystem(protocol))
        return connection


def _view(connection: Any, what: str, root: Path, parts: Iterable[Part]) -> None:
    places = [path_of(root, part) for part in parts]
    if not places:
        connection.register(what, empty(what))
        return
    listed = ", ".join("'" + place.replace("'", "''") + "'" for place in places)
    hive = _HIVE % (", 'width': VARCHAR" if what == BARS else "")
    connection.execute(f"CREATE TEMP VIEW {what} AS SELECT * FROM read_parquet([{listed}], {hive})")


def _require_select(text: str) -> None:
    import duckdb

    statements = duckdb.extract_statements(text)
    if len(statements) != 1:
        raise InputError(
            f"{len(statements)} questions were asked at once",
            where="store.query(sql)",
            do="Ask one at a time.",
        )
    kind = statements[0].type
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise asking.refused(kind.name)
    if kind == duckdb.StatementType.EXPLAIN:  # EXPLAIN ANALYZE would do what it explains
        bare = text.lstrip()[len("explain") :].lstrip()
        bare = bare[len("analyze") :] if bare.lower().startswith("analyze") else bare
        _require_select(bare)
