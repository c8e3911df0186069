"""`hft bench journal`: what it costs to keep what happened, beside a bare copy into mapped memory.

The bare copy moves the same bytes as a frame has into a file that is mapped the same way, and does
nothing else: no CRC, no number, no order of stores, no end. Both write pages that were made ready.
Each append is timed by itself, with one reading of the clock, which both rows contain.

In mode `power` an appender keeps to a rate, and what is measured is how long a frame waits until it
is on the disk. What a standby costs: `journal_standby.py`.

Worst case of the method: a disk that others use; the folder is a temporary one, so TMPDIR says
which disk it is, and one in memory syncs for nothing.
"""

from __future__ import annotations

import atexit
import mmap
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np

from hftlib.bench import journal_standby
from hftlib.bench.harness import Bench, pinned, require_all, require_compiled
from hftlib.core import clock, histogram, jit
from hftlib.core.arena import Arena
from hftlib.core.journal import Journal, append, kinds, verify
from hftlib.core.journal.layout import FRAME_BYTES
from hftlib.core.journal.scanning import MORE, crc_of
from hftlib.core.journal.walking import Walk
from hftlib.core.layout import Layout

APPENDS = 300_000
RATE_NS = 1_000  # between two frames: a million a second
PACED = 1_000_000
LATE_MAX = 1.05  # a shared host may take the core away for a moment, also at the very end
FRAMES_KEPT = 500_000
PAYLOADS = (64, 256)


@jit.inlined
def _wait_until(moment_ns: int) -> int:
    now = clock.monotonic_ns()
    while now < moment_ns:
        jit.pause()
        now = clock.monotonic_ns()
    return now


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def append_laps(writer: int, payload: int, length: int, latencies: int, laps: int) -> int:
    begin = clock.monotonic_ns()
    for lap in range(laps):
        before = _wait_until(begin + lap * RATE_NS)
        if append(writer, kinds.DATAGRAM, 1, lap, payload, length) < 0:
            return lap
        histogram.record_value(latencies, clock.monotonic_ns() - before)
    return laps


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def copy_laps(place: int, payload: int, size: int, latencies: int, laps: int) -> int:
    """The least that keeps as many bytes."""
    begin = clock.monotonic_ns()
    for lap in range(laps):
        before = _wait_until(begin + lap * RATE_NS)
        jit.copy_words(place + lap * size, payload, size)
        histogram.record_value(latencies, clock.monotonic_ns() - before)
    return laps


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def append_at_a_rate(writer: int, payload: int, length: int, begin_ns: int, count: int) -> int:
    """One frame every RATE_NS; how many were taken."""
    for done in range(count):
        _wait_until(begin_ns + done * RATE_NS)
        if append(writer, kinds.DATAGRAM, 1, done, payload, length) < 0:
            return done
    return count


@jit.compiled("int64(int64, int64, int64, int64)")
def append_quickly(writer: int, payload: int, length: int, count: int) -> int:
    for done in range(count):
        if append(writer, kinds.DATAGRAM, 1, done, payload, length) < 0:
            return done
    return count


@jit.compiled("int64(int64, int64, int64)")
def crc_laps(address: int, words: int, laps: int) -> int:
    told = 0
    for _ in range(laps):
        told ^= crc_of(0xFFFF_FFFF, address, words)
    return told


class Ages:
    """How old the oldest frame is that is not on the disk, in ms, looked at again and again."""

    def __init__(self, begin_ns: int, durable: Callable[[], int]) -> None:
        self._found, self._stop = list[float](), threading.Event()
        self._begin_ns, self._durable = begin_ns, durable
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(0.0005):
            durable, now = self._durable(), clock.monotonic_ns()
            if now > self._begin_ns and durable < PACED:
                self._found.append((now - self._begin_ns - durable * RATE_NS) / 1e6)

    def median(self) -> float:
        self._stop.set()
        self._thread.join()
        return statistics.median(self._found)


