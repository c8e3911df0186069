"""Tiers: what is young is quick to write and read, what is older small, what is old elsewhere.

    hot    as it was written: LZ4                             younger than `hot`
    warm   packed again, ZSTD: some three fifths of the size     younger than `warm`
    cold   the same, moved to `cold=` or HFT_STORE_COLD       older: a folder, or s3://, gs://, ...

Questions go over all tiers alike. A part that is packed again is read back and compared row by row,
one that is moved is read back and held against its SHA-256, before the JSON names it and the old
one is removed. Things only go down: what is wanted nearer again is added again.

Worst case: killed in between, both copies are there; the next writer removes the one that no JSON
names, and a file in the cold place is written over when it is moved again.
"""

from __future__ import annotations

import datetime
import os
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.core.units import is_whole, shown
from hftlib.research.catalog.disk import Folder, failing, name_parts, sha256_of
from hftlib.research.catalog.entries import COLD, HOT, TICKS, WARM, Entry, Part
from hftlib.research.catalog.places import Place, checked_url
from hftlib.research.catalog.writing import packed_options
from hftlib.research.sheets import Sheet, Shown

_RANK = {HOT: 0, WARM: 1, COLD: 2}
_AGE = re.compile(r"([0-9]{1,5})\s*([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}


@dataclass(frozen=True, slots=True)
class Move:
    """A part that goes down."""

    path: str
    day: str
    before: str
    after: str
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, repr=False)
class Kept(Shown):
    """What was moved, or would be."""

    moves: tuple[Move, ...]
    waiting: int  # old enough for the cold tier, but there is no place for it
    dry_run: bool

    def as_json(self) -> dict[str, Any]:
        moves = [asdict(one) for one in self.moves]
        return {"dry_run": self.dry_run, "waiting": self.waiting, "moves": moves}

    def sheets(self) -> list[Sheet]:
        heads = ("day", "from", "to", "parts", "MB before", "MB after")
        groups: dict[tuple[str, str, str], list[Move]] = {}
        for one in self.moves:
            groups.setdefault((one.day, one.before, one.after), []).append(one)
        rows: list[tuple[Any, ...]] = []
        for key, several in sorted(groups.items()):
            before, after = (
                round(sum(getattr(one, name) for one in several) / 1e6, 1)
                for name in ("bytes_before", "bytes_after")
            )
            rows.append((*key, len(several), before, after))
        done = "would move" if self.dry_run else "moved"
        told = f"{len(self.moves):,} parts {done}"
        if self.waiting:
            told += f"; {self.waiting:,} are old enough for the cold tier: name its place, cold="
        return [Sheet(told, heads, rows)]


def kept(
    folder: Folder,
    hot: Any,
    warm: Any,
    *,
    cold: Any = None,
    dry_run: bool = False,
    today: Any = None,
) -> Kept:
    """Bring each part into the tier of its age."""
    from hftlib.terminal import patience

    hot_days, warm_days = _days(hot, "hot"), _days(warm, "warm")
    if warm_days < hot_days:
        what = f"warm={shown(warm)} is shorter than hot={shown(hot)}"
        raise InputError(what, where="store.keep()", do="Count both from today back.")
    place = cold if cold is not None else os.environ.get("HFT_STORE_COLD")
    url = checked_url(place, "cold=") if place else ""
    date = _date(today)
    if dry_run:
        return _all(folder, date, (hot_days, warm_days), url, None)
    with folder.writing(), patience() as advance:
        return _all(folder, date, (hot_days, warm_days), url, advance)


