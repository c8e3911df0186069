"""A DBN file as batches of records, through the vendor's decoder and in bounded memory.

The decoder takes bytes and gives records. Unpacking zstd is left to pyarrow, which unlike it
tells a file that was cut from one that ended. Worst case: one MiB of text and its records.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from hftlib.core.errors import InputError

BLOCK_BYTES = 1 << 18
_ZSTD = b"\x28\xb5\x2f\xfd"


class Records:
    """The header of a file, and then its records."""

    def __init__(self, path: Path, decoder: Any) -> None:
        self._path, self._library = path, decoder
        self.share_done = 0.0
        metadata = next(self._metadata(), None)
        if metadata is None:
            raise self._wrong("This file ends within its header", "Fetch it again.")
        if str(metadata.schema) != "mbo":
            what = f"This file holds {metadata.schema}, not order-by-order data"
            raise self._wrong(what, "Fetch the schema mbo.")
        self.dataset = str(metadata.dataset)[:16] or "DBN"
        self.symbols = {
            int(one["symbol"]): symbol
            for symbol, spans in metadata.mappings.items()
            for one in spans
            if str(one["symbol"]).isdigit()
        }

    def is_mbo(self, record: Any) -> bool:
        return isinstance(record, self._library.MBOMsg)

    def batches(self) -> Iterator[list[Any]]:
        """Lists of records, without the header."""
        for batch in self._decoded():
            yield [one for one in batch if not isinstance(one, self._library.Metadata)]
        self.share_done = 1.0

    def _metadata(self) -> Iterator[Any]:
        for batch in self._decoded():
            if batch:
                yield batch[0]
                return

    def _decoded(self) -> Iterator[list[Any]]:
        decoder, done = self._library.DBNDecoder(), 0
        try:
            with pa.OSFile(str(self._path)) as raw:
                size, packed = max(1, raw.size()), raw.read(4) == _ZSTD
                raw.seek(0)
                with pa.CompressedInputStream(raw, "zstd") if packed else raw as file:
                    while block := file.read(BLOCK_BYTES):
                        decoder.write(block)
                        records = decoder.decode()
                        done += len(block)
                        self.share_done = min(1.0, raw.tell() / size)
                        yield records
        except BaseException as error:
            # The decoder panics over some damaged records, and a panic is no Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            what = f"This file cannot be read behind byte {done:,} of its content: {error}"
            raise self._wrong(what, "Give a .dbn or .dbn.zst file, or fetch it again.") from None
        if left := len(decoder.buffer()):
            what = f"This file ends {left} bytes into a record, behind byte {done - left:,}"
            raise self._wrong(what, "Fetch it again.")

    def _wrong(self, what: str, do: str) -> InputError:
        return InputError(what, where=str(self._path), do=do)


def records_of(path: Path) -> Records:
    """The records of a file, if the vendor's library is there."""
    try:
        import databento_dbn
    except ImportError:
        raise InputError(
            "Databento's files are read by Databento's own library, which is not installed",
            where=str(path),
            do="Run `pip install 'hftlib[databento]'`.",
        ) from None
    return Records(path, databento_dbn)
