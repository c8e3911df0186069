"""Lines of a text file, plain or gzip, with where each begins; for feeds recorded as text.

Worst case: one line of LINE_BYTES_MAX in memory; a longer one is refused, as is a damaged gzip.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from hftlib.core.errors import InputError
from hftlib.feed.files import opened, wrong

LINE_BYTES_MAX = 16 << 20


class TextLines:
    """Iterate (byte offset in the text, line without its newline)."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.share_done = 0.0
        with opened(self.path) as file:
            self._size = max(1, os.fstat(file.fileno()).st_size)
            self._gzip = file.read(2) == b"\x1f\x8b"

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        offset = 0
        with opened(self.path) as raw:
            file = gzip.GzipFile(fileobj=raw) if self._gzip else raw
            while True:
                try:
                    line = file.readline(LINE_BYTES_MAX)
                except (OSError, EOFError, zlib.error) as error:
                    what = f"This file is damaged behind byte {offset:,} of its text: {error}"
                    raise self.wrong(what, "Fetch it again.") from None
                if not line:
                    break
                if len(line) == LINE_BYTES_MAX:
                    what = f"A line of over {LINE_BYTES_MAX:,} bytes begins at byte {offset:,}"
                    raise self.wrong(what, "Give a file with one message in each line.")
                yield offset, line.rstrip(b"\r\n")
                offset += len(line)
                self.share_done = min(1.0, raw.tell() / self._size)
        self.share_done = 1.0

    def wrong(self, what: str, do: str) -> InputError:
        return wrong(self.path, what, do)
