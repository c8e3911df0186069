"""The memory under an arena: where it comes from, who may write it, and whether it is one at all.

Memory is taken whole when it is made (touched, or allocated on the disk), so that running out is a
sentence at the start and never a crash at the first write to a page. Everything a file claims
about itself is checked against its size and its own layout text before a byte of it is used.
Worst case: a file cut short by somebody else while it is mapped kills the processes that read it.
"""

from __future__ import annotations

import fcntl
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

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.layout import PAGE_BYTES, TEXT_BYTES_MAX, Layout
from hftlib.core.records import record

MAGIC = b"HFTARENA"
VERSION = 1

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


def private(total: int, huge_pages: bool) -> mmap.mmap:
    """Anonymous memory of this process, every page present."""
    try:
        mapping = mmap.mmap(-1, total, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError) as error:
        raise HostError(
            f"{total:,} bytes of memory cannot be had: {error}",
            where="Arena.create",
            do="Make the layout smaller, or give the host more memory.",
        ) from None
    if huge_pages:
        prefer_huge_pages(mapping)
    # Touch every page once, now, so that the tick path never waits for the kernel to find one.
    np.frombuffer(mapping, np.uint8)[::PAGE_BYTES] = 0
    return mapping


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
        view = memory.data
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
        part.replace(target)
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


def no_room(path: Path, error: OSError) -> HostError:
    """The sentence for a file that could not be made or filled."""
    return HostError(
        f"The arena cannot be written: {error.strerror}",
        where=str(path),
        do="Name a directory that exists, that you may write, and that has room.",
    )


def lock_for_writing(descriptor: int, path: Path) -> None:
    """Become the only writer; the kernel gives the lock up when this process ends, however."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StateError(
            "Another process is writing this arena",
            where=str(path),
            do="Open it read-only, or stop the other process first.",
        ) from None


def unlock(descriptor: int) -> None:
    """Let another process write; closing is too little, for a mapping keeps a descriptor too."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


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
