"""The unfinished file: a tape gets its name only when every byte of it is on the disk.

It is written as `NAME.xxxxxxxx.part` beside its place and locked while it is. Whoever is
interrupted removes it on the way out; what a killed process left behind, nobody holds the lock
of any more, and the next writer of the same tape removes it.
Worst case: a kill -9 leaves a part on the disk until then. A tape that opens is never left.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hftlib.core.errors import HostError, StateError


@contextmanager
def part_of(target: Path) -> Iterator[tuple[int, Path]]:
    """A new, locked file beside the target, as descriptor and path; gone when the block ends."""
    with failing(target):
        remove_left_behind(target)
        path = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with failing(target):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor, path
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def remove_left_behind(target: Path) -> None:
    """Remove parts of this tape whose writers are gone."""
    ours = re.compile(re.escape(target.name) + r"\.[0-9a-f]{8}\.part")
    for path in target.parent.iterdir():
        if not ours.fullmatch(path.name):
            continue
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            continue  # somebody is writing it
        finally:
            os.close(descriptor)


def publish(part: Path, target: Path, overwrite: bool) -> None:
    """Give the whole file its name. A link, unlike a rename, refuses to replace another's."""
    with failing(target):
        if overwrite:
            part.replace(target)
        else:
            try:
                os.link(part, target)
            except FileExistsError:
                raise taken(target) from None
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def taken(target: Path) -> StateError:
    """The sentence for a name that is in use."""
    return StateError(
        "There is a file of that name already",
        where=str(target),
        do="Choose another name, or say that it may be replaced: overwrite=True, --overwrite.",
    )


@contextmanager
def failing(target: Path) -> Iterator[None]:
    """Our own writing: what the system refuses is a sentence about the tape."""
    try:
        yield
    except OSError as error:
        raise HostError(
            f"The tape cannot be written: {error.strerror or error}",
            where=str(target),
            do="Name a directory that exists, that you may write, and that has room for about "
            "70 bytes an event.",
        ) from None
