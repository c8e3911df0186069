"""The folder of alerts: how each stands, for the desk and the next start, and the log of it all.

    alerts_of(Path("alerts"))                             newest first, as plain data
    acknowledge(Path("alerts"), "A17", "ann", "on it")    it is not escalated any more
    mute(Path("alerts"), "disk-low", until_ns, "ann", "moving journals")

    alerts/board.json     how things stand; replaced whole, under the lock of alerts/board.lock
    alerts/alerts.log     what happened: hash-chained lines (`hftlib/core/audit`)

Whoever changes something holds the lock, so that a desk and `hft alerts` do not undo each other.

Worst case: a log that cannot be written does not stop an alert; `Board.wrong` then says why, which
is an alert as well. A board that cannot be read is a sentence, and is never written over.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core import clock
from hftlib.core.audit import AuditLog
from hftlib.core.errors import HftError, HostError, InputError, StateError

FIRING, ACKNOWLEDGED, RESOLVED = "firing", "acknowledged", "resolved"
SHOWN = ("id", "rule", "severity", "runner", "said", "value", "since_ns", "state", "by", "why")
BYTES_MAX, LOCK_S, WORDS_MAX = 1 << 24, 5.0, 300
WHO = "alerts"
Alert = dict[str, Any]


class Board:
    """What lies in the folder, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wrong = ""  # why the log takes nothing

    @contextmanager
    def held(self) -> Iterator[dict[str, Any]]:
        """All of it, to be changed; what it is at the end is kept."""
        with _locked(self.folder):
            found = _read(self.folder)
            before = json.dumps(found)
            yield found
            after = json.dumps(found)
            if after != before:
                _write(self.folder, after)

    def note(self, who: str, did: str, what: str, why: str = "", **facts: object) -> None:
        """A line of the log."""
        try:
            log = AuditLog(self.folder / "alerts.log")
            log.append(who=who, did=did, what=what, why=why, **facts)
            self.wrong = ""
        except HftError as error:
            self.wrong = str(error)


def alerts_of(folder: Path) -> list[Alert]:
    """Every alert that is open, and those that were resolved lately; newest first."""
    found = _read(folder)["alerts"]
    rows = [{name: one[name] for name in SHOWN} for one in found]
    return sorted(rows, key=lambda one: (one["state"] == RESOLVED, -int(one["since_ns"])))


def mutes_of(folder: Path) -> list[dict[str, Any]]:
    """Which rules are muted, until when, by whom and why."""
    now_ns = clock.now_ns()
    return [one for one in _read(folder)["mutes"] if one["until_ns"] > now_ns]


def acknowledge(folder: Path, number: str, who: str, why: str) -> Alert:
    """Somebody sees to it: it is told no more unless it comes again."""
    who, why = _words(who, "who"), _words(why, "why")
    board = Board(folder)
    with board.held() as found:
        one = next((one for one in found["alerts"] if one["id"] == number), None)
        if one is None:
            do = "See `hft alerts show`."
            raise InputError(f"There is no alert {str(number)[:40]!r}", where=str(folder), do=do)
        if one["state"] == RESOLVED:
            do = "Nothing is to be done."
            raise StateError(f"{number} is resolved already", where=str(folder), do=do)
        one |= {"state": ACKNOWLEDGED, "by": who, "why": why}
        told = {name: one[name] for name in SHOWN}
        what = f"{one['id']} {one['rule']} {one['runner']}"
    board.note(who, "acknowledged", what, why)
    _loud(board)
    return told


def mute(folder: Path, rule: str, until_ns: int, who: str, why: str) -> None:
    """Of this rule nobody is told until then; a time that is over ends it at once."""
    who, why = _words(who, "who"), _words(why, "why")
    board = Board(folder)
    with board.held() as found:
        stays = [one for one in found["mutes"] if one["rule"] != rule]
        told = {"rule": rule, "until_ns": until_ns, "by": who, "why": why}
        found["mutes"] = [*stays, told] if until_ns > clock.now_ns() else stays
    board.note(who, "muted", rule, why, until_ns=until_ns)
    _loud(board)


def _loud(board: Board) -> None:
    """What a person did and the log did not take is said to that person."""
    if board.wrong:
        do = "Mend the log: it is done, and not on record."
        raise HostError(board.wrong, where=str(board.folder / "alerts.log"), do=do)


def _words(text: str, what: str) -> str:
    found = " ".join(str(text).split())
    if not found or len(found) > WORDS_MAX or not found.isprintable():
        do = f"Give --{what}, up to {WORDS_MAX} characters."
        raise InputError(f"{what} must be said", where="an alert", do=do)
    return found


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    place = folder / "board.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _host(folder, error) from None
    try:
        until = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    do = "Wait; `fuser` tells who has the file open."
                    raise StateError("Another holds the alerts", where=str(place), do=do) from None
                time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "board.json"
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return {"number": 0, "alerts": [], "mutes": [], "acts": {}}
    except OSError as error:
        raise _host(path, error) from None
    try:
        found = json.loads(data)
        names = {"number", "alerts", "mutes", "acts"}
        if len(data) > BYTES_MAX or found.keys() != names:
            raise ValueError
        for one in found["alerts"]:
            if not set(SHOWN) <= one.keys():
                raise ValueError
    except (ValueError, AttributeError, TypeError):
        do = "Put it aside; `alerts.log` has what happened."
        raise InputError("This is no board of alerts", where=str(path), do=do) from None
    return dict(found)


def _write(folder: Path, text: str) -> None:
    aside = folder / "board.json.new"
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(folder / "board.json")
    except OSError as error:
        raise _host(aside, error) from None


def _host(path: Path, error: OSError) -> HostError:
    do = "Give a folder that you can write: --folder."
    return HostError(f"Alerts cannot lie there: {error.strerror}", where=str(path), do=do)
