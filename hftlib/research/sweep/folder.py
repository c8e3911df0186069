"""What a sweep leaves on disk, and goes on from: a folder that one process at a time writes.

    sweep.json       what was asked: strategy, tapes, space, settings; another question is refused
    trials.jsonl     a line for each trial, written when it is over
    pnl.npy          float64, a row for each trial by its number: net P&L of each step
    study.log        Optuna's journal, where it chooses
    registry.json    the run of the registry that counts these trials

A trial's P&L is written before its line: a line means that all of it is there. A line that a kill
cut in half is passed over, and its trial made again. Nothing of a trial stays in memory but its
number, its state and its objective.

Worst case: the disk is full, and a sentence says so; what was written before it is whole.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.research.sweep.trying import DONE, Outcome

VERSION = 1
_NAMES = ("sweep.json", "trials.jsonl", "pnl.npy", "study.log", "registry.json")
_SHOWN_MAX = 120
_BYTES = 8


class Folder:
    """A sweep's folder, open for writing by this process alone."""

    def __init__(self, path: Path | str | None, asked: Mapping[str, Any], steps: int) -> None:
        self.is_temporary = path is None
        self.path = Path(tempfile.mkdtemp(prefix="hft-sweep-")) if path is None else _made(path)
        if self.is_temporary:
            atexit.register(self._remove)
        self.steps = steps
        self._lock = _locked(self.path)
        try:
            self._require_same(asked)
            self._log = self.path / "trials.jsonl"
            cut_torn_line(self._log)
            self.states: dict[int, str] = {}
            self.objectives: dict[int, float] = {}
            for row in self.rows():
                self._note(row)
        except BaseException:
            self.close()
            raise

    def rows(self) -> Iterator[dict[str, Any]]:
        """All trials that are over, as they ended."""
        if not self._log.exists():
            return
        with self._log.open("rb") as lines:
            for line in lines:
                row = _row(line)
                if row is not None:
                    yield row

    def keep(self, outcome: Outcome) -> None:
        """Write what became of a trial."""
        row = outcome.row()
        try:
            if outcome.pnl is not None:
                self._write_pnl(outcome.number, outcome.pnl)
            text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
            with self._log.open("ab") as log:
                log.write(text.encode() + b"\n")
        except OSError as error:
            raise HostError(
                f"What became of a trial could not be written: {error.strerror}",
                where=str(self.path),
                do="Make room there; the same call with this folder goes on.",
            ) from None
        self._note(row)

    def reserve(self, trials: int) -> None:
        """Room for the P&L of so many trials: a file with holes, which take no room yet."""
        path = self.path / "pnl.npy"
        there = len(self.pnl) if path.exists() else 0
        if there >= trials:
            return
        part = self.path / "pnl.npy.part"
        with part.open("wb") as larger:
            shape = {"descr": "<f8", "fortran_order": False, "shape": (trials, self.steps)}
            np.lib.format.write_array_header_1_0(larger, shape)
            begin = larger.tell()
            if there:
                with path.open("rb") as old:
                    old.seek(_begin(old))
                    shutil.copyfileobj(old, larger, 1 << 20)
            larger.truncate(begin + trials * self.steps * _BYTES)
        os.replace(part, path)

    @property
    def pnl(self) -> np.ndarray[Any, Any]:
        """The P&L of all trials by number, mapped for reading; rows of those not done mean none."""
        return np.load(self.path / "pnl.npy", mmap_mode="r")

    def noted(self, name: str) -> Any:
        """A note that was left here as JSON; None where there is none."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def note(self, name: str, value: Any) -> None:
        """Leave a note, whole or not at all."""
        part = self.path / f"{name}.part"
        part.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(part, self.path / name)

    def close(self) -> None:
        """Let another process go on here."""
        os.close(self._lock)

    def _remove(self) -> None:
        if self.is_temporary:  # still: one that was interrupted is kept
            shutil.rmtree(self.path, ignore_errors=True)

    def _note(self, row: Mapping[str, Any]) -> None:
        value = row["objective"]
        self.states[row["number"]] = row["state"]
        if row["state"] == DONE and value is not None:
            self.objectives[row["number"]] = value

    def _write_pnl(self, number: int, steps: np.ndarray[Any, Any]) -> None:
        """One row. It is written, not mapped: of many steps and trials the file is large."""
        with (self.path / "pnl.npy").open("rb+") as file:
            file.seek(_begin(file) + number * self.steps * _BYTES)
            file.write(np.ascontiguousarray(steps, "<f8").tobytes())

    def _require_same(self, asked: Mapping[str, Any]) -> None:
        """Refuse a folder of another question; write this one's down where there is none."""
        place = self.path / "sweep.json"
        asked = json.loads(json.dumps({"version": VERSION, **asked}))
        if not place.exists():
            self.note("sweep.json", asked)
            return
        there = self.noted("sweep.json")
        if not isinstance(there, dict):
            raise InputError(
                "The sweep's own description cannot be read",
                where=str(place),
                do="Name another folder, or remove this one.",
            )
        for name, value in asked.items():
            if there.get(name) != value:
                was, now = (_short(one) for one in (there.get(name), value))
                raise StateError(
                    f"This folder has a sweep with another {name}: {was} there, {now} now",
                    where=str(self.path),
                    do="Name another folder, or ask what was asked there.",
                )


def _begin(file: Any) -> int:
    """Where the rows begin: behind the header of a .npy."""
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    return int(file.tell())


def cut_torn_line(path: Path) -> None:
    """Take the end of a log away that a kill cut in half: the next line must not be glued to it."""
    if not path.exists():
        return
    with path.open("rb+") as log:
        size = log.seek(0, os.SEEK_END)
        reach = min(size, 1 << 20)
        log.seek(size - reach)
        behind = log.read(reach)
        if behind and not behind.endswith(b"\n"):
            log.truncate(size - reach + behind.rfind(b"\n") + 1)


def _row(line: bytes) -> dict[str, Any] | None:
    """A line's trial; None where it is none."""
    try:
        row = json.loads(line)
        whole = {"number", "params", "state", "objective", "figures"} <= row.keys()
    except (ValueError, AttributeError):
        return None
    return row if whole else None


def _made(path: Path | str) -> Path:
    try:
        place = Path(path)
        place.mkdir(parents=True, exist_ok=True)
        others = [one.name for one in place.iterdir() if one.name not in (*_NAMES, "lock")]
    except (OSError, TypeError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"The folder for the sweep cannot be used: {told}",
            where=f"hft.sweep(folder={str(path)!r})",
            do="Name a folder that is a sweep's, or that does not exist yet.",
        ) from None
    if others and not (place / "sweep.json").exists():
        raise InputError(
            f"There is {others[0]!r}, and no sweep",
            where=f"hft.sweep(folder={str(path)!r})",
            do="Name a folder that is a sweep's, or that does not exist yet.",
        )
    return place


def _locked(path: Path) -> int:
    """The folder's lock, which ends with the process however it ends."""
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StateError(
            "Another sweep is at work in this folder",
            where=str(path),
            do="Wait for it, or name another folder.",
        ) from None
    return descriptor


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
