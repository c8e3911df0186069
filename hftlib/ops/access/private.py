"""A small file that is its owner's alone: read if nobody else may, written whole or not at all.

    data = read_private(path, "The file of people")          b"" where there is none
    with alone(path): ...                                    nobody else changes it meanwhile
        write_private(path, data)

Worst case: 4 MiB of a file, and ten seconds for another who changes it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hftlib.core.errors import HftError, HostError, InputError, StateError

BYTES_MAX = 4 << 20
LOCK_S, _TURN_S = 10.0, 0.005


def read_private(path: Path, what: str, *, others: int = 0o077) -> bytes:
    """All of it; refused where others may read or write it, or put another in its place."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with open(os.open(path, flags), "rb") as file:
            _require_own(path, os.fstat(file.fileno()), what, others)
            return file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        if path.is_symlink():
            raise InputError(f"{what} is a link", where=str(path), do=_WHO) from None
        raise unusable(path, what, error) from None


def write_private(path: Path, data: bytes, what: str) -> None:
    """In its place at once, mode 0600, and on the disk."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(part, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise unusable(path, what, error) from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """By a lock beside it, which stays."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o600)
    except OSError as error:
        raise unusable(path, what, error) from None
    try:
        until = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    do = "Wait until the other is over."
                    raise StateError(f"{what} is being changed", where=str(path), do=do) from None
                time.sleep(_TURN_S)
        yield
    finally:
        os.close(lock)


def unusable(path: Path, what: str, error: OSError) -> HftError:
    return HostError(
        f"{what} cannot be used: {error.strerror}",
        where=str(path),
        do="Give a file that this user can read and write, in a folder of its own.",
    )


_WHO = "Look who put it there."


def _require_own(path: Path, found: os.stat_result, what: str, others: int) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_size > BYTES_MAX:
        raise InputError(f"{what} is no plain file of a few bytes", where=str(path), do=_WHO)
    if found.st_uid not in (0, os.geteuid()):
        raise InputError(f"{what} is another user's", where=str(path), do=_WHO)
    if stat.S_IMODE(found.st_mode) & others:
        do = f"Run `chmod 600 {path}`, and think about who has read it."
        raise InputError(f"{what} may be read or written by others", where=str(path), do=do)
    folder = path.parent.stat()
    if stat.S_IMODE(folder.st_mode) & 0o022 and not folder.st_mode & stat.S_ISVTX:
        do = f"Run `chmod go-w {path.parent}`."
        raise InputError(f"Others may put another in its place: {what}", where=str(path), do=do)
