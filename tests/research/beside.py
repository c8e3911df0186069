"""Strategies and tapes for tests of several strategies in one session."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from tapes import ArraySource

import hftlib as hft
from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.research.tape import Tape, to_tape

# Of a row, what hangs on who else was there: the venue's own numbers of orders, trades and reports.
COUNTED_BY_THE_VENUE = ("id", "order", "number", "venue_number", "match", "strategy")
COUNTED_BY_THE_VENUE += ("answered", "stated", "kept", "next", "before")


@hft.strategy
class Quoter:
    """Quotes one instrument around its middle, and changes its mind by a clock."""

    row: int = hft.param(0, low=0)
    edge: int = hft.param(1, low=0, high=20)
    clip: int = hft.param(100, low=1)
    wait: int = hft.param(7_000_000, low=1, duration=True)
    lean: int = hft.param(1, low=0)
    sells: bool = hft.param(True)
    edge_now: int = hft.state()
    heard: int = hft.state()

    def on_start(self, ctx):
        ctx.timer(self.wait, 1)

    def on_timer(self, ctx, number):
        self.edge_now = 1 - self.edge_now
        ctx.timer(self.wait, 1)

    def on_fill(self, ctx, i, fill):
        self.heard += 1

    def on_book(self, ctx, i):
        if i != self.row:
            return
        b = ctx.book(i)
        if not b.has_both or not b.is_open:
            return
        away = (self.edge + self.edge_now) * b.tick
        skew = self.lean * (ctx.position(i) // self.clip) * b.tick
        asks = self.clip if self.sells else 0
        bid, ask = b.mid - away - skew, b.mid + away - skew
        ctx.quote(i, bid=bid, ask=ask, quantity=self.clip, ask_quantity=asks)


@hft.strategy
class Worker:
    """Takes and works in one instrument, by a clock: orders for the moment, replaces, parents."""

    row: int = hft.param(0, low=0)
    size: int = hft.param(50, low=1)
    wait: int = hft.param(11_000_000, low=1, duration=True)
    turn: int = hft.state()
    standing: int = hft.state()
    refused: int = hft.state()

    def on_start(self, ctx):
        ctx.timer(self.wait, 1)

    def on_order(self, ctx, i, order):
        if order.reason != 0 and order.sent == order.done:
            self.refused += 1

    def on_timer(self, ctx, number):
        ctx.timer(self.wait, 1)
        b = ctx.book(self.row)
        if not b.has_both or not b.is_open:
            return
        self.turn += 1
        side = hft.BUY if self.turn % 2 == 0 else hft.SELL
        near = b.bid if side == hft.BUY else b.ask
        far = b.ask if side == hft.BUY else b.bid
        if self.turn % 5 == 0:
            ctx.submit(self.row, side, far, self.size, lasts=hft.IOC)
        elif self.turn % 5 == 1:
            self.standing = ctx.submit(self.row, side, near, self.size)
        elif self.turn % 5 == 2 and self.standing > 0:
            order = ctx.order(self.standing)
            if order.is_open:
                ctx.replace(self.standing, order.price, self.size // 2)
        elif self.turn % 5 == 3 and self.standing > 0:
            ctx.cancel(self.standing)
        elif self.turn % 40 == 4:
            ctx.parent(self.row, side, 4 * self.size, algo=hft.TWAP, seconds=0.2, slices=4)


@hft.strategy
class Stopper:
    """Stands for a while, then stops, or fails."""

    after: int = hft.param(50, low=1)
    fails: bool = hft.param(False)
    row: int = hft.param(0, low=0)
    books: int = hft.state()
    last: int = hft.state()

    def on_book(self, ctx, i):
        self.books += 1
        b = ctx.book(i)
        if b.has_both and ctx.position(i) == 0 and ctx.open_orders(i) == 0:
            ctx.submit(i, hft.BUY, b.bid - 50 * b.tick, 100)
        if self.books == self.after:
            if self.fails:
                self.last = 1 // (self.books - self.after)
            ctx.stop(7)

    def on_stop(self, ctx):
        self.last += 1


def levels_of(tape: Tape) -> Tape:
    """The same market as a feed of levels tells it: trades, and what stands at a price after each
    event that touched it.
    """
    standing: dict[int, list[int]] = {}  # of each order: instrument, side, price, lots
    levels: Counter[tuple[int, int, int]] = Counter()
    made: list[np.ndarray[Any, Any]] = []
    for event in np.array(tape.events):
        touched = _touched(event, standing, levels)
        kind = int(event["kind"])
        if kind == events.EXECUTE and touched:
            row, side, price = touched[0]
            trade = np.array([event], EVENT)
            trade["kind"], trade["price"] = events.TRADE, price
            trade["side"] = events.SELL if side == events.BUY else events.BUY
            made.append(trade)
        if kind not in _OF_ORDERS:
            made.append(np.array([event], EVENT))
        for row, side, price in touched:
            level = np.array([event], EVENT)
            level["kind"], level["side"], level["price"] = events.LEVEL, side, price
            level["quantity"], level["reference"], level["other"] = levels[row, side, price], 0, 0
            made.append(level)
    return to_tape(ArraySource(np.concatenate(made), tape.instruments))


_OF_ORDERS = (events.ADD, events.EXECUTE, events.CANCEL, events.DELETE, events.REPLACE)


def _touched(
    event: Any, standing: dict[int, list[int]], levels: Counter[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """The levels that an event changes, after it has."""
    kind, reference, lots = (int(event[name]) for name in ("kind", "reference", "quantity"))
    touched = []
    if kind in _OF_ORDERS[1:] and reference in standing:
        row, side, price, left = standing[reference]
        gone = min(left, lots) if kind in (events.EXECUTE, events.CANCEL) else left
        standing[reference][3] -= gone
        levels[row, side, price] -= gone
        touched.append((row, side, price))
        if standing[reference][3] == 0:
            del standing[reference]
        if kind == events.REPLACE:
            standing[int(event["other"])] = [row, side, int(event["price"]), lots]
    if kind == events.ADD:
        row, side = int(event["instrument"]), int(event["side"])
        standing[reference] = [row, side, int(event["price"]), lots]
    if kind in (events.ADD, events.REPLACE):
        new = standing.get(reference if kind == events.ADD else int(event["other"]))
        if new is not None:
            levels[new[0], new[1], new[2]] += lots
            touched.append((new[0], new[1], new[2]))
    return list(dict.fromkeys(touched))
