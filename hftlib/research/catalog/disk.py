"""A store's folder: one writer at a time, files that are whole or not there, readers without locks.

    data/store/
      STORE.json                                       that it is one, and of which version
      writer.lock                                      held by the one writer; the kernel lets it go
      files/3f2a91c07b5e.json                          what was added (`entries.py`)
      ticks/day=2019-12-30/file=3f2a91c07b5e/000.lz4.parquet
      bars/width=1m/day=2019-12-30/file=3f2a91c07b5e/000.lz4.parquet
      frames/day=2019-12-30/file=a01d55c2e9f4/000.zstd.parquet

A writer writes parts as `NAME.part`, brings them to the disk, gives them their names, brings the
names to the disk, and then the JSON likewise: what a reader finds by a JSON is whole. Killed
anywhere before that, it leaves files that no JSON names; the next writer takes them away.
Worst case: a reader that asks while `keep` moves a part finds it gone, and looks at the JSON again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.research.catalog.entries import VERSION, Entry, parsed
from hftlib.research.catalog.places import place_of

MARK, LOCK, FILES = "STORE.json", "writer.lock", "files"
PLACES = ("ticks", "bars", "frames")


class Folder:
    """The files of a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, tuple[tuple[int, int, int], Entry]] = {}
        self._require_store()

    def entries(self) -> list[Entry]:
        """All that was added, in order of time; what another process wrote meanwhile among it."""
        found: dict[str, tuple[tuple[int, int, int], Entry]] = {}
        for path in sorted((self.root / FILES).glob("*.json")):
            with suppress(FileNotFoundError):  # dropped between the list and the look
                status = path.stat()
                sign = (status.st_ino, status.st_mtime_ns, status.st_size)
                kept = self._known.get(path.name)
                if kept is None or kept[0] != sign:
                    kept = sign, parsed(path.read_text(), str(path))
                found[path.name] = kept
        self._known = found
        entries = [entry for _, entry in found.values()]
        return sorted(entries, key=lambda one: (one.begin, one.what, one.key))

    def commit(self, entry: Entry) -> None:
        """Its JSON gets its name: from now on it is in the store."""
        put(self.root / FILES / f"{entry.key}.json", entry.as_text().encode())

    def forget(self, entry: Entry) -> None:
        """Take it out: first the JSON, then what it named."""
        with failing(self.root):
            (self.root / FILES / f"{entry.key}.json").unlink(missing_ok=True)
            sync_folder(self.root / FILES)
        for part in entry.parts:
            place_of(self.root, part).remove(part.path)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer. What an earlier one left behind when it died is gone then."""
        with failing(self.root):
            (self.root / FILES).mkdir(parents=True, exist_ok=True)
            if not (self.root / MARK).exists():
                put(self.root / MARK, json.dumps({"store": "hftlib", "version": VERSION}).encode())
            descriptor = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._taken(descriptor) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            self.tidy()
            try:
                yield
            except BaseException:  # a disk that is full should not stay so for what came of it
                with suppress(HftError):
                    self.tidy()
                raise
        finally:
            os.close(descriptor)

    def tidy(self) -> list[str]:
        """Remove what no JSON names. Only for who holds the lock."""
        left = self.strangers()
        with failing(self.root):
            for path in left:
                (self.root / path).unlink(missing_ok=True)
            for name in PLACES:
                folders = [p for p in (self.root / name).rglob("*") if p.is_dir()]
                for one in sorted(folders, reverse=True):
                    with suppress(OSError):  # not empty
                        one.rmdir()
        return left

    def strangers(self) -> list[str]:
        """Files in the store's folders that nothing in it names."""
        named = {part.path for entry in self.entries() for part in entry.parts if not part.base}
        there = [path for name in PLACES for path in (self.root / name).rglob("*")]
        there += list(self.root.glob(f"{FILES}/*.part"))
        paths = [str(path.relative_to(self.root)) for path in there if path.is_file()]
        return sorted(set(paths) - named)

    def _taken(self, descriptor: int) -> StateError:
        with suppress(OSError):
            who = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            named = f", process {who}" if who.isdigit() else ""
            return StateError(
                f"Another process is writing to the store{named}",
                where=str(self.root),
                do="Wait until it is done; readers need not wait.",
            )
        return StateError("The store is being written", where=str(self.root), do="Wait.")

    def _require_store(self) -> None:
        if not self.root.exists():
            return  # the first `add` makes it
        do = "Name another folder with hft.store(...) or HFT_STORE; the first `add` makes it."
        if not self.root.is_dir():
            raise InputError("It is a file, not a folder", where=str(self.root), do=do)
        mark = self.root / MARK
        if mark.exists():
            try:
                version = json.loads(mark.read_text())["version"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                what = f"The mark of the store is damaged: {error!r}"
                raise InputError(what, where=str(mark), do="Restore it from a backup.") from None
            if version != VERSION:
                what = f"The store is of version {version}, and this hftlib reads {VERSION}"
                raise InputError(what, where=str(mark), do="Read it with a newer hftlib.")
        elif any(self.root.iterdir()):
            raise InputError("The folder has other things in it", where=str(self.root), do=do)


def put(target: Path, data: bytes) -> None:
    """A small file, whole and on the disk, in place of the one of that name."""
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    with failing(target):
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            sync_folder(target.parent)
        finally:
            part.unlink(missing_ok=True)


def name_parts(parts: list[tuple[Path, Path]]) -> None:
    """Give finished parts their names, and bring the names to the disk."""
    for part, target in parts:
        part.replace(target)
    folders = {folder for _, target in parts for folder in list(target.parents)[:4]}
    for folder in folders:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def failing(where: Path) -> Iterator[None]:
    """Our own writing: what the system refuses is a sentence about the store."""
    try:
        yield
    except OSError as error:
        raise HostError(
            f"The store cannot be written: {error.strerror or error}",
            where=str(where),
            do="Name a folder that you may write and that has room: some 20 bytes an event.",
        ) from None
