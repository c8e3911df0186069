"""Where a part lies: below the store's folder, or behind a URL that fsspec knows.

Worst case: what clients of object stores raise is theirs to choose; all of it becomes a sentence.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, HostError, InputError
from hftlib.core.units import shown
from hftlib.research.catalog.entries import Part

STEP_BYTES = 1 << 22
_DO = "Name a folder, or a URL such as s3://bucket/folder whose package is installed."


class Place:
    """A folder, here or elsewhere, in which files lie by their paths."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url.rstrip("/") or url
        try:
            self._system, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            what = f"The place is not understood: {line_of(error)}"
            raise InputError(what, where=url, do=_DO) from None
        except Exception as error:
            what = f"The place cannot be reached: {line_of(error)}"
            raise HostError(what, where=url, do=_DO) from None
        self._root = str(root).rstrip("/")

    def read(self, path: str) -> bytes | None:
        """A small file; None where there is none."""
        with self._failing(path):
            try:
                data: bytes = self._system.cat_file(self._at(path))
            except FileNotFoundError:
                return None
            return data

    def write(self, path: str, data: bytes) -> None:
        with self._failing(path):
            self._system.makedirs(self._at(path).rpartition("/")[0], exist_ok=True)
            self._system.pipe_file(self._at(path), data)

    def size(self, path: str) -> int | None:
        """How long a file is; None where there is none."""
        with self._failing(path):
            try:
                return int(self._system.info(self._at(path))["size"])
            except FileNotFoundError:
                return None

    def send(self, source: Path, path: str) -> None:
        """A file from here to there."""
        with self._failing(path):
            self._system.makedirs(self._at(path).rpartition("/")[0], exist_ok=True)
            with source.open("rb") as ours, self._system.open(self._at(path), "wb") as theirs:
                shutil.copyfileobj(ours, theirs, STEP_BYTES)

    def fetch(self, path: str, target: Path) -> str:
        """A file from there to here, and the SHA-256 of what came."""
        digest = hashlib.sha256()
        theirs_at = self._at(path)
        with self._failing(path), target.open("wb") as ours, self._system.open(theirs_at) as theirs:
            while piece := theirs.read(STEP_BYTES):
                digest.update(piece)
                ours.write(piece)
        return digest.hexdigest()

    def sha256(self, path: str) -> str:
        """Of a file as it is read back."""
        digest = hashlib.sha256()
        with self._failing(path), self._system.open(self._at(path), "rb") as file:
            while piece := file.read(STEP_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def remove(self, path: str) -> None:
        """Take a file away, if it is there."""
        with self._failing(path):
            if self._system.exists(self._at(path)):
                self._system.rm_file(self._at(path))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    @contextmanager
    def _failing(self, path: str) -> Iterator[None]:
        try:
            yield
        except HftError:
            raise
        except FileNotFoundError:
            do = "Look whether somebody took it away; a backup may have it."
            raise InputError("There is no such file", where=f"{self.url}/{path}", do=do) from None
        except Exception as error:
            what = f"The place refused: {line_of(error)}"
            raise HostError(what, where=f"{self.url}/{path}", do=_DO) from None


def checked_url(given: Any, field: str) -> str:
    """A URL or path as text; a plain path is made whole, for the store outlives the folder."""
    if isinstance(given, Path) or (isinstance(given, str) and given.strip() and "://" not in given):
        return str(Path(given).expanduser().absolute())
    if not isinstance(given, str) or not given.strip():
        raise InputError(f"{shown(given)} names no place", where=field, do=_DO)
    return given.strip()


def path_of(root: Path, part: Part) -> str:
    """Where a part lies, as a path here or a URL."""
    if not part.base:
        return str(root / part.path)
    if protocol_of(part.base):
        return f"{part.base.rstrip('/')}/{part.path}"
    return str(Path(part.base.removeprefix("file://")) / part.path)


def protocol_of(base: str) -> str:
    """What is not a folder of this machine, by the name of its kind; else empty."""
    name, found, _ = base.partition("://")
    return name if found and name not in ("file", "local") else ""


def place_of(root: Path, part: Part) -> Place:
    """The folder that a part's path is below."""
    return Place(part.base or str(root))


def line_of(error: BaseException) -> str:
    """An error of another's in one line."""
    return " ".join(str(error).split())[:400] or type(error).__name__
