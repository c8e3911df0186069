"""A rollout's log as a file: read whole under a lock, added to by one line that is on the disk.

    data = read_log(shelf, "maker")              b"" where there is none yet
    with held_log(shelf, "maker") as log:        alone with it
        log.data, log.add(line)
    mend_log(shelf, "maker")                     takes away a torn last line

A line that a killed writer left without its end is no step: nobody was told that it is, everybody
is told that it is there, and it is taken away by hand only.

Worst case: a lock that is not given up within ten seconds is a sentence.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.release.rollout_step import LINE_BYTES_MAX, require_name

ENDING = ".rollout"
LOG_BYTES_MAX = 16 << 20
LOCK_S, _TURN_S = 10.0, 0.01


def log_of(shelf: Path, name: str) -> Path:
    """Where the steps of a name are."""
    return shelf / f"{name}{ENDING}"


def read_log(shelf: Path, name: str) -> bytes:
    """The whole lines of the log; a torn one, or what is no plain file, is refused."""
    path = log_of(shelf, name)
    if not shelf.is_dir():
        do = (
            "Give the folder of releases, as `hft release make` and `hft promote` make it: --shelf."
        )
        raise InputError("There is no shelf of releases", where=str(shelf), do=do)
    if not os.path.lexists(path):
        return b""
    with _opened(path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
        return _whole(path, _bytes(path, descriptor))


@dataclass(frozen=True, slots=True)
class HeldLog:
    """A log that nobody else reads or adds to meanwhile."""

    path: Path
    data: bytes
    _descriptor: int

    def add(self, line: bytes) -> None:
        """One write, and on the disk; what comes there in part is taken back."""
        if len(self.data) + len(line) > LOG_BYTES_MAX:
            raise full(self.path)
        try:
            try:
                if os.write(self._descriptor, line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, len(self.data))
                raise
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)  # of a new file its name, too
            finally:
                os.close(folder)
        except OSError as error:
            raise _host(self.path, error) from None


@contextmanager
def held_log(shelf: Path, name: str) -> Iterator[HeldLog]:
    """The log, alone, to add to; an empty one where there was none."""
    read_log(shelf, name)  # a shelf that is none is refused before a file is made
    path = log_of(shelf, name)
    with _opened(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as descriptor:
        yield HeldLog(path, _whole(path, _bytes(path, descriptor)), descriptor)


def mend_log(shelf: Path, name: str) -> int:
    """Take away what stands behind the last whole line; how many bytes that were."""
    path = log_of(shelf, require_name(name))
    with _opened(path, os.O_RDWR, fcntl.LOCK_EX) as descriptor:
        data = _bytes(path, descriptor)
        whole = data.rfind(b"\n") + 1
        if len(data) - whole > LINE_BYTES_MAX:
            do = "Fetch the log again, or ask who wrote it."
            raise InputError("What stands at its end is no torn line", where=str(path), do=do)
        try:
            os.ftruncate(descriptor, whole)
            os.fsync(descriptor)
        except OSError as error:
            raise _host(path, error) from None
    return len(data) - whole


@contextmanager
def _opened(path: Path, flags: int, lock: int) -> Iterator[int]:
    try:
        more = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(path, flags | more, 0o644)
    except OSError as error:
        if path.is_symlink():
            raise _no_log(path, "is a link") from None
        raise _host(path, error) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise _no_log(path, "is no plain file of one name")
        _lock(path, descriptor, lock)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int, lock: int) -> None:
    until = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, lock | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                do = "Wait until the other is over; `fuser` tells who has the file open."
                raise StateError("Another holds the log", where=str(path), do=do) from None
            time.sleep(_TURN_S)
        except OSError as error:
            raise _host(path, error) from None


def _bytes(path: Path, descriptor: int) -> bytes:
    try:
        if os.fstat(descriptor).st_size > LOG_BYTES_MAX:
            raise _no_log(path, f"has more than {LOG_BYTES_MAX >> 20} MiB")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(LOG_BYTES_MAX + 1)
    except OSError as error:
        raise _host(path, error) from None


def _whole(path: Path, data: bytes) -> bytes:
    if data and not data.endswith(b"\n"):
        name = path.name.removesuffix(ENDING)
        torn = len(data) - data.rfind(b"\n") - 1
        raise StateError(
            f"The last line has no end: a writer was killed, and {torn:,} bytes are no step",
            where=str(path),
            do=f"Take them away with `hft rollout {name} --mend`, then see what was meant.",
        )
    return data


def full(path: Path) -> HftError:
    return StateError("The log is full", where=str(path), do="Begin one anew: docs/rollout.md.")


def _no_log(path: Path, what: str) -> HftError:
    return InputError(f"The log of a rollout {what}", where=str(path), do="Look who put it there.")


def _host(path: Path, error: OSError) -> HftError:
    return HostError(
        f"The log of a rollout cannot be used: {error.strerror}",
        where=str(path),
        do="Give a shelf that this user can read, and write to where a step is taken.",
    )
