"""Rows of a numpy file (.npy, or the one array of an .npz) in blocks, without loading the whole.

numpy maps a plain .npy and loads an .npz at once; a day of events is gigabytes. A .npz is a zip of
.npy files, and an .npy a short header before the rows, so both can be read as a stream.
Worst case: one block of rows. Arrays of another shape or type, Python objects among them, a cut or
damaged file: each is refused with its sentence.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from hftlib.core.errors import InputError
from hftlib.feed.files import opened, wrong
from hftlib.feed.zipped import ZIP_DAMAGE


class NpyBlocks:
    """The one-dimensional array of `dtype` in a file, `rows_max` rows at a time."""

    def __init__(self, path: str | Path, dtype: np.dtype[Any], rows_max: int) -> None:
        self.path, self._dtype, self._rows_max = Path(path), dtype, rows_max
        self.share_done = 0.0
        self.rows = 0
        self._member: str | None = None
        try:
            with opened(self.path) as file:
                is_zip = zipfile.is_zipfile(file)
            if is_zip:
                with zipfile.ZipFile(self.path) as archive:
                    names = [name for name in archive.namelist() if name.endswith(".npy")]
                if len(names) != 1 and "data.npy" not in names:
                    do = "Give a file with one array, or one named data."
                    raise self.wrong(f"This file holds {len(names)} arrays", do)
                self._member = "data.npy" if "data.npy" in names else names[0]
            with self._opened() as file:
                self.rows = self._header(file)
        except ZIP_DAMAGE as error:
            raise self.wrong(f"This file cannot be opened: {error}", "Check the path.") from None

    def blocks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Arrays of at most `rows_max` rows; each is valid until the next."""
        block = np.zeros(min(self._rows_max, self.rows), self._dtype)
        done = 0
        with self._opened() as file:
            self._header(file)
            while done < self.rows:
                count = min(len(block), self.rows - done)
                bytes_wanted = count * self._dtype.itemsize
                try:
                    data = file.read(bytes_wanted)
                except ZIP_DAMAGE as error:
                    what = f"This file is damaged behind row {done:,}: {error}"
                    raise self.wrong(what, "Fetch it again.") from None
                if len(data) < bytes_wanted:
                    read = done + len(data) // self._dtype.itemsize
                    what = f"This file ends behind row {read:,} of {self.rows:,}"
                    raise self.wrong(what, "Fetch it again.")
                block[:count] = np.frombuffer(data, self._dtype)
                done += count
                self.share_done = done / self.rows
                yield block[:count]
        self.share_done = 1.0

    def wrong(self, what: str, do: str) -> InputError:
        return wrong(self.path, what, do)

    def _opened(self) -> IO[bytes]:
        if self._member is None:
            return opened(self.path)
        with zipfile.ZipFile(self.path) as archive:
            return archive.open(self._member)

    def _header(self, file: IO[bytes]) -> int:
        """Read the header: how many rows follow."""
        try:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
            shape, _, dtype = read[version](file)
        except (ValueError, KeyError, TypeError) as error:
            do = "Give an .npz or .npy file that numpy wrote."
            raise self.wrong(f"This is no array of numpy: {error}", do) from None
        found, wanted = _named(dtype), _named(self._dtype)
        if len(shape) != 1 or shape[0] < 0 or found != wanted:
            names = ", ".join(f"{name} {kind}" for name, kind, _ in wanted)
            what = f"Its array of shape {shape} and type {dtype} is not the one expected"
            raise self.wrong(what, f"Give a one-dimensional array of records of: {names}.")
        return int(shape[0])


def _named(dtype: np.dtype[Any]) -> list[tuple[str, str, int]]:
    fields: Any = dtype.fields or {}
    return [(name, fields[name][0].str, fields[name][1]) for name in dtype.names or ()]
