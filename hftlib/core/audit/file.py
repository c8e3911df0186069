"""The audit log as a file: a plain one that nobody but its owner may write, and its lock.

    with opened(path, flags) as descriptor: ...          refused where it is a link, or writable
    with locked(path, descriptor, fcntl.LOCK_EX): ...    alone with it, or ten seconds
    last_line(path, descriptor, size)                    the last whole line; b"" of an empty log

A writer that was killed leaves a line without its end. It is told to everybody who opens the log,
and taken away only by `mend` (`writing.py`): nothing is added behind it, and nothing of it is read.

Worst case: a lock that is not given up within ten seconds is a sentence.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hftlib.core.audit.line import LINE_BYTES_MAX
from hftlib.core.errors import HftError, HostError, InputError, StateError

LOG_BYTES_MAX = 1 << 30
LOCK_S, _TURN_S = 10.0, 0.002


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """The log's descriptor; a file of mode 0600 where it is made."""
    descriptor = open_log(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_log(path: Path, flags: int) -> int:
    try:
        more = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(path, flags | more, 0o600)
    except OSError as error:
        if path.is_symlink():
            raise no_log(path, "is a link") from None
        raise host(path, error) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise no_log(path, "is no plain file of one name")
        if stat.S_IMODE(status.st_mode) & 0o022:
            do = f"Run `chmod go-w {path}`, and verify it against a copy."
            raise InputError("Others may write the audit log", where=str(path), do=do)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(path: Path, descriptor: int, lock: int) -> Iterator[None]:
    """Nobody else adds to it meanwhile."""
    until = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, lock | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                do = "Wait until the other is over; `fuser` tells who has the file open."
                raise StateError("Another holds the audit log", where=str(path), do=do) from None
            time.sleep(_TURN_S)
        except OSError as error:
            raise host(path, error) from None
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def last_line(path: Path, descriptor: int, size: int) -> bytes:
    """The last line with its end; a torn end is refused."""
    if not size:
        return b""
    tail = tail_of(path, descriptor, size)
    if not tail.endswith(b"\n"):
        raise torn(path, len(tail) - tail.rfind(b"\n") - 1)
    return tail[tail.rfind(b"\n", 0, len(tail) - 1) + 1 :]


def tail_of(path: Path, descriptor: int, size: int) -> bytes:
    """As much of the end as two lines can be."""
    begin = max(0, size - 2 * LINE_BYTES_MAX)
    try:
        return os.pread(descriptor, size - begin, begin)
    except OSError as error:
        raise host(path, error) from None


def torn(path: Path, count: int) -> HftError:
    return StateError(
        f"The last line has no end: a writer was killed, and {count:,} bytes are no line",
        where=str(path),
        do=f"Take them away with `hft audit mend {path}`, then see what was going on.",
    )


def no_log(path: Path, what: str) -> HftError:
    return InputError(f"The audit log {what}", where=str(path), do="Look who put it there.")


def host(path: Path, error: OSError) -> HftError:
    return HostError(
        f"The audit log cannot be used: {error.strerror}",
        where=str(path),
        do="Give a file that this user can read, and write to where a line is added.",
    )
