"""The two machines of a session without sockets: bytes are carried by hand, time is said."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from hftlib.core.soup import client as c
from hftlib.core.soup import frames, laying, sockets
from hftlib.core.soup import memory as m
from hftlib.core.soup import server as s
from hftlib.core.soup.changes import IN, OUT

SECOND = m.SECOND_NS
STREAM = "OUCH1"


class Client:
    """A client's machine; `told` has what it told: (kind, number, data)."""

    def __init__(self, next_one: int = 1, session: str = "", **settings: int) -> None:
        self.memory = laying.client_memory(next_one, session, **settings)
        self.record = self.memory[: m.CLIENT.itemsize].view(m.CLIENT)
        self.base = self.memory.ctypes.data
        login = frames.login("user", "secret", session, next_one)
        self.login = np.frombuffer(login, np.uint8).copy()
        self.told: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> int:
        return int(self.record[name][0])

    @property
    def at(self) -> tuple[str, str]:
        return m.STATES[self.state], m.REASONS[self.reason]

    def follow(self) -> list[str]:
        """All that follows: the kinds of it."""
        kinds = []
        while kind := int(c.following(self.base)):
            begin = self.address - self.base
            data = self.memory[begin : begin + self.length].tobytes()
            row = (m.TELLS[kind],)
            if kind == m.OUT_MESSAGE:
                row += (self.number, data)
            if kind == m.OUT_DEBUG:
                row += (data,)
            self.told.append(row)
            kinds.append(m.TELLS[kind])
        return kinds

    def tick(self, now: int) -> list[str]:
        c.tick(self.base, now)
        return self.follow()

    def hear(self, data: bytes, now: int) -> list[str]:
        """Bytes of the server; none: it closed."""
        if data:
            sockets.put(self.base + IN, data)
        c.received(self.base, len(data), now)
        return self.follow()

    def dial(self, now: int) -> None:
        assert "DIAL" in self.tick(now)
        assert c.dialled(self.base, self.login.ctypes.data, now)

    def send(self, data: bytes, now: int) -> int:
        source = np.frombuffer(data + b"\0", np.uint8)
        return int(c.send(self.base, source.ctypes.data, len(data), now))

    def said(self, now: int, count: int | None = None) -> bytes:
        """What it has to say, taken out."""
        data = sockets.contents(self.base + OUT)[:count]
        c.sent(self.base, len(data), now)
        return data


class Server:
    """A server's machine with one stream, whose logins are all good ones."""

    def __init__(self, connections: int = 4, messages: int = 1 << 14, **settings: int) -> None:
        self.memory = laying.server_memory(1, connections, messages, 1 << 20, **settings)
        self.record = self.memory[: m.SERVER.itemsize].view(m.SERVER)
        self.base = self.memory.ctypes.data
        begin, end = (int(self.record[name][0]) for name in ("connections_at", "streams_at"))
        self.rows = self.memory[begin:end].view(m.CONNECTION)
        self.stream = self.memory[end : end + m.STREAM_BYTES].view(m.STREAM)
        self.told: list[tuple[Any, ...]] = []
        self.rejecting = ""
        self.name = np.frombuffer(STREAM.encode().rjust(10).ljust(30), np.uint8).copy()

    def at(self, n: int) -> tuple[str, str]:
        return m.SERVED[self.rows["state"][n]], m.REASONS[self.rows["reason"][n]]

    def admit(self, now: int) -> int:
        return int(s.admit(self.base, now))

    def follow(self, n: int, now: int) -> list[str]:
        kinds = []
        while kind := int(s.following(self.base, n)):
            begin = int(self.record["address"][0]) - self.base
            data = self.memory[begin : begin + int(self.record["length"][0])].tobytes()
            kinds.append(m.TOLD[kind])
            if kind == m.HAS_LOGIN:
                number = frames.number_of(data[26:46])
                if self.rejecting:
                    s.reject(self.base, n, ord(self.rejecting), now)
                else:
                    s.accept(self.base, n, 0, 0, number, self.name.ctypes.data, now)
            elif kind == m.HAS_GONE:
                self.told.append(("GONE", m.REASONS[self.rows["reason"][n]]))
                s.release(self.base, n)
            else:
                self.told.append((m.TOLD[kind], data))
        return kinds

    def hear(self, n: int, data: bytes, now: int) -> list[str]:
        if data:
            sockets.put(s.connection_address(self.base, n) + s.IN, data)
        s.received(self.base, n, len(data), now)
        return self.follow(n, now)

    def tick(self, n: int, now: int) -> list[str]:
        s.tick(self.base, n, now)
        return self.follow(n, now)

    def publish(self, data: bytes) -> int:
        source = np.frombuffer(data + b"\0", np.uint8)
        return int(s.publish(self.base, 0, source.ctypes.data, len(data)))

    def end(self) -> None:
        self.stream["ended"] = 1

    def said(self, n: int, now: int, count: int | None = None) -> bytes:
        s.fill(self.base, n)
        data = sockets.contents(s.connection_address(self.base, n) + s.OUT)[:count]
        s.sent(self.base, n, len(data), now)
        return data


def pieces(data: bytes, random: Random) -> list[bytes]:
    """The data as TCP may cut it."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 1, 3))))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [part for part in parts if part]
