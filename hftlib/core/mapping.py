"""The memory under an arena: where it comes from, how it is saved, and whether it is one at all.

Memory is taken whole when it is made (touched, or allocated on the disk), so that running out is a
sentence at the start and never a crash at the first write to a page; and every page is present
before the arena is handed over, so that the tick path never waits for the kernel to find one.
Everything a file claims about itself is checked against its size and its own layout text before a
byte of it is used, and so is that nobody else could change it.
Worst case: a file cut short by its owner while it is mapped kills the processes that read it.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import re
import secrets
import stat
import time
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import claim
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.layout import PAGE_BYTES, TEXT_BYTES_MAX, Layout
from hftlib.core.records import field_offset, record

MAGIC = b"HFTARENA"
VERSION = 1
# Advice to the kernel that Python's mmap has no names for: make all pages present now.
MADV_POPULATE_READ, MADV_POPULATE_WRITE = 22, 23

ARENA_HEADER = record(
    "arena header",
    192,
    """
    0    magic        S8         HFTARENA
    8    version      int64      of this header's own layout
    16   total_bytes  int64      of the whole mapping
    24   text_bytes   int64      of the layout text, which starts at 192
    32   data_offset  int64      where the arrays begin
    40   digest       uint8[32]  SHA-256 of the layout text
    72   created_ns   int64      UTC; not part of the digest of the state
    80   writer_pid   int64      the last process that opened it for writing
    128  changes      int64      counts half-events: odd while one is being applied
    """,
)


def shared_memory(name: str) -> Path:
    """The path of an arena in shared memory: it lives until removed, or until the host restarts."""
    if not re.fullmatch(r"\w[\w.-]{0,99}", name, re.ASCII):
        raise InputError(
            f"{name!r} is no name for shared memory",
            where="shared_memory(name)",
            do="Use at most 100 letters, digits, '-', '_' and '.', such as 'desk-1'.",
        )
    return Path("/dev/shm") / f"hftlib-{os.geteuid()}-{name}"


def taken(descriptor: int, total: int, writable: bool = True) -> mmap.mmap:
    """A mapping of an open file, or memory of this process alone where that is -1."""
    try:
        if descriptor < 0:
            return mmap.mmap(-1, total, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        return mmap.mmap(descriptor, total, access=access)
    except (OSError, OverflowError) as error:
        raise no_memory(total, error) from None


def fill(memory: mmap.mmap, layout: Layout, huge_pages: bool) -> None:
    """Make fresh memory an arena, with every page present."""
    if huge_pages:
        prefer_huge_pages(memory)
    populate(memory)
    write_header(np.frombuffer(memory, np.uint8), layout)


def populate(memory: mmap.mmap, writable: bool = True) -> None:
    """Make every page present now, without changing a byte: others may be writing beside us."""
    try:
        memory.madvise(MADV_POPULATE_WRITE if writable else MADV_POPULATE_READ)
    except OSError as error:
        if error.errno in (errno.ENOMEM, errno.EFAULT):
            raise no_memory(len(memory), error) from None
        # A kernel from before Linux 5.14, or one that pretends: look at each page instead.
        np.frombuffer(memory, np.uint8)[::PAGE_BYTES].max()


def no_memory(total: int, error: Exception) -> HostError:
    """The sentence for memory that cannot be had."""
    return HostError(
        f"{total:,} bytes of memory cannot be had: {error}",
        where="Arena.create or Arena.open",
        do="Make the layout smaller, or give the host more memory.",
    )


def prefer_huge_pages(mapping: mmap.mmap) -> None:
    """Ask for pages of 2 MiB, which spare the processor most of its address lookups."""
    try:
        mapping.madvise(mmap.MADV_HUGEPAGE)
    except OSError as error:
        raise HostError(
            f"This kernel gives no huge pages: {error.strerror}",
            where="Arena.create(..., huge_pages=True)",
            do="Leave huge_pages out, or enable transparent huge pages.",
        ) from None


def opened(path: Path, writable: bool) -> int:
    """A descriptor of a file that should be an arena."""
    access = os.O_RDWR if writable else os.O_RDONLY
    claim.refuse_link(path)
    try:
        return os.open(path, access | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise InputError(
            f"The arena cannot be opened: {error.strerror}",
            where=str(path),
            do="Check the path; an arena is made with Arena.create(layout, path).",
        ) from None


def new_file(target: Path, total: int) -> tuple[int, Path]:
    """A file of `total` bytes beside the target, open, to be moved there once it is whole."""
    if not target.name:
        raise InputError(
            f"{str(target)!r} does not name a file",
            where="the path of a new arena",
            do="Give the path of a file that does not exist yet.",
        )
    path = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise no_room(target, error) from None
    try:
        # Without this, a full disk would show up as a crash at the first write to a page.
        os.posix_fallocate(descriptor, 0, total)
    except OSError as error:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise no_room(target, error) from None
    return descriptor, path


def publish(part: Path, target: Path) -> None:
    """Give a whole file its name. A link, unlike a rename, refuses to replace another's."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise StateError(
            "There is an arena already",
            where=str(target),
            do="Open it with Arena.open(path, writable=True), or remove the file first.",
        ) from None
    except OSError as error:
        raise no_room(target, error) from None


