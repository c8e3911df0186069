"""A judge of a whole ITCH day, slow and plain: it knows the rules and nothing of the generator.

It reads every frame with `struct`, keeps each order in a list for its price, and stops at the first
message that no exchange would send. Worst case: some 150,000 messages a second.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, insort
from collections import Counter

LENGTHS = {
    "S": 12, "V": 35, "R": 39, "H": 25, "Y": 20, "A": 36, "F": 40, "E": 31, "C": 36,
    "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "I": 50,
}  # fmt: skip
BUY, SELL = "B", "S"


class Order:
    def __init__(self, number: int, side: str, quantity: int, price: int) -> None:
        self.number, self.side, self.quantity, self.price = number, side, quantity, price


class Stock:
    """One stock's queues, and where it stands in its day."""

    def __init__(self, symbol: bytes) -> None:
        self.symbol = symbol
        self.state = ""
        self.queues: dict[str, dict[int, list[Order]]] = {BUY: {}, SELL: {}}
        self.prices: dict[str, list[int]] = {BUY: [], SELL: []}
        self.crosses: list[str] = []
        self.crossing: list[tuple[int, int, int]] = []  # quantity, price, match of each C

    def best(self, side: str) -> int:
        """The best price of a side; 0 for none."""
        return (self.prices[side] or [0])[-1 if side == BUY else 0]

    def add(self, order: Order) -> None:
        queue = self.queues[order.side].setdefault(order.price, [])
        if not queue:
            insort(self.prices[order.side], order.price)
        queue.append(order)

    def reduce(self, order: Order, quantity: int) -> None:
        order.quantity -= quantity
        if order.quantity == 0:
            queue = self.queues[order.side][order.price]
            queue.remove(order)
            if not queue:
                del self.queues[order.side][order.price]
                prices = self.prices[order.side]
                del prices[bisect_left(prices, order.price)]


