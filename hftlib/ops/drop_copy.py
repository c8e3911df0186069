"""What the venue says we hold: its drop copy, heard by a process that is not the runner.

    venue ─ SoupBinTCP, all messages of a firm since the session began ─▶ positions by symbol

    A accepted, U replaced     which order is which side of which symbol
    E executed                 counts;  B broken takes it back

It hears the whole session from its first message on, so it may come late. A connection that is
lost is dialled again, and what was missed is told again by its number.

Worst case: memory for each order and each execution of the session. A drop copy is of a firm: of
several accounts of one firm the sum is told.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from typing import Any

from hftlib.core import ouch
from hftlib.core.errors import HftError
from hftlib.core.soup import frames

BEAT_S, AGAIN_S, READ_BYTES = 0.5, 1.0, 1 << 16
Urn = tuple[int, int]  # which session of the firm, and its user reference
_SIGNS = {"B": 1, "S": -1, "T": -1, "E": -1}  # T, E: sold short


class DropCopy:
    """One session; `turn` hears what came. `why` says what is wrong with it now."""

    def __init__(self, address: tuple[str, int], user: str, password: str) -> None:
        self.address, self._user, self._password = address, user, password
        self.positions: dict[str, int] = defaultdict(int)
        self.heard, self.executions, self.why = 0, 0, "not connected yet"
        self._orders: dict[Urn, tuple[str, int]] = {}
        self._matches: dict[tuple[Urn, int], tuple[str, int]] = {}
        self._own: socket.socket | None = None
        self._frames = frames.Frames(frames.SERVER)
        self._beat = self._dial = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it is logged in: what it says is what the venue says."""
        return not self.why

    def turn(self) -> None:
        """Hear what has come; dial where there is nobody to be heard."""
        now = time.monotonic()
        try:
            if self._own is None:
                if now >= self._dial:
                    self._dial = now + AGAIN_S
                    self._connect()
                return
            if now >= self._beat:
                self._beat = now + BEAT_S
                self._own.sendall(frames.encode(b"R"))
            while self._own is not None:
                data = self._own.recv(READ_BYTES)
                for frame in self._frames.take(data):
                    self._frame(frame)
                if not data:
                    self._lose(self.why or "the venue hung up")
        except BlockingIOError:
            pass
        except (OSError, HftError) as error:
            self._lose(str(error))

    def close(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None

    def _connect(self) -> None:
        self._own = socket.create_connection(self.address, timeout=AGAIN_S)
        self._own.sendall(frames.login(self._user, self._password, sequence=self.heard + 1))
        self._own.setblocking(False)
        self._frames = frames.Frames(frames.SERVER)

    def _lose(self, why: str) -> None:
        self.close()
        self.why = why

    def _frame(self, frame: Any) -> None:
        if frame.type == b"A":
            self.why = ""
        elif frame.type == b"J":
            self._lose("the venue refuses the login")
        elif frame.type == b"S":
            self.heard += 1
            self._message(ouch.decode(frame.payload, ouch.OUTBOUND))

    def _message(self, told: Any) -> None:
        urn = told.options.get("urn_index", 0), told.urn  # each session of the firm counts its own
        if told.type in ("A", "U"):
            self._orders[urn] = told.symbol.strip(), _SIGNS[told.side]
        elif told.type == "E" and urn in self._orders:
            symbol, sign = self._orders[urn]
            self.positions[symbol] += sign * told.quantity
            self.executions += 1
            self._matches[urn, told.match] = symbol, sign * told.quantity
        elif told.type == "B":
            symbol, quantity = self._matches.pop((urn, told.match), ("", 0))
            self.positions[symbol] -= quantity


def differences(venue: dict[str, int], rows: list[dict[str, Any]]) -> list[str]:
    """Where what the venue says is not what the runner says, in words."""
    ours: dict[str, float] = defaultdict(float)
    for one in rows:
        ours[one["symbol"]] += one["quantity"]
    return [
        f"the venue says {venue.get(symbol, 0):,} {symbol}, the runner {ours[symbol]:,g}"
        for symbol in sorted(ours.keys() | {name for name, held in venue.items() if held})
        if venue.get(symbol, 0) != ours[symbol]
    ]
