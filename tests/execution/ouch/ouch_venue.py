"""A small venue that speaks OUCH 5.0, written slowly with `struct`; it is always right.

Messages come in as bytes, answers wait in `said`. What it does by itself (fills, self-match
prevention, broken trades) it does by chance. A total is all that an order asks for.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

CHANCES = {"reject": 0.08, "replace_rejected": 0.08, "replace_invalid": 0.05, "dead": 0.03}
CHANCES |= {"cancel_rejected": 0.05, "less": 0.05}


@dataclass
class Order:
    urn: int
    number: int  # the client's own, from its text
    side: str
    symbol: bytes
    total: int
    price: int
    filled: int = 0
    live: bool = True
    trades: list = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.total - self.filled if self.live else 0


class OuchVenue:
    """Messages in by `hear`, what chance brings by `act`; answers are in `said`."""

    def __init__(self, draw: random.Random, whole: bool = True, **chances: float) -> None:
        self.draw, self.whole = draw, whole
        self.chances = CHANCES | chances
        self.said: list[bytes] = []
        self.orders: dict[int, Order] = {}  # by user reference, the last one of an order
        self.last_urn = self.match = self.reference = self.time = 0
        self.entered: list[int] = []  # numbers of orders, as they were taken
        self.position: dict[bytes, int] = {}

    def chance(self, name: str) -> bool:
        return self.draw.random() < self.chances[name]

    def say(self, letter: str, form: str, *values: object) -> None:
        self.time += self.draw.randrange(1, 1_000)
        head = struct.pack(">cQ", letter.encode(), self.time)
        self.said.append(head + struct.pack(">" + form, *values))

    def hear(self, data: bytes) -> None:
        kind = data[:1].decode()
        if kind == "Q":
            self.say("Q", "I", self.last_urn + 1)
        elif kind == "X":
            self.cancel(*struct.unpack(">II", data[1:]))
        elif kind == "O":
            self.enter(struct.unpack(">IcI8sQccccc14sH", data[1:47]), data[47:])
        elif kind == "U":
            self.replace(struct.unpack(">IIIQccc14sH", data[1:40]))
        elif kind == "C":
            urn, firm, symbol, _ = struct.unpack(">I4s8sH", data[1:])
            self.last_urn = urn
            self.say("X", "I4s8sH", urn, firm, symbol, 0)
            for order in list(self.orders.values()):
                if symbol in (b" " * 8, order.symbol):
                    self.end(order, "U")
        else:
            raise AssertionError(data)

    def enter(self, fields: tuple, tail: bytes) -> None:
        urn, side, total, symbol, price, tif, display, capacity, iso, cross, text, _ = fields
        if urn <= self.last_urn:
            return
        self.last_urn = urn
        if self.chance("reject"):
            self.say("J", "IH14s", urn, self.draw.choice((7, 0x1D, 0x0F)), text)
            return
        order = Order(urn, int(text), side.decode(), symbol, total, price)
        assert order.number not in self.entered, "an order twice"
        self.entered.append(order.number)
        if self.chance("less"):
            order.total = max(1, total - self.draw.randrange(3))
        self.orders[urn] = order
        dead = self.chance("dead")
        self.accept("A", order, tif, display, capacity, iso, cross, text, dead, (urn,))
        if tif == b"3" and order.live:
            least = struct.unpack(">I", tail[2:6])[0] if tail[:2] == b"\5\3" else 0
            done = self.draw.choice((0, order.total)) if least else self.draw.randrange(order.total)
            if done:
                self.fill(order, done)
            self.end(order, "I")

    def accept(self, letter, order, tif, display, capacity, iso, cross, text, dead, urns) -> None:
        self.reference += 1
        shown = order.total if self.whole or letter == "A" else order.left
        self.say(
            letter,
            "I" * len(urns) + "cI8sQccQcccc14sH",
            *urns,
            order.side.encode(),
            shown,
            order.symbol,
            order.price,
            tif,
            display,
            self.reference,
            capacity,
            iso,
            cross,
            b"D" if dead else b"L",
            text,
            0,
        )
        order.live = not dead

    def replace(self, fields: tuple) -> None:
        original, urn, total, price, tif, display, iso, text, _ = fields
        order = self.orders.get(original)
        if urn <= self.last_urn or order is None or not order.live:
            return  # silently, and the new reference is not used up
        if self.chance("replace_invalid") or total <= order.filled:
            self.end(order, "Z")
            return
        self.last_urn = urn
        if self.chance("replace_rejected"):
            self.say("J", "IH14s", urn, 0x15, text)
            return
        del self.orders[original]
        order.urn, order.total, order.price = urn, total, price
        self.orders[urn] = order
        self.accept("U", order, tif, display, b"P", iso, b"N", text, False, (original, urn))

    def cancel(self, urn: int, total: int) -> None:
        order = self.orders.get(urn)
        if order is None or not order.live:
            return
        if self.chance("cancel_rejected"):
            self.say("I", "I", urn)
        elif total <= order.filled:
            self.end(order, "U")
        elif total < order.total:
            self.less(order, order.total - total, "U")

    def less(self, order: Order, shares: int, reason: str) -> None:
        order.total -= shares
        self.say("C", "IIc", order.urn, shares, reason.encode())

    def end(self, order: Order, reason: str) -> None:
        if order.left:
            self.less(order, order.left, reason)
        order.live = False

    def fill(self, order: Order, shares: int) -> None:
        self.match += 1
        order.filled += shares
        order.trades.append((self.match, shares))
        self.move(order, shares)
        flag = self.draw.choice(b"AR")
        self.say("E", "IIQcQH", order.urn, shares, order.price, bytes((flag,)), self.match, 0)
        order.live = order.left > 0

    def move(self, order: Order, shares: int) -> None:
        sign = 1 if order.side == "B" else -1
        self.position[order.symbol] = self.position.get(order.symbol, 0) + sign * shares

    def act(self) -> None:
        """Something happens to an order."""
        live = [order for order in self.orders.values() if order.live]
        if not live:
            return
        order, chance = self.draw.choice(live), self.draw.random()
        if chance < 0.7:
            self.fill(order, self.draw.randrange(1, order.left + 1))
        elif chance < 0.78:
            shares = self.draw.randrange(1, order.left + 1)
            order.total -= shares
            order.live = order.left > 0
            self.say("D", "IIcIQcc", order.urn, shares, b"Q", shares, order.price, b"A", b"D")
        elif chance < 0.84:
            self.end(order, self.draw.choice("SZT"))
        elif chance < 0.9:
            self.reference += 1
            self.say("T", "IQcQ", order.urn, order.price, b"Y", self.reference)
        elif chance < 0.94 and order.trades:
            match, shares = order.trades.pop(self.draw.randrange(len(order.trades)))
            self.move(order, -shares)
            order.filled -= shares
            order.total -= shares  # these shares are not offered again
            self.say("B", "IQc14s", order.urn, match, b"E", b"")
        else:
            letter = self.draw.choice("RP")
            self.say(letter, *(("IcH", order.urn, b"R", 0) if letter == "R" else ("I", order.urn)))
