"""The claim on a file: who may write an arena or a journal, one process at a time, and the kernel
says which.

A claim is the kernel's lock on a descriptor of its own. Such a lock belongs to all duplicates of
the descriptor it was taken on and lasts until the last of them is closed. So the mapping, which
keeps a duplicate of the descriptor it was made from, is given another one; and a forked child
closes its duplicate at once, or a helper that outlives a killed writer would keep the next one out.

Worst case: a child forked by C code, past `os.fork`, is not told that it lost the claim, and holds
the lock until it ends or calls `exec`, if the writer was killed rather than closed.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
import weakref
from pathlib import Path

from hftlib.core.errors import HostError, InputError, StateError

LOOKERS_MAX = 5  # as many milliseconds for those who only ask whether it is held
_claims: weakref.WeakSet[Claim] = weakref.WeakSet()


class Claim:
    """This process writes the file, until it lets go, ends, or the memory is no longer used."""

    def __init__(
        self, descriptor: int, path: Path, memory: mmap.mmap, thing: str = "arena"
    ) -> None:
        self._owner_pid = os.getpid()
        self._file = _identity(os.fstat(descriptor))
        own = _opened_again(descriptor, path, thing)
        try:
            lock(own, path, thing=thing)
        except BaseException:
            os.close(own)
            raise
        self._descriptor = own
        _claims.add(self)
        # Dropped without let_go(): the file stays locked as long as an array of it is used. When
        # the interpreter ends there is nothing to do: the kernel lets go.
        weakref.finalize(memory, self.let_go).atexit = False

    @property
    def held(self) -> bool:
        return self._descriptor >= 0

    def holds(self, descriptor: int) -> bool:
        return self.held and self._file == _identity(os.fstat(descriptor))

    def let_go(self) -> None:
        """Let another process write. In a forked child, the parent's claim stays as it is."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        if self._owner_pid == os.getpid():
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def lost(self) -> tuple[str, str]:
        """What an arena without its claim is, and what to do about it."""
        if self._owner_pid != os.getpid():
            return "A forked child's copy of an arena", "Let the process that opened it do that."
        return "A closed arena", "Open it again with writable=True."


def missing(claim: Claim | None, writable: bool, what: str, where: str) -> StateError:
    """The sentence for what only the one writer of a file may do."""
    if claim is not None:
        who, do = claim.lost()
    elif writable:
        who = "An arena opened beside its writer, with exclusive=False,"
        do = "Open it without exclusive=False in the one process that owns it."
    else:
        who = "A read-only arena"
        do = "Open it with writable=True in the one process that owns it."
    return StateError(f"{who} cannot {what}", where=where, do=do)


def lock(descriptor: int, path: Path, do: str = "", thing: str = "arena") -> None:
    """Hold a file that nobody writes; the kernel gives the lock up when this process ends."""
    if not _locked(descriptor):
        if any(claim.holds(descriptor) for claim in list(_claims)):
            raise StateError(
                f"This very process is writing this {thing} already",
                where=str(path),
                do=do
                or f"Go on with that {thing}, perhaps from an earlier run of a notebook's cell, or "
                "close() it first.",
            ) from None
        raise StateError(
            f"Another process is writing this {thing}",
            where=str(path),
            do=do or "Open it read-only, or stop the other process first.",
        ) from None
    # Between opening and locking, a saved arena may have taken the name: this one has lost it.
    if not path.exists() or _identity(path.stat()) != _identity(os.fstat(descriptor)):
        raise StateError(
            "The file was replaced or removed in the moment it was opened",
            where=str(path),
            do="Try again.",
        )


def is_written(path: Path) -> bool:
    """Whether some process holds the file at this moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _locked(descriptor: int) -> bool:
    """Whether the lock was had. `is_written` holds it for some microseconds when nobody does."""
    for _ in range(LOOKERS_MAX):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.001)
        else:
            return True
    return False


def refuse_link(path: Path) -> None:
    """A symbolic link could be turned elsewhere between two looks at it."""
    if path.is_symlink():
        raise InputError(
            f"The arena cannot be opened: a symbolic link stands for {os.readlink(path)!r}",
            where=str(path),
            do="Give the path of the file itself.",
        )


def _opened_again(descriptor: int, path: Path, thing: str) -> int:
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)
    except OSError as error:
        raise HostError(
            f"The {thing} cannot be opened a second time, for its lock: {error.strerror}",
            where=str(path),
            do="Mount /proc, and allow this process more open files (`ulimit -n`).",
        ) from None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _let_go_in_child() -> None:
    for claim in list(_claims):
        claim.let_go()


os.register_at_fork(after_in_child=_let_go_in_child)
