"""A book from the raw bytes of ITCH 5.0, as plainly as Python can: struct, dicts, nothing of ours.

It knows the messages that change a book (A F E C X D U), those that print (P Q) and the one that
halts (H), by the offsets of the public specification. A message about an order that is not there is
an orphan: counted, and it changes nothing. Most name a reference that no message before them told
(untold); the others name what an orphan's replacement became. Worst case: some 2 µs a message.
"""

from __future__ import annotations

import struct
from collections import defaultdict

Queue = dict[int, int]
"""Order reference to shares left, first come first."""
BIG = struct.Struct
_ADD, _CUT, _SWAP = BIG(">QcI8sI"), BIG(">QI"), BIG(">QQII")
_PRICED, _TRADE, _CROSS = BIG(">QIQcI"), BIG(">QcI8sI"), BIG(">Q8sIQc")


class PlainItch:
    """`take` all of a file's bytes; then `levels`, by (locate, side): price to queue."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, bytes, int]] = {}  # reference: locate, side, price
        self.levels: dict[tuple[int, bytes], dict[int, Queue]] = defaultdict(dict)
        self.told: set[int] = set()
        self.orphans = self.untold = self.too_much = self.doubles = self.messages = 0
        self.volume: dict[int, int] = defaultdict(int)
        self.last: dict[int, tuple[int, int]] = {}
        self.state: dict[int, int] = {}

    def take(self, data: bytes) -> None:
        at = 0
        while at + 2 <= len(data):
            length = data[at] << 8 | data[at + 1]
            if length == 0 or at + 2 + length > len(data):
                break
            self._message(data[at + 2 : at + 2 + length])
            at += 2 + length
            self.messages += 1

    def _message(self, message: bytes) -> None:
        kind, locate = message[:1], message[1] << 8 | message[2]
        if kind in b"AF":
            reference, side, shares, _, price = _ADD.unpack_from(message, 11)
            self._add(locate, side, reference, shares, price)
        elif kind in b"EX":
            reference, shares = _CUT.unpack_from(message, 11)
            self._cut(reference, shares, prints=kind == b"E")
        elif kind == b"C":
            reference, shares, _, printable, price = _PRICED.unpack_from(message, 11)
            self._cut(reference, shares, prints=True, price=price, counts=printable == b"Y")
        elif kind == b"D":
            if self._known(int.from_bytes(message[11:19], "big")):
                self._drop(int.from_bytes(message[11:19], "big"))
        elif kind == b"U":
            self._swap(*_SWAP.unpack_from(message, 11))
        elif kind == b"P":
            _, _, shares, _, price = _TRADE.unpack_from(message, 11)
            self._print(locate, shares, price, True)
        elif kind == b"Q":
            shares, _, price, _, _ = _CROSS.unpack_from(message, 11)
            self._print(locate, shares, price, True)
        elif kind == b"H":
            self.state[locate] = message[19]

    def _known(self, reference: int) -> bool:
        if reference in self.orders:
            return True
        self.orphans += 1
        self.untold += reference not in self.told
        return False

    def _add(self, locate: int, side: bytes, reference: int, shares: int, price: int) -> None:
        self.told.add(reference)
        if reference in self.orders:
            self.doubles += 1
            return
        self.orders[reference] = (locate, side, price)
        self.levels[locate, side].setdefault(price, {})[reference] = shares

    def _cut(
        self, reference: int, shares: int, *, prints: bool, price: int = 0, counts: bool = True
    ) -> None:
        if not self._known(reference):
            return
        locate, side, own = self.orders[reference]
        queue = self.levels[locate, side][own]
        if prints:
            self._print(locate, min(shares, queue[reference]), price or own, counts)
        if shares < queue[reference]:
            queue[reference] -= shares
            return
        self.too_much += shares > queue[reference]
        self._drop(reference)

    def _drop(self, reference: int) -> None:
        locate, side, price = self.orders.pop(reference)
        queue = self.levels[locate, side][price]
        del queue[reference]
        if not queue:
            del self.levels[locate, side][price]

    def _swap(self, reference: int, new: int, shares: int, price: int) -> None:
        if self._known(reference):
            locate, side, _ = self.orders[reference]
            self._drop(reference)
            self._add(locate, side, new, shares, price)
        self.told.add(new)

    def _print(self, locate: int, shares: int, price: int, counts: bool) -> None:
        if shares:
            self.last[locate] = (price, shares)
            self.volume[locate] += shares if counts else 0
