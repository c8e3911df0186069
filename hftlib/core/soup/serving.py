"""A SoupBinTCP server on sockets: the machine of `server.py`, driven.

    server = SoupServer(("127.0.0.1", 0), [Login("user", "secret", stream="OUCH1")])
    for told in server.poll(timeout_ms=10):
        if told.kind == "MESSAGE": server.publish(told.login.stream, answer(told.data))

A stream is a session: its messages are numbered, kept, and sent to whoever logs in for it, from
the number asked for. Order entry gives each login a stream of its own; a feed lets many share one.
An exclusive login takes the place of one of the same user that is still there, for that may be a
connection whose other end is long gone.

Everything is bounded: connections, the bytes each may leave unread, frames, time to log in. Who
does not log in makes room for others. What went wrong is counted by reason.

Worst case: `poll` looks at each connection once, and takes ACCEPTS_PER_POLL new ones.
"""

from __future__ import annotations

import hmac
import select
import socket
from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core import clock
from hftlib.core.errors import StateError
from hftlib.core.soup import frames, laying, pipes, sockets
from hftlib.core.soup import memory as m
from hftlib.core.soup import server as machine
from hftlib.core.soup.logins import Login, Served, streams_of
from hftlib.core.units import shown

ACCEPTS_PER_POLL = 64
BACKLOG = 128


