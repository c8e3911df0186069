"""A session at the venue that only takes back: OUCH 5.0 over SoupBinTCP, by an account that purges.

    session.turn()               dials, logs in, beats, hears
    session.ask("DC")            once `is_open`: no order of the firm comes in, all that stand go
    session.lacks, .answers      what is not answered yet; by letter, the venue's time of an answer

    D disable entry ─▶ G    C mass cancel ─▶ X    E enable entry ─▶ K    refused ─▶ J

It asks the venue which user reference it takes next, hears nothing of before, and asks the rest
under numbers of its own. Both requests of "DC" leave in one piece, in this order, so nothing of
the firm comes in between.

Worst case: a venue that does not answer within ANSWER_S is dialled again; what was asked is then to
be asked again, for it may never have come there. Asking twice does no harm.
"""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress
from typing import Any

from hftlib.core import ouch
from hftlib.core.errors import HftError
from hftlib.core.ouch.codes import REJECTS
from hftlib.core.soup import frames, sockets

BEAT_S, AGAIN_S, ANSWER_S, READ_BYTES = 0.5, 1.0, 2.0, 1 << 16
ANSWERS = {"G": "D", "X": "C", "K": "E"}
BEGINS, _HUNG_UP = "not connected yet", "the venue hung up"


class CancelSession:
    """One login at a time; `why` says what is wrong with it, and is empty once it `is_open`."""

    def __init__(self, address: tuple[str, int], user: str, password: str) -> None:
        self.address, self._user, self._password = address, user, password
        self.why, self.refused = BEGINS, ""
        self.answers: dict[str, int] = {}
        self._asked: dict[int, str] = {}
        self._urn = 0
        self._own: socket.socket | None = None
        self._is_connected = False
        self._frames = frames.Frames(frames.SERVER)
        self._beat = self._dial = self._heard = 0.0
        for letter in "DCE":  # what it needs is loaded before it must not wait
            ouch.inbound(letter, urn=1)

    @property
    def is_open(self) -> bool:
        """Whether it may ask now."""
        return not self.why

    @property
    def lacks(self) -> str:
        """What was asked and is not answered yet."""
        return "".join(self._asked.values())

    def ask(self, letters: str) -> None:
        """All of these at once."""
        self.answers, self.refused, self._asked = {}, "", {}
        data = b""
        for letter in letters:
            data += frames.encode(b"U", bytes(ouch.inbound(letter, urn=self._urn)))
            self._asked[self._urn] = letter
            self._urn += 1
        self._heard = time.monotonic()
        self._send(data)

    def turn(self) -> None:
        """Hear what has come; dial where there is nobody."""
        now = time.monotonic()
        try:
            if self._own is None:
                if now >= self._dial:
                    self._dial = now + AGAIN_S
                    self._own, self._is_connected = sockets.dialling(self.address), False
                    self._heard = now
            elif not self._is_connected:
                self._connect()
            else:
                self._hear(now)
            waits = self._own is not None and (self.why or self._asked)
            if waits and time.monotonic() - self._heard > ANSWER_S:
                self._lose("the venue does not answer")
        except (OSError, HftError) as error:
            self._lose(str(error))

    def close(self) -> None:
        if self._own is not None:
            with suppress(OSError):
                self._own.sendall(frames.encode(b"O"))
            self._own.close()
            self._own = None

    def _connect(self) -> None:
        own = self._own
        assert own is not None
        if not select.select([], [own], [], 0)[1]:
            return
        failed = own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            self._lose(f"nobody answers there: {os.strerror(failed)}")
            return
        self._is_connected, self._frames = True, frames.Frames(frames.SERVER)
        self._send(frames.login(self._user, self._password, sequence=0))

    def _hear(self, now: float) -> None:
        if now >= self._beat:
            self._send(frames.encode(b"R"))
        with suppress(BlockingIOError):
            while self._own is not None:
                data = self._own.recv(READ_BYTES)
                for frame in self._frames.take(data):
                    if self._own is not None:
                        self._frame(frame)
                if not data:
                    self._lose(self.why or _HUNG_UP)

    def _frame(self, frame: Any) -> None:
        if frame.type == b"A":
            self._send(frames.encode(b"U", bytes(ouch.inbound("Q"))))
        elif frame.type == b"J":
            self._lose("the venue refuses the login")
        elif frame.type == b"Z":
            self._lose("the venue's day is over")
        elif frame.type == b"S":
            self._message(ouch.decode(frame.payload, ouch.OUTBOUND))

    def _message(self, told: Any) -> None:
        if told.type == "Q" and self.why:
            self._urn, self.why = max(self._urn, int(told.next_urn), 1), ""
        elif told.type in ANSWERS and self._asked.get(told.urn) == ANSWERS[told.type]:
            self.answers[self._asked.pop(told.urn)] = int(told.timestamp)
        elif told.type == "J" and told.urn in self._asked:
            reason = REJECTS.get(told.reason, (f"reason {told.reason:#x}",))[0]
            self.refused = f"the venue refuses {self._asked.pop(told.urn)}: {reason}"

    def _send(self, data: bytes) -> None:
        assert self._own is not None
        self._own.sendall(data)
        self._beat = time.monotonic() + BEAT_S

    def _lose(self, why: str) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None
        self.why, self._asked = why, {}
