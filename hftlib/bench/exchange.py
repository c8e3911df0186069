"""`hft bench exchange`: what the exchange's own thread needs, with its sockets, on loopback.

    orders in      bytes of OUCH lie in its socket: read, matched, answered, published on two lines
    messages out   agents trade: matched, written as ITCH, packed, sent on two lines

Only the exchange's turns are timed; clients and receivers, in the same process, take their turns in
between, and every message that was sent must have arrived, in order, on both lines. What loopback
does with a datagram (its way into each receiver's buffer) happens in the sender's call, so it is in
the figure. The yardstick is the kernel's part alone: the same bytes through the same kinds of
sockets, read and sent in pieces as large.

Worst case of the method: one client that sends in bulk; many that send singly cost a call each.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from hftlib.bench.harness import Bench, require_all, require_compiled
from hftlib.core import ouch
from hftlib.core.soup import frames
from hftlib.feed.mold import packet as p
from hftlib.feed.mold import sockets as udp
from hftlib.venue.floor.configuration import checked
from hftlib.venue.floor.exchange import Exchange

ORDERS, CHUNK = 8_192, 256
AGENT_SECONDS, AGENT_RATE, AGENT_TURNS = 1.0, 20_000.0, 40
IN_BUDGET_NS, OUT_BUDGET_NS = 1e9 / 100_000, 1e9 / 500_000
PATIENCE_S, FOREVER_NS = 10.0, 10**15
TURNS_LEAST = 1_000  # in which it must have come, too: the first may compile for a minute


class Bed:
    """An exchange in lockstep, a client, and a receiver for each line."""

    def __init__(self, flow: str) -> None:
        tables: dict[str, Any] = {
            "exchange": {"orders_max": 1 << 15},
            "clock": {"pace": "lockstep", "date": "2026-01-05"},
            "symbols": [{"name": name} for name in ("AAA", "BBB", "CCC", "DDD")],
            "firms": [{"name": "FRM1"}],
            "accounts": [{"user": "one", "password": "secret", "firm": "FRM1"}],
            "market": {"flow": flow, "events_per_second": AGENT_RATE / 4},
        }
        self.exchange = Exchange(checked(tables, "the bench"))
        door = self.exchange.parts.entry  # a turn may compile, and nobody is let go for that
        door._record["silence_ns"] = door._record["login_ns"] = FOREVER_NS
        self.now = int(self.exchange.record["now"][0])
        places = self.exchange.places
        self.ears = [udp.listening(tuple(places[f"line_{n}"]), "127.0.0.1") for n in "ab"]
        self.heard = [int(self.exchange.record["messages"][0])] * 2
        self.client = socket.create_connection(tuple(places["order_entry"]))
        self.client.setblocking(False)
        self.urn = 0
        self.client.sendall(frames.login("one", "secret"))
        self.datagrams: list[bytes] = []
        self.answers = 0

    def turn(self) -> float:
        """One turn of the exchange, timed: ns."""
        self.now += 1_000
        start = time.perf_counter_ns()
        self.exchange.step(self.now)
        return float(time.perf_counter_ns() - start)

    def hear(self) -> None:
        """Whatever came on the lines and to the client; each line whole and in order."""
        for n, ear in enumerate(self.ears):
            while True:
                try:
                    data = ear.recv(2_048)
                except BlockingIOError:
                    break
                _, first, count = p.header_of(data)
                if 0 < count < p.END_COUNT:
                    require_all("messages", first, self.heard[n] + 1)
                    self.heard[n] += count
                    if n == 0:
                        self.datagrams.append(data)
        try:
            while data := self.client.recv(1 << 20):
                self.answers += len(data)
        except BlockingIOError:
            pass

    def orders(self, count: int) -> bytes:
        """Frames of new orders: two rest, a third takes one of them."""
        made = []
        for n in range(count):
            self.urn += 1
            away = 1 + n % 20
            side = "BS"[n % 2]
            price = 100 + (away if side == "S" else -away) / 100
            if n % 3 == 2:
                price = 100 + (0.3 if side == "B" else -0.3)
            order = ouch.inbound(
                "O",
                urn=self.urn,
                side=side,
                quantity=100,
                symbol=("AAA", "BBB", "CCC", "DDD")[n // 6 % 4],
                price=f"{price:.2f}",
                tif="3" if n % 3 == 2 else "0",
                display="Y",
                capacity="P",
                iso="N",
                cross="N",
            )
            made.append(frames.encode(b"U", bytes(order)))
        return b"".join(made)

    def close(self) -> None:
        self.client.close()
        for ear in self.ears:
            ear.close()
        self.exchange.close()


class Orders(Bed):
    """Orders in by the socket; each lap leaves no order behind."""

    def __init__(self) -> None:
        super().__init__("off")
        self.turn()
        self.hear()

    def lap(self) -> float:
        """ns an order, of the exchange's turns alone."""
        spent, done = 0.0, int(self.exchange.record["heard"][0])
        executions = int(self.exchange.record["executions"][0])
        self.datagrams.clear()
        for _ in range(ORDERS // CHUNK):
            self.client.sendall(self.orders(CHUNK))
            done += CHUNK
            patience, turns = time.monotonic() + PATIENCE_S, 0
            while int(self.exchange.record["heard"][0]) < done:
                spent, turns = spent + self.turn(), turns + 1
                if turns > TURNS_LEAST and time.monotonic() > patience:
                    break
            self.hear()
        require_all("orders", done, int(self.exchange.record["heard"][0]))
        traded = int(self.exchange.record["executions"][0]) - executions
        require_all("orders that take", 1, int(traded > ORDERS // 4))
        self.finish()
        return spent / ORDERS

    def finish(self) -> None:
        """All that was published has arrived; then what stands is cancelled, untimed."""
        require_all("messages", int(self.exchange.record["messages"][0]), *self.heard)
        self.urn += 1
        mass = ouch.inbound("C", urn=self.urn, firm="", symbol="")
        self.client.sendall(frames.encode(b"U", bytes(mass)))
        self.turn()
        self.hear()

    def probe(self) -> float:
        """The kernel's part: as many bytes in and out, in pieces as large: ns an order."""
        data, answer = self.orders(CHUNK), bytes(self.answers // max(self.urn, 1) * CHUNK)
        share = max(1, len(self.datagrams) * CHUNK // ORDERS)
        return kernel(self.exchange.places, data, answer, self.datagrams[:share], CHUNK)


class Messages(Bed):
    """Agents' trades out by multicast."""

    def lap(self) -> float:
        """ns a message of the feed, of the exchange's turns alone."""
        self.datagrams.clear()
        before, spent = int(self.exchange.record["messages"][0]), 0.0
        for _ in range(AGENT_TURNS):
            self.now += int(AGENT_SECONDS * 1e9 / AGENT_TURNS)
            spent += self.turn()
            self.hear()
        made = int(self.exchange.record["messages"][0])
        require_all("messages", made, *self.heard)
        self.made = made - before
        return spent / self.made

    def probe(self) -> float:
        """The same datagrams on both lines: ns a message."""
        count = sum(p.header_of(data)[2] for data in self.datagrams)
        return kernel(self.exchange.places, b"", b"", self.datagrams, count)


def kernel(
    places: dict[str, Any], data: bytes, answer: bytes, datagrams: list[bytes], count: int
) -> float:
    """These bytes through bare sockets, by `count`: nothing is looked at, nothing is made."""
    # The same groups, but ports that nobody else listens at.
    ears = [udp.listening((places[f"line_{n}"][0], 0), "127.0.0.1") for n in "ab"]
    wires = [udp.sending("127.0.0.1") for _ in ears]
    for wire, ear in zip(wires, ears, strict=True):
        wire.connect(ear.getsockname())
    with socket.create_server(("127.0.0.1", 0)) as door:
        client = socket.create_connection(door.getsockname())
        served, _ = door.accept()
    spent = 0
    if data:
        client.sendall(data)
        left, start = len(data), time.perf_counter_ns()
        while left:
            left -= len(served.recv(1 << 14))
        served.sendall(answer)
        spent += time.perf_counter_ns() - start
    start = time.perf_counter_ns()
    for wire in wires:
        for one in datagrams:
            wire.send(one)
    spent += time.perf_counter_ns() - start
    for own in (*ears, *wires, client, served):
        own.close()
    return spent / count


def benches() -> list[Bench]:
    """Each beside the kernel's part of it."""
    require_compiled("hft bench exchange")
    orders, messages = Orders(), Messages("agents")
    return [
        Bench(
            "orders in: matched, answered, published",
            orders.lap,
            unit="ns an order",
            budget=IN_BUDGET_NS,
            against="the same bytes through bare sockets",
            probe=orders.probe,
        ),
        Bench(
            "messages out: matched, written, sent on two lines",
            messages.lap,
            unit="ns a message",
            budget=OUT_BUDGET_NS,
            against="the same datagrams through bare sockets",
            probe=messages.probe,
        ),
    ]
