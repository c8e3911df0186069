"""Who sends datagrams and hears orders in `hft bench live --wire`, and the echo it is held beside.

    end = End(where_to, tcp)         its WIRE record, the memory it names, its sockets
    end.run(count)                   a round: each datagram until its first order's bytes
    Echo(answer, sleeps).round(count)

Worst case: a datagram that is lost ends the round with a sentence.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.bench.harness import beside, pinned, require_all
from hftlib.bench.wire_loop import DATAGRAM_BYTES, ROOM, TABLE, WIRE, ask, echo
from hftlib.core.histogram import Histogram
from hftlib.feed.itch.messages import build
from hftlib.feed.mold import packet
from hftlib.feed.mold import sockets as lines
from hftlib.ops.connections import DATAGRAM_BYTES as PLACE_BYTES

FIRST, GAP_NS = 200, 250_000  # datagrams before a round that are not counted; between two of them
SESSION, LOCAL = "WIRE", ("127.0.0.1", 0)
REFERENCE = 1 << 20  # even: of the order at the best bid; each replace takes the next number
BID, ASK, TICK, MOVE = 990_000, 992_000, 100, 400
CORE_HERE, CORE_HOT = 0, 1
PATIENCE_S = 60.0


@dataclass(slots=True)
class Round:
    """One round: how long each took, and what came."""

    histogram: Histogram
    datagrams: int
    orders: int


class End:
    """Who sends and hears: the WIRE record, and the memory that it names."""

    def __init__(self, to: Any, tcp: socket.socket | None = None) -> None:
        self.memory, self._datagram = np.zeros(1, WIRE), np.zeros(ROOM, np.uint8)
        self._buffer, self._out = np.zeros(ROOM, np.uint8), np.zeros(ROOM, np.uint8)
        self._table, self.kept = np.zeros(2 * TABLE, np.int64), np.zeros(ROOM, np.uint8)
        self._symbol = np.frombuffer(b"AAA     PNN", np.uint8).copy()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(to)
        self.tcp = tcp
        row = self.memory[0]
        for name, array in (
            ("datagram", self._datagram),
            ("buffer", self._buffer),
            ("out", self._out),
            ("table", self._table),
            ("kept_at", self.kept),
            ("symbol", self._symbol),
        ):
            row[name] = array.ctypes.data
        row["udp"], row["length"] = self.udp.fileno(), DATAGRAM_BYTES
        row["low"], row["high"] = BID, BID + MOVE
        row["sequence"], row["reference"] = 1, REFERENCE
        self._lay_datagram()
        if tcp is not None:
            self.hear(tcp)

    @property
    def address(self) -> int:
        return int(self.memory.ctypes.data)

    def hear(self, tcp: socket.socket) -> None:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tcp.setblocking(False)
        self.tcp = tcp
        self.memory["tcp"] = tcp.fileno()

    def _lay_datagram(self) -> None:
        message = build(
            "U", locate=1, reference=0, new_reference=0, shares=500, price=str(BID / 10_000)
        )
        data = packet.encode(SESSION, 1, [bytes(message)])
        assert len(data) == DATAGRAM_BYTES
        self._datagram[: len(data)] = np.frombuffer(data, np.uint8)

    def run(self, count: int, looks: int = 0, look: Callable[[], Any] = lambda: None) -> Round:
        """A round, after some that are not counted; between its datagrams so many looks."""
        first, histogram, before = Histogram(), Histogram(), self.memory.copy()
        self.memory["kept"] = 0  # of this round's first order
        with pinned(CORE_HERE):
            require_all("orders", FIRST, int(ask(self.address, first.address, FIRST, GAP_NS)))
            before = self.memory.copy()
            got = 0
            for n in range(looks + 1):
                each = count * (n + 1) // (looks + 1) - count * n // (looks + 1)
                got += int(ask(self.address, histogram.address, each, GAP_NS))
                if n < looks:
                    look()
        require_all("orders", count, got)
        row = self.memory[0]
        return Round(
            histogram,
            int(row["datagrams"] - before["datagrams"][0]),
            int(row["orders"] - before["orders"][0]),
        )

    def close(self) -> None:
        self.udp.close()
        if self.tcp is not None:
            self.tcp.close()


class Echo:
    """The yardstick: the same sockets, and nothing between the two system calls."""

    def __init__(self, answer: bytes, sleeps: bool) -> None:
        self._ear = lines.listening(LOCAL)
        self._intake = lines.Intake(self._ear, PLACE_BYTES)
        with socket.create_server(LOCAL) as door:
            self._tcp = socket.create_connection(door.getsockname())
            heard, _ = door.accept()
        self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.end = End(self._ear.getsockname(), heard)
        self._answer = np.frombuffer(answer, np.uint8).copy()
        self._polls = np.zeros(1, np.int64)
        self._polls[0] = self._ear.fileno() | (select.POLLIN << 32)
        self._sleeps = sleeps

    def round(self, count: int) -> Round:
        intake, answer = self._intake.record.ctypes.data, self._answer.ctypes.data
        polls = self._polls.ctypes.data if self._sleeps else 0
        given = (self.end.address, intake, self._tcp.fileno(), answer, len(self._answer), polls)
        done: Future[int] = beside(lambda: int(echo(*given)), CORE_HOT)
        try:
            made = self.end.run(count)
        finally:
            self.end.memory["stop"] = 1
            echoed = done.result(PATIENCE_S)
            self.end.memory["stop"] = 0
        require_all("datagrams", count + FIRST, echoed)
        return made

    def close(self) -> None:
        self.end.close()
        self._tcp.close()
        self._ear.close()
