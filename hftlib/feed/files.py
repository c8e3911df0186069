"""Opening what was recorded, and what most text feeds have in common: one file, one instrument.

A recording is opened several times: to tell what it is, to read its head, to read all of it. A pipe
gives its bytes only once, so it is refused before anything waits for it; whatever else cannot be
opened has its sentence here, the same for every source. Worst case: none beyond the file system's.
"""

from __future__ import annotations

from errno import ESPIPE
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, Any

from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.units import shown

_REASONS: dict[type[Exception], str] = {
    FileNotFoundError: "There is no such file",
    IsADirectoryError: "It is a folder, not a file",
    NotADirectoryError: "Its path goes through a file",
    PermissionError: "It may not be read by you",
}


def opened(path: Path, *, buffering: int = -1) -> IO[bytes]:
    """The file, to be read from its first byte; or a refusal that says why not."""
    try:
        mode = path.stat().st_mode
        if not S_ISREG(mode) and not S_ISDIR(mode):
            raise OSError(ESPIPE, "it is a pipe or a device, which cannot be read twice")
        return path.open("rb", buffering=buffering)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        what = _REASONS.get(type(error), f"It cannot be opened: {why}")
        raise wrong(shown(str(path)), what, "Name a file that can be read.") from None


def wrong(path: Path | str, what: str, do: str) -> InputError:
    """What is wrong with a file."""
    return InputError(what, where=str(path), do=do)


def one_instrument(symbol: str, **facts: Any) -> tuple[Instruments, int]:
    """The table of a source that is of one instrument, and its row."""
    made = Instruments()
    return made, made.add(symbol, **facts)