def _all(
    folder: Folder, date: datetime.date, ages: tuple[int, int], url: str, advance: Any
) -> Kept:
    """Thing by thing, so that each is whole before the next begins."""
    moves: list[Move] = []
    waiting, entries = 0, folder.entries()
    wanted: list[tuple[Entry, list[str]]] = []
    for entry in entries:
        tiers = [_tier(part, date, *ages) for part in entry.parts]
        if not url:
            late = [t == COLD != p.tier for t, p in zip(tiers, entry.parts, strict=True)]
            tiers = [WARM if one else t for one, t in zip(late, tiers, strict=True)]
            waiting += sum(late)
        wanted.append((entry, tiers))
    total = sum(part.bytes for entry in entries for part in entry.parts) or 1
    done = 0
    for entry, tiers in wanted:
        made = []
        for part, tier in zip(entry.parts, tiers, strict=True):
            now = part if advance is None or tier == part.tier else _moved(folder, part, tier, url)
            done += part.bytes
            if tier != part.tier:
                size = now.bytes if advance is not None else 0
                moves.append(Move(part.path, part.day, part.tier, tier, part.bytes, size))
            if advance is not None:
                advance(done / total, f"packing {part.day}")
            made.append(now)
        if advance is not None and tuple(made) != entry.parts:
            folder.commit(entry.with_parts(made))
            _remove(folder, entry.parts, made)
    return Kept(tuple(moves), waiting, advance is None)


def _tier(part: Part, date: datetime.date, hot_days: int, warm_days: int) -> str:
    """The tier of its age, or the one it is in if that is lower."""
    age = (date - datetime.date.fromisoformat(part.day)).days
    wanted = HOT if age < hot_days else WARM if age < warm_days else COLD
    return max(wanted, part.tier, key=lambda tier: _RANK[tier])


def _moved(folder: Folder, part: Part, tier: str, url: str) -> Part:
    packed = _packed(folder, part) if part.tier == HOT else part
    if tier != COLD:
        return packed
    place = Place(url)
    place.send(folder.root / packed.path, packed.path)
    if place.sha256(packed.path) != packed.sha256:
        raise StateError(
            "What was read back is not what was sent, so nothing was moved",
            where=f"{url}/{packed.path}",
            do="Look at that place, then run store.keep() again.",
        )
    return replace(packed, tier=COLD, base=url)


def _packed(folder: Folder, part: Part) -> Part:
    """The same rows, smaller."""
    import pyarrow.parquet as pq

    path = part.path.replace(".lz4.", ".zstd.")
    target = folder.root / f"{path}.part"
    options = packed_options() if part.path.startswith(f"{TICKS}/") else {"compression": "zstd"}
    with failing(target), pq.ParquetFile(folder.root / part.path) as source:
        with target.open("wb") as file:
            with pq.ParquetWriter(file, source.schema_arrow, **options) as writer:
                for number in range(source.num_row_groups):
                    writer.write_table(source.read_row_group(number))
            file.flush()
            os.fsync(file.fileno())
        with pq.ParquetFile(target) as again:
            for number in range(source.num_row_groups):
                if not again.read_row_group(number).equals(source.read_row_group(number)):
                    raise StateError(
                        "A part that was packed does not read back as it was",
                        where=str(folder.root / part.path),
                        do="Check it with `hft store check`; the part is as it was before.",
                    )
        size, sign = target.stat().st_size, sha256_of(target)
        name_parts([(target, folder.root / path)])
    return replace(part, path=path, bytes=size, sha256=sign, tier=WARM)


def _remove(folder: Folder, before: tuple[Part, ...], after: list[Part]) -> None:
    """Files that the JSON no longer names."""
    named = {part.path for part in after if not part.base}
    with failing(folder.root):
        for part in before:
            if not part.base and part.path not in named:
                (folder.root / part.path).unlink(missing_ok=True)
    folder.tidy()


def _days(age: Any, field: str) -> int:
    """An age in days: 5, '5d', '2w', '1y', a timedelta."""
    if isinstance(age, datetime.timedelta):
        age = age.days
    if is_whole(age) and 0 <= age < 100_000:
        return int(age)
    match = _AGE.fullmatch(age) if isinstance(age, str) else None
    if match is None:
        raise InputError(
            f"{shown(age)} is no age",
            where=f"store.keep({field}=...)",
            do="Give days, weeks or years: '5d', '2w', '1y'.",
        )
    return int(match[1]) * _DAYS[match[2]]


def _date(today: Any) -> datetime.date:
    if today is None:
        return datetime.datetime.now(datetime.UTC).date()
    try:
        return datetime.date.fromisoformat(str(today)[:10])
    except ValueError:
        do = "Give a day: '2026-11-22'."
        raise InputError(f"{shown(today)} is no day", where="today=", do=do) from None
