"""A gateway to one venue by OUCH 5.0: commands in, reports out, the session kept alive.

    gateway = OuchGateway(("10.1.2.3", 9000), "user", "secret", instruments, venue="XNAS")
    gateway.submit(commands)                  rows of COMMAND, as execution makes them
    for report in gateway.poll(timeout_ms=5): rows of EVENT, as `life.report` takes them

When the session is lost all orders are unknown until it is back; then what was said is heard, what
never arrived is sent again or refused, and every order that stands is reconciled. With
`cancel_on_disconnect` nothing is sent again and all that stands is cancelled: some venues do that
by themselves, and then our cancels change nothing.

Worst case: commands that come faster than the venue allows wait here, cancels before all else.
"""

from __future__ import annotations

import errno
import select
import socket
from typing import Any

import numpy as np

from hftlib.core import clock
from hftlib.core.errors import InputError, StateError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.orders import COMMAND
from hftlib.core.soup import client as session
from hftlib.core.soup import frames, sockets
from hftlib.core.soup import laying as soup_laying
from hftlib.core.soup import memory as soup
from hftlib.execution.ouch import asking, exchanging, laying, writing
from hftlib.execution.ouch import memory as m

_COUNTS = (
    *("entered", "replaced", "cancelled", "controls", "resent", "held_up", "heard"),
    *("unreadable", "strangers", "repeated", "late", "unexplained", "notices", "refused"),
    *("reports_lost", "controls_heard", "restarts"),
)
_TURNS_MAX = 64
SETTINGS = {
    "orders_max": 1 << 12,
    "entries_max": 1 << 16,
    "window_max": 0,
    "window_ns": laying.SECOND_NS,
    "window_reserve": 0,
    "resend_ns": 2 * laying.SECOND_NS,
    "query_ns": 2 * laying.SECOND_NS,
    "day_start": 0,
}


