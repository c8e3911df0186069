"""A runner's day told slowly, from the frames of its journal and nothing else.

Bytes are read by `struct`, books are dicts of orders, and every question walks the whole day. A
moment is the venue's; `seen` counts feed messages, so that "as we had heard by then" is a place.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

from hftlib.core.journal import frames, kinds

BOUGHT = {"B": 1, "S": -1}


@dataclass
class Trade:
    """An execution of ours, as the venue told us."""

    urn: int
    root: int  # the user reference that its order began with
    quantity: int
    price: int
    maker: bool
    match: int
    time: int
    side: str
    symbol: str
    reference: int  # the venue's number of the order then
    asked: int  # 0; when we had asked for its end, minus that for a replace


@dataclass
class Day:
    """Everything that the frames say."""

    about: dict
    trades: list[Trade] = field(default_factory=list)
    feed: list[tuple[int, str, int | None]] = field(default_factory=list)  # time, symbol, middle
    places: dict[int, tuple[int, int]] = field(default_factory=dict)  # reference: time, ahead
    sent: dict[int, tuple[int, int]] = field(default_factory=dict)  # urn: feed seen before, after
    enters: int = 0
    accepts: int = 0
    latest: int = 0

    def middle(self, symbol: str, before: int) -> int | None:
        """Twice the middle after all messages before this time."""
        found = None
        for time, one, twice in self.feed:
            if time >= before:
                break
            if one == symbol:
                found = twice
        return found

    def middles(self, symbol: str, first: int, last: int) -> set[int | None]:
        """All that the middle was between two places in the feed."""
        held = [twice for _, one, twice in self.feed[:first] if one == symbol][-1:] or [None]
        return {*held, *(twice for _, one, twice in self.feed[first:last] if one == symbol)}

    def last(self, symbol: str) -> int | None:
        known = [twice for _, one, twice in self.feed if one == symbol and twice is not None]
        return known[-1] if known else None


def told(folder) -> Day:
    """Read it all."""
    every = list(frames(folder))
    day = Day(json.loads(every[0].payload))
    market, desk = _Market(day), _Desk(day)
    before = 0
    for frame in every[1:]:
        if frame.kind == kinds.DATAGRAM:
            before = len(day.feed)
            market.datagram(frame.payload)
        elif frame.kind == kinds.SESSION_OUT:
            desk.says(frame.payload, frame.time, before)
        elif frame.kind == kinds.SESSION_IN:
            before = len(day.feed)
            desk.hears(frame.payload)
        elif frame.kind == kinds.TIMER:
            before = len(day.feed)
    return day


class _Market:
    """Books as dicts: an order's number to its symbol, side, price and quantity, oldest first."""

    def __init__(self, day: Day) -> None:
        self.day, self.midnight = day, day.about["feeds"][0]["midnight_ns"]
        self.orders: dict[int, list] = {}
        self.next, self.early = 1, {}

    def datagram(self, data: bytes) -> None:
        first, count = struct.unpack_from(">QH", data, 10)
        at = 20
        for n in range(count if count != 0xFFFF else 0):
            (length,) = struct.unpack_from(">H", data, at)
            self.early.setdefault(first + n, data[at + 2 : at + 2 + length])
            at += 2 + length
        while self.next in self.early:
            self.message(self.early[self.next])
            self.next += 1

    def message(self, data: bytes) -> None:
        letter, time = chr(data[0]), self.midnight + int.from_bytes(data[5:11], "big")
        symbol = ""
        if letter in "AF":
            number, side, size, name, price = struct.unpack_from(">Q1sI8sI", data, 11)
            symbol = name.decode().strip()
            self.enters(number, [symbol, side.decode(), price, size], time)
        elif letter == "U":
            old, number, size, price = struct.unpack_from(">QQII", data, 11)
            symbol, side, _, _ = self.orders.pop(old)
            self.enters(number, [symbol, side, price, size], time)
        elif letter in "ECX":
            number, size = struct.unpack_from(">QI", data, 11)
            symbol = self.orders[number][0]
            self.orders[number][3] -= size
            if self.orders[number][3] == 0:
                del self.orders[number]
        elif letter == "D":
            symbol = self.orders.pop(struct.unpack_from(">Q", data, 11)[0])[0]
        self.day.latest = max(self.day.latest, time)
        self.day.feed.append((time, symbol, self.twice(symbol) if symbol else None))

    def enters(self, number: int, order: list, time: int) -> None:
        same = [one[3] for one in self.orders.values() if one[:3] == order[:3]]
        self.day.places[number] = time, sum(same)
        self.orders[number] = order

    def twice(self, symbol: str) -> int | None:
        here = [one for one in self.orders.values() if one[0] == symbol]
        bids = [price for _, side, price, _ in here if side == "B"]
        asks = [price for _, side, price, _ in here if side == "S"]
        return max(bids) + min(asks) if bids and asks else None


