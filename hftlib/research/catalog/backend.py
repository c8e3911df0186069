"""What a store is made of: a folder of Parquet, or a database; the two answer the same calls.

Worst case: none here; each says its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from hftlib.feed.tape_file import Progress
from hftlib.research.catalog.adding import FolderWriter
from hftlib.research.catalog.asking import Question
from hftlib.research.catalog.disk import Folder
from hftlib.research.catalog.entries import Entry
from hftlib.research.catalog.folder import FolderAnswers
from hftlib.research.catalog.tables import bars_of
from hftlib.research.catalog.things import Journaled
from hftlib.research.tape import Tape


class Backend(Protocol):
    """Where things are, and what can be asked of them."""

    @property
    def where(self) -> str: ...

    @property
    def folder(self) -> Folder | None:
        """The folder, of those that are one."""
        ...

    def entries(self) -> list[Entry]: ...

    def writing(self) -> AbstractContextManager[None]:
        """Only one process is inside at a time, where that can be known."""
        ...

    def add_ticks(self, entry: Entry, tape: Tape, progress: Progress) -> Entry: ...

    def add_bars(self, entry: Entry, tape: Tape) -> Entry: ...

    def add_frames(self, entry: Entry, journal: Journaled, progress: Progress) -> Entry: ...

    def forget(self, entry: Entry) -> None: ...

    def question(self, asked: Callable[[list[Entry]], Question], limit: int) -> Any:
        """The question as it was understood, and its answer as an Arrow table."""
        ...

    def query(self, text: str) -> Any: ...


class FolderBackend:
    """A folder of Parquet, asked through DuckDB."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._answers, self._writer = FolderAnswers(folder), FolderWriter(folder)
        self.entries, self.writing, self.forget = folder.entries, folder.writing, folder.forget
        self.question, self.query = self._answers.question, self._answers.query
        self.add_ticks, self.add_frames = self._writer.ticks, self._writer.frames

    @property
    def where(self) -> str:
        return str(self._folder.root)

    @property
    def folder(self) -> Folder | None:
        return self._folder

    def add_bars(self, entry: Entry, tape: Tape) -> Entry:
        return self._writer.bars(entry, bars_of(tape, entry.width))
