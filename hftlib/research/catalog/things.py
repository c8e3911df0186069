"""What can be added: a tape, the path of one, a journal; and what may not be, with the reason.

A tape is the one that its digest says; a journal the one whose chain ends so after so many frames.
Two tapes that both have a symbol at the same time would count its trades twice, so the second is
refused. Worst case: a journal is read twice, once to see that it is whole.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.core.units import shown
from hftlib.feed.tape_file import Progress
from hftlib.research.catalog.entries import FRAMES, TICKS, Entry
from hftlib.research.catalog.writing import EVERY_ONE
from hftlib.research.tape import Tape, open_tape


class Journaled:
    """A journal that is whole, and closed."""

    def __init__(self, folder: Path) -> None:
        from hftlib.core.journal import verify
        from hftlib.core.journal.verifying import CLOSED, LIVE

        report = verify(folder)
        if report.state == LIVE:
            do = "Add it when its writer has closed it."
            raise StateError("The journal is being written", where=str(folder), do=do)
        if report.state != CLOSED:
            told = f": {report.problems[0]}" if report.problems else ""
            raise InputError(
                f"The journal is {report.state}{told}",
                where=str(folder),
                do="Look at it with `hft journal verify`, make it whole with `hft journal repair`.",
            )
        self.folder, self._frames = folder, report.frames
        self.digest = hashlib.sha256(f"{report.head} {report.frames}".encode()).hexdigest()

    def entry(self) -> Entry:
        """What is said of it."""
        from hftlib.core.journal import frames

        times = [frame.time for frame in frames(self.folder)]
        return Entry(
            what=FRAMES,
            digest=self.digest,
            name=self.folder.name,
            source=str(self.folder),
            zone="UTC",
            begin=min(times),
            end=max(times),
            added=time.time_ns(),
        )

    def write(self, target: Path, progress: Progress) -> int:
        """All its frames as Parquet; how many."""
        from hftlib.research.journal_choice import Choice
        from hftlib.research.journal_table import write_parquet

        def told(number: int) -> None:
            progress(min(1.0, number / max(1, self._frames)), "writing frames")

        return write_parquet(target, self.folder, Choice().marked(self.folder), told)

    def tables(self, progress: Progress) -> Iterator[Any]:
        """All its frames as Arrow tables."""
        import pyarrow.parquet as pq

        with tempfile.TemporaryDirectory(prefix="hft-frames-") as folder:
            target = Path(folder) / "frames.parquet"
            self.write(target, progress)
            with pq.ParquetFile(target) as file:
                for number in range(file.num_row_groups):
                    yield file.read_row_group(number)


def thing_of(given: Any) -> Tape | Journaled:
    """The tape or journal that is meant."""
    from hftlib.core.journal.segments import place
    from hftlib.research.store import found

    if isinstance(given, Tape):
        return _whole(given)
    if not isinstance(given, str | os.PathLike) or not str(given):
        raise InputError(
            f"{shown(given)} is neither a tape nor a journal",
            where="store.add(...)",
            do="Give a path, the name of a tape in data/tapes, or a tape: store.add('day.tape').",
        )
    path = Path(os.fspath(given))
    if path.is_dir():
        if not place(path, 0).exists():
            do = "Name a tape, or the folder of a journal."
            raise InputError("The folder is no journal", where=str(path), do=do)
        return Journaled(path)
    return open_tape(found(str(given)))


def require_alone(digest: str, tape: Tape, entries: Sequence[Entry]) -> None:
    """That no other tape in the store has one of its symbols at the same time."""
    file = tape.selection.file
    ours = {(one.symbol, one.venue) for one in file.instruments if len(file.positions_of(one.row))}
    for one in entries:
        if one.what != TICKS or one.digest == digest:
            continue
        both = (ours & one.names) - {(EVERY_ONE, "")}
        if both and tape.begin < one.end and one.begin < tape.end:
            some = ", ".join(sorted(symbol for symbol, _ in both)[:4])
            raise StateError(
                f"{some} of that time {'is' if len(both) == 1 else 'are'} in the store already, "
                f"from another tape, {one.file}",
                where=str(tape.path),
                do=f"Its events would count twice. Take the other out first: "
                f"store.drop('{one.file}').",
            )


def same_name(digest: str, entries: Iterable[Entry]) -> None:
    """That a digest which begins like another is the same one."""
    for one in entries:
        if digest.startswith(one.file) and digest != one.digest:
            what = f"Another thing whose digest begins with {one.file} is in the store"
            raise StateError(what, where=one.source, do="Keep the two in different stores.")


def _whole(tape: Tape) -> Tape:
    if not tape.selection.is_whole:
        raise InputError(
            "A slice has no digest of its own",
            where=repr(tape),
            do="Save it first: tape[...].save('part.tape'), then add that.",
        )
    return tape