class OuchGateway:
    """One session of one account at one venue; its two pieces of memory hold all of its state.

    Settings by name: those of SETTINGS (how many orders at once and user references remembered,
    the venue's window of messages, what is too old to be sent again, patience, and midnight of the
    venue's times), and those of a `SoupClient`.
    """

    def __init__(
        self,
        address: sockets.Address,
        user: str,
        password: str,
        instruments: Instruments,
        *,
        venue: str,
        session_name: str = "",
        firm: str = "",
        capacity: str = "P",
        cancel_on_disconnect: bool = False,
        reduce_in_place: bool = True,
        **settings: int,
    ) -> None:
        self.address = sockets.checked(address, "the venue")
        own = {name: settings.pop(name) for name in list(settings) if name in SETTINGS}
        login = frames.login(user, password, session_name, 0)
        self._login = np.frombuffer(login, np.uint8).copy()
        self._memory = laying.gateway_memory(
            instruments,
            venue=venue,
            firm=firm,
            capacity=capacity,
            is_dropping=cancel_on_disconnect,
            is_reducing=reduce_in_place,
            **{**SETTINGS, **own},
        )
        self._record = self._memory[: m.GATEWAY.itemsize].view(m.GATEWAY)
        begin = int(self._record["reports_at"][0])
        size = int(self._record["reports_max"][0]) * EVENT.itemsize
        self._reports = self._memory[begin : begin + size].view(EVENT)
        # From the newest message on: what was said before we came is no answer to us.
        self._soup = soup_laying.client_memory(0, session_name.strip(), **settings)
        self._session = self._soup[: soup.CLIENT.itemsize].view(soup.CLIENT)
        self._own: socket.socket | None = None
        self._is_connected = False
        self._poll = select.poll()

    @property
    def base(self) -> int:
        """Where the gateway's memory lies, for compiled code."""
        return int(self._memory.ctypes.data)

    @property
    def client(self) -> int:
        """Where its session's memory lies."""
        return int(self._soup.ctypes.data)

    @property
    def state(self) -> str:
        """SHUT, ASKING, RESENDING or OPEN: new orders leave when it is OPEN."""
        return m.STATES[int(self._record["state"][0])]

    @property
    def session(self) -> tuple[str, str]:
        """The session's state, and why."""
        row = self._session[0]
        return soup.STATES[int(row["state"])], soup.REASONS[int(row["reason"])]

    @property
    def counts(self) -> dict[str, int]:
        return {name: int(self._record[name][0]) for name in _COUNTS if self._record[name][0]}

    def submit(self, commands: np.ndarray[Any, Any]) -> None:
        """Take these commands in; those that may leave now do so at once."""
        if commands.dtype != COMMAND:
            raise InputError(
                "These are no commands",
                where="OuchGateway.submit",
                do="Give rows of COMMAND, as hftlib.core.orders draws them.",
            )
        rows, now = np.ascontiguousarray(commands), clock.now_ns()
        for n in range(len(rows)):
            asking.submit(self.base, rows.ctypes.data + n * COMMAND.itemsize, now)
        self._turn()

    def cancel_all(self, instrument: int = -1) -> bool:
        """One message that ends all our orders there, of one instrument or of all."""
        return self._control("C", instrument)

    def disable_entry(self) -> bool:
        """No order of the firm's is taken by the venue any more, until it is enabled."""
        return self._control("D", -1)

    def enable_entry(self) -> bool:
        return self._control("E", -1)

    def poll(self, timeout_ms: float = 0) -> np.ndarray[Any, Any]:
        """What the venue answered, copied; waits for something up to the timeout."""
        until = clock.monotonic_ns() + int(timeout_ms * 1e6)
        while True:
            self._turn()
            count = int(self._record["reports"][0])
            left_ms = (until - clock.monotonic_ns()) / 1e6
            if count or left_ms <= 0:
                break
            self._poll.poll(max(0.05, min(left_ms, 20.0)))
        if self._record["reports_lost"][0]:
            raise StateError(
                "Reports of the venue were lost, because nobody took those before them",
                where="OuchGateway.poll",
                do="Stop trading and reconcile with the venue; poll more often.",
            )
        reports = self._reports[:count].copy()
        self._record["reports"] = 0
        return reports

    def logout(self) -> None:
        """Say goodbye; the venue closes the connection."""
        session.logout(self.client, clock.monotonic_ns())
        self._turn()

    def close(self) -> None:
        session.stop(self.client, clock.monotonic_ns())
        self._hang_up()

    def _control(self, letter: str, instrument: int) -> bool:
        now = clock.monotonic_ns()
        why = int(writing.control(self.base, self.client, ord(letter), instrument, now))
        self._turn()
        return why == 0

    def _turn(self) -> None:
        """Bytes both ways, until there is nothing left to do or reports must be taken away."""
        for _ in range(_TURNS_MAX):
            if self._own is not None and not self._is_connected:
                self._connected()
            ready = self._own is not None and self._is_connected
            descriptor = self._own.fileno() if ready and self._own is not None else -1
            now, received = clock.monotonic_ns(), clock.now_ns()
            told = int(exchanging.exchange(self.base, self.client, descriptor, now, received))
            if told == soup.OUT_DIAL:
                self._hang_up()
                self._own = sockets.dialling(self.address)
                self._poll.register(self._own, select.POLLOUT)
            elif told in (soup.OUT_DOWN, soup.OUT_OVER):
                self._hang_up()
            else:
                break
        if self._own is not None and self._is_connected:
            pipe = self._session["outgoing"][0]
            waits = pipe["end"] > pipe["begin"]
            self._poll.modify(self._own, select.POLLIN | (select.POLLOUT if waits else 0))

    def _connected(self) -> None:
        assert self._own is not None
        why = self._own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if why and why != errno.EINPROGRESS:
            session.failed(self.client, soup.NOT_MADE, clock.monotonic_ns())
        elif self._poll.poll(0):
            self._is_connected = True
            session.dialled(self.client, self._login.ctypes.data, clock.monotonic_ns())

    def _hang_up(self) -> None:
        if self._own is not None:
            self._poll.unregister(self._own)
            self._own.close()
        self._own, self._is_connected = None, False

    def __enter__(self) -> OuchGateway:
        return self

    def __exit__(self, *_failure: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        host, port = self.address
        state, why = self.session
        return f"<OuchGateway {host}:{port} {self.state}; session {state}, {why}>"
