"""Runners of a group agree before any of them trades: all of one release, or none begins.

    with in_group("3@/shared/monday") as group:      --group 3@/shared/monday, for each of three
        ...                                          whatever is refused here refuses the others
        group.agree(release.digest)                  waits until all three have said the same

    /shared/monday/HOST-PID     {"digest": "..."}  or  {"refused": "a sentence"}

The folder is a new one for each launch, on this host or on one that all of them mount. Who does not
come is waited for PATIENCE_S and refuses the rest. Worst case: one that gives up in the very
moment in which the last one comes; the others begin without it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hftlib.core.errors import HftError, HostError, InputError, StateError

PATIENCE_S, LOOK_S = 60.0, 0.05
SIZE_MAX, WORDS_MAX, FILE_BYTES_MAX = 64, 400, 4_096
_WHERE = "hft live --group"
_NEW = "Begin the whole group again, with a new folder."


class Group:
    """One runner's part in it."""

    def __init__(self, folder: Path, size: int, patience_s: float) -> None:
        self.folder, self.size, self._patience_s = folder, size, patience_s
        self._own = f"{socket.gethostname()[:60]}-{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            known = len(self._names())
        except OSError as error:
            do = "Give a folder that every runner of the group can write."
            what = f"The group's folder cannot be used: {error.strerror}"
            raise HostError(what, where=str(folder), do=do) from None
        if known >= size:
            what = f"{known} runners have been here, and the group is one of {size}"
            raise StateError(what, where=str(folder), do=_NEW)

    def agree(self, digest: str) -> None:
        """Wait until everybody runs this; refused where somebody does not."""
        self._say({"digest": digest})
        until = time.monotonic() + self._patience_s
        while len(said := self._heard()) < self.size:
            self._require_same(said, digest)
            if time.monotonic() > until:
                what = f"{len(said)} of {self.size} runners of the group are there"
                raise StateError(what, where=str(self.folder), do=_NEW)
            time.sleep(LOOK_S)
        self._require_same(said, digest)
        if len(said) > self.size:
            what = f"{len(said)} runners came, and the group is one of {self.size}"
            raise StateError(what, where=str(self.folder), do=_NEW)

    def refuse(self, why: str) -> None:
        """Tell the others that this one does not begin."""
        with suppress(OSError):
            self._say({"refused": why[:WORDS_MAX]})

    def _require_same(self, said: dict[str, dict[str, str]], digest: str) -> None:
        for name, one in sorted(said.items()):
            if "refused" in one:
                what = f"{ascii(name)[1:-1]} of the group refused: {ascii(one['refused'])[1:-1]}"
                raise StateError(what, where=str(self.folder), do=_NEW)
            if one["digest"] != digest:
                what = f"{ascii(name)[1:-1]} of the group runs another release"
                raise StateError(what, where=str(self.folder), do=_NEW)

    def _say(self, told: dict[str, str]) -> None:
        part = self.folder / f".{self._own}"
        part.write_text(json.dumps(told))
        part.replace(self.folder / self._own)

    def _names(self) -> list[str]:
        return [one.name for one in self.folder.iterdir() if not one.name.startswith(".")]

    def _heard(self) -> dict[str, dict[str, str]]:
        found = {}
        for name in self._names()[: SIZE_MAX + 1]:
            told: object = None
            with (
                suppress(OSError, ValueError, RecursionError),
                (self.folder / name).open("rb") as f,
            ):
                told = json.loads(f.read(FILE_BYTES_MAX))
            good = isinstance(told, dict) and all(isinstance(one, str) for one in told.values())
            if isinstance(told, dict) and good and set(told) in ({"digest"}, {"refused"}):
                found[name] = told
            else:
                found[name] = {"refused": "what it says is damaged"}
        return found


@contextmanager
def in_group(given: str, patience_s: float = PATIENCE_S) -> Iterator[Group | None]:
    """A part in the group that is named so; None where none is. What is refused is told to all."""
    if not given:
        yield None
        return
    found = re.fullmatch(r"(\d{1,2})@(.+)", given, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= SIZE_MAX:
        what = f"{ascii(given)[:80]} is no group"
        raise InputError(what, where=_WHERE, do="Write 3@FOLDER: how many, and a new folder.")
    group = Group(Path(found[2]), int(found[1]), patience_s)
    try:
        yield group
    except HftError as error:
        group.refuse(error.what)
        raise
    except BaseException:
        group.refuse("it was ended")
        raise
