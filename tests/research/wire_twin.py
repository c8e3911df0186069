"""A wire backtest in plain Python: lists for cables, SoupBinTCP and MoldUDP64 by `struct`.

The exchange's engine and the runner's `take` are the real ones; all that lies between them is not.
"""

import struct
from collections import deque

import numpy as np

from hftlib.core.journal import kinds
from hftlib.engine.live.making import laid
from hftlib.engine.live.memory import BEGUN, ENDED
from hftlib.engine.live.taking import due
from hftlib.engine.seats import open_orders
from hftlib.venue.floor import obeying, playing

SECOND, TICK, NEVER = 10**9, 10**8, 1 << 62


class Twin:
    """Both sides; `frames` is what the journal should have between its first frame and its last."""

    def __init__(self, about, exchange, tape):
        self.live, self.exchange = laid(about), exchange
        self.times = tape.events["time"].tolist()
        self.feed_ns, self.order_ns = about["feed_latency_ns"], about["order_latency_ns"]
        self.feed, self.orders, self.reports = deque(), deque(), deque()
        self.now = self.beat = self.tick = exchange.clock.first
        self.connects, self.dials, self.is_in = NEVER, 0, False
        self.said = self.told = self.bytes = self.spoke = 0
        self.frames, self.stream, self.into = [], next(iter(exchange.parts.entry.streams)), b""

    def until(self, end):
        while (now := min(self._moments())) <= end:
            self.now = max(self.now, now)
            moments = self._moments()
            first = next(n for n, one in enumerate(moments) if one <= self.now)
            (self._tape, self._hear, self._connect, self._datagram, self._report, self._time)[
                first
            ]()
        self.now = max(self.now, end)

    def ends(self):
        self._take(kinds.CONNECTED, struct.pack("<qq", ENDED, 0))
        last = self.now + 2 * SECOND
        while self.now < last and open_orders(self.live.session.address):
            self.until(self.now + SECOND // 50)

    def _moments(self):
        """When the exchange, then the runner, has something to do: the first wins."""
        place = int(self.exchange.flow.record["next"][0])
        tape = self.times[place] if place < len(self.times) else NEVER
        return (
            min(tape, self.beat),
            self.orders[0][0] if self.orders else NEVER,
            self.connects,
            self.feed[0][0] if self.feed else NEVER,
            self.reports[0][0] if self.reports else NEVER,
            min(self.tick, due(self.live.address)),
        )

    def _be(self):
        record = self.exchange.record
        record["now"] = max(int(record["now"][0]), self.now)

    def _tape(self):
        playing.play(self.exchange.floor, self.exchange.flow.address, self.now)
        self._be()
        if self.now >= self.beat:
            self.beat += SECOND
            messages = int(self.exchange.record["messages"][0])
            if self.is_in and self.now - self.spoke >= SECOND:
                self.reports.append((self.now + self.order_ns, struct.pack(">H1s", 1, b"H")))
                self.spoke = self.now
            if self.told == self.said == messages:
                self._send_datagram(b"", 0)
            self.told = self.said
        self._say()

    def _hear(self):
        self._be()
        self.into += self.orders.popleft()[1]
        answer = b""
        while len(self.into) >= 2 and len(self.into) >= 2 + struct.unpack(">H", self.into[:2])[0]:
            length = struct.unpack(">H", self.into[:2])[0]
            kind, payload = self.into[2:3], self.into[3 : 2 + length]
            self.into = self.into[2 + length :]
            if kind == b"L":
                session = self.stream.encode().rjust(10)
                answer = struct.pack(">H1s", 31, b"A") + session + b"1".rjust(20)
                self.is_in = True
            elif kind == b"U":
                data = np.frombuffer(payload, np.uint8)
                obeying.hear(self.exchange.floor, 1, data.ctypes.data, len(data))
        self._say(answer)

    def _say(self, answer=b""):
        """All that is new, to the feed and to the session."""
        blocks, offsets = self.exchange.parts.feed.store
        messages = int(self.exchange.record["messages"][0])
        while self.said < messages:
            first, last = self.said, self.said + 1
            limit = int(offsets[first]) + 1400 - 20
            while last < messages and int(offsets[last + 1]) <= limit:
                last += 1
            body = blocks[int(offsets[first]) : int(offsets[last])].tobytes()
            self._send_datagram(body, last - first)
            self.said = last
        if self.is_in:
            stored = self.exchange.parts.entry.stored(self.stream)
            data, self.bytes = answer + stored[self.bytes :], len(stored)
            if data:
                self.reports.append((self.now + self.order_ns, data))
                self.spoke = self.now

    def _send_datagram(self, body, count):
        head = struct.pack(">10sQH", b"HFTX".ljust(10), self.said + 1, count)
        self.feed.append((self.now + self.feed_ns, head + body))

    def _connect(self):
        self.connects = NEVER
        self._take(kinds.CONNECTED, struct.pack("<qq", BEGUN, 0))

    def _datagram(self):
        self._take(kinds.DATAGRAM, self.feed.popleft()[1])

    def _report(self):
        self._take(kinds.SESSION_IN, self.reports.popleft()[1])

    def _time(self):
        self.tick = self.now + TICK
        self._take(kinds.TIMER, b"")

    def _take(self, kind, payload):
        self.frames.append((kind, 0, self.now, payload))
        assert self.live.take(kind, 0, self.now, payload) == 0
        for out, source, data in self.live.outputs():
            self.frames.append((out, source, self.now, data))
            self.orders.append((self.now + self.order_ns, data))
        if int(self.live.links["dials"][0]) != self.dials:
            self.dials = int(self.live.links["dials"][0])
            self.connects = self.now + 2 * self.order_ns
