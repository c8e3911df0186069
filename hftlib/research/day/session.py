"""One journal of a day: what its runner was, whether it is whole, and what came of it.

    one = DaySession(Path("day.journal"))
    one.about, one.verified, one.facts      what it says, whether its bytes hold, what they tell
    one.result, one.why_none                its orders and fills through the engine; or why not
    one.replayed                            `hft replay`'s verdict, where it was asked for

A journal that is damaged is refused with a sentence. With `damaged=True` what is whole of it is
read: from a copy that is repaired, so the journal itself stays as it is.

Worst case: three passes over the journal in plain Python; a damaged one is copied first.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal import repair, verify
from hftlib.core.journal.verifying import Report
from hftlib.engine.live.making import laid
from hftlib.engine.live.replaying import Replayed, replay
from hftlib.research.day.telling import Facts, told_by
from hftlib.research.journal_feed import sealed
from hftlib.research.journal_result import about_of, is_journal, journal_result
from hftlib.research.result import Result
from hftlib.terminal import patience

WHERE = "hft report day"


@dataclass
class DaySession:
    """One journal, read."""

    folder: Path
    about: Mapping[str, Any]
    verified: Report
    facts: Facts
    result: Result | None = None
    why_none: str = ""
    replayed: Replayed | None = None
    cut: str = ""  # of a damaged journal: what was left out
    carries: bool = field(default=True)  # whether what it took over counts as its own

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def mode(self) -> str:
        return str(self.about.get("mode", ""))

    @property
    def zone(self) -> str:
        return self.result.zone if self.result is not None else "UTC"

    @property
    def before(self) -> str:
        """The journal of the runner that it took over from; empty: of none."""
        told = self.about.get("takes_over")
        return str(told.get("journal", "")) if isinstance(told, Mapping) else ""


def read_session(folder: Path, *, damaged: bool = False, replays: bool = False) -> DaySession:
    """All that can be known of it."""
    place = Path(folder)
    if not place.is_dir() or not is_journal(place):
        what = "There is no journal" if not place.exists() else "This is no journal"
        do = "Give the folder that `hft live --journal FOLDER` wrote."
        raise InputError(what, where=f"{WHERE} {place}", do=do)
    verified = verify(place)
    if not verified.is_whole and not damaged:
        raise StateError(
            f"The journal is damaged: {verified.problems[0].rstrip('.')}",
            where=str(place),
            do="Add --damaged for a report of what is whole before that; `hft journal verify` says"
            " all there is to say.",
        )
    if verified.is_whole:
        return _read(place, place, verified, replays)
    with tempfile.TemporaryDirectory(prefix="hft-report-") as beside:
        copy = Path(beside) / place.name
        try:
            shutil.copytree(place, copy)
        except OSError as error:
            do = "Free some room for a copy of it, or name another place in TMPDIR."
            raise StateError(f"It cannot be copied: {error}", where=str(place), do=do) from None
        (copy / "writer").unlink(missing_ok=True)
        done = repair(copy, sealed_too=True)
        made = _read(copy, place, verified, replays)
        made.cut = f"{done.cut_bytes:,} bytes behind frame {made.verified.frames:,} were left out"
        _forget_repair(made.facts)
        return made


def _forget_repair(facts: Facts) -> None:
    """What the repair of our copy has written into it is no part of the day."""
    for told, kind in ((facts.seams, "REPAIRED"), (facts.closings, "CLOSED")):
        if told and told[-1]["kind"] == kind and told[-1]["frame"] >= facts.frames - 1:
            told.pop()
            facts.frames -= 1
            facts.kinds[kind] -= 1


def _read(place: Path, folder: Path, verified: Report, replays: bool) -> DaySession:
    about = about_of(place)
    count = sealed(place)
    with patience() as advance:
        facts = told_by(
            place,
            about,
            folder.name,
            lambda done: advance(min(1.0, done / count), f"reading {folder.name}"),
        )
    made = DaySession(folder, about, verified, facts)
    try:
        made.result = journal_result(place)
    except HftError as error:
        made.why_none = error.what
    if replays:
        with patience() as advance:
            made.replayed = replay(place, laid, advance)
    return made
