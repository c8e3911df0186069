"""What the venue says we hold: its drop copy, heard by a process that is not the runner.

    venue ─ SoupBinTCP, all messages of a firm since the session began ─▶ positions by symbol

    A accepted, U replaced     which order is which side of which symbol, and what of it stands
    E executed                 counts;  B broken takes it back
    C, D cancelled             less stands; of C that was asked for it is noted in `called_off`

It hears the whole session from its first message on, so it may come late. A connection that is
lost is dialled again, and what was missed is told again by its number. `hear_to_the_end` asks the
venue by a login of its own how many messages there are, and `is_at_the_end` once it has heard them:
then `standing` is what stood at the venue when it was asked.

Worst case: memory for each order and each execution of the session. A drop copy is of a firm: of
several accounts of one firm the sum is told.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from hftlib.core import ouch
from hftlib.core.errors import HftError
from hftlib.core.soup import frames

BEAT_S, AGAIN_S, READ_BYTES = 0.5, 1.0, 1 << 16
BEGINS, ASKS, HEARS = "not connected yet", "asks for the end", "hears to the end"
Urn = tuple[int, int]  # which session of the firm, and its user reference
_SIGNS = {"B": 1, "S": -1, "T": -1, "E": -1}  # T, E: sold short


@dataclass(slots=True)
class Order:
    """One order as the venue told of it; `of` is which session of the firm it came by."""

    of: int
    urn: int
    side: str
    symbol: str
    price: str
    open: int

    def __str__(self) -> str:
        return f"{self.of}/{self.urn}: {self.side} {self.open:,} {self.symbol} at {self.price}"


class DropCopy:
    """One session; `turn` hears what came. `why` says what is wrong with it now."""

    def __init__(self, address: tuple[str, int], user: str, password: str) -> None:
        self.address, self._user, self._password = address, user, password
        self.positions: dict[str, int] = defaultdict(int)
        self.heard, self.executions, self.why = 0, 0, BEGINS
        self.called_off: list[tuple[int, Order, int]] = []  # when, what, how much of it
        self._orders: dict[Urn, Order] = {}
        self._end: int | None = None  # the last message there was when it was asked for
        self._asks_end = self._is_quiet = False
        self._matches: dict[tuple[Urn, int], tuple[str, int]] = {}
        self._own: socket.socket | None = None
        self._frames = frames.Frames(frames.SERVER)
        self._beat = self._dial = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it is logged in: what it says is what the venue says."""
        return not self.why

    @property
    def standing(self) -> list[Order]:
        """What stands at the venue, as far as it was heard."""
        return [one for one in self._orders.values() if one.open > 0]

    @property
    def is_at_the_end(self) -> bool:
        """Whether all is heard that there was when `hear_to_the_end` was called."""
        if self._end is None or not self.is_whole:
            return False
        return self.heard >= self._end or (self._end == 1 and self._is_quiet)

    def hear_to_the_end(self) -> None:
        """Ask how many messages there are, then hear them all."""
        self.close()
        self.why, self._end, self._asks_end, self._dial = ASKS, None, True, 0.0

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
                    if self._own is not None:  # else what follows is told again
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
        first = 0 if self._asks_end else self.heard + 1  # 0: the newest, whichever it is
        self._own.sendall(frames.login(self._user, self._password, sequence=first))
        self._own.setblocking(False)
        self._frames, self._is_quiet = frames.Frames(frames.SERVER), False

    def _lose(self, why: str) -> None:
        self.close()
        self.why = why

    def _frame(self, frame: Any) -> None:
        if self._asks_end:
            self._newest(frame)
        elif frame.type == b"A":
            self.why = ""
        elif frame.type == b"H":
            self._is_quiet = True  # a beat comes only where no message waits
        elif frame.type == b"J":
            self._lose("the venue refuses the login")
        elif frame.type == b"S":
            self.heard += 1
            self._message(ouch.decode(frame.payload, ouch.OUTBOUND))

    def _newest(self, frame: Any) -> None:
        """The answer to a login that wants the newest message says which one that is."""
        if frame.type == b"A":
            self._end, self._asks_end = max(1, frames.number_of(frame.payload[10:])), False
            self._lose(HEARS)
            self._dial = 0.0
        elif frame.type == b"J":
            self._lose("the venue refuses the login")

    def _message(self, told: Any) -> None:
        urn = told.options.get("urn_index", 0), told.urn  # each session of the firm counts its own
        if told.type in ("A", "U"):
            was = self._orders.get((urn[0], told.original)) if told.type == "U" else None
            if was is not None:
                was.open = 0
            side, symbol, price = told.side, told.symbol.strip(), str(told.price)
            left = told.quantity if told.state == "L" else 0
            self._orders[urn] = Order(*urn, side, symbol, price, left)
        elif told.type == "E" and urn in self._orders:
            order = self._orders[urn]
            order.open -= told.quantity
            count = _SIGNS[order.side] * told.quantity
            self.positions[order.symbol] += count
            self.executions += 1
            self._matches[urn, told.match] = order.symbol, count
        elif told.type in ("C", "D") and urn in self._orders:
            order = self._orders[urn]
            if told.reason == "U":
                self.called_off.append((int(told.timestamp), order, int(told.quantity)))
            order.open -= told.quantity
        elif told.type == "M" and urn in self._orders:
            self._orders[urn].open = told.quantity
        elif told.type == "B":
            symbol, quantity = self._matches.pop((urn, told.match), ("", 0))
            self.positions[symbol] -= quantity


def differences(venue: dict[str, int], rows: list[dict[str, Any]]) -> dict[str, str]:
    """Of which symbols what the venue says is not what the runner says, in words."""
    ours: dict[str, float] = defaultdict(float)
    for one in rows:
        ours[one["symbol"]] += one["quantity"]
    return {
        symbol: f"the venue says {venue.get(symbol, 0):,} {symbol}, the runner {ours[symbol]:,g}"
        for symbol in sorted(ours.keys() | {name for name, held in venue.items() if held})
        if venue.get(symbol, 0) != ours[symbol]
    }
