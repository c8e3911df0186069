"""The two text files of a LOBSTER day, plain, gzip or in a zip, read in blocks of whole lines.

Worst case: one block in memory; a longer line, a damaged zip and a missing file are refused.
"""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from hftlib.feed.files import opened, wrong
from hftlib.feed.lobster_lines import NEWLINE
from hftlib.feed.zipped import ZIP_DAMAGE

_GZIP = b"\x1f\x8b"


class DayFile:
    """One of the two files of a day: plain, packed with gzip, or a member of a zip."""

    def __init__(self, path: Path, what: str, *, optional: bool = False) -> None:
        self.path, self.member = path, None
        self.name, self.where = path.name, str(path)
        try:
            with opened(path) as file:
                self.size = os.fstat(file.fileno()).st_size
                self.is_gzip = file.read(len(_GZIP)) == _GZIP
                if self.is_gzip or not zipfile.is_zipfile(file):
                    return
            with zipfile.ZipFile(path) as archive:
                files = [one for one in archive.infolist() if _is_file(one.filename, what)]
        except ZIP_DAMAGE as error:
            raise wrong(path, f"This file cannot be opened: {error}", "Check the path.") from None
        self.missing = not files
        if len(files) > 1 or (self.missing and not optional):
            do = f"Give a zip with one {what} file, or the plain file itself."
            raise wrong(path, f"This zip holds {len(files)} {what} files", do)
        if files:
            self.member, self.size = files[0].filename, files[0].file_size
            self.name, self.where = self.member, f"{path}: {self.member}"

    def or_none(self) -> DayFile | None:
        return None if self.missing else self

    def opened(self) -> IO[bytes]:
        try:
            if self.member is None:
                return _unpacked(self.path) if self.is_gzip else opened(self.path)
            with zipfile.ZipFile(self.path) as archive:
                return archive.open(self.member)
        except ZIP_DAMAGE as error:
            do = "Check the file and its permissions."
            raise wrong(self.path, f"This file cannot be opened: {error}", do) from None


def _unpacked(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path))


def _is_file(member: str, what: str) -> bool:
    """Whether this member is that file; a Mac puts a shadow of each beside it."""
    return f"_{what}_" in member and not member.startswith("__MACOSX/")


def blocks_of(
    file: IO[bytes], block: np.ndarray[Any, Any], state: Any, text: DayFile
) -> Iterator[None]:
    """Fill the block again and again; each time `state` speaks of the whole lines in it."""
    view, kept = block.data, 0
    while True:
        try:
            count = file.readinto(view[kept:-1])  # type: ignore[attr-defined]
        except ZIP_DAMAGE as error:
            what = f"This file is damaged behind byte {int(state['offset']):,}: {error}"
            raise wrong(text.path, what, "Fetch it again.") from None
        filled = kept + count
        state["cut"] = 0
        if count == 0 and kept:
            block[filled] = NEWLINE
            filled += 1
            state["cut"] = 1
        newlines = np.flatnonzero(block[:filled] == NEWLINE)
        whole = int(newlines[-1]) + 1 if len(newlines) else 0
        if not whole and filled >= len(block) - 1:
            what = f"A line of over {len(block) - 1:,} bytes at byte {int(state['offset']):,}"
            raise wrong(text.path, what, "Give a text file of short lines, as LOBSTER writes it.")
        state["cursor"], state["end"] = block.ctypes.data, block.ctypes.data + whole
        yield
        kept = filled - whole
        block[:kept] = block[whole:filled].copy()
        if count == 0:
            return
