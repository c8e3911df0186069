"""The rows of `hft bench journal` with a standby: a process of its own, on loopback.

One row is the way of one frame: appended by compiled code, shipped, put down by the standby,
acknowledged, seen by compiled code; then the next. Beside it a byte of as many goes to an echo and
back, by the same kinds of processes: what the host's sockets and wake-ups cost. The other row is
what comes through where frames do not stop; beside it as many bytes in as large pieces, put
nowhere.

Worst case of the method: four threads and two processes on a host of two cores wait for each other
more than they work; then both rows of a pair are long.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.bench.harness import Bench, require_all
from hftlib.core import clock, histogram, jit
from hftlib.core.journal import Journal, append, is_durable, kinds
from hftlib.core.journal.layout import FRAME_BYTES
from hftlib.ops.standby_link import Link
from hftlib.ops.standby_meeting import Plan

WAYS, FRAMES, LENGTH = 2_000, 300_000, 64
PIECE_BYTES, PATIENCE_S = 1 << 18, 60.0
_ECHO = """
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
own, _ = door.accept()
own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
size, got = int(sys.argv[1]), 0
while data := own.recv(1 << 18):
    got += len(data)
    if got >= size:
        own.sendall(b"a")
        got -= size
"""


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def way_laps(writer: int, payload: int, length: int, latencies: int, laps: int) -> int:
    """Append, wait until it is durable, and again; how many were."""
    for lap in range(laps):
        before = clock.monotonic_ns()
        sequence = append(writer, kinds.DATAGRAM, 1, lap, payload, length)
        if sequence < 0:
            return lap
        while is_durable(writer, sequence) == 0:
            if clock.monotonic_ns() - before > 10_000_000_000:
                return lap
            jit.pause()
        histogram.record_value(latencies, clock.monotonic_ns() - before)
    return laps


@jit.compiled("int64(int64, int64, int64, int64)")
def append_on(writer: int, payload: int, length: int, count: int) -> int:
    for done in range(count):
        if append(writer, kinds.DATAGRAM, 1, done, payload, length) < 0:
            return done
    return count


class Standbys:
    """The rows' work, in the folder and with the payload of the journal's bed."""

    def __init__(self, bed: Any) -> None:
        self._bed = bed

    @contextmanager
    def _followed(self) -> Iterator[Journal]:
        """A journal that a standby of this host follows."""
        folder = self._bed.folder / "followed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with _standby(folder / "copy") as port:
            journal = Journal.create(folder / "day", {}, durability="replicated", followed=True)
            link = Link(journal, Plan(("127.0.0.1", port), patience_s=PATIENCE_S))
            link.begin()
            yield journal
            journal.close()
            link.finish()

    def way(self) -> float:
        """us, half are quicker."""
        with self._followed() as journal:
            arguments = journal.address, self._bed.payload, LENGTH, self._bed.latency
            way_laps(*arguments, WAYS // 10)
            self._bed.arena["latency"][:] = 0
            require_all("frames", WAYS, way_laps(*arguments, WAYS))
        return float(self._bed.percentile(50)) / 1e3

    def bare_way(self) -> float:
        size = FRAME_BYTES + LENGTH
        found = []
        with _echoed(size) as own:
            data = bytes(size)
            for _ in range(WAYS):
                before = time.perf_counter_ns()
                own.sendall(data)
                own.recv(1)
                found.append(time.perf_counter_ns() - before)
        return sorted(found)[WAYS // 2] / 1e3

    def through(self) -> float:
        """ns a frame until the last is acknowledged, where frames do not stop."""
        with self._followed() as journal:
            begin, left = time.perf_counter_ns(), FRAMES
            while left:
                left -= append_on(journal.address, self._bed.payload, LENGTH, min(left, 1_000))
                if left:
                    time.sleep(0)
            until = time.monotonic() + PATIENCE_S
            while journal.durable < journal.sequence and time.monotonic() < until:
                time.sleep(0.0002)
            took = time.perf_counter_ns() - begin
            require_all("frames", journal.sequence, journal.durable)
        return took / FRAMES

    def bare_through(self) -> float:
        size = FRAMES * (FRAME_BYTES + LENGTH)
        data = bytes(PIECE_BYTES)
        with _echoed(size) as own:
            begin = time.perf_counter_ns()
            for at in range(0, size, PIECE_BYTES):
                own.sendall(data[: size - at])
            own.recv(1)
            return (time.perf_counter_ns() - begin) / FRAMES


def rows(bed: Any) -> list[Bench]:
    """What a standby costs."""
    made = Standbys(bed)
    return [
        Bench(
            "from append to a standby's word, loopback, p50",
            made.way,
            unit="µs",
            against="echo by TCP",
            probe=made.bare_way,
        ),
        Bench(
            "a frame of 64 B through to the standby, without a stop",
            made.through,
            against="the bytes by TCP",
            probe=made.bare_through,
        ),
    ]


@contextmanager
def _standby(folder: Path) -> Iterator[int]:
    """A standby's process, which listens at this port."""
    told = "from hftlib.cli import main; main()"
    words = ["standby", "--listen", "127.0.0.1:0", "--journal", str(folder), "--json"]
    with _process([sys.executable, "-c", told, *words, "--control", "off"]) as line:
        yield int(json.loads(line)["at"].rpartition(":")[2])


@contextmanager
def _echoed(size: int) -> Iterator[socket.socket]:
    """A connection to a process that says a byte for each so many."""
    with (
        _process([sys.executable, "-c", _ECHO, str(size)]) as line,
        socket.create_connection(("127.0.0.1", int(line))) as own,
    ):
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield own


@contextmanager
def _process(command: list[str]) -> Iterator[str]:
    """The first line that it prints; it is gone in the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as made:
        try:
            assert made.stdout is not None
            yield made.stdout.readline()
        finally:
            made.kill()
