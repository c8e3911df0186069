"""What the store says of what is in it: what an `add` or a `drop` did, and the list by day.

Worst case: of a day of 8,000 symbols a row of the list names three and counts the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hftlib.research.catalog.entries import FRAMES, TICKS, Entry
from hftlib.research.catalog.writing import EVERY_ONE
from hftlib.research.sheets import paragraph


@dataclass(frozen=True, repr=False)
class Added:
    """What became of an `add`."""

    source: str
    entries: tuple[Entry, ...]  # of it, in the store now
    new: tuple[Entry, ...]  # written by this call
    seconds: float

    def __str__(self) -> str:
        if not self.new:
            file = self.entries[0].file
            return f"{self.source} is in the store already, as {file}: nothing changed."
        told = [_told(one) for one in self.new]
        return f"{self.source}: {'; '.join(told)}, in {self.seconds:.1f} s."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return paragraph(self)

    def as_json(self) -> dict[str, Any]:
        new = {one.key for one in self.new}
        rows = [{**_row_of(one), "new": one.key in new} for one in self.entries]
        return {"source": self.source, "seconds": self.seconds, "entries": rows}


@dataclass(frozen=True, repr=False)
class Dropped:
    """What a `drop` took out."""

    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        return f"Taken out: {'; '.join(_told(one) for one in self.entries)}."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return paragraph(self)

    def as_json(self) -> list[dict[str, Any]]:
        return [_row_of(one) for one in self.entries]


def _told(one: Entry) -> str:
    days = sorted({part.day for part in one.parts})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else "no day"
    symbols = len({name for name, _ in one.names} - {EVERY_ONE})
    of = {TICKS: f" of {symbols:,} symbols", FRAMES: ""}.get(one.what, f" of {one.width}")
    what = {TICKS: "events", FRAMES: "frames"}.get(one.what, "bars")
    size = f", {one.bytes / 1e6:,.1f} MB" if one.bytes else ""
    return f"{one.events:,} {what}{of} on {span}{size}"


def _row_of(one: Entry) -> dict[str, Any]:
    told = {n: getattr(one, n) for n in ("what", "width", "digest", "source", "zone")}
    return {**told, "events": one.events, "bytes": one.bytes, "begin": one.begin, "end": one.end}


def days_of(one: Entry) -> list[dict[str, Any]]:
    rows = []
    for day in sorted({part.day for part in one.parts}):
        parts = [part for part in one.parts if part.day == day]
        rows.append(
            {
                **_row_of(one),
                "day": day,
                "symbols": sorted({s for part in parts for s, _, _ in part.symbols}),
                "events": sum(part.events for part in parts),
                "bytes": sum(part.bytes for part in parts),
                "tier": ", ".join(sorted({part.tier for part in parts})),
                "parts": len(parts),
            }
        )
    return rows


def some(symbols: list[str]) -> str:
    names = [one for one in symbols if one != EVERY_ONE]
    more = f" +{len(names) - 3:,}" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
