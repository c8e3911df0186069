"""A market in a thread: a server, and a relay that loses, delays, repeats and reorders datagrams.

    MoldServer ──▶ relay A ──▶ the receiver's line A         the recovery server is asked directly
               ──▶ relay B ──▶ the receiver's line B

The relay's chances are seeded, and all of it runs over real sockets of the loopback.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import deque

from hftlib.feed.mold import MoldServer
from hftlib.feed.mold import packet as p

PATIENCE_S = 60


def message(number: int) -> bytes:
    """What message `number` says: its number, and some bytes that depend on it."""
    return number.to_bytes(4, "big") * (1 + number % 7) + bytes(number % 4)


class Relay:
    """One line's wire."""

    def __init__(
        self, to: tuple[str, int], seed: int, *, loss: float, reorder: float, again: float, lag: int
    ) -> None:
        self.chance = random.Random(seed)
        self.loss, self.reorder, self.again, self.lag = loss, reorder, again, lag
        self.to = to
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.on_its_way: deque[bytes] = deque()
        self.late: list[bytes] = []
        self.lost = self.repeated = self.reordered = 0
        self.drop_data_from: int | None = None  # lose every message packet from this number on

    def pump(self) -> None:
        """Pass on what has come, `lag` packets behind; when nothing comes, everything."""
        came = False
        while True:
            try:
                packet = self.socket.recv(65_536)
            except BlockingIOError:
                break
            came = True
            self.on_its_way.append(packet)
            if len(self.on_its_way) > self.lag:
                self.pass_on(self.on_its_way.popleft())
        if not came:
            while self.on_its_way:
                self.pass_on(self.on_its_way.popleft())
            while self.late:
                self.send(self.late.pop())

    def pass_on(self, packet: bytes) -> None:
        _, first, count = p.header_of(packet)
        cut = self.drop_data_from is not None and first >= self.drop_data_from
        if self.chance.random() < self.loss or (cut and 0 < count < p.END_COUNT):
            self.lost += 1
            return
        if self.chance.random() < self.reorder:
            self.reordered += 1
            self.late.append(packet)
            return
        self.send(packet)
        if self.chance.random() < self.again:
            self.repeated += 1
            self.send(packet)
        if self.late and self.chance.random() < 0.3:
            self.send(self.late.pop(0))

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, self.to)


class Market(threading.Thread):
    """Publishes `count` messages through the relays, ends the session, answers until stopped."""

    def __init__(
        self, server: MoldServer, relays: list[Relay], count: int, *, ends: bool = True
    ) -> None:
        super().__init__(daemon=True)
        self.server, self.relays, self.count, self.ends = server, relays, count, ends
        self.stopped = threading.Event()
        self.failed: BaseException | None = None
        self.text_of = message

    def run(self) -> None:
        try:
            self.trade()
        except BaseException as error:
            self.failed = error
            raise

    def trade(self) -> None:
        for first in range(1, self.count + 1, 40):
            numbers = range(first, min(first + 40, self.count + 1))
            self.server.publish(map(self.text_of, numbers), time.monotonic_ns())
            self.turn()
        ended = False
        # The clock given to the server runs fast here, so that heartbeats need no waiting.
        fast_ns = time.monotonic_ns()
        while not self.stopped.is_set():
            fast_ns += 100_000_000
            if self.ends and not ended:
                self.server.end(fast_ns)
                ended = True
            self.server.step(fast_ns)
            self.turn()
            time.sleep(0.002)

    def turn(self) -> None:
        for relay in self.relays:
            relay.pump()
        self.server.step(time.monotonic_ns())
        time.sleep(0)

    def __enter__(self) -> Market:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.stopped.set()
        self.join(PATIENCE_S)
        for relay in self.relays:
            relay.socket.close()
        self.server.close()
        assert self.failed is None, self.failed