class _Desk:
    """Our own session: what we said and what we heard, by user reference."""

    def __init__(self, day: Day) -> None:
        self.day, self.midnight = day, day.about["links"][0]["midnight_ns"]
        self.out = self.into = b""
        self.roots: dict[int, int] = {}
        self.known: dict[int, list] = {}  # root: side, symbol, reference
        self.asks: dict[int, dict[int, int]] = {}  # root: urn of what we asked, when

    def says(self, data: bytes, time: int, before: int) -> None:
        self.out, messages = _whole(self.out + data, "U")
        for message in messages:
            letter = chr(message[0])
            if letter == "O":
                (urn,) = struct.unpack_from(">I", message, 1)
                self.roots[urn] = urn
                self.day.sent[urn] = before, len(self.day.feed)
                self.day.enters += 1
            elif letter == "U":
                old, urn = struct.unpack_from(">II", message, 1)
                self.roots[urn] = self.roots[old]
                self.asks.setdefault(self.roots[urn], {})[urn] = -time
            elif letter == "X":
                urn, left = struct.unpack_from(">II", message, 1)
                asked = time if left == 0 else -time
                self.asks.setdefault(self.roots[urn], {})["cancel"] = asked

    def hears(self, data: bytes) -> None:
        self.into, messages = _whole(self.into + data, "S")
        for message in messages:
            self.message(chr(message[0]), message)

    def message(self, letter: str, data: bytes) -> None:
        time = self.midnight + int.from_bytes(data[1:9], "big")
        if letter == "A":
            urn, side, _, name = struct.unpack_from(">I1sI8s", data, 9)
            number = struct.unpack_from(">Q", data, 36)[0]
            self.day.accepts += 1
            self.known[urn] = [side.decode(), name.decode().strip(), number]
        elif letter == "U":
            (urn,) = struct.unpack_from(">I", data, 13)
            self.known[self.roots[urn]][2] = struct.unpack_from(">Q", data, 40)[0]
            self.asks[self.roots[urn]].pop(urn, None)
        elif letter == "J":
            (urn,) = struct.unpack_from(">I", data, 9)
            self.asks.get(self.roots[urn], {}).pop(urn, None)
        elif letter in "CI":
            (urn,) = struct.unpack_from(">I", data, 9)
            self.asks.get(self.roots.get(urn, urn), {}).pop("cancel", None)
        elif letter == "E":
            urn, size, price, added, match = struct.unpack_from(">IIQ1sQ", data, 9)
            root = self.roots[urn]
            side, symbol, number = self.known[root]
            asked = [*self.asks.get(root, {}).values()][-1:] or [0]
            self.day.trades.append(
                Trade(urn, root, size, price, added == b"A", match, time, side, symbol, number,
                      asked[0])
            )  # fmt: skip


def _whole(data: bytes, wanted: str) -> tuple[bytes, list[bytes]]:
    """What is left of a stream, and the messages of the whole frames in it."""
    found = []
    while len(data) >= 2 and len(data) >= 2 + int.from_bytes(data[:2], "big"):
        length = int.from_bytes(data[:2], "big")
        if chr(data[2]) == wanted and length > 1:
            found.append(data[3 : 2 + length])
        data = data[2 + length :]
    return data, found
