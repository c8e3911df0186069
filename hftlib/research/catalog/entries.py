"""What stands in a store: one small JSON file for each thing that was added, and nothing else.

    files/3f2a91c07b5e.json          the ticks of a tape, by the first digits of its digest
    files/3f2a91c07b5e.1m.json       its bars of one minute
    files/a01d55c2e9f4.json          the frames of a journal

A thing is in the store from the moment its JSON has its name: that is one rename, so a reader sees
all of it or nothing, and needs no lock. The JSON says where each part lies, what is in it, between
which times, and the SHA-256 of its bytes; no part is looked for by listing folders.

Worst case: 100 KB of JSON for a day of 8,000 symbols, read once by each process that asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError

VERSION = 1
TICKS, BARS, FRAMES = "ticks", "bars", "frames"
KINDS = (TICKS, BARS, FRAMES)
HOT, WARM, COLD = "hot", "warm", "cold"
NAME_DIGITS = 12
_DAMAGED = "Restore the store from a backup: `hft store restore`; `hft store check` says what else."


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file: some symbols of one day of one thing."""

    path: str  # below the store's folder, or below `base`
    day: str
    events: int
    bytes: int
    sha256: str
    low: int  # the lowest and the highest time in it, ns
    high: int
    symbols: tuple[tuple[str, str, int], ...]  # symbol, venue, events
    tier: str = HOT
    base: str = ""  # empty: the store's own folder; else the URL it was moved to

    def has(self, symbols: Iterable[str], venue: str | None) -> bool:
        """Whether any of these is in it."""
        wanted = set(symbols)
        return any(s in wanted and venue in (None, v) for s, v, _ in self.symbols)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was added: the ticks of a tape, its bars of one width, or a journal."""

    what: str
    digest: str
    name: str
    source: str  # the path it was added from
    zone: str
    begin: int
    end: int
    added: int
    width: str = ""
    parts: tuple[Part, ...] = field(default_factory=tuple)

    @property
    def file(self) -> str:
        """What it is called in columns and paths."""
        return self.digest[:NAME_DIGITS]

    @property
    def key(self) -> str:
        """The name of its JSON."""
        return f"{self.file}.{self.width}" if self.width else self.file

    @property
    def events(self) -> int:
        return sum(part.events for part in self.parts)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @property
    def names(self) -> set[tuple[str, str]]:
        """Symbols with their venues."""
        return {(s, v) for part in self.parts for s, v, _ in part.symbols}

    def with_parts(self, parts: Iterable[Part]) -> Entry:
        return replace(self, parts=tuple(parts))

    def as_text(self) -> str:
        """Its JSON."""
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))


def parsed(text: str, where: str) -> Entry:
    """The entry that a JSON says; anything odd about it is a sentence."""
    try:
        told = json.loads(text)
        if told["version"] != VERSION:
            raise InputError(
                f"The store was written by a version of hftlib this one cannot read: "
                f"{told['version']}",
                where=where,
                do="Read it with the hftlib that wrote it, or a newer one.",
            )
        parts = tuple(_part(one) for one in told["parts"])
        texts = {n: str(told[n]) for n in ("what", "digest", "name", "source", "zone", "width")}
        numbers = {n: int(told[n]) for n in ("begin", "end", "added")}
        entry = Entry(**texts, **numbers, parts=parts)  # type: ignore[arg-type]
        if entry.what not in KINDS:
            raise ValueError(f"there is no kind {entry.what!r}")
        return entry
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"The store's note of what was added is damaged: {error!r}"
        raise InputError(what, where=where, do=_DAMAGED) from None


def _part(told: dict[str, Any]) -> Part:
    texts = {n: str(told[n]) for n in ("path", "day", "sha256", "tier", "base")}
    numbers = {n: int(told[n]) for n in ("events", "bytes", "low", "high")}
    symbols = tuple((str(s), str(v), int(n)) for s, v, n in told["symbols"])
    if Path(texts["path"]).is_absolute() or ".." in Path(texts["path"]).parts:
        raise ValueError(f"the part {texts['path']!r} lies outside")
    if texts["tier"] not in (HOT, WARM, COLD):
        raise ValueError(f"there is no tier {texts['tier']!r}")
    return Part(**texts, **numbers, symbols=symbols)  # type: ignore[arg-type]
