"""Which runners of this user there are: those that were named, or all there are, as they come.

    found = Discovered({})                  all, by their sockets in the folder of this user
    found.sockets()                         {"runner-4711": Path(...)}, as of now

A socket is not asked for that: its name has the process, and a process is there or not. One that is
gone stays in sight for KEPT_S, so that nobody has to guess where it went.
Worst case: RUNNERS_MAX of them; further ones are left out.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from hftlib.core.control.places import own_folder
from hftlib.core.errors import HftError, InputError

RUNNERS_MAX, KEPT_S = 32, 300.0
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)
_SOCKET = re.compile(r"runner-(\d{1,10})\.socket", re.ASCII)


class Discovered:
    """The sockets to look at."""

    def __init__(self, named: Mapping[str, Path]) -> None:
        self._named = dict(named)
        self._seen: dict[str, tuple[Path, float]] = {}

    def sockets(self) -> dict[str, Path]:
        """Each by its name."""
        if self._named:
            return self._named
        now = time.monotonic()
        for name, path in _alive():
            self._seen[name] = path, now
        self._seen = {name: one for name, one in self._seen.items() if now - one[1] < KEPT_S}
        newest = sorted(self._seen.items(), key=lambda item: -item[1][1])[:RUNNERS_MAX]
        return {name: path for name, (path, _) in sorted(newest)}


def named_sockets(given: list[str]) -> dict[str, Path]:
    """NAME=SOCKET, or SOCKET alone, as the command line has them."""
    found: dict[str, Path] = {}
    for one in given:
        name, equals, place = one.partition("=")
        path = Path(place if equals else one)
        name = name if equals else path.name.removesuffix(".socket")
        if not NAME.fullmatch(name) or not str(path) or path == Path():
            do = "Write NAME=SOCKET: letters, digits, - . and _, then the runner's --control."
            raise InputError(f"{one!a} names no runner", where="--runner", do=do)
        if name in found:
            do = "Give each a name of its own."
            raise InputError(f"Two runners are called {name}", where="--runner", do=do)
        found[name] = path
    if len(found) > RUNNERS_MAX:
        do = f"Name at most {RUNNERS_MAX}, and start another desk for the others."
        raise InputError(f"{len(found)} runners are too many", where="--runner", do=do)
    return found


def _alive() -> list[tuple[str, Path]]:
    try:
        folder = own_folder()
    except HftError:
        return []
    made = []
    for path in folder.glob("runner-*.socket"):
        found = _SOCKET.fullmatch(path.name)
        if found and os.path.exists(f"/proc/{found[1]}"):
            made.append((path.name.removesuffix(".socket"), path))
    return made
