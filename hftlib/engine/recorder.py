"""Logs of a run, taken away before they are full: in memory while small, then in a file.

Worst case: the file lies where temporary files lie; when that is full, a sentence says so.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from hftlib.core.errors import HostError

SPILL_BYTES = 32 << 20


class Recorder:
    """Rows of one record, in order."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._parts: list[np.ndarray[Any, Any]] = []
        self._bytes = 0
        self._file: Any = None

    def take(self, rows: np.ndarray[Any, Any]) -> None:
        """Keep a copy of these rows."""
        if not len(rows):
            return
        self._parts.append(rows.copy())
        self._bytes += rows.nbytes
        if self._bytes > SPILL_BYTES:
            self._spill()

    def rows(self) -> np.ndarray[Any, Any]:
        """All rows; of a large log, a read-only view of its file."""
        if self._file is None:
            made = np.zeros(sum(map(len, self._parts)), self.dtype)
            begin = 0
            for part in self._parts:
                made[begin : begin + len(part)] = part
                begin += len(part)
            return made
        self._spill()
        return np.memmap(self._file, self.dtype, mode="r")

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="hft-log-")  # noqa: SIM115  (kept open)
            for part in self._parts:
                self._file.write(part.tobytes())
            self._file.flush()
        except OSError as error:
            raise HostError(
                f"The log of orders and fills could not be written: {error.strerror}",
                where=f"the folder {tempfile.gettempdir()}",
                do="Make room there, or name another folder in TMPDIR.",
            ) from None
        self._parts, self._bytes = [], 0
