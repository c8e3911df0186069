"""A file read from front to back through one buffer, whatever its size: plain, or gzip.

    ┌ taken ─┬ unread ───────────────────────┬ free ─┐    fill: unread moves to the front,
    0      begin                            end   capacity      then the file fills the rest

What is unread stays in one piece, so a frame that a read has cut comes whole after the next `fill`.
gzip is told by its first bytes, not by a name, and may consist of several members.

Worst case: the buffer, plus 64 KiB when unpacking. Damaged gzip data is refused where it is met; a
gzip file that just ends too early gives all it has and says so in `is_cut_off`.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from types import TracebackType

import numpy as np

from hftlib.core.errors import HostError, InputError
from hftlib.feed.files import opened, wrong

CAPACITY_BYTES = 1 << 21
PACKED_BYTES = 1 << 16
_GZIP = b"\x1f\x8b"
_MEMBER = 31  # zlib's word for: one gzip member, checksum and all
_PACKED_OTHERWISE = {
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
}


class Blocks:
    """The unread bytes lie at `address`, `length` of them, until `fill` is called."""

    def __init__(self, path: str | Path, *, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self.path = Path(path)
        self.position = 0  # of the first unread byte, in the unpacked input
        self.is_cut_off = False
        self.garbage_bytes = 0  # behind the last gzip member
        self._memory = np.zeros(capacity_bytes, np.uint8)
        self._view = self._memory.data
        self._base = int(self._memory.ctypes.data)
        self._begin = self._end = 0
        self._at_end = False
        self._packed = b""
        self._file = opened(self.path, buffering=0)
        self._size_bytes = os.fstat(self._file.fileno()).st_size
        head = self._read(PACKED_BYTES)
        self._file.seek(0)
        self._unpacker = zlib.decompressobj(_MEMBER) if head.startswith(_GZIP) else None
        refusal = _refused_packing(head, self.path)
        if refusal:
            self._file.close()
            raise refusal

    def __enter__(self) -> Blocks:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def address(self) -> int:
        return self._base + self._begin

    @property
    def length(self) -> int:
        return self._end - self._begin

    @property
    def unread(self) -> memoryview:
        return self._view[self._begin : self._end]

    @property
    def at_end(self) -> bool:
        """Whether nothing comes behind what is unread."""
        return self._at_end

    @property
    def is_packed(self) -> bool:
        return self._unpacker is not None

    @property
    def share_done(self) -> float:
        if self._file.closed:
            return 1.0
        read = self._file.tell() - (0 if self.is_packed else self.length)
        return min(1.0, read / max(1, self._size_bytes))

    def fill(self) -> bool:
        """Read until the buffer is full or the file ends; whether anything came."""
        kept = self.length
        self._memory[:kept] = self._memory[self._begin : self._end]
        self._begin, self._end = 0, kept
        while self._end < len(self._memory) and not self._at_end:
            count = self._unpack() if self.is_packed else self._read_into()
            self._end += count
            self._at_end = count == 0
        return self.length > kept

    def take(self, count: int) -> None:
        """The first `count` unread bytes are done with."""
        self._begin += count
        self.position += count

    def has(self, count: int) -> bool:
        """Whether `count` bytes are unread, after a `fill` if need be."""
        return self.length >= count or (self.fill() and self.length >= count)

    def _read_into(self) -> int:
        try:
            return self._file.readinto(self._view[self._end :]) or 0  # type: ignore[attr-defined]
        except OSError as error:
            raise _unread(self.path, self.position + self.length, error) from None

    def _read(self, count: int) -> bytes:
        try:
            return self._file.read(count) or b""
        except OSError as error:
            raise _unread(self.path, self.position + self.length, error) from None

    def _unpack(self) -> int:
        """Unpack into the free part: how many bytes; 0 when there are no more."""
        while True:
            assert self._unpacker is not None
            if self._unpacker.eof and not self._next_member():
                return 0
            if not self._packed:
                self._packed = self._read(PACKED_BYTES)
                if not self._packed:
                    self.is_cut_off = True
                    return 0
            try:
                out = self._unpacker.decompress(self._packed, len(self._memory) - self._end)
            except zlib.error as error:
                raise InputError(
                    f"Its gzip data is damaged: {error}",
                    where=f"{self.path}, after {self.position + self.length:,} unpacked bytes",
                    do="Fetch the file again; `gzip -t` checks it.",
                ) from None
            self._packed = self._unpacker.unconsumed_tail
            if out:
                self._view[self._end : self._end + len(out)] = out
                return len(out)

    def _next_member(self) -> bool:
        """Begin the member behind the one that ended; whether there is one."""
        assert self._unpacker is not None
        packed = self._unpacker.unused_data + self._read(PACKED_BYTES)
        while packed and not packed.strip(b"\0"):  # tapes and disks pad with zeros
            packed = self._read(PACKED_BYTES)
        packed = packed.lstrip(b"\0")
        if len(packed) == 1:  # a read may end between the two bytes that tell
            packed += self._read(PACKED_BYTES)
        if packed.startswith(_GZIP):
            self._unpacker, self._packed = zlib.decompressobj(_MEMBER), packed
            return True
        while packed:
            self.garbage_bytes += len(packed)
            packed = self._read(PACKED_BYTES)
        return False


def _refused_packing(head: bytes, path: Path) -> InputError | None:
    if not head:
        return wrong(path, "The file is empty", "Fetch it again, or name another.")
    for magic, name in _PACKED_OTHERWISE.items():
        if head.startswith(magic):
            what = f"The file is packed with {name}, which is not read here"
            return wrong(path, what, "Unpack it first; plain files and gzip are read as they are.")
    return None


def _unread(path: Path, position: int, error: OSError) -> HostError:
    return HostError(
        f"Reading stopped: {error.strerror or error}",
        where=f"{path}, after {position:,} bytes",
        do="Check the disk or the network share, then try again.",
    )
