"""Where sessions come in: a SoupBinTCP server whose messages never become Python objects.

    Door(address, logins, ...)       `floor` is set once the floor's memory is there
    door.slow_ns                     each answer leaves so much later, by `door.time()`: a fault
    door.poll(timeout_ms)            logins and ends, as any server tells them; messages are obeyed
    door.flush()                     what was said meanwhile, to whoever reads it

Worst case: a client that sends without end is read one pipe at a time, between all others. What
is late is at most LATE_BYTES_MAX of each connection: the rest waits in its stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hftlib.core import clock
from hftlib.core.soup import memory as soup
from hftlib.core.soup import server as machine
from hftlib.core.soup import sockets
from hftlib.core.soup.serving import SoupServer
from hftlib.venue.floor import obeying

FRAME_BYTES_MAX = 8_192  # so that one read takes in hundreds of orders
LATE_BYTES_MAX = 1 << 20


class Door(SoupServer):
    """Order entry: what a client sends is obeyed at once, at the time that `before` sets."""

    floor = 0
    is_held = False  # nothing is sent to anybody: a fault, asked for
    before: Callable[[], None] = staticmethod(lambda: None)
    slow_ns = 0
    time: Callable[[], int] = staticmethod(lambda: 0)

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._late: dict[int, deque[tuple[int, bytes]]] = {}  # due when, by connection

    def _following(self, n: int) -> int:
        if self.floor == 0:
            return super()._following(n)
        self.before()
        return int(obeying.following(self.floor, n))

    def cut(self, account: int) -> None:
        """Drop the connections of an account, or of all (-1)."""
        for n in list(self._sockets):
            if account < 0 or int(self._rows["account"][n]) == account:
                self.drop(n)

    def _give(self, n: int) -> None:
        if self.is_held:
            return
        if n in self._sockets and (self.slow_ns or n in self._late):
            self._give_late(n)
        else:
            super()._give(n)

    def _give_late(self, n: int) -> None:
        """What was said until now is to leave later; what was to leave by now leaves."""
        late = self._late.setdefault(n, deque())
        pipe, now = int(machine.connection_address(self.base, n)) + machine.OUT, self.time()
        while sum(len(data) for _, data in late) < LATE_BYTES_MAX:
            if not int(machine.fill(self.base, n)):
                break
            data = sockets.contents(pipe)
            machine.sent(self.base, n, len(data), clock.monotonic_ns())
            late.append((now + self.slow_ns, data))
        while late and (late[0][0] <= now or not self.slow_ns):
            due, data = late.popleft()
            try:
                gone = self._sockets[n].send(data)
            except BlockingIOError:
                gone = 0
            except OSError:
                machine.drop(self.base, n, soup.BROKE)
                return
            if gone < len(data):
                late.appendleft((due, data[gone:]))
                return
        if not late and not self.slow_ns:
            del self._late[n]
            super()._give(n)

    def _release(self, n: int) -> None:
        self._late.pop(n, None)  # lost with its connection, as on any wire; the stream has it
        super()._release(n)

    def flush(self) -> None:
        """Send what the streams have and the sockets take."""
        for n in list(self._sockets):
            self._give(n)


class CopyDoor(SoupServer):
    """Drop copies: whoever logs in only hears; what is sent here counts for nothing."""

    def flush(self) -> None:
        for n in list(self._sockets):
            self._give(n)
