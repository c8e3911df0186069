"""A release out of its folder: the signature first, then every digest, and nothing executed.

    release = read_release(folder, trusted_keys(keys))

    manifest.sig   who signed, and over which bytes      64 bytes of Ed25519, by a trusted key
    manifest.json  read only once that holds             exactly one text (`manifest.py`)
    the folder     exactly the files that it names       no link, no device, nothing more or less
    each file      its size, then its SHA-256            and these bytes are what is used

Every file is opened from the folder above it, never through a link, and read once: what somebody
does to the folder afterwards changes nothing. `Store` is where files come from, a folder or an
archive in memory (`archive.py`).

Worst case: 256 MiB in 4,000 files, which are held in memory; a second for each 500 MB of SHA-256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hftlib.core.errors import HftError, InputError
from hftlib.core.release.keys import PublicKey
from hftlib.core.release.manifest import (
    DEPTH_MAX,
    FILES_MAX,
    MANIFEST,
    SIGNATURE,
    TEXT_BYTES_MAX,
    Manifest,
    manifest_of,
)

SIGNATURE_BYTES_MAX = 256
_SIGNED = re.compile(r"hft-signature 1\nkey ([0-9a-f]{16})\ned25519 ([A-Za-z0-9+/=]{88})\n")
_DO = "Do not run it. Fetch the release again, or ask who made it."


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose signature and digests all hold."""

    folder: Path
    manifest: Manifest
    digest: str
    key: PublicKey
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.manifest.name}-{self.manifest.serial}"

    def text(self, path: str) -> str:
        return self.files[path].decode("utf-8")

    def below(self, folder: str) -> dict[str, bytes]:
        """The files of a folder of it, by their names there."""
        start = f"{folder}/"
        return {
            path[len(start) :]: one for path, one in self.files.items() if path.startswith(start)
        }


class Store(Protocol):
    """Where a release's files come from; what it does not have is an InputError."""

    where: str

    def read(self, path: str, bytes_max: int) -> bytes: ...

    def paths(self) -> set[str]: ...


def read_release(folder: Path | str, trusted: Mapping[str, PublicKey]) -> Release:
    """The release in the folder, or one sentence on why it is not to be run."""
    place = Path(folder)
    with _opened(place) as store:
        return release_of(store, trusted, place)


def release_of(store: Store, trusted: Mapping[str, PublicKey], folder: Path) -> Release:
    """The release that these files are."""
    signature = store.read(SIGNATURE, SIGNATURE_BYTES_MAX)
    data = store.read(MANIFEST, TEXT_BYTES_MAX)
    key = _signer(data, signature, trusted, f"{store.where}/{SIGNATURE}")
    manifest = manifest_of(data, f"{store.where}/{MANIFEST}")
    found, wanted = store.paths() - {SIGNATURE, MANIFEST}, set(manifest.files)
    if found != wanted:
        odd = min(found ^ wanted)
        what = "names no file" if odd in found else "names a file that is not there,"
        raise refused(f"The manifest {what} {quoted(odd)}", store.where)
    files = {}
    for path, told in sorted(manifest.files.items()):
        one = store.read(path, told["bytes"])
        if len(one) != told["bytes"] or hashlib.sha256(one).hexdigest() != told["sha256"]:
            raise refused(f"{path} is not what was signed", store.where)
        files[path] = one
    return Release(folder, manifest, hashlib.sha256(data).hexdigest(), key, files)


def signature_text(key_id: str, raw: bytes) -> bytes:
    """`manifest.sig` of a signature, in the one way there is to write it."""
    text = base64.b64encode(raw).decode()
    return f"hft-signature 1\nkey {key_id}\ned25519 {text}\n".encode()


def _signer(
    data: bytes, signature: bytes, trusted: Mapping[str, PublicKey], where: str
) -> PublicKey:
    found = _SIGNED.fullmatch(signature.decode("latin-1"))
    try:
        raw = base64.b64decode(found[2], validate=True) if found else b""
    except (binascii.Error, ValueError):
        raw = b""
    if found is None or len(raw) != 64 or signature_text(found[1], raw) != signature:
        raise refused("This is no signature of a release", where)
    key = trusted.get(found[1])
    if key is None:
        what = f"The release is signed by the key {found[1]}, which this host does not trust"
        raise refused(what, where)
    if not key.has_signed(data, raw):
        raise refused(f"The manifest is not what the key {key.id} ({key.name}) signed", where)
    return key


class _Folder:
    """A folder's files, each reached through descriptors and never through a link."""

    def __init__(self, place: Path, root: int) -> None:
        self.where, self._root = str(place), root

    def read(self, path: str, bytes_max: int) -> bytes:
        *folders, name = path.split("/")
        at = self._root
        opened: list[int] = []
        try:
            for one in folders:
                at = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                opened.append(at)
            # Of a pipe or a device the opening itself must not wait, nor do anything.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
            self._require_file(os.stat(name, dir_fd=at, follow_symlinks=False), path, bytes_max)
            descriptor = os.open(name, flags, dir_fd=at)
            opened.append(descriptor)
            self._require_file(os.fstat(descriptor), path, bytes_max)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(bytes_max + 1)[: bytes_max + 1]
        except OSError as error:
            what = f"{quoted(path)} cannot be read: {error.strerror}"
            raise refused(what, self.where) from None
        finally:
            for one_opened in opened:
                os.close(one_opened)

    def paths(self) -> set[str]:
        found: set[str] = set()
        self._walk(self._root, "", found)
        return found

    def _walk(self, at: int, above: str, found: set[str]) -> None:
        if above.count("/") > DEPTH_MAX:
            raise refused("The release has folders in folders without end", self.where)
        count = 0
        with os.scandir(at) as entries:
            for entry in entries:
                count += 1
                path = f"{above}{entry.name}"
                if len(found) > FILES_MAX:
                    raise refused(f"The release has more than {FILES_MAX:,} files", self.where)
                if entry.is_symlink():
                    raise refused(f"{quoted(path)} is a link", self.where)
                if entry.is_dir(follow_symlinks=False):
                    self._walk_into(at, entry.name, f"{path}/", found)
                else:
                    found.add(path)
        if count == 0 and above:
            raise refused(f"The folder {quoted(above)} is empty", self.where)

    def _walk_into(self, at: int, name: str, path: str, found: set[str]) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        try:
            inner = os.open(name, flags, dir_fd=at)
        except OSError as error:
            what = f"{quoted(path)} cannot be read: {error.strerror}"
            raise refused(what, self.where) from None
        try:
            self._walk(inner, path, found)
        finally:
            os.close(inner)

    def _require_file(self, status: os.stat_result, path: str, bytes_max: int) -> None:
        if stat.S_ISLNK(status.st_mode):
            raise refused(f"{quoted(path)} is a link", self.where)
        if not stat.S_ISREG(status.st_mode):
            raise refused(f"{quoted(path)} is no plain file", self.where)
        if status.st_nlink != 1:
            raise refused(f"{quoted(path)} has a second name, elsewhere", self.where)
        if status.st_size > bytes_max:
            raise refused(f"{quoted(path)} is larger than it may be", self.where)


@contextmanager
def _opened(place: Path) -> Iterator[Store]:
    try:
        root = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        do = "Give the folder of a release, which has a manifest.json."
        raise InputError(f"There is no release: {why}", where=quoted(str(place)), do=do) from None
    try:
        yield _Folder(place, root)
    finally:
        os.close(root)


def quoted(text: str) -> str:
    """A name from outside, safe to print."""
    return ascii(text)[:120]


def refused(what: str, where: str) -> HftError:
    return InputError(what, where=where, do=_DO)
