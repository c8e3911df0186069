"""How full the file system of a runner's journal is.

    room = disk_room(status)      Room(free, size) in bytes, for its user; None: not known

A journal that was named from the runner's own folder is found by way of /proc while it is alive.
Worst case: it is gone, or was named relatively by one that is: None.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple


class Room(NamedTuple):
    """Of one file system."""

    free_bytes: int
    size_bytes: int

    @property
    def share(self) -> float:
        return self.free_bytes / self.size_bytes if self.size_bytes else 0.0


def disk_room(status: dict[str, Any]) -> Room | None:
    """Of that on which it journals."""
    journal = Path(status["journal"])
    place = journal if journal.is_absolute() else Path("/proc", str(status["pid"]), "cwd", journal)
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return Room(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)