class SoupServer:
    """Many clients, each with a login; `streams` are named by the logins."""

    def __init__(
        self,
        address: sockets.Address,
        logins: Sequence[Login],
        *,
        connections_max: int = 64,
        messages_max: int = 1 << 20,
        stream_bytes_max: int = 1 << 26,
        **settings: int,
    ) -> None:
        self.logins = list(logins)
        self.streams = streams_of(self.logins)
        self._memory = laying.server_memory(
            len(self.streams), connections_max, messages_max, stream_bytes_max, **settings
        )
        self._record = self._memory[: m.SERVER.itemsize].view(m.SERVER)
        begin, end = (int(self._record[name][0]) for name in ("connections_at", "streams_at"))
        self._rows = self._memory[begin:end].view(m.CONNECTION)
        stores = self._memory[end : end + len(self.streams) * m.STREAM_BYTES]
        self._stores = stores.view(m.STREAM)
        self._sockets: dict[int, socket.socket] = {}
        self._by_descriptor: dict[int, int] = {}
        self._poll = select.poll()
        self._door = sockets.listening(address, BACKLOG)
        self._poll.register(self._door, select.POLLIN)

    @property
    def base(self) -> int:
        """Where the machine's memory lies, for compiled code."""
        return int(self._memory.ctypes.data)

    @property
    def address(self) -> sockets.Address:
        """Where it listens; the port that was chosen, if 0 was asked for."""
        return self._door.getsockname()

    @property
    def connections(self) -> int:
        return len(self._sockets)

    @property
    def counts(self) -> dict[str, int]:
        """What was met, by name: connections by why they ended, and the rest."""
        s = self._record[0]
        names = ("admitted", "full", "logins", "messages", "debugs", "heartbeats")
        found = {name: int(s[name]) for name in names}
        found |= {f"gone: {why}": int(s["gone"][n]) for n, why in enumerate(m.REASONS)}
        return {name: count for name, count in found.items() if count}

    def count(self, stream: str) -> int:
        """How many messages a stream has."""
        return int(self._stores["count"][self.streams[stream]])

    def stored(self, stream: str) -> bytes:
        """All messages of a stream, as they travel."""
        row = self._stores[self.streams[stream]]
        begin, index = int(row["blocks_at"]), int(row["index_at"]) + 8 * int(row["count"])
        end = begin + int(self._memory[index : index + 8].view(np.int64)[0])
        return self._memory[begin:end].tobytes()

    def poll(self, timeout_ms: float = 0) -> list[Served]:
        """What clients did; waits for something up to the timeout."""
        told: list[Served] = []
        ready = {fd for fd, _ in self._poll.poll(max(0.0, timeout_ms))}
        if self._door.fileno() in ready:
            self._accept(told)
        now = clock.monotonic_ns()
        for n in list(self._sockets):
            if n in self._sockets and self._sockets[n].fileno() in ready:
                self._take(n, now, told)
            if n in self._sockets:
                machine.tick(self.base, n, now)
                self._drain(n, told)
            self._give(n)
        return told

    def publish(self, stream: str, message: bytes) -> int:
        """One more message of the stream, sent now to whoever reads it: its number."""
        data = np.frombuffer(bytes(message) + b"\0", np.uint8)
        place = self.streams[stream]
        number = int(machine.publish(self.base, place, data.ctypes.data, len(message)))
        if number < 0:
            raise StateError(
                f"The message is not published: {m.UNSENT[-number]}",
                where=f"SoupServer.publish({shown(stream)})",
                do="Give the server more of messages_max or stream_bytes_max.",
            )
        for n in list(self._sockets):
            if int(self._rows["stream"][n]) == place:
                self._give(n)
        return number

    def end(self, stream: str) -> None:
        """No more messages; who has read all of them is told, and let go."""
        self._stores["ended"][self.streams[stream]] = 1
        for n in list(self._sockets):
            self._give(n)

    def drop(self, connection: int) -> None:
        """Cut one connection off."""
        machine.drop(self.base, connection, m.STOPPED)

    def close(self) -> None:
        for n in list(self._sockets):
            machine.drop(self.base, n, m.STOPPED)
            self._release(n)
        self._door.close()

    def _accept(self, told: list[Served]) -> None:
        for _ in range(ACCEPTS_PER_POLL):
            try:
                own, _ = self._door.accept()
            except OSError:
                return
            now = clock.monotonic_ns()
            n = int(machine.admit(self.base, now))
            victim = int(machine.oldest_waiting(self.base)) if n < 0 else -1
            if victim >= 0:
                machine.drop(self.base, victim, m.EVICTED)
                self._drain(victim, told)
                n = int(machine.admit(self.base, now))
            if n < 0:
                self._record["full"] += 1
                own.close()
                continue
            own.setblocking(False)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[n] = own
            self._poll.register(own, select.POLLIN)

    def _take(self, n: int, now: int, told: list[Served]) -> None:
        if int(self._rows["state"][n]) not in (m.WAITING, m.SERVING, m.CLOSING):
            return
        pipe = int(machine.connection_address(self.base, n)) + machine.IN
        if int(self._rows["state"][n]) == m.CLOSING:
            pipes.empty(pipe)  # nothing it says counts any more
        got = int(sockets.take(pipe, self._sockets[n].fileno()))
        if got not in (sockets.NOTHING, sockets.FULL):
            machine.received(self.base, n, got, now)

    def _drain(self, n: int, told: list[Served]) -> None:
        while n in self._sockets and (kind := self._following(n)):
            begin = int(self._record["address"][0]) - self.base
            data = self._memory[begin : begin + int(self._record["length"][0])].tobytes()
            account = int(self._rows["account"][n])
            login = self.logins[account] if account >= 0 else None
            if kind == m.HAS_LOGIN:
                self._decide(n, data, told)
            elif kind == m.HAS_GONE:
                why = m.REASONS[int(self._rows["reason"][n])]
                self._release(n)
                if login is not None:
                    told.append(Served("GONE", login, n, reason=why))
            else:
                told.append(Served(m.TOLD[kind], login, n, data))

    def _following(self, n: int) -> int:
        """What is next to be told of a connection; compiled code that hears goes in between."""
        return int(machine.following(self.base, n))

    def _decide(self, n: int, data: bytes, told: list[Served]) -> None:
        """Let somebody in, or not: A for who it is, S for what is asked for."""
        now = clock.monotonic_ns()
        user, password = data[:6].strip(b" "), data[6:16].strip(b" ")
        account = self._account(user, password)
        if account < 0:
            machine.reject(self.base, n, ord("A"), now)
            return
        login = self.logins[account]
        place = self.streams[login.stream]
        session, number = data[16:26].strip(b" "), frames.number_of(data[26:46])
        known = login.stream.encode("ascii")
        if session not in (b"", known) or not 0 <= number <= self.count(login.stream) + 1:
            machine.reject(self.base, n, ord("S"), now)
            return
        if login.exclusive:
            for other in np.flatnonzero(self._rows["account"] == account).tolist():
                if other != n and other in self._sockets:
                    machine.drop(self.base, other, m.TAKEN_OVER)
                    self._drain(other, told)
        name = np.frombuffer(known.rjust(10).ljust(machine.ANSWER_BYTES), np.uint8)
        said = machine.accept(self.base, n, account, place, number, name.ctypes.data, now)
        told.append(Served("LOGIN", login, n, number=int(said)))

    def _account(self, user: bytes, password: bytes) -> int:
        """Whose login it is; each password is compared, and all in the same time."""
        found = -1
        for place, login in enumerate(self.logins):
            is_user = hmac.compare_digest(login.user.encode("ascii"), user)
            is_password = hmac.compare_digest(login.password.encode("ascii"), password)
            if is_user and is_password:
                found = place
        return found

    def _give(self, n: int) -> None:
        if n not in self._sockets:
            return
        own, pipe = self._sockets[n], int(machine.connection_address(self.base, n)) + machine.OUT
        waits = int(machine.fill(self.base, n))
        while waits:
            gone = int(sockets.give(pipe, own.fileno()))
            if gone == sockets.BROKEN:
                machine.drop(self.base, n, m.BROKE)
            if gone <= 0:
                break
            machine.sent(self.base, n, gone, clock.monotonic_ns())
            waits = int(machine.fill(self.base, n))
        self._poll.modify(own, select.POLLIN | (select.POLLOUT if waits else 0))

    def _release(self, n: int) -> None:
        own = self._sockets.pop(n)
        self._poll.unregister(own)
        own.close()
        machine.release(self.base, n)

    def __enter__(self) -> SoupServer:
        return self

    def __exit__(self, *_failure: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        host, port = self.address
        return (
            f"<SoupServer {host}:{port}: {self.connections} connections, "
            f"{len(self.streams)} streams, {self.counts.get('logins', 0):,} logins>"
        )
