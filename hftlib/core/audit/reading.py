"""The audit log read: each line held against the one before it, and against an anchor noted before.

    for line in lines_of(path): ...          one after the other, in bounded memory
    read_audit(path)                         all of them; the first that does not hold is a sentence
    verified(path, head="4f2a...")           how many, and the head; the anchor is one of its lines

A log that was changed and whose every later line was written anew holds by itself. An anchor is the
digest of a line, noted where the writer of the log cannot write: paper, another host, a mail. A log
that lacks that line was cut off, or is another one.

Worst case: 8 us a line; one that is being added to is read up to its last line at the start.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hftlib.core.audit.file import LOG_BYTES_MAX, host, last_line, locked, no_log, opened
from hftlib.core.audit.line import FIRST, LINE_BYTES_MAX, Line, line_of, wrong
from hftlib.core.errors import HostError, InputError, StateError

_HEAD = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a log that holds comes to."""

    path: str
    lines: int
    head: str  # the digest of the last line
    first_ns: int
    last_ns: int
    anchor: int  # the number of the line that was asked for; 0: none was


def audit_place() -> Path:
    """Where this user's log is: $HFT_AUDIT, or in this user's state."""
    given = os.environ.get("HFT_AUDIT")
    if given:
        return Path(given)
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:
        do = "Set HFT_AUDIT to a file that this user can write."
        raise HostError("This user has no home directory", where="HOME", do=do) from None
    return state / "hftlib" / "audit.log"


def read_audit(path: Path) -> list[Line]:
    """All lines of the log, of which each follows the one before."""
    return list(lines_of(path))


def lines_of(path: Path) -> Iterator[Line]:
    """One line after the other; HftError at the first that does not hold."""
    path = Path(path)
    with opened(path, os.O_RDONLY) as descriptor:
        with locked(path, descriptor, fcntl.LOCK_SH):
            size = os.fstat(descriptor).st_size
            if size > LOG_BYTES_MAX:
                raise no_log(path, f"has more than {LOG_BYTES_MAX >> 20:,} MiB")
            last_line(path, descriptor, size)  # a torn end is told first
        number, before = 0, FIRST
        with open(descriptor, "rb", closefd=False) as file:
            while size > 0:
                text = _next(path, file, number + 1)
                size -= len(text)
                number += 1
                line = line_of(text, f"{path}, line {number:,}")
                if line.number != number or line.before != before:
                    what = "does not follow the line before it: one was altered, or is missing"
                    raise wrong(what, f"{path}, line {number:,}")
                before = line.digest
                yield line


def verified(path: Path, head: str = "") -> Verified:
    """The log is whole, and has the line with this digest, or one that begins so."""
    wanted = head.strip().lower()
    if wanted and not _HEAD.fullmatch(wanted):
        do = "Give the digest as `hft audit verify` printed it, at least 8 digits."
        raise InputError("This is no digest of a line", where="--head", do=do)
    count = first = last = anchor = 0
    before = FIRST
    for line in lines_of(path):
        count, last, before = line.number, line.time_ns, line.digest
        first = first or line.time_ns
        anchor = count if wanted and before.startswith(wanted) else anchor
    if wanted and not anchor and not FIRST.startswith(wanted):
        what = f"None of its {count:,} lines has that digest: its end was cut off, or it is another"
        do = "Compare it with a copy, and ask who could write the file."
        raise StateError(what, where=str(path), do=do)
    return Verified(str(path), count, before, first, last, anchor)


def _next(path: Path, file: BinaryIO, number: int) -> bytes:
    try:
        text = file.readline(LINE_BYTES_MAX + 1)
    except OSError as error:
        raise host(path, error) from None
    if not text.endswith(b"\n"):
        raise wrong("has no end", f"{path}, line {number:,}")
    return text
