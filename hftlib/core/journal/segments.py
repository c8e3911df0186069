"""Segment files: made whole before they have their name, checked before they are believed.

    made     NAME.part: allocated, header written, synced ─▶ renamed 000007.segment, folder synced
    read     size, magic, version, CRC of the header, zeros behind it, session and number

All room on the disk is taken before a file is mapped, so running out of it is an error of
`posix_fallocate` here and never a SIGBUS at a store. A file keeps its size for ever: what a closed
journal does not use is given back to the disk as a hole, which still reads as zeros.

Worst case: a file system that gives no room at `posix_fallocate` but at the first write only
(copy on write: btrfs, zfs), and a file that its owner cuts short while it is mapped: both are a
SIGBUS.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.journal.layout import (
    PAGE_BYTES,
    SEGMENT_BYTES_MAX,
    SEGMENT_BYTES_MIN,
    SEGMENT_HEADER,
    SEGMENT_MAGIC,
    VERSION,
)
from hftlib.core.journal.scanning import crc_of, first_not_zero
from hftlib.core.mapping import MADV_POPULATE_WRITE

_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_MS_SYNC = 4
# Of ctypes, for it leaves the GIL to others while the kernel works; Python's own mmap does not.
_libc = ctypes.CDLL(None, use_errno=True)
_SESSION_WORDS, _HEADER_WORDS = 2, 15


@dataclass(frozen=True, slots=True)
class Session:
    """What all segments of a journal have in common."""

    identity: bytes
    segment_bytes: int
    block_bytes: int
    durability: int
    keyed: int
    created_ns: int

    @property
    def seed(self) -> int:
        """The CRC's state that every frame begins with."""
        words = np.frombuffer(self.identity, np.int64).copy()
        return int(crc_of(0xFFFF_FFFF, words.ctypes.data, _SESSION_WORDS))

    def header(self, number: int) -> bytes:
        made = np.zeros(1, SEGMENT_HEADER)
        one = made[0]
        one["magic"], one["version"] = SEGMENT_MAGIC, VERSION
        one["session"] = np.frombuffer(self.identity, np.uint8)
        one["number"] = number
        for name in ("segment_bytes", "block_bytes", "durability", "keyed", "created_ns"):
            one[name] = getattr(self, name)
        one["crc"] = checksum(made)
        return made.tobytes()