class Judge:
    """Feed it all bytes of a day; `counts` says what was there."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.system = ""
        self.stocks: dict[int, Stock] = {}
        self.orders: dict[int, tuple[Stock, Order]] = {}
        self.newest = self.match = self.time = 0
        self.insides: dict[int, list[tuple[int, int, int]]] = {}

    def day(self, data: bytes) -> Judge:
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from(">H", data, at)
            self.message(data[at + 2 : at + 2 + length])
            at += 2 + length
        assert at == len(data)
        assert self.system == "OSQMEC"
        return self

    def message(self, m: bytes) -> None:
        kind = chr(m[0])
        assert len(m) == LENGTHS[kind], kind
        self.counts[kind] += 1
        locate, tracking, high, low = struct.unpack_from(">HHHI", m, 1)
        time = high << 32 | low
        assert time >= self.time and tracking == 0
        self.time = time
        if kind in "SV":
            assert locate == 0
            getattr(self, f"on_{kind}")(m)
            return
        if kind == "R":
            assert locate not in self.stocks
            self.stocks[locate] = Stock(m[11:19])
        stock = self.stocks[locate]
        assert not stock.crossing or kind in "CQ", "nothing comes between the parts of a cross"
        getattr(self, f"on_{kind}")(m, stock)
        now = stock.best(BUY), stock.best(SELL)
        assert not all(now) or now[0] < now[1], "the book is crossed"
        seen = self.insides.setdefault(locate, [])
        if not seen or seen[-1][1:] != now:
            seen.append((time, *now))

    def on_S(self, m: bytes) -> None:  # noqa: N802
        self.system += chr(m[11])
        assert "OSQMEC".startswith(self.system)
        if chr(m[11]) == "E":
            assert all(stock.state == "closed" for stock in self.stocks.values())

    def on_V(self, m: bytes) -> None:  # noqa: N802
        one, two, three = struct.unpack_from(">QQQ", m, 11)
        assert one > two > three > 0

    def on_R(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        assert self.system == "OS"
        assert [s.symbol for s in self.stocks.values()].count(stock.symbol) == 1

    def on_Y(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        assert m[11:19] == stock.symbol

    def on_H(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        state = chr(m[19])
        assert m[11:19] == stock.symbol
        assert (stock.state, state) in {
            ("", "Q"), ("H", "Q"), ("T", "H"), ("crossed", "T")
        }, (stock.state, state)  # fmt: skip
        stock.state = state if stock.state else "gathering"

    def on_A(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        number, side, quantity, symbol, price = struct.unpack_from(">QcI8sI", m, 11)
        assert symbol == stock.symbol
        assert stock.state in ("gathering", "Q", "T"), stock.state
        self._add(stock, Order(number, side.decode(), quantity, price))

    def on_F(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        assert m[36:40].isalpha()
        self.on_A(m, stock)

    def on_E(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        number, quantity, match = struct.unpack_from(">QIQ", m, 11)
        assert stock.state == "T" and self.system == "OSQ"
        assert match > self.match
        self.match = match
        self._execute(stock, number, quantity)

    def on_C(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        number, quantity, match, printable, price = struct.unpack_from(">QIQcI", m, 11)
        assert printable == b"N" and match > self.match
        order = self._execute(stock, number, quantity)
        assert price <= order.price if order.side == BUY else price >= order.price
        stock.crossing.append((quantity, price, match))

    def on_X(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        number, quantity = struct.unpack_from(">QI", m, 11)
        order = self._known(stock, number)
        assert 0 < quantity < order.quantity
        stock.reduce(order, quantity)

    def on_D(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        (number,) = struct.unpack_from(">Q", m, 11)
        self._gone(stock, self._known(stock, number))

    def on_U(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        old, new, quantity, price = struct.unpack_from(">QQII", m, 11)
        assert stock.state != "H"
        order = self._known(stock, old)
        self._gone(stock, order)
        self._add(stock, Order(new, order.side, quantity, price))

    def on_P(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        number, _, quantity, symbol, price, match = struct.unpack_from(">QcI8sIQ", m, 11)
        assert (number, symbol, stock.state) == (0, stock.symbol, "T") and quantity > 0
        assert stock.best(BUY) <= price <= stock.best(SELL)
        assert match > self.match
        self.match = match

    def on_I(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        paired, imbalance, direction, symbol = struct.unpack_from(">QQc8s", m, 11)
        assert symbol == stock.symbol and paired < 2**40
        assert (direction == b"N") == (imbalance == 0)
        kind = {"gathering": "O", "T": "C", "Q": "H"}[stock.state]
        assert chr(m[48]) == kind

    def on_Q(self, m: bytes, stock: Stock) -> None:  # noqa: N802
        volume, symbol, price, match, kind = struct.unpack_from(">Q8sIQc", m, 11)
        assert symbol == stock.symbol and match > self.match
        expected = {"gathering": b"O", "T": b"C", "Q": b"H"}[stock.state]
        assert kind == expected and self.system == ("OSQM" if kind == b"C" else "OSQ")
        assert {(p, number) for _, p, number in stock.crossing} <= {(price, match)}
        assert sum(quantity for quantity, _, _ in stock.crossing) <= volume
        assert stock.best(BUY) <= price <= stock.best(SELL)
        self.match = match
        stock.crossing.clear()
        stock.crosses.append(kind.decode())
        stock.state = "closed" if kind == b"C" else "crossed"

    def _add(self, stock: Stock, order: Order) -> None:
        assert order.number > self.newest, "references only grow, so each is used once"
        assert order.quantity > 0 and order.price > 0 and order.price % 100 == 0
        self.newest = order.number
        self.orders[order.number] = stock, order
        stock.add(order)

    def _known(self, stock: Stock, number: int) -> Order:
        owner, order = self.orders[number]
        assert owner is stock and stock.state not in ("closed", "crossed", "")
        return order

    def _gone(self, stock: Stock, order: Order) -> None:
        stock.reduce(order, order.quantity)
        del self.orders[order.number]

    def _execute(self, stock: Stock, number: int, quantity: int) -> Order:
        order = self._known(stock, number)
        assert order.price == stock.best(order.side), "not the best price"
        assert stock.queues[order.side][order.price][0] is order, "not the oldest"
        assert 0 < quantity <= order.quantity
        stock.reduce(order, quantity)
        if order.quantity == 0:
            del self.orders[number]
        return order
