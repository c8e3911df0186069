"""Which frames of a journal somebody asks for: from and to, of kinds, of a source.

    choice = chosen("09:30", None, ["COMMAND"], None, "America/New_York")
    choice.frames(folder)      those, in their order
    choice.marked(folder)      all from the first on, each with whether it was asked for

A decoder of streams must see all there is before the frames that it decodes: hence `marked`.
Worst case: a choice by number or time begins at the block where that is; `marked` reads it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hftlib.core import times
from hftlib.core.errors import InputError
from hftlib.core.journal import Frame, frames, kinds, tail
from hftlib.core.journal.layout import TIME_MIN


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for; `last` 0, `until` and `source` None, no `numbers`: not limited so."""

    first: int = 1
    since: int = TIME_MIN
    last: int = 0
    until: int | None = None
    numbers: tuple[int, ...] = ()
    source: int | None = None

    def frames(self, folder: Path, follow: bool = False) -> Iterator[Frame]:
        """Those that were asked for; with `follow` also those to come."""
        read = tail if follow else frames
        for frame in read(folder, self.first, since=self.since):
            if self._is_behind(frame):
                return
            if self._is_of(frame):
                yield frame

    def marked(self, folder: Path) -> Iterator[tuple[Frame, bool]]:
        """All from the journal's first frame on, and whether each is one of those."""
        begun = False
        for frame in frames(folder):
            if self._is_behind(frame):
                return
            begun = begun or (frame.sequence >= self.first and frame.time >= self.since)
            yield frame, begun and self._is_of(frame)

    def _is_behind(self, frame: Frame) -> bool:
        is_later = self.until is not None and frame.time > self.until
        return is_later or 0 < self.last < frame.sequence

    def _is_of(self, frame: Frame) -> bool:
        of_kind = not self.numbers or frame.kind in self.numbers
        return of_kind and self.source in (None, frame.source)


def chosen(
    since: str | None, until: str | None, names: list[str] | None, source: int | None, zone: str
) -> Choice:
    """As the command line has them."""
    first, since_ns = _bound(since, "--from", zone)
    last, until_ns = _bound(until, "--to", zone)
    numbers = tuple(_kind_number(name) for name in names or ())
    begin = TIME_MIN if since_ns is None else since_ns
    return Choice(first or 1, begin, last, until_ns, numbers, source)


def _bound(text: str | None, field: str, zone: str) -> tuple[int, int | None]:
    """A frame's number, 0 for none; or a time."""
    if text is None:
        return 0, None
    if text.isdecimal():
        return int(text), None
    return 0, times.to_ns(text, zone=zone, field=field)


def _kind_number(name: str) -> int:
    found = kinds.BY_NAME.get(name.upper())
    if found is None:
        do = f"Use one of: {', '.join(kinds.BY_NAME)}."
        raise InputError(f"There is no kind {name!r}", where="--kind", do=do)
    return found.number
