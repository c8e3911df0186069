"""Logs of a run, taken away before they are full: in memory while small, then in a file.

Worst case: the file lies where temporary files lie; when that is full, a sentence says so.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core.errors import HostError

SPILL_BYTES = 32 << 20
CHUNK = 1 << 16


def room_for(count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """So many rows of zeros: in memory where they are few, else in a file that is nobody's."""
    if count * dtype.itemsize <= SPILL_BYTES:
        return np.zeros(count, dtype)
    try:
        with tempfile.TemporaryFile(prefix="hft-rows-") as file:
            # All of it at once: a mapped page that a full disk does not have would end the process.
            os.posix_fallocate(file.fileno(), 0, count * dtype.itemsize)
            return np.memmap(file, dtype, mode="r+", shape=(count,))
    except OSError as error:
        raise _full(error) from None


def copied(rows: np.ndarray[Any, Any], chosen: Any = None) -> np.ndarray[Any, Any]:
    """These rows for somebody to change, a few at a time: of many, neither side is in memory."""
    which = np.arange(len(rows)) if chosen is None else np.asarray(chosen)
    which = np.flatnonzero(which) if which.dtype == bool else which
    made = room_for(len(which), rows.dtype)
    for first in range(0, len(which), CHUNK):
        made[first : first + CHUNK] = rows[which[first : first + CHUNK]]
    return made


def stacked(parts: Sequence[np.ndarray[Any, Any]], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """One behind the other; `np.concatenate` would lose a record's layout."""
    made = room_for(sum(map(len, parts)), dtype)
    begin = 0
    for part in parts:
        made[begin : begin + len(part)] = part
        begin += len(part)
    return made


def _full(error: OSError) -> HostError:
    return HostError(
        f"The log of orders and fills could not be written: {error.strerror}",
        where=f"the folder {tempfile.gettempdir()}",
        do="Make room there, or name another folder in TMPDIR.",
    )


class Recorder:
    """Rows of one record, in order.

    It has no finaliser: a Ctrl-C that arrives inside one is lost, and the run goes on.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._done: list[np.ndarray[Any, Any]] = []  # large parts, each in a file
        self._parts: list[np.ndarray[Any, Any]] = []
        self._bytes = 0

    def take(self, rows: np.ndarray[Any, Any]) -> None:
        """Keep a copy of these rows."""
        if not len(rows):
            return
        self._parts.append(rows.copy())
        self._bytes += rows.nbytes
        if self._bytes > SPILL_BYTES:
            self._done.append(stacked(self._parts, self.dtype))
            self._parts, self._bytes = [], 0

    def rows(self) -> np.ndarray[Any, Any]:
        """All rows so far, to be read only."""
        if len(self._done) + len(self._parts) != 1:
            self._done, self._parts = [stacked([*self._done, *self._parts], self.dtype)], []
            self._bytes = 0
        made = (self._done or self._parts)[0].view()
        made.flags.writeable = False
        return made
