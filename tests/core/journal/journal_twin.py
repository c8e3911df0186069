"""A slow, obvious reader of journals, from the drawing alone: `struct`, bytes and a table of CRCs.

It shares no line with `hftlib.core.journal`, and reads whole files where that maps them.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

PAGE = 4096
HEAD = struct.Struct("<qqIHHII")
HEADER = struct.Struct("<8sq16sqqqqqq")
BLOCK = struct.Struct("<qqqqqqqqq32sxxxxxxxxxxxxxxxxq")


class DamagedError(Exception):
    """What this reader says to anything that is not as it should be."""


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


TABLE = [_entry(n) for n in range(256)]


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def frame(
    session: bytes, sequence: int, time: int, kind: int, source: int, payload: bytes
) -> bytes:
    """A frame as it should lie there."""
    padded = payload + bytes(-len(payload) % 8)
    head = HEAD.pack(sequence, time, len(payload), kind, source, 0, 0)
    crc = crc32c(session + head[:24] + padded)
    return head[:24] + struct.pack("<II", crc, 0) + padded


def session_of(data: bytes) -> bytes:
    return data[16:32]


def read(folder: Path) -> list[tuple[int, int, int, int, bytes]]:
    """All frames of a journal that nobody writes, or DamagedError."""
    found: list[tuple[int, int, int, int, bytes]] = []
    files = sorted(folder.glob("*.segment"))
    session, ended = b"", True
    for number, file in enumerate(files):
        data = file.read_bytes()
        magic, version, this, said, size, block, mode, keyed, created = HEADER.unpack_from(data)
        session = session or this
        words = struct.unpack_from("<q", data, 120)
        plain = magic == b"HFTJRNL\n" and version == 1 and mode in (1, 2) and keyed in (0, 1)
        if not plain or (this, said, size) != (session, number, len(data)) or block < 1:
            raise DamagedError(f"{file.name}: header")
        if words[0] != crc32c(data[:120]) or any(data[80:120]) or any(data[128:PAGE]):
            raise DamagedError(f"{file.name}: header")
        if file.name != f"{number:06d}.segment" or created < 0:
            raise DamagedError(f"{file.name}: its name")
        if not ended:
            if any(data[PAGE:]):
                raise DamagedError(f"{file.name}: there is something behind the end")
            if file is not files[-1]:
                raise DamagedError(f"{file.name}: there are more")
            break
        ended = _frames(data, session, found)
    if ended:
        raise DamagedError("a segment is missing")
    return found


def _frames(data: bytes, session: bytes, found: list[tuple[int, int, int, int, bytes]]) -> bool:
    """The frames of one segment; whether it says that there is another."""
    at = PAGE
    while True:
        sequence, time, length, kind, source, _, _ = HEAD.unpack_from(data, at)
        following = len(found) + 1
        if sequence == 0:
            if any(data[at:]):
                raise DamagedError(f"bytes behind {at}")
            return False
        if abs(sequence) != following:
            raise DamagedError(f"sequence at {at}")
        payload = data[at + 32 : at + 32 + length]
        whole = frame(session, sequence, time, kind, source, payload)
        if len(payload) < length or data[at : at + len(whole)] != whole:
            raise DamagedError(f"frame at {at}")
        at += len(whole)
        if sequence < 0:
            if time or length or kind or source or any(data[at:]):
                raise DamagedError(f"end at {at}")
            return True
        found.append((sequence, time, kind, source, payload))


def heads(folder: Path, key: bytes = b"") -> list[bytes]:
    """The hash after each sealed block, computed from the segments."""
    chain = (folder / "chain").read_bytes()
    files = [file.read_bytes() for file in sorted(folder.glob("*.segment"))]

    def made(*parts: bytes) -> bytes:
        one = hashlib.blake2b(digest_size=32, key=key, person=b"hft journal")
        for part in parts:
            one.update(part)
        return one.digest()

    before = made(session_of(files[0]))
    found = []
    for at in range(0, len(chain), 128):
        _, segment, begin, end, *_ = BLOCK.unpack_from(chain, at)
        if end == 0:
            break
        before = made(before, struct.pack("<3q", segment, begin, end), files[segment][begin:end])
        found.append(before)
    return found