class Bed:
    """A folder, a histogram and a payload that all rows use."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hft-bench-journal-"))
        self.arena = Arena.create(
            Layout(latency=histogram.HISTOGRAM, payload=(np.int64, 4096 // 8))
        )
        self.arena["payload"][:] = np.arange(4096 // 8) * 0x9E3779B9
        self.payload, self.latency = (self.arena.address_of(n) for n in ("payload", "latency"))

    def done(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def journal(self, durability: str) -> Journal:
        """A new one; the helper thread keeps to the core that its maker had."""
        shutil.rmtree(self.folder / "a.journal", ignore_errors=True)
        with pinned(1):
            return Journal.create(self.folder / "a.journal", {}, durability=durability)

    def append(self, length: int, percentile: float) -> float:
        with self.journal("process") as journal, pinned(0):
            arguments = (self.payload, length, self.latency)
            append_laps(journal.address, *arguments, APPENDS // 10)
            self.arena["latency"][:] = 0
            laps = append_laps(journal.address, *arguments, APPENDS)
        require_all("frames", APPENDS, laps)
        return self.percentile(percentile)

    def copy(self, length: int, percentile: float) -> float:
        size = FRAME_BYTES + length
        path = self.folder / "bare"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            total = size * (APPENDS + APPENDS // 10)
            os.posix_fallocate(descriptor, 0, total)
            memory = mmap.mmap(descriptor, total)
        finally:
            os.close(descriptor)
            path.unlink()
        whole = np.frombuffer(memory, np.uint8)
        whole[::4096] = 1  # every page is ready, as a journal's are
        with pinned(0):
            place, warm = int(whole.ctypes.data), APPENDS // 10
            copy_laps(place, self.payload, size, self.latency, warm)
            self.arena["latency"][:] = 0
            copy_laps(place + warm * size, self.payload, size, self.latency, APPENDS)
        return self.percentile(percentile)

    def percentile(self, percentile: float) -> float:
        return float(histogram.Histogram(self.arena["latency"]).percentile(percentile))

    def delay(self) -> float:
        """ms from the moment a frame is appended until it is on the disk, at a million a second."""
        with self.journal("power") as journal:
            first = journal.sequence
            begin = clock.monotonic_ns() + 20_000_000
            ages = Ages(begin, lambda: journal.durable - first)
            with pinned(0):
                done = append_at_a_rate(journal.address, self.payload, PAYLOADS[0], begin, PACED)
            late = (clock.monotonic_ns() - begin) / (PACED * RATE_NS)
            told = ages.median()
        kept_up = PACED if late < LATE_MAX else int(PACED / late)
        require_all("frames at a million a second", PACED, done, kept_up)
        return told

    def bare_delay(self) -> float:
        """The same for `pwrite` and `fdatasync` of as many bytes, in groups of what is due."""
        size, synced = FRAME_BYTES + PAYLOADS[0], [0]
        path = self.folder / "bare"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size * PACED)
            data = bytes(size * PACED)
            os.fsync(descriptor)
            begin = clock.monotonic_ns()
            ages = Ages(begin, lambda: synced[0])
            while synced[0] < PACED:
                due = min(PACED, (clock.monotonic_ns() - begin) // RATE_NS)
                os.pwrite(descriptor, data[synced[0] * size : due * size], synced[0] * size)
                os.fdatasync(descriptor)
                synced[0] = due
            return ages.median()
        finally:
            os.close(descriptor)
            path.unlink()

    def kept(self) -> Path:
        """A journal of 64 B frames that is closed."""
        folder = self.folder / "kept.journal"
        if not folder.exists():
            with Journal.create(folder, {}) as journal:
                left, arguments = FRAMES_KEPT, (journal.address, self.payload, PAYLOADS[0])
                while left:
                    left -= append_quickly(*arguments, left)
                    time.sleep(0.001)  # the next segment is being made
        return folder

    def read(self) -> float:
        """ns a frame, each checked, in compiled code."""
        walk = Walk(self.kept())
        start = time.perf_counter_ns()
        while walk.step() == MORE:
            pass
        return (time.perf_counter_ns() - start) / (walk.place.sequence - 1)

    def crc_only(self) -> float:
        """The CRC of as many bytes."""
        words = FRAME_BYTES // 8 + PAYLOADS[0] // 8 - 1
        start = time.perf_counter_ns()
        crc_laps(self.payload, words, FRAMES_KEPT)
        return (time.perf_counter_ns() - start) / FRAMES_KEPT

    def verify(self) -> float:
        """ns for a KiB, CRCs and chain."""
        begin = time.perf_counter_ns()
        report = verify(self.kept())
        took = time.perf_counter_ns() - begin
        require_all("frames", FRAMES_KEPT, report.sealed - 2)
        return took * 1024 / self._kept_bytes

    def hash_only(self) -> float:
        """The least that makes a chain: BLAKE2b over as many bytes."""
        data = bytes(self._kept_bytes)
        begin = time.perf_counter_ns()
        blake2b(data, digest_size=32).digest()
        return (time.perf_counter_ns() - begin) * 1024 / len(data)

    @property
    def _kept_bytes(self) -> int:
        return FRAMES_KEPT * (FRAME_BYTES + PAYLOADS[0])


def benches() -> list[Bench]:
    """All rows of `hft bench journal`."""
    require_compiled("hft bench journal")
    bed = Bed()
    atexit.register(bed.done)
    rows = [
        Bench(
            f"append {length} B, process, p{percentile:g}",
            _bound(bed.append, length, percentile),
            budget=40 if (length, percentile) == (64, 50) else None,
            against="bare mapped copy",
            probe=_bound(bed.copy, length, percentile),
        )
        for length in PAYLOADS
        for percentile in (50, 99.9)
    ]
    return [
        *rows,
        Bench(
            "from append to disk, power, 1 M/s",
            bed.delay,
            unit="ms",
            against="pwrite + fdatasync in groups",
            probe=bed.bare_delay,
        ),
        Bench("read a frame of 64 B, checked", bed.read, against="CRC only", probe=bed.crc_only),
        Bench("verify, per KiB", bed.verify, against="BLAKE2b only", probe=bed.hash_only),
        *journal_standby.rows(bed),
    ]


def _bound(work: Callable[..., float], *arguments: float) -> Callable[[], float]:
    return lambda: work(*arguments)
