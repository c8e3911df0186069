"""hftbacktest's rules of a level backtest once more, slow and obvious, and a grid market maker.

The twin of `hftlib/bench/peers/README.md`: each of its rules is a line here, and
`tests/bench/test_peers.py` holds both to hftbacktest itself, fill by fill. Prices are ticks,
quantities lots, all of them int.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

EXCH, LOCAL, BUYS = 1 << 31, 1 << 30, 1 << 29
LEVELS, TRADE = (1, 4), 2
NEVER = math.inf


@dataclass
class Order:
    number: int
    side: int  # 1 buys, -1 sells
    tick: int
    left: int
    state: str = "sent"  # sent, live, filled, canceled, refused
    cancel_sent: bool = False
    ahead: int = 0
    exchange_ns: int = 0
    wants: str = "new"


class Book:
    """Levels by side. What the other side's best runs over is passed by, not removed."""

    def __init__(self):
        self.levels = {1: {}, -1: {}}
        self.best = {1: -NEVER, -1: NEVER}

    def set(self, side, tick, lots):
        levels = self.levels[side]
        if lots:
            levels[tick] = lots
            if (tick - self.best[side]) * side > 0:
                self.best[side] = tick
                if (tick - self.best[-side]) * side >= 0:
                    self.best[-side] = self._next(-side, tick)
        else:
            levels.pop(tick, None)
            if tick == self.best[side]:
                self.best[side] = self._next(side, tick)

    def _next(self, side, tick):
        behind = [price * side for price in self.levels[side] if (tick - price) * side > 0]
        return max(behind, default=-NEVER) * side


class Exchange:
    def __init__(self, partial, respond):
        self.book, self.orders, self.partial, self.respond = Book(), {}, partial, respond

    def market(self, kind, buys, tick, lots, time):
        if kind in LEVELS:
            side = 1 if buys else -1
            before = self.book.best[side]
            self.book.set(side, tick, lots)
            for order in self._standing(side):
                if order.tick == tick:
                    order.ahead = min(order.ahead, lots)
            if (self.book.best[side] - before) * side > 0:
                for order in self._standing(-side):
                    if (self.book.best[side] - order.tick) * side >= 0:
                        self._fill(order, order.left, time)
        elif kind == TRADE:
            taker = 1 if buys else -1
            for order in self._standing(-taker):
                if (tick - order.tick) * taker > 0:
                    self._fill(order, order.left, time)
                elif order.tick == tick:
                    order.ahead -= lots
                    if order.ahead < 0:
                        met = -order.ahead if self.partial else order.left
                        order.ahead = 0
                        self._fill(order, min(met, order.left), time)

    def request(self, order, time):
        if order.wants == "new":
            order.exchange_ns = time
            if (order.tick - self.book.best[-order.side]) * order.side >= 0:
                order.state = "refused"
            else:
                order.state = "live"
                order.ahead = self.book.levels[order.side].get(order.tick, 0)
                self.orders[order.number] = order
            self.respond(order, time)
        elif order.number in self.orders:
            order = self.orders.pop(order.number)
            order.state = "canceled"
            order.exchange_ns = time
            self.respond(order, time)

    def _standing(self, side):
        return [order for order in self.orders.values() if order.side == side]

    def _fill(self, order, lots, time):
        order.left -= lots
        order.exchange_ns = time
        if not order.left:
            order.state = "filled"
            del self.orders[order.number]
        self.respond(order, time)


