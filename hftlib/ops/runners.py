"""Which runners somebody looks at from outside: those that were named, or all that are found.

    runners = Runners.of(["maker=/run/user/1000/hftlib/runner-77.socket"], "hft metrics")
    runners.now()          {"maker": Path(...)}: name and control socket of each

Without names it is every runner of this user with a page, alive when it was first seen; it is named
after its strategies, and stays in the list after a kill, until its page is gone as well: a day that
ended tidily leaves none. Nothing is asked of the runners, for this or for what follows from it.

Worst case: RUNNERS_MAX of them; more are not looked at, and `left_out` says how many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from hftlib.core.control.asking import running
from hftlib.core.control.places import own_folder
from hftlib.core.errors import HftError, InputError
from hftlib.ops.page_reading import PageReader, page_path

RUNNERS_MAX = 32
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}")


class Runners:
    """The list, which is looked through anew at each `now`."""

    def __init__(self, named: dict[str, Path] | None = None) -> None:
        self.named = named or {}
        self.left_out = 0
        self._seen: dict[Path, str] = {}

    @classmethod
    def of(cls, given: Iterable[str], where: str) -> Runners:
        """What a command line says, NAME=SOCKET each; nothing: all that are found."""
        named: dict[str, Path] = {}
        for one in given:
            name, equals, path = one.partition("=")
            if not equals or not path or not NAME.fullmatch(name):
                do = "Write --runner NAME=SOCKET, a name of letters, digits, '_', '.', '+' and '-'."
                raise InputError(f"{one!r} names no runner", where=where, do=do)
            if name in named:
                do = "Give each runner a name of its own."
                raise InputError(f"Two runners are called {name}", where=where, do=do)
            named[name] = Path(path)
        if len(named) > RUNNERS_MAX:
            do = "Start another one for the rest."
            raise InputError(f"At most {RUNNERS_MAX} runners are looked at", where=where, do=do)
        return cls(named)

    def now(self) -> dict[str, Path]:
        if self.named:
            return dict(self.named)
        self._seen = {path: name for path, name in self._seen.items() if _is_there(path)}
        found = [one for one in _sockets() if one not in self._seen]
        room = RUNNERS_MAX - len(self._seen)
        self.left_out = max(0, len(found) - room)
        for path in found[:room]:
            self._seen[path] = self._free(_called(path), path)
        return {name: path for path, name in self._seen.items()}

    def _free(self, name: str, path: Path) -> str:
        """One that nobody has yet."""
        taken = set(self._seen.values())
        number = path.stem.rpartition("-")[2]
        return name if name not in taken else f"{name}-{number}"


def _sockets() -> list[Path]:
    """Of runners that are alive: by their pages, and without one by asking whether they answer."""
    found, silent = [], False
    for path in sorted(own_folder().glob("runner-*.socket")):
        if not os.path.lexists(page_path(path)):
            silent = True
            continue
        try:
            with PageReader(page_path(path)) as page:
                if Path("/proc", str(page.process)).exists():
                    found.append(path)
        except HftError:
            silent = True
    if silent:
        found += [one for one in running("runner") if one not in found]
    return found


def _is_there(path: Path) -> bool:
    """Whether it was not tidied away."""
    return os.path.lexists(page_path(path)) or os.path.lexists(path)


def _called(path: Path) -> str:
    try:
        with PageReader(page_path(path)) as page:
            name = "+".join(map(str, page.about["strategies"]))[:64]
    except (HftError, KeyError, TypeError):
        return path.stem
    return name if NAME.fullmatch(name) else path.stem
