"""The hash chain over sealed blocks, which is the index of the journal as well.

    hash(n) = BLAKE2b-256(hash(n - 1) │ segment, begin, end │ the block's bytes)
    hash(-1) = BLAKE2b-256(session)

A CRC finds accidents, and whoever edits a frame can make it a new one; but then the block has
another hash, so has every later one, and the last of them, the *head*, was noted elsewhere. With a
key, BLAKE2b is a MAC: who does not have it cannot make a chain at all.

A record is written once, when its block is full, behind the one before. Room for them is taken
with each segment, so sealing never fails for a full disk. Besides its hash a record holds the
number and times of its frames: `time_max` never falls, so a reader that wants a time or a sequence
begins at its block. Worst case: some 1 GB/s, on the helper thread, without the GIL.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HftError, InputError
from hftlib.core.journal.layout import BLOCK, CHAIN_NAME, ENDS_SEGMENT, PAGE_BYTES, TIME_MIN
from hftlib.core.journal.segments import Segment, Session, checksum, damaged, opened

KEY_BYTES_MAX = blake2b.MAX_KEY_SIZE
_PERSON = b"hft journal"


class Chain:
    """The blocks sealed so far. Reading it checks each record and that they follow each other."""

    def __init__(self, folder: Path, session: Session, key: bytes | None = None) -> None:
        self.path, self.session = folder / CHAIN_NAME, session
        self.key = checked_key(session, key, folder)
        self.blocks: list[np.ndarray[Any, Any]] = []

    @classmethod
    def index(cls, folder: Path, session: Session) -> Chain:
        """The records up to the first damaged one, without a key: for finding places."""
        made = cls(folder, replace(session, keyed=0))
        with suppress(HftError):
            made.read()
        return made

    @property
    def head(self) -> bytes:
        """The hash of all that is sealed."""
        return self.blocks[-1][0]["hash"].tobytes() if self.blocks else self.root

    @property
    def root(self) -> bytes:
        return blake2b(self.session.identity, digest_size=32, key=self.key, person=_PERSON).digest()

    @property
    def sealed(self) -> int:
        """The last sequence in it."""
        return next_sequence(self.blocks) - 1

    @property
    def place(self) -> tuple[int, int]:
        """Segment and place where the next block begins."""
        last = self.blocks[-1][0] if self.blocks else None
        if last is None:
            return 0, 0
        if int(last["sealed"]) == ENDS_SEGMENT:
            return int(last["segment"]) + 1, 0
        return int(last["segment"]), int(last["end"])

    def hash_of(self, before: bytes, segment: Segment, begin: int, end: int) -> bytes:
        made = blake2b(before, digest_size=32, key=self.key, person=_PERSON)
        made.update(np.array([segment.number, begin, end], "<i8").tobytes())
        made.update(segment.view(begin, end))
        return made.digest()

    def block(self, segment: Segment, begin: int, end: int, **known: int) -> np.ndarray[Any, Any]:
        """The record that seals these bytes, behind all so far."""
        made = np.zeros(1, BLOCK)
        one = made[0]
        one["number"], one["segment"] = len(self.blocks), segment.number
        one["begin"], one["end"] = begin, end
        for name, value in known.items():
            one[name] = value
        one["hash"] = np.frombuffer(self.hash_of(self.head, segment, begin, end), np.uint8)
        one["crc"] = checksum(made)
        return made

    def read(self) -> Chain:
        """All records there are, each checked; damage is an error."""
        descriptor = opened(self.path, os.O_RDONLY)
        try:
            with open(descriptor, "rb", closefd=False) as file:
                held = file.read()
        finally:
            os.close(descriptor)
        size = BLOCK.itemsize
        for at in range(0, len(held), size):
            text = held[at : at + size]
            if not any(text):
                if any(held[at:]):
                    raise damaged(self.path, "there are bytes behind the end of the chain")
                break
            why = self._wrong(text)
            if why:
                raise damaged(self.path, f"block {len(self.blocks)} of the chain {why}")
            self.blocks.append(np.frombuffer(bytearray(text), BLOCK))
        return self

    def _wrong(self, text: bytes) -> str:
        """What is the matter with the next record, if anything is."""
        if len(text) < BLOCK.itemsize:
            return "is cut off"
        made = np.frombuffer(bytearray(text), BLOCK)
        one = made[0]
        if checksum(made) != int(one["crc"]) or int(one["sealed"]) not in (1, 2):
            return "has a CRC that is not that of its bytes"
        here = (int(one["segment"]), int(one["begin"]))
        follows = here == self.place and here[1] < int(one["end"]) <= self.session.segment_bytes
        if int(one["number"]) != len(self.blocks) or not follows:
            return "does not follow the one before"
        if int(one["first"]) != next_sequence(self.blocks) or int(one["frames"]) < 0:
            return "does not count on from the one before"
        if self.blocks and int(one["time_max"]) < int(self.blocks[-1][0]["time_max"]):
            return "goes back in time"
        return ""

    def first_block(self, sequence: int, time: int = TIME_MIN) -> int:
        """The number of the block to begin at for this sequence, or for this time."""
        firsts = [int(block[0]["first"]) for block in self.blocks]
        by_sequence = int(np.searchsorted(firsts, sequence, "right")) - 1
        latest = [int(block[0]["time_max"]) for block in self.blocks]
        by_time = int(np.searchsorted(latest, time, "left"))
        return max(0, by_sequence, by_time)


def next_sequence(blocks: list[np.ndarray[Any, Any]]) -> int:
    """The sequence behind the last of these blocks."""
    return int(blocks[-1][0]["first"]) + int(blocks[-1][0]["frames"]) if blocks else 1


def checked_key(session: Session, key: bytes | None, where: Path) -> bytes:
    """The key as BLAKE2b takes it; one that is missing, or is not wanted, is refused."""
    if bool(key) != bool(session.keyed):
        raise InputError(
            "The chain of this journal is made with a key"
            if session.keyed
            else "The chain of this journal is made without a key",
            where=str(where),
            do="Give its key: `--key FILE`, or key=bytes." if session.keyed else "Give no key.",
        )
    if key and len(key) > KEY_BYTES_MAX:
        raise InputError(
            f"A key has at most {KEY_BYTES_MAX} bytes, and this one {len(key):,}",
            where="key",
            do="Make one with `head -c 32 /dev/urandom > FILE`.",
        )
    return key or b""


def room_for(session: Session, segments: int) -> int:
    """Bytes of the chain file that all blocks of so many segments need at most."""
    each = session.segment_bytes // session.block_bytes + 2
    return -(-segments * each * BLOCK.itemsize // PAGE_BYTES) * PAGE_BYTES