class Backtest:
    """Two timelines over the same rows, and a clock that the strategy moves on."""

    def __init__(self, rows, *, entry_ns, response_ns, partial=False, tick=0.1, lot=0.001):
        marks = rows["ev"].astype(np.int64)
        table = np.column_stack(
            [
                marks & 0xFF,
                marks & BUYS != 0,
                np.rint(rows["px"] / tick).astype(np.int64),
                np.rint(rows["qty"] / lot).astype(np.int64),
            ]
        ).tolist()
        here, there = marks & LOCAL != 0, marks & EXCH != 0
        self.arriving = deque(
            (time, row)
            for time, row, on in zip(rows["local_ts"].tolist(), table, here, strict=True)
            if on
        )
        self.happening = deque(
            (time, row)
            for time, row, on in zip(rows["exch_ts"].tolist(), table, there, strict=True)
            if on
        )
        self.requests, self.responses = deque(), deque()
        self.entry_ns, self.response_ns = entry_ns, response_ns
        self.book = Book()
        self.exchange = Exchange(partial, self._respond)
        self.heard = None
        self.now = min(self.happening[0][0], self.arriving[0][0])

    def send(self, order):
        self.requests.append((self.now + self.entry_ns, replace(order)))

    def elapse(self, duration):
        """False: all is over, and nothing more will be heard."""
        end = self.now + duration
        while True:
            # The order of these four is the order of what happens at one time.
            lines = (self.arriving, self.responses, self.happening, self.requests)
            times = [line[0][0] if line else NEVER for line in lines]
            first = min(times)
            if first == NEVER:
                return False
            if first > end:
                self.now = end
                return True
            line = times.index(first)
            _, what = lines[line].popleft()
            if line == 0:
                kind, buys, tick, lots = what
                if kind in LEVELS:
                    self.book.set(1 if buys else -1, tick, lots)
            elif line == 1:
                self.heard(what, first)
            elif line == 2:
                self.exchange.market(*what, first)
            else:
                self.exchange.request(what, first)

    def _respond(self, order, time):
        self.responses.append((time + self.response_ns, replace(order)))


class Quoter:
    """The strategy of `hftlib/bench/peers/strategies.py`, as its docstring says it."""

    def __init__(self, backtest, **rules):
        self.backtest, self.rules = backtest, rules
        self.slots, self.fills, self.position, self.sent, self.refused = [], [], 0, 0, 0
        self.cancels, self.looks = 0, 0
        backtest.heard = self._heard

    def run(self):
        while self.backtest.elapse(self.rules["step_ns"]):
            self.looks += 1
            self._look(**self.rules)

    def _heard(self, told, time):
        slot = next(
            i for i, order in enumerate(self.slots) if order and order.number == told.number
        )
        ours = self.slots[slot]
        if told.left < ours.left:
            lots = ours.left - told.left
            self.position += lots * ours.side
            fill = [ours.number, ours.side, ours.tick, lots, told.exchange_ns, time]
            self.fills.append(fill)
            ours.left = told.left
        ours.state = told.state
        if told.state in ("filled", "canceled", "refused"):
            self.refused += told.state == "refused"
            self.slots[slot] = None

    def _look(self, *, levels, spread_ticks, gap_ticks, order_lots, skew_ticks, **rest):
        bid, ask = self.backtest.book.best[1], self.backtest.book.best[-1]
        if -NEVER in (bid, -ask):
            return
        lean = self.position // order_lots * skew_ticks
        want_bid = min(((bid + ask - spread_ticks) >> 1) - lean, bid)
        want_ask = max(((bid + ask + spread_ticks + 1) >> 1) - lean, ask)
        limit, steps = rest["position_max_lots"], [gap_ticks * level for level in range(levels)]
        bids = [want_bid - step for step in steps] if self.position < limit else []
        asks = [want_ask + step for step in steps] if self.position > -limit else []
        for order in self.slots:
            if not order or order.state != "live" or order.cancel_sent:
                continue
            if order.tick not in (bids if order.side == 1 else asks):
                order.cancel_sent = True
                self.cancels += 1
                self.backtest.send(replace(order, wants="cancel"))
        for side, ticks in ((1, bids), (-1, asks)):
            for tick in ticks:
                if not any(o and (o.side, o.tick) == (side, tick) for o in self.slots):
                    self._send(side, tick, order_lots)

    def _send(self, side, tick, lots):
        self.sent += 1
        order = Order(self.sent, side, tick, lots)
        if None not in self.slots:
            self.slots.append(None)
        self.slots[self.slots.index(None)] = order
        self.backtest.send(order)
