"""A line is added to the audit log: alone, after the last there is, on the disk before it counts.

    log = AuditLog(path)                                made where there is none, mode 0600
    line = log.append(who="ann", did="look", what="journal", frm="10.0.0.7", rows=200)
    mend(path, who="ann")                               a torn last line, kept beside: FILE.torn

Several processes and threads may add: each holds the file's lock from the reading of its last line
until its own is on the disk. What comes there in part, on a full disk, is taken back. Nothing that
`append` is told is ever dropped for being odd: a stranger's text is cut and written as it prints.

Worst case: one fsync a line, and ten seconds for another who holds the lock. A log of 1 GiB is
full; a file that was moved away under an open log is a sentence, and never two logs in one.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
import time
from pathlib import Path

from hftlib.core.audit.file import (
    LOG_BYTES_MAX,
    host,
    last_line,
    locked,
    open_log,
    opened,
    tail_of,
)
from hftlib.core.audit.line import (
    DID_MAX,
    FIRST,
    LINE_BYTES_MAX,
    WHAT_MAX,
    WHO_MAX,
    WHY_MAX,
    Line,
    facts_of,
    line_of,
    printable,
)
from hftlib.core.errors import InputError, StateError


class AuditLog:
    """The writing end; also of several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise host(self.path, error) from None
        is_new = not os.path.lexists(self.path)
        self._file = open_log(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._alone = threading.Lock()
        try:
            if is_new:
                _sync_folder(self.path)
            with locked(self.path, self._file, fcntl.LOCK_SH):
                self._last(self._size())
        except BaseException:
            self.close()
            raise

    def append(self, *, who: str, did: str, what: str, why: str = "", **facts: object) -> Line:
        """Add what happened, and give its line once it is on the disk."""
        told = {
            "who": printable(who, WHO_MAX) or "nobody",
            "did": printable(did, DID_MAX),
            "what": printable(what, WHAT_MAX),
            "why": printable(why, WHY_MAX),
        }
        if not told["did"]:
            raise InputError("A line says what was done", where="did", do="Give it a word.")
        found = facts_of(facts)
        with self._alone, locked(self.path, self._file, fcntl.LOCK_EX):
            size = self._size()
            last = self._last(size)
            number, before = (last.number + 1, last.digest) if last else (1, FIRST)
            line = Line(number, before, time.time_ns(), facts=found, **told)
            self._add(line.text(), size)
        return line

    @property
    def head(self) -> str:
        """The digest of its last line: noted elsewhere, it is an anchor (`hft audit verify`)."""
        with self._alone, locked(self.path, self._file, fcntl.LOCK_SH):
            last = self._last(self._size())
        return last.digest if last else FIRST

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __del__(self) -> None:
        if hasattr(self, "_file"):  # one that was never opened has none
            self.close()

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def _size(self) -> int:
        """Its bytes now, if it is still the file of that name."""
        try:
            own = os.fstat(self._file)
            named = os.stat(self.path, follow_symlinks=False)
        except OSError as error:
            raise host(self.path, error) from None
        if (own.st_dev, own.st_ino) != (named.st_dev, named.st_ino):
            do = "Put it back, or start again with a log of its own."
            raise StateError("The audit log was put in another place", where=str(self.path), do=do)
        return own.st_size

    def _last(self, size: int) -> Line | None:
        text = last_line(self.path, self._file, size)
        return line_of(text, f"{self.path}, its last line") if text else None

    def _add(self, text: bytes, size: int) -> None:
        if size + len(text) > LOG_BYTES_MAX:
            do = "Note its head (`hft audit verify`), keep it elsewhere, and begin one anew."
            raise StateError("The audit log is full", where=str(self.path), do=do)
        try:
            try:
                if os.write(self._file, text) != len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, size)
                raise
        except OSError as error:
            raise host(self.path, error) from None


def mend(path: Path, who: str) -> int:
    """Take away what stands behind the last whole line, keep it beside; how many bytes those were.

    That it was done is the next line of the log.
    """
    with opened(path, os.O_RDWR) as descriptor, locked(path, descriptor, fcntl.LOCK_EX):
        size = os.fstat(descriptor).st_size
        tail = tail_of(path, descriptor, size)
        torn = tail[tail.rfind(b"\n") + 1 :]
        if not torn:
            return 0
        if len(torn) > LINE_BYTES_MAX:
            do = "Compare it with a copy, or ask who wrote it."
            raise InputError("What stands at its end is no torn line", where=str(path), do=do)
        try:
            _keep(path, torn)
            os.ftruncate(descriptor, size - len(torn))
            os.fsync(descriptor)
        except OSError as error:
            raise host(path, error) from None
    with AuditLog(path) as log:
        digest = hashlib.sha256(torn).hexdigest()
        log.append(who=who, did="mend", what="a torn end", bytes=len(torn), sha256=digest)
    return len(torn)


def _keep(path: Path, torn: bytes) -> None:
    """Behind what was taken away before, if anything was."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path.with_name(f"{path.name}.torn"), flags, 0o600), "wb") as file:
        file.write(torn + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # of a new file its name, too
        finally:
            os.close(folder)
    except OSError as error:
        raise host(path, error) from None