class Segment:
    """One segment, mapped. The memory goes when nobody holds a view of it any more."""

    def __init__(self, path: Path, number: int, session: Session, writable: bool = False) -> None:
        self.path, self.number, self.session = path, number, session
        descriptor = opened(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            size = os.fstat(descriptor).st_size
            if size != session.segment_bytes:
                stated = f"not the stated {session.segment_bytes:,}"
                raise damaged(path, f"it has {size:,} bytes, {stated}")
            if writable:
                os.posix_fallocate(descriptor, 0, size)  # a closed journal's holes
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self.memory = mmap.mmap(descriptor, size, access=access)
            self.descriptor = os.dup(descriptor) if writable else -1
        except OSError as error:
            raise no_room(path, error) from None
        finally:
            os.close(descriptor)
        self._bytes = np.frombuffer(self.memory, np.uint8)
        self.address = int(self._bytes.ctypes.data)
        if writable:
            with suppress(OSError, AttributeError):  # a child must not write beside us
                self.memory.madvise(mmap.MADV_DONTFORK)
        held = self._bytes[: SEGMENT_HEADER.itemsize].tobytes()
        if (
            held != session.header(number)
            or first_not_zero(self.address, len(held), PAGE_BYTES) > 0
        ):
            raise damaged(path, "its header is not that of this segment of this journal")

    def view(self, begin: int, end: int) -> memoryview:
        return self._bytes.data[begin:end]

    def time(self, position: int) -> int:
        """Of the frame there, which a scan has found good."""
        return int(self._bytes[position + 8 : position + 16].view(np.int64)[0])

    def make_ready(self, begin: int, end: int) -> None:
        """Have the kernel make these pages ready to be written, as far as they are there."""
        begin, end = begin & -PAGE_BYTES, min(end, self.session.segment_bytes)
        if begin < end:
            # Before Linux 5.14 it is refused: then the first store to each page waits instead.
            _libc.madvise(self._at(begin), ctypes.c_size_t(end - begin), MADV_POPULATE_WRITE)

    def sync(self, begin: int = 0, end: int = 0) -> None:
        """Have these bytes on the disk, or all of them; the pages beyond stay as they are."""
        begin, end = begin & -PAGE_BYTES, end or self.session.segment_bytes
        if _libc.msync(self._at(begin), ctypes.c_size_t(end - begin), _MS_SYNC):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(self.path))

    def _at(self, begin: int) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.address + begin)

    def clear(self, begin: int, end: int) -> None:
        self._bytes[begin:end] = 0

    def give_back(self, begin: int) -> None:
        """Let the disk have what is not used, as a hole. The size stays."""
        begin = -(-begin // PAGE_BYTES) * PAGE_BYTES
        size = self.session.segment_bytes
        if begin < size:
            arguments = (_KEEP_SIZE | _PUNCH_HOLE, ctypes.c_int64(begin))
            # Not every file system has holes; then the bytes stay taken.
            _libc.fallocate(self.descriptor, *arguments, ctypes.c_int64(size - begin))

    def let_go(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def make(folder: Path, number: int, session: Session) -> Segment:
    """A new segment, allocated and on the disk before it has its name."""
    path = place(folder, number)
    part = path.with_suffix(".part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, session.segment_bytes)
            os.pwrite(descriptor, session.header(number), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.rename(path)
        sync_folder(folder)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return Segment(path, number, session, writable=True)


def place(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.segment"


def numbers_of(folder: Path) -> list[int]:
    """The segments that are there, in order."""
    try:
        names = [path.stem for path in folder.iterdir() if path.suffix == ".segment"]
    except OSError as error:
        raise not_a_journal(folder, f"it cannot be read: {error.strerror}") from None
    return sorted(int(name) for name in names if name.isdecimal() and len(name) == 6)


def session_of(folder: Path) -> Session:
    """What the first segment says, after everything in its header was verified."""
    path = place(folder, 0)
    if not path.exists():
        raise not_a_journal(folder, f"there is no {path.name}")
    descriptor = opened(path, os.O_RDONLY)
    try:
        head = os.pread(descriptor, SEGMENT_HEADER.itemsize, 0)
    finally:
        os.close(descriptor)
    return session_in(head, path)


def session_in(head: bytes, path: Path) -> Session:
    """The same of a header's bytes, whichever segment they are of."""
    folder = path.parent
    if len(head) < SEGMENT_HEADER.itemsize:
        raise damaged(path, f"it has {len(head)} bytes, less than a header")
    found = np.frombuffer(bytearray(head), SEGMENT_HEADER)  # numpy copies no gaps between fields
    one = found[0]
    if head[:8] != SEGMENT_MAGIC:
        raise not_a_journal(folder, f"{path.name} begins with {head[:8]!r}")
    if checksum(found) != int(one["crc"]):
        raise damaged(path, "its header's CRC is not that of its bytes")
    if int(one["version"]) != VERSION:
        raise not_a_journal(folder, f"it is of version {one['version']}, not {VERSION}")
    if not SEGMENT_BYTES_MIN <= int(one["segment_bytes"]) <= SEGMENT_BYTES_MAX:
        raise damaged(path, f"its segments are said to have {one['segment_bytes']:,} bytes")
    names = ("segment_bytes", "block_bytes", "durability", "keyed", "created_ns")
    return Session(one["session"].tobytes(), **{name: int(one[name]) for name in names})


def checksum(one: np.ndarray[Any, Any]) -> int:
    """The CRC-32C of a record whose last eight bytes are for it."""
    words = one.itemsize // 8 - 1
    return int(crc_of(0xFFFF_FFFF, one.ctypes.data, words)) ^ 0xFFFF_FFFF


def opened(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(
            f"A part of the journal cannot be opened: {error.strerror}",
            where=str(path),
            do="Check the path and who may read it; a symbolic link is not followed.",
        ) from None


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damaged(path: Path, what: str) -> StateError:
    return StateError(
        f"The journal is damaged: {what}",
        where=str(path),
        do=f"`hft journal verify {path.parent}` says where; `hft journal repair {path.parent}` "
        "keeps the damaged part in a file beside it and goes on before it.",
    )


def not_a_journal(folder: Path, what: str) -> InputError:
    return InputError(
        f"This is no journal: {what}",
        where=str(folder),
        do="Name the folder that Journal.create(folder, about) made.",
    )


def no_room(path: Path, error: OSError) -> HostError:
    """The sentence for a journal that cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return HostError(
        f"The journal cannot be written: {error.strerror}",
        where=str(path),
        do="Make room on that disk, then go on with the journal."
        if full
        else "Name a folder that you may write, on a disk that works, and go on with the journal.",
    )
