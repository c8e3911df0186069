"""A file that is there whole or not at all: written beside, then renamed.

    write_whole(path, data, "The module cannot be written", do="Name a folder that is yours.")

Who reads `path` meanwhile reads what was there before. It is not synced: after a power failure the
older file may be there. Worst case: a process that is killed leaves `.NAME.PID.part` beside it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from hftlib.core.errors import HostError


def write_whole(path: Path, data: bytes, what: str, *, do: str, with_folder: bool = False) -> None:
    """These bytes at that place; `what` and `do` say it where the host does not let us."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if with_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise HostError(f"{what}: {error.strerror}", where=str(path), do=do) from None
