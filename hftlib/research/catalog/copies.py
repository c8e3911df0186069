"""Backup, restore, check: every byte held against the SHA-256 that was taken when it was written.

    TARGET/MANIFEST.json     path, bytes, SHA-256 of every file; written last, sealed by its own
    TARGET/STORE.json  TARGET/files/...  TARGET/ticks/...      as in the store, the cold tier too

A backup into a place that has an older one of the same store copies what is new. A restore brings
all files into a folder beside its target, holds each against the manifest, and only then gives the
folder its name: a backup with one changed byte leaves nothing but a sentence with the file's name.

Worst case: a backup keeps writers away while it lasts; readers need not wait.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.research.catalog.disk import FILES, MARK, Folder, failing, sync_folder
from hftlib.research.catalog.entries import COLD, VERSION, WARM, Entry, parsed
from hftlib.research.catalog.places import Place, checked_url, place_of
from hftlib.research.sheets import Sheet, Shown, paragraph

MANIFEST = "MANIFEST.json"


@dataclass(frozen=True, repr=False)
class Copied:
    """What a backup or a restore did."""

    what: str
    where: str
    files: int
    bytes: int
    copied: int

    def __str__(self) -> str:
        new = "" if self.copied == self.files else f", {self.copied:,} of them new"
        return f"{self.what} {self.where}: {self.files:,} files, {self.bytes / 1e6:,.1f} MB{new}."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return paragraph(self)

    def as_json(self) -> dict[str, Any]:
        names = ("what", "where", "files", "bytes", "copied")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, repr=False)
class Checked(Shown):
    """What a check found."""

    parts: int
    bytes: int
    problems: tuple[tuple[str, str], ...]  # file, what is wrong
    left: tuple[str, ...]  # files that nothing names

    @property
    def sound(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        told = {"sound": self.sound, "parts": self.parts, "bytes": self.bytes}
        problems = [{"file": file, "what": what} for file, what in self.problems]
        return {**told, "problems": problems, "left_behind": list(self.left)}

    def sheets(self) -> list[Sheet]:
        words = f"{self.parts:,} parts, {self.bytes / 1e6:,.1f} MB: "
        words += "all as they were written" if self.sound else f"{len(self.problems):,} are not"
        rows: list[tuple[Any, ...]] = list(self.problems)
        rows += [(path, "left behind by a writer; the next one removes it") for path in self.left]
        return [Sheet(words, ("file", "what"), rows)]


def backed_up(folder: Folder, target: Any) -> Copied:
    """A copy of the store at `target`, a folder or a URL."""
    from hftlib.terminal import patience

    place = Place(checked_url(target, "store.backup(target)"))
    if not (folder.root / MARK).exists():
        do = "Add something first: store.add('day.tape')."
        raise StateError("There is nothing in the store yet", where=str(folder.root), do=do)
    with folder.writing(), patience() as advance:
        entries = folder.entries()
        there = _manifest(place, missing={})
        total = sum(entry.bytes for entry in entries) or 1
        told: dict[str, tuple[int, str]] = {}
        copied, done = 0, 0
        for entry in entries:
            for part in entry.parts:
                told[part.path] = part.bytes, part.sha256
                if there.get(part.path) != told[part.path] or place.size(part.path) != part.bytes:
                    _copy(place_of(folder.root, part), place, part.path, part.sha256, folder.root)
                    copied += 1
                done += part.bytes
                advance(done / total, "copying")
        for path, data in _notes(entries).items():
            place.write(path, data)
            told[path] = len(data), hashlib.sha256(data).hexdigest()
            copied += 1
        place.write(MANIFEST, _sealed(told))
    size = sum(size for size, _ in told.values())
    return Copied("Backed up to", place.url, len(told), size, copied)


def restored(folder: Folder, source: Any) -> Copied:
    """The store of a backup in this folder, which has nothing in it yet."""
    from hftlib.terminal import patience

    place, root = Place(checked_url(source, "store.restore(source)")), folder.root
    if root.exists() and any(root.iterdir()):
        do = "Name a folder that is not there yet; nothing is ever written over."
        raise StateError("There is something in the folder", where=str(root), do=do)
    told = _manifest(place, missing=None)
    root = root.absolute()
    part = root.with_name(f"{root.name}.{secrets.token_hex(4)}.part")
    total, done = sum(size for size, _ in told.values()) or 1, 0
    with failing(root):
        part.mkdir(parents=True)
    try:
        with patience() as advance:
            for path, (size, sign) in told.items():
                target = part / path
                with failing(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                if place.fetch(path, target) != sign:
                    raise _changed(f"{place.url}/{path}")
                done += size
                advance(done / total, "reading it back")
        for note in (part / FILES).glob("*.json"):
            parsed(note.read_text(), str(note))
        with failing(root):
            _sync_all(part)
            part.rename(root)
            sync_folder(root.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Copied("Restored into", str(root), len(told), total, len(told))


def checked(folder: Folder) -> Checked:
    """Read every part there is."""
    from hftlib.terminal import patience

    entries = folder.entries()
    problems: list[tuple[str, str]] = []
    total = sum(entry.bytes for entry in entries) or 1
    count, done = 0, 0
    with patience() as advance:
        for entry in entries:
            for part in entry.parts:
                place = place_of(folder.root, part)
                where = f"{place.url}/{part.path}"
                size = place.size(part.path)
                if size is None:
                    problems.append((where, "it is missing"))
                elif size != part.bytes:
                    problems.append((where, f"it has {size:,} bytes, not {part.bytes:,}"))
                elif place.sha256(part.path) != part.sha256:
                    problems.append((where, "its bytes are not those that were written"))
                count, done = count + 1, done + part.bytes
                advance(done / total, "reading all parts")
    return Checked(count, done, tuple(problems), tuple(folder.strangers()))


def _copy(source: Place, target: Place, path: str, sign: str, root: Path) -> None:
    """One part, whose bytes must be those that were written."""
    kept = root / f"{FILES}/{secrets.token_hex(4)}.copy.part"
    try:
        if source.fetch(path, kept) != sign:
            raise _changed(f"{source.url}/{path}")
        target.send(kept, path)
    finally:
        kept.unlink(missing_ok=True)


def _notes(entries: list[Entry]) -> dict[str, bytes]:
    """The JSON files of a store that has all its parts in its own folder."""
    made = {MARK: json.dumps({"store": "hftlib", "version": VERSION}).encode()}
    for entry in entries:
        parts = [
            replace(part, base="", tier=WARM if part.tier == COLD else part.tier)
            for part in entry.parts
        ]
        made[f"{FILES}/{entry.key}.json"] = entry.with_parts(parts).as_text().encode()
    return made


def _sealed(told: dict[str, tuple[int, str]]) -> bytes:
    files = {path: [size, sign] for path, (size, sign) in sorted(told.items())}
    made = {"version": VERSION, "made_ns": time.time_ns(), "seal": _seal(files), "files": files}
    return json.dumps(made, indent=1).encode()


def _seal(files: Any) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _manifest(place: Place, missing: dict[str, Any] | None) -> dict[str, tuple[int, str]]:
    """What a backup says it has; `missing` where there is none, or a refusal."""
    data = place.read(MANIFEST)
    where = f"{place.url}/{MANIFEST}"
    if data is None:
        if missing is not None:
            return missing
        do = "Name the place that `hft store backup` wrote to."
        raise InputError("There is no backup", where=place.url, do=do)
    try:
        told = json.loads(data)
        if told["version"] != VERSION:
            raise ValueError(f"it is of version {told['version']}")
        if _seal(told["files"]) != told["seal"]:
            raise ValueError("its seal is broken")
        made = {str(path): (int(size), str(sign)) for path, (size, sign) in told["files"].items()}
        outside = [p for p in made if ".." in PurePosixPath(p).parts or p.startswith("/")]
        if outside:
            raise ValueError(f"it names {outside[0]}, which lies outside")
        return made
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        do = "Take another backup; this one cannot be trusted."
        raise InputError(f"The manifest is damaged: {error}", where=where, do=do) from None


def _changed(where: str) -> InputError:
    return InputError(
        "The file is not what was written: its SHA-256 is another",
        where=where,
        do="Nothing was changed. Take another backup, or find out who wrote to that file.",
    )


def _sync_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
