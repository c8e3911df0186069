"""A SoupBinTCP client on a socket: the machine of `client.py`, driven.

    with SoupClient(("127.0.0.1", 9000), "user", "secret") as client:
        while client.state != "OVER":
            for told in client.poll(timeout_ms=100):
                if told.kind == "MESSAGE": use(told.number, told.data)

It dials again by itself, waiting longer each time, and goes on with the next message that it has
not told. Everything is kept within one piece of memory, but for the password.

Worst case: `poll` returns after its timeout, or MESSAGES_PER_POLL messages.
"""

from __future__ import annotations

import errno
import select
import socket
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import clock
from hftlib.core.errors import InputError, StateError
from hftlib.core.soup import client as machine
from hftlib.core.soup import frames, laying, pipes, sockets
from hftlib.core.soup import memory as m
from hftlib.core.soup.changes import IN, OUT
from hftlib.core.units import is_whole, shown

MESSAGES_PER_POLL = 4_096
_COUNTS = (
    *("messages", "repeated", "lost", "sessions", "dials", "logins", "rejections", "falls"),
    *("bad_frames", "debugs", "heartbeats", "heartbeats_heard", "messages_sent", "unsent"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a session tells; `number` of a login is that of the next message."""

    kind: str
    number: int = 0
    data: bytes = b""
    reason: str = ""
    skipped: int = 0


class SoupClient:
    """One session of one user. `next_one` 1 wants all of the session, 0 only the newest."""

    def __init__(
        self,
        address: sockets.Address,
        user: str,
        password: str,
        session: str = "",
        next_one: int = 1,
        **settings: int,
    ) -> None:
        if not is_whole(next_one) or not 0 <= next_one <= pipes.NUMBER_MAX:
            raise InputError(
                f"{shown(next_one)} is no number of a message",
                where="SoupClient(next_one=...)",
                do="Give 1 for the first, 0 for the newest.",
            )
        self.address = sockets.checked(address, "the server")
        login = frames.login(user, password, session, next_one)
        self._login = np.frombuffer(login, np.uint8).copy()
        self._memory = laying.client_memory(next_one, session.strip(), **settings)
        self._record = self._memory[: m.CLIENT.itemsize].view(m.CLIENT)
        self._own: socket.socket | None = None
        self._poll = select.poll()
        self._is_connected = False

    @property
    def base(self) -> int:
        """Where the machine's memory lies, for compiled code."""
        return int(self._memory.ctypes.data)

    @property
    def state(self) -> str:
        return m.STATES[int(self._record["state"][0])]

    @property
    def reason(self) -> str:
        """Why it is in its state."""
        return m.REASONS[int(self._record["reason"][0])]

    @property
    def session(self) -> str:
        """The name of the session, once the server has said it."""
        return bytes(self._record["session"][0][: m.SESSION_BYTES]).decode("latin-1").strip(" \0")

    @property
    def next_one(self) -> int:
        """The number of the next message."""
        return int(self._record["next"][0])

    @property
    def counts(self) -> dict[str, int]:
        return {name: int(self._record[name][0]) for name in _COUNTS if self._record[name][0]}

    def poll(self, timeout_ms: float = 0) -> list[Told]:
        """What the session tells now; waits for something up to the timeout."""
        until = clock.monotonic_ns() + int(timeout_ms * 1e6)
        while True:
            told: list[Told] = []
            machine.tick(self.base, clock.monotonic_ns())
            self._drain(told)
            self._move(told)
            left_ms = (until - clock.monotonic_ns()) / 1e6
            if told or left_ms <= 0:
                return told
            self._wait(min(left_ms, 100.0))

    def send(self, message: bytes) -> None:
        """Send one message; a session that cannot take it says why."""
        data = np.frombuffer(bytes(message) + b"\0", np.uint8)
        now = clock.monotonic_ns()
        why = int(machine.send(self.base, data.ctypes.data, len(message), now))
        if why:
            raise StateError(
                f"The message is not sent: {m.UNSENT[why]}",
                where="SoupClient.send",
                do="Poll until the session is LIVE, and send again.",
            )
        self._flush()

    def logout(self) -> None:
        """Say goodbye; `poll` until OVER."""
        machine.logout(self.base, clock.monotonic_ns())
        self._flush()

    def close(self) -> None:
        """No more of it, at once."""
        machine.stop(self.base, clock.monotonic_ns())
        self._hang_up()

    def _drain(self, told: list[Told]) -> None:
        """All that follows; sockets are opened and closed as the machine says."""
        while kind := int(machine.following(self.base)):
            c = self._record[0]
            if kind == m.OUT_DIAL:
                self._dial()
            elif kind in (m.OUT_MESSAGE, m.OUT_DEBUG):
                begin = int(c["address"]) - self.base
                data = self._memory[begin : begin + int(c["length"])].tobytes()
                number = int(c["number"]) if kind == m.OUT_MESSAGE else 0
                told.append(Told(m.TELLS[kind], number, data))
            elif kind in (m.OUT_LIVE, m.OUT_SESSION):
                told.append(Told(m.TELLS[kind], int(c["number"]), skipped=int(c["skipped"])))
            else:
                self._hang_up()
                told.append(Told(m.TELLS[kind], reason=self.reason))

    def _move(self, told: list[Told]) -> None:
        """Bytes in and out, until there are none or enough was told."""
        if self._own is not None and not self._is_connected:
            self._connected()
        while self._own is not None and self._is_connected and len(told) < MESSAGES_PER_POLL:
            self._flush()
            got = int(sockets.take(self.base + IN, self._own.fileno()))
            if got == sockets.NOTHING:
                return
            now = clock.monotonic_ns()
            if got == sockets.BROKEN:
                machine.failed(self.base, m.BROKE, now)
            else:
                machine.received(self.base, got, now)
            self._drain(told)

    def _flush(self) -> None:
        if self._own is None or not self._is_connected:
            return
        gone = int(sockets.give(self.base + OUT, self._own.fileno()))
        if gone == sockets.BROKEN:
            machine.failed(self.base, m.BROKE, clock.monotonic_ns())
        elif gone > 0:
            machine.sent(self.base, gone, clock.monotonic_ns())
        waits = self._record["outgoing"]["end"][0] > self._record["outgoing"]["begin"][0]
        if self._own is not None:
            self._poll.modify(self._own, select.POLLIN | (select.POLLOUT if waits else 0))

    def _dial(self) -> None:
        self._hang_up()
        self._own = sockets.dialling(self.address)
        self._poll.register(self._own, select.POLLOUT)

    def _connected(self) -> None:
        assert self._own is not None
        why = self._own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        ready = bool(self._poll.poll(0))
        if why and why != errno.EINPROGRESS:
            machine.failed(self.base, m.NOT_MADE, clock.monotonic_ns())
        elif ready:
            self._is_connected = True
            machine.dialled(self.base, self._login.ctypes.data, clock.monotonic_ns())

    def _hang_up(self) -> None:
        if self._own is not None:
            self._poll.unregister(self._own)
            self._own.close()
        self._own, self._is_connected = None, False

    def _wait(self, timeout_ms: float) -> None:
        c = self._record[0]
        if self._own is None and int(c["state"]) == m.DOWN:
            timeout_ms = min(timeout_ms, (int(c["dial_at"]) - clock.monotonic_ns()) / 1e6)
        self._poll.poll(max(timeout_ms, 0.05))

    def __enter__(self) -> SoupClient:
        return self

    def __exit__(self, *_failure: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        host, port = self.address
        return (
            f"<SoupClient {host}:{port} {self.state}, {self.reason}; session "
            f"{self.session or 'any'}, next message {self.next_one:,}>"
        )
