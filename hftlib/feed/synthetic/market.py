"""A market made from a seed: the data set that is always there.

    market = hft.synthetic(symbols=5, seconds=60, seed=7)
    market.write_itch("market.itch50")                 # as the exchange publishes its files
    write_tape("market.tape", market)                  # it is a source like any other

The same arguments give the same bytes on any machine and for any size of chunk: nothing in it is a
float, a clock or a set's order. Every reading starts the day anew in memory of its own.

Worst case: 0.4 MB of memory a stock, at most 256 of them, and two buffers of a few MB. What a stock
is worth stays within 1,024 ticks of its first price, which it reaches only with very wide spreads.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.times import duration_text
from hftlib.feed.itch.translate import Translator
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.feed.synthetic.flow import TURN_BYTES_MAX, generate
from hftlib.feed.synthetic.plan import OPEN_NS, ZONE, Wish, wished
from hftlib.feed.synthetic.start import Day
from hftlib.feed.tape_part import failing, part_of, publish, taken

_ROOM_BYTES = 1 << 22
_IN_MEMORY_BYTES_MAX = 1 << 30


def synthetic(
    symbols: int | str | Sequence[str] = 5,
    seconds: int = 60,
    seed: int = 7,
    *,
    date: str = "2026-01-05",
    rate: int = 25,
    spread_ticks: int = 6,
    halts: int = 1,
) -> SyntheticMarket:
    """A market of so many seconds from 09:30 on; `rate` is messages a second and stock.

    The first stock has this rate and, near enough, this spread; the others vary around them.
    """
    return SyntheticMarket(wished(symbols, seconds, seed, date, rate, spread_ticks, halts))


class SyntheticMarket:
    """A source of events, and of the ITCH 5.0 bytes they come from."""

    is_one_stream = True

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.name = (
            f"synthetic market, {len(wish.symbols)} stocks, "
            f"{duration_text(wish.seconds * 10**9)}, seed {wish.seed}"
        )
        self.instruments = Instruments()
        self.counts: dict[str, int] = {}
        self.share_done = 0.0

    def itch_chunks(self, room_bytes: int = _ROOM_BYTES) -> Iterator[np.ndarray[Any, Any]]:
        """The day's frames, some MB at a time; each array is valid until the next."""
        if room_bytes < TURN_BYTES_MAX:
            raise InputError(
                f"{room_bytes:,} bytes do not hold what can happen at once",
                where="itch_chunks(room_bytes=...)",
                do=f"Give at least {TURN_BYTES_MAX:,}.",
            )
        day = Day(self.wish)
        out = np.zeros(room_bytes, np.uint8)
        begin, end = OPEN_NS, OPEN_NS + self.wish.seconds * 10**9
        self.share_done = 0.0
        while not day.is_over:
            written = generate(day.address, out.ctypes.data, room_bytes)
            self.share_done = min(1.0, max(0.0, (day.now_ns - begin) / (end - begin)))
            yield out[:written]
        self.share_done = 1.0

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """The day's events, through the same translator that reads an exchange's bytes."""
        translator = Translator(date=self.wish.date, zone=ZONE, venue="XNAS")
        into = np.zeros(CHUNK_EVENTS_MAX, EVENT)
        for frames in self.itch_chunks():
            done = 0
            while done < len(frames):
                address = frames.ctypes.data + done
                consumed, made = translator.frames(address, len(frames) - done, into)
                done += consumed
                self.instruments, self.counts = translator.instruments, translator.counts
                yield into[:made]

    def itch_bytes(self) -> bytes:
        """All frames at once, for a market of at most 1 GB."""
        parts, total = [], 0
        for frames in self.itch_chunks():
            total += len(frames)
            if total > _IN_MEMORY_BYTES_MAX:
                raise InputError(
                    f"This market has more than {_IN_MEMORY_BYTES_MAX:,} bytes",
                    where="itch_bytes()",
                    do="Write it with write_itch(path), or go through itch_chunks().",
                )
            parts.append(frames.tobytes())
        return b"".join(parts)

    def digest(self) -> str:
        """SHA-256 of all frames."""
        digest = hashlib.sha256()
        for frames in self.itch_chunks():
            digest.update(frames.data)
        return digest.hexdigest()

    def write_itch(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[float, str], None] | None = None,
    ) -> int:
        """Write the frames to a file, whole or not at all; how many bytes."""
        target = Path(path)
        if target.exists() and not overwrite:
            raise taken(target)
        total = 0
        with part_of(target) as (descriptor, part):
            for frames in self.itch_chunks():
                with failing(target):
                    _write_all(descriptor, frames.data)
                total += len(frames)
                if progress is not None:
                    progress(self.share_done, f"{total:,} bytes")
            with failing(target):
                os.fsync(descriptor)
            publish(part, target, overwrite)
        return total

    def __repr__(self) -> str:
        return f"<{self.name}>"


def _write_all(descriptor: int, data: memoryview) -> None:
    """The system may take less than it is given."""
    while data:
        data = data[os.write(descriptor, data) :]
