"""A release as one file, NAME-SERIAL.tar.gz: the same bytes for the same release, wherever made.

    pack(release, path)                 names sorted, no times, no owners
    unpack(path, into, trusted)         verified in memory, before a single file is written

Any tar reads it. Ours takes plain files below one folder only, each once: what tar has besides
(links, devices, sparse files, long names by other means) is refused by its kind, not worked around.
Only what is left after the limits of a release is ever unpacked, so a bomb stops at 300 MiB.
Worst case: that memory.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from hftlib.core.errors import InputError, StateError
from hftlib.core.release.keys import PublicKey
from hftlib.core.release.manifest import (
    BYTES_MAX,
    FILES_MAX,
    MANIFEST,
    SIGNATURE,
    safe_path,
)
from hftlib.core.release.reading import Release, quoted, read_release, refused, release_of
from hftlib.core.release.writing import written
from hftlib.core.whole_files import write_whole

ENDING = ".tar.gz"
PACKED_MAX, TAR_MAX = 300 << 20, BYTES_MAX + FILES_MAX * 1_024 + (2 << 20)
_PIECE = 1 << 20


def pack(release: Release, path: Path) -> Path:
    """One file of the release, as it lies in its folder."""
    if not path.name.endswith(ENDING):
        raise InputError("An archive is a .tar.gz", where=str(path), do=f"Name it NAME{ENDING}.")
    if os.path.lexists(path):
        do = "Give another name; an archive is never written over."
        raise StateError("There is something already", where=str(path), do=do)
    files = dict(release.files)
    for name in (MANIFEST, SIGNATURE):
        files[name] = (release.folder / name).read_bytes()
    do = "Give a place in a folder that you can write, with room."
    write_whole(path, packed(release.name, files), "The archive cannot be written", do=do)
    return path


def packed(name: str, files: Mapping[str, bytes]) -> bytes:
    """The archive's bytes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, data in sorted(files.items()):
            one = tarfile.TarInfo(f"{name}/{path}")
            one.size, one.mode = len(data), 0o644
            tar.addfile(one, io.BytesIO(data))
    return gzip.compress(made.getvalue(), compresslevel=6, mtime=0)


def unpack(
    path: Path,
    into: Path,
    trusted: Mapping[str, PublicKey],
    require: Callable[[Release], object] = lambda _release: None,
) -> Release:
    """The release in the archive, in a new folder below `into`.

    `require` may refuse it once its signature holds, before anything is written.
    """
    store = _Archive(path)
    release = release_of(store, trusted, into)
    require(release)
    if store.name != release.name:
        raise refused(f"The folder in the archive is not called {release.name}", str(path))
    place = into / release.name
    written(place, store.files)
    return read_release(place, trusted)


class _Archive:
    """What an archive holds, in memory."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self.name, self.files = self._read(path)

    def read(self, path: str, bytes_max: int) -> bytes:
        if path not in self.files:
            raise refused(f"The archive has no {quoted(path)}", self.where)
        if len(self.files[path]) > bytes_max:
            raise refused(f"{quoted(path)} is larger than it may be", self.where)
        return self.files[path]

    def paths(self) -> set[str]:
        return set(self.files)

    def _read(self, path: Path) -> tuple[str, dict[str, bytes]]:
        try:
            tar = io.BytesIO(self._unpacked(path))
            with tarfile.open(fileobj=tar, mode="r:") as opened:
                return self._taken(opened)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError):
            raise refused("This is no archive of a release", self.where) from None
        except OSError as error:
            what = f"The archive cannot be read: {error.strerror or error}"
            raise refused(what, self.where) from None

    def _unpacked(self, path: Path) -> bytes:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > PACKED_MAX:
                raise refused("The archive is no plain file of the size of one", self.where)
            made = bytearray()
            with gzip.GzipFile(fileobj=file) as inner:
                while piece := inner.read(_PIECE):
                    made += piece
                    if len(made) > TAR_MAX:
                        raise refused("The archive unpacks to more than a release", self.where)
            return bytes(made)

    def _taken(self, tar: tarfile.TarFile) -> tuple[str, dict[str, bytes]]:
        folders, files = set(), dict[str, bytes]()
        while (one := tar.next()) is not None:
            folder, _, path = one.name.partition("/")
            if one.type != tarfile.REGTYPE or one.sparse or one.pax_headers:
                raise refused(f"The archive has {quoted(one.name)}, no plain file", self.where)
            if not safe_path(path) or path in files or not safe_path(folder):
                raise refused(f"The archive has the name {quoted(one.name)}", self.where)
            if len(files) > FILES_MAX:
                raise refused(f"The archive has more than {FILES_MAX:,} files", self.where)
            taken = tar.extractfile(one)
            files[path] = taken.read() if taken is not None else b""
            if len(files[path]) != one.size:
                raise refused("The archive is cut off", self.where)
            folders.add(folder)
        if len(folders) != 1:
            raise refused("The archive does not have one folder", self.where)
        return folders.pop(), files
