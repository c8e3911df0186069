"""Where tapes lie when nobody says: the folder `data/tapes` below the current one, or HFT_TAPES.

Worst case: a file there that is named like a tape and is none is listed with the reason.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, HostError, InputError
from hftlib.feed.tape_reading import TapeFile, is_tape
from hftlib.research.clocks import clock_text, zone_of
from hftlib.research.sheets import Sheet, Shown

SUFFIX = ".tape"
_SECOND = len("2019-12-30 09:30:00")


def folder() -> Path:
    """Where tapes go and are looked for by default."""
    return Path(os.environ.get("HFT_TAPES") or Path("data") / "tapes")


def place_for(file: Path) -> Path:
    """The tape's path for an imported file: its name up to the first dot, in the default folder."""
    made = folder()
    try:
        made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"The folder for tapes cannot be made: {error.strerror}",
            where=str(made),
            do="Say where the tape goes with -o, or set HFT_TAPES.",
        ) from None
    return made / f"{file.name.split('.')[0] or 'tape'}{SUFFIX}"


def found(name: str) -> Path:
    """The tape a user means: a path, or the name of one in the default folder."""
    given = Path(name)
    places = (given, folder() / name, folder() / f"{name}{SUFFIX}")
    return next((place for place in places if place.is_file()), given)


@dataclass(frozen=True, slots=True)
class Entry:
    """A tape in a folder, or why it is none."""

    name: str
    events: int
    instruments: int
    begin: int
    end: int
    bytes: int
    digest: str
    zone: str
    damaged: str


@dataclass(frozen=True, repr=False)
class Listing(Shown):
    """The tapes of a folder."""

    folder: str
    entries: tuple[Entry, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """One row for each, ready for `json.dumps`."""
        return [asdict(entry) for entry in self.entries]

    def sheets(self) -> list[Sheet]:
        heads = ("tape", "events", "instruments", "from", "lasts to", "MB", "digest")
        return [Sheet(f"Tapes in {self.folder}", heads, [_row(entry) for entry in self.entries])]


def listed(place: Path) -> Listing:
    """All tapes in a folder, by name. Only their headers are read."""
    if not place.is_dir():
        raise InputError(
            "There is no such folder",
            where=str(place),
            do="Name a folder with tapes; `hft data import` makes the first.",
        )
    paths = sorted(p for p in place.iterdir() if p.is_file() and (p.suffix == SUFFIX or is_tape(p)))
    parts = [path for path in paths if path.suffix != ".part"]
    return Listing(str(place), tuple(_entry(path) for path in parts))


def _entry(path: Path) -> Entry:
    size = path.stat().st_size
    try:
        tape = TapeFile(path)
    except HftError as error:
        return Entry(path.name, 0, 0, 0, 0, size, "", "", error.what)
    zone = zone_of(one.calendar for one in list(tape.instruments)[:16])
    counts = (len(tape.events), len(tape.instruments))
    return Entry(path.name, *counts, tape.begin, tape.end, size, tape.digest, zone, "")


def _row(entry: Entry) -> tuple[Any, ...]:
    megabytes = round(entry.bytes / 1e6, 1)
    if entry.damaged:
        return (entry.name, "", "", entry.damaged, "", megabytes, "")
    begin, end = (clock_text(ns, entry.zone)[:_SECOND] for ns in (entry.begin, entry.end))
    same_day = begin[:10] == end[:10]
    shown_end = end[11:] if same_day else end
    digest = entry.digest[:12]
    return (entry.name, entry.events, entry.instruments, begin, shown_end, megabytes, digest)