def save(target: Path, memory: np.ndarray[Any, Any], own: Path | None) -> None:
    """Put these bytes in a file, whole or not at all, on the disk before this returns."""
    if own is not None and own.exists() and target.exists() and target.samefile(own):
        raise StateError(
            "An arena cannot be saved over its own file, which it would lose",
            where=str(target),
            do="Save it under another name.",
        )
    descriptor, part = new_file(target, len(memory))
    try:
        _write(descriptor, memory)
        os.fsync(descriptor)
        _replace(part, target)
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise no_room(target, error) from None
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)


def _write(descriptor: int, memory: np.ndarray[Any, Any]) -> None:
    """Write the whole arena; torn, if it is, or if a change came between."""
    changes = memory[: ARENA_HEADER.itemsize].view(ARENA_HEADER)["changes"]
    before = int(changes[0])
    view = memory.data
    while view:
        view = view[os.write(descriptor, view) :]
    after = int(changes[0])
    if before & 1 or after != before:
        odd = (after | 1).to_bytes(8, "little")
        os.pwrite(descriptor, odd, field_offset(ARENA_HEADER, "changes"))


def _replace(part: Path, target: Path) -> None:
    """Give a whole file its name, which any other may have but an arena that is being written."""
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        publish(part, target)
        return
    try:
        claim.lock(descriptor, target, do="Save under another name.")
        part.replace(target)
    finally:
        os.close(descriptor)


def no_room(path: Path, error: OSError) -> HostError:
    """The sentence for a file that could not be made or filled."""
    return HostError(
        f"The arena cannot be written: {error.strerror}",
        where=str(path),
        do="Name a directory that exists, that you may write, and that has room.",
    )


def write_header(memory: np.ndarray[Any, Any], layout: Layout) -> None:
    """Make fresh memory an arena; the magic comes last."""
    header = memory[: ARENA_HEADER.itemsize].view(ARENA_HEADER)
    header["version"] = VERSION
    header["total_bytes"] = layout.total_bytes
    header["text_bytes"] = len(layout.text)
    header["data_offset"] = layout.data_offset
    header["digest"] = np.frombuffer(layout.digest, np.uint8)
    header["created_ns"] = time.time_ns()
    header["writer_pid"] = os.getpid()
    text = np.frombuffer(layout.text, np.uint8)
    memory[ARENA_HEADER.itemsize : ARENA_HEADER.itemsize + len(text)] = text
    header["magic"] = MAGIC


def checked(descriptor: int, path: Path, expected: Layout | None = None) -> Layout:
    """The layout of the arena in an open file, after everything the header says was verified."""

    def refuse(what: str) -> InputError:
        return InputError(
            f"The file is not an arena this version can read: {what}",
            where=str(path),
            do="Check the path, or restore the arena from a snapshot.",
        )

    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise refuse("it is no regular file")
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise InputError(
            "The arena can be written by somebody else, who could change or crash this process",
            where=str(path),
            do=f"Run `chmod go-w {path}` if it is yours and you trust what is in it.",
        )
    size = status.st_size
    head = os.pread(descriptor, ARENA_HEADER.itemsize, 0)
    if len(head) < ARENA_HEADER.itemsize:
        raise refuse(f"it has {size} bytes, less than a header")
    header = np.frombuffer(head, ARENA_HEADER)[0]
    if header["magic"] != MAGIC:
        raise refuse(f"its magic is {bytes(header['magic'])!r}, not {MAGIC!r}")
    if header["version"] != VERSION:
        raise refuse(f"its version is {header['version']}, not {VERSION}")
    if header["total_bytes"] != size:
        raise refuse(f"it has {size:,} bytes, not the stated {header['total_bytes']:,}")
    if not 0 <= header["text_bytes"] <= min(size, TEXT_BYTES_MAX):
        raise refuse(f"its layout text is said to have {header['text_bytes']:,} bytes")
    text = os.pread(descriptor, int(header["text_bytes"]), ARENA_HEADER.itemsize)
    if hashlib.sha256(text).digest() != header["digest"].tobytes():
        raise refuse("its layout text does not match the layout digest")
    try:
        layout = Layout.from_text(text)
    except (InputError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise refuse(f"its layout text is damaged ({error})") from None
    if header["data_offset"] != layout.data_offset or layout.total_bytes != size:
        raise refuse("its sizes do not follow from its layout text")
    if expected is not None and expected.digest != layout.digest:
        raise InputError(
            f"The arena is laid out differently: {expected.difference(layout)}",
            where=str(path),
            do="Open it with the version that made it, or make a new one.",
        )
    return layout
