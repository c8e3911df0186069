"""Who may go on with a journal: its runner, or a standby's copy that was told to take over.

    copy.journal/epoch   {"epoch": 2, "role": "own", "control": ""}     no part of the journal

A journal without that file is its runner's own, of epoch 1. A standby's copy has the epoch of the
runner that it follows and the role `copy`: nobody goes on with it. Told to take over, it is `own`
and of the next epoch, and whoever comes with an epoch before that is refused for good (fencing).

Worst case: none; the file is on the disk before anybody is told.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.journal.segments import session_of, sync_folder
from hftlib.core.journal.walking import is_live

NAME, OWN, COPY = "epoch", "own", "copy"
EPOCH_MAX = 1 << 31
_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Epoch:
    """What the file says."""

    epoch: int = 1
    role: str = OWN
    control: str = ""  # where the standby that keeps it is told things


def read(folder: Path) -> Epoch:
    """Of this journal; one without the file is its runner's own."""
    path = folder / NAME
    try:
        text = path.read_bytes()[:_BYTES_MAX]
    except FileNotFoundError:
        return Epoch()
    except OSError as error:
        raise _none(path, str(error.strerror)) from None
    try:
        made = Epoch(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise _none(path, "it is no JSON of an epoch") from None
    is_number = isinstance(made.epoch, int) and not isinstance(made.epoch, bool)
    if not is_number or not 1 <= made.epoch < EPOCH_MAX or made.role not in (OWN, COPY):
        raise _none(path, "its epoch or its role is none")
    return made


def write(folder: Path, epoch: Epoch) -> None:
    """On the disk before this returns."""
    path, part = folder / NAME, folder / f"{NAME}.part"
    try:
        with part.open("w") as file:
            json.dump(asdict(epoch), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(folder)
    except OSError as error:
        raise HostError(
            f"The epoch cannot be written: {error.strerror}",
            where=str(path),
            do="Make room on that disk, or let its owner do it.",
        ) from None


def taken_over(folder: Path) -> Epoch:
    """The next epoch, in which this copy is a journal of its own; whoever keeps it has let go."""
    session_of(folder)  # a sentence where it is no journal
    now = read(folder)
    if now.role == OWN:
        raise StateError(
            "This is no standby's copy, or it has taken over already",
            where=str(folder),
            do="Go on with it: hft live --resume --journal FOLDER.",
        )
    if is_live(folder):
        raise StateError(
            "A standby keeps this copy, and does not listen",
            where=str(folder),
            do="End it, and say it again.",
        )
    made = replace(now, epoch=now.epoch + 1, role=OWN, control="")
    write(folder, made)
    return made


def require_own(folder: Path) -> Epoch:
    """Refuse a copy that was not told to take over: its runner may be trading."""
    found = read(folder)
    if found.role == COPY:
        raise StateError(
            "This is a standby's copy, and nobody told it to take over",
            where=str(folder),
            do=f"Say so: hft standby promote {folder}. Its runner then trades no more.",
        )
    return found


def _none(path: Path, what: str) -> InputError:
    do = "Take the file from a backup, or let the standby make another copy."
    return InputError(f"This says of no epoch: {what}", where=str(path), do=do)
