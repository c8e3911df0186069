"""The process that is told: it looks at its control socket once a turn, and never waits for it.

Worst case: CLIENTS_MAX clients, LINE_BYTES_MAX of a line and ANSWER_BYTES_MAX of answers each; who
sends more, says nothing for PATIENCE_S, or does not read, is let go. A turn looks at each client
once and obeys LINES_PER_TURN of its lines, so nobody can hold the process up.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hftlib.core.control.places import listening, user_of
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.units import shown

CLIENTS_MAX, LINES_PER_TURN = 8, 4
LINE_BYTES_MAX, ANSWER_BYTES_MAX = 1 << 14, 1 << 18
PATIENCE_S = 60.0
WHERE = "the control socket"

Obey = Callable[[dict[str, Any]], dict[str, Any]]


class _Client:
    """What one has sent and not finished, and what it was answered and has not read."""

    def __init__(self, own: socket.socket, now: float) -> None:
        self.socket, self.heard = own, now
        self.coming, self.leaving = b"", b""


class Control:
    """The socket of one process; `poll` it once a turn. `obey` takes a line and gives an answer."""

    def __init__(self, path: Path, obey: Obey) -> None:
        self.path, self._obey = path, obey
        self._door = listening(path, CLIENTS_MAX)
        self._clients: dict[int, _Client] = {}
        self._poll = select.poll()
        self._poll.register(self._door, select.POLLIN)
        self.counts = {"obeyed": 0, "refused": 0, "let go": 0}

    def poll(self) -> None:
        """Whoever came, and one piece of what each has to say."""
        ready = self._poll.poll(0)
        now = time.monotonic()
        for descriptor, _ in ready:
            if descriptor == self._door.fileno():
                self._accept(now)
            elif descriptor in self._clients:
                self._take(self._clients[descriptor], now)
        for descriptor, client in list(self._clients.items()):
            self._give(client)
            for _ in range(LINES_PER_TURN):
                line, found, rest = client.coming.partition(b"\n")
                if not found or client.leaving or descriptor not in self._clients:
                    break
                client.coming = rest
                client.leaving = self._answer(line)
                self._give(client)
            if now - client.heard > PATIENCE_S:
                self._let_go(descriptor)

    def part(self, seconds: float) -> None:
        """Each one who is there now hears once more, if it asks within so long."""
        self.poll()  # who waits at the door is there, too
        since = {descriptor: client.heard for descriptor, client in self._clients.items()}
        until = time.monotonic() + seconds
        while since and time.monotonic() < until:
            self.poll()
            here = {descriptor: client.heard for descriptor, client in self._clients.items()}
            since = {one: heard for one, heard in since.items() if here.get(one) == heard}
            time.sleep(0.005)

    def close(self) -> None:
        for descriptor in list(self._clients):
            self._let_go(descriptor)
        self._door.close()
        self.path.unlink(missing_ok=True)

    def _accept(self, now: float) -> None:
        try:
            own, _ = self._door.accept()
        except OSError:
            return
        if len(self._clients) == CLIENTS_MAX or user_of(own) not in (0, os.getuid()):
            own.close()
            self.counts["let go"] += 1
            return
        own.setblocking(False)
        self._clients[own.fileno()] = _Client(own, now)
        self._poll.register(own, select.POLLIN)

    def _take(self, client: _Client, now: float) -> None:
        """What has come; a line that does not end, and one who hung up, end it."""
        room = LINE_BYTES_MAX + 1 - len(client.coming)
        if room <= 0:
            return  # it has lines enough here, and reads no answers
        try:
            data = client.socket.recv(room)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._let_go(client.socket.fileno())
            return
        client.coming, client.heard = client.coming + data, now
        if b"\n" not in client.coming and len(client.coming) > LINE_BYTES_MAX:
            client.coming = b""
            said = InputError(
                f"A line of more than {LINE_BYTES_MAX:,} bytes", where=WHERE, do="Say less at once."
            )
            client.leaving = _line(_refused(said))
            self._give(client)
            self._let_go(client.socket.fileno())

    def _give(self, client: _Client) -> None:
        """As much of the answer as it takes; it hears no other before it has read this one."""
        if client.leaving:
            try:
                gone = client.socket.send(client.leaving)
            except BlockingIOError:
                return
            except OSError:
                self._let_go(client.socket.fileno())
                return
            client.leaving = client.leaving[gone:]

    def _let_go(self, descriptor: int) -> None:
        client = self._clients.pop(descriptor, None)
        if client is not None:
            self._poll.unregister(client.socket)
            client.socket.close()
            self.counts["let go"] += 1

    def _answer(self, line: bytes) -> bytes:
        """One line obeyed: what is said back."""
        try:
            data = _line({"ok": True} | self._obey(understood(line)))
            if len(data) > ANSWER_BYTES_MAX:
                do = "Ask for less of it."
                raise InputError("The answer is longer than anybody reads", where=WHERE, do=do)
            self.counts["obeyed"] += 1
        except (InputError, StateError) as error:  # what else fails ends the process
            self.counts["refused"] += 1
            data = _line(_refused(error))
        return data


def understood(line: bytes) -> dict[str, Any]:
    """A line as what it says, or a sentence."""
    do = 'Send a line such as {"do": "status"}.'
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{shown(line)} is no JSON", where=WHERE, do=do) from None
    if not isinstance(said, dict):
        raise InputError(f"{shown(said)} is no table of names", where=WHERE, do=do)
    return said


def _refused(error: HftError) -> dict[str, Any]:
    return {"ok": False, "what": error.what, "where": error.where, "do": error.do}


def _line(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode() + b"\n"
