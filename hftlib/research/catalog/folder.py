"""A folder of Parquet, asked through DuckDB in this process.

A question sees the store as it was when it was asked: the JSON files say which parts there are, and
DuckDB is told exactly those, as the views `ticks`, `bars`, `frames` and `files`. Nothing is shared
between processes but files that never change, so readers and the writer do not meet.

Parts of the cold tier are read where they lie, through fsspec. Worst case: a part that was moved
after the question was asked is gone; then it is asked again, at most ASKED_MAX times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.times import to_text
from hftlib.research.catalog import asking
from hftlib.research.catalog.disk import Folder
from hftlib.research.catalog.entries import BARS, FRAMES, TICKS, Entry, Part
from hftlib.research.catalog.tables import empty, files_table

ASKED_MAX = 5
_HIVE = "hive_partitioning = true, hive_types = {'day': DATE, 'file': VARCHAR%s}"


class FolderAnswers:
    """What is asked of a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def question(self, asked: Callable[[list[Entry]], asking.Question], limit: int) -> Any:
        """An Arrow table, from the parts that can have what is asked."""

        def ask() -> Any:
            made = asked(self._folder.entries())
            parts = [part for one in made.entries for part in one.parts if made.may_be_in(part)]
            connection = self._connection(parts)
            _view(connection, made.what, self._folder.root, parts)
            return made, connection.sql(made.sql(moment, limit)).to_arrow_table()

        return self._again_if_moved(ask)

    def query(self, text: str) -> Any:
        """An Arrow table of what a SELECT asks."""

        def ask() -> Any:
            entries = self._folder.entries()
            connection = self._connection(part for one in entries for part in one.parts)
            for what in (TICKS, BARS, FRAMES):
                parts = [part for one in entries if one.what == what for part in one.parts]
                _view(connection, what, self._folder.root, parts)
            connection.register("files", files_table(entries))
            _require_select(text)
            answer = connection.sql(text)
            if answer is None:
                raise asking.refused(asking.shown(text))
            return answer.to_arrow_table()

        return self._again_if_moved(ask)

    def _again_if_moved(self, ask: Callable[[], Any]) -> Any:
        import duckdb

        for time in range(ASKED_MAX):
            try:
                return ask()
            except (duckdb.IOException, FileNotFoundError) as error:
                if time + 1 == ASKED_MAX:
                    raise HostError(
                        f"A part of the store cannot be read: {_line(error)}",
                        where=str(self._folder.root),
                        do="`hft store check` says which parts are missing.",
                    ) from None
            except duckdb.Error as error:
                raise asking.wrong_sql(error) from None
        raise AssertionError("asked, or raised")

    def _connection(self, parts: Iterable[Part]) -> Any:
        import duckdb

        connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
        connection.execute("SET TimeZone = 'UTC'")
        for protocol in sorted({_protocol(part.base) for part in parts} - {""}):
            connection.register_filesystem(filesystem(f"{protocol}://")[0])
        return connection


def moment(ns: int) -> str:
    """A time as DuckDB writes it."""
    return f"TIMESTAMPTZ_NS '{to_text(ns)}'"


def place_of(root: Path, part: Part) -> str:
    """Where a part lies: a path, or a URL that fsspec knows."""
    if not part.base:
        return str(root / part.path)
    if _protocol(part.base):
        return f"{part.base.rstrip('/')}/{part.path}"
    return str(Path(part.base.removeprefix("file://")) / part.path)


def filesystem(url: str) -> tuple[Any, str]:
    """The filesystem of a URL, and the path in it; of a plain path, that of this machine."""
    import fsspec

    do = "Name a folder, or a URL such as s3://bucket/folder whose package is installed."
    try:
        found, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        what = f"The place is not understood: {_line(error)}"
        raise InputError(what, where=url, do=do) from None
    except Exception as error:  # what clients of object stores raise is theirs to choose
        what = f"The place cannot be reached: {_line(error)}"
        raise HostError(what, where=url, do=do) from None
    return found, str(path)


def _protocol(base: str) -> str:
    """What DuckDB needs a filesystem of ours for."""
    name, found, _ = base.partition("://")
    return name if found and name not in ("file", "local") else ""


def _view(connection: Any, what: str, root: Path, parts: Iterable[Part]) -> None:
    places = [place_of(root, part) for part in parts]
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


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
