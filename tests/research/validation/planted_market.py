"""Markets with a planted truth, and strategies that live on it, or only seem to.

The middle moves a tick or not every 100 ms; its direction turns with a chance `turn` each time. So
with `turn` small who follows the last move earns, and with 0.5 nobody can.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tapes import OPEN, SECOND, ArraySource

import hftlib as hft
from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.research.tape import Tape, to_tape

EVERY_MS, SIZE, TICK = 100, 5_000, 100
VENUE = hft.Venue(order_latency="250us", feed_latency="50us", fees=hft.Fees(taker="0.1bp"))


def market(seconds: int = 120, seed: int = 1, turn: float = 0.05, begin: int = OPEN) -> Tape:
    """Levels of one stock: two ticks wide, 5,000 lots on each side."""
    chance = np.random.default_rng(seed)
    count = seconds * 1_000 // EVERY_MS
    direction = np.cumprod(np.where(chance.random(count) < turn, -1, 1))
    moves = np.where(chance.random(count) < 0.5, direction, 0)
    middles = 10_000 + np.concatenate([[0], np.cumsum(moves)])
    rows: list[tuple[int, int, int, int]] = []
    for number, middle in enumerate(middles.tolist()):
        time, before = begin + number * EVERY_MS * 10**6, middles[number - 1] if number else None
        if before == middle:
            continue
        if before is not None:
            rows += [(time, 1, int(before) - 1, 0), (time, 2, int(before) + 1, 0)]
        rows += [(time, 1, middle - 1, SIZE), (time, 2, middle + 1, SIZE)]
    made = np.zeros(len(rows), EVENT)
    made["kind"], made["sequence"] = events.LEVEL, np.arange(1, len(rows) + 1)
    made["time"], made["side"], price, made["quantity"] = np.array(rows, np.int64).T
    made["price"], made["received"] = price * TICK, made["time"]
    ends = np.append(np.diff(made["time"]) > 0, True)
    made["flags"] = np.where(ends, events.LAST, 0)
    return to_tape(ArraySource(made, one_stock()))


def one_stock() -> Instruments:
    made = Instruments()
    made.add("AAA", venue="XNAS", calendar="XNAS", tick=TICK, round_lot=1)
    return made


def days(count: int, **settings: Any) -> list[Tape]:
    """Several tapes, an hour between their begins."""
    return [market(seed=n + 1, begin=OPEN + n * 3_600 * SECOND, **settings) for n in range(count)]


@hft.strategy
class Follow:
    """Takes the side of the last moves, so many of them."""

    clip: int = hft.param(100, low=1, high=400)
    moves: int = hft.param(1, low=1, high=50)
    last: float = hft.state()
    run: int = hft.state()

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        if not b.has_both:
            return
        if self.last == 0.0:
            self.last = b.mid
        if b.mid > self.last:
            self.run = max(self.run, 0) + 1
        if b.mid < self.last:
            self.run = min(self.run, 0) - 1
        self.last = b.mid
        if ctx.open_orders(i) > 0:
            return
        held = ctx.position(i)
        if self.run >= self.moves and held <= 0:
            ctx.buy(i, b.ask + b.tick * 20, self.clip - held, lasts=hft.IOC)
        if self.run <= -self.moves and held >= 0:
            ctx.sell(i, b.bid - b.tick * 20, self.clip + held, lasts=hft.IOC)


@hft.strategy
class Coin:
    """Holds what a coin says, thrown every ten seconds; each seed is another coin."""

    seed: int = hft.param(1, low=0)
    clip: int = hft.param(100, low=1)
    thrown: int = hft.state()

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        now = ctx.time // 10_000_000_000
        if not b.has_both or now == self.thrown or ctx.open_orders(i) > 0:
            return
        self.thrown = now
        bits = ((now + 7_919 * self.seed) * 2_654_435_761) % 4_294_967_296
        bits = ((bits // 65_536 + bits) * 2_246_822_519) % 4_294_967_296
        held = ctx.position(i)
        if (bits // 8_192) % 2 == 0 and held <= 0:
            ctx.buy(i, b.ask + b.tick * 20, self.clip - held, lasts=hft.IOC)
        if (bits // 8_192) % 2 == 1 and held >= 0:
            ctx.sell(i, b.bid - b.tick * 20, self.clip + held, lasts=hft.IOC)


def knows_the_future(tape: Tape) -> Any:
    """A signal made of all of a tape: where the middle is five seconds later. Uncompiled only."""
    array = tape.events
    asks = array[(array["side"] == events.SELL) & (array["quantity"] > 0)]
    times, prices = asks["time"].astype(np.int64), asks["price"].astype(np.int64)

    @hft.strategy
    class Knows:
        clip: int = hft.param(100, low=1)
        seen: int = hft.state()

        def on_book(self, ctx, i):
            b = ctx.book(i)
            while self.seen + 1 < len(times) and times[self.seen] < ctx.time + 5_000_000_000:
                self.seen += 1
            at = self.seen
            held = ctx.position(i)
            if ctx.open_orders(i) > 0 or not b.has_both:
                return
            if prices[at] > b.ask + 3 * b.tick and held <= 0:
                ctx.buy(i, b.ask + b.tick * 20, self.clip - held, lasts=hft.IOC)
            if prices[at] < b.ask - 3 * b.tick and held >= 0:
                ctx.sell(i, b.bid - b.tick * 20, self.clip + held, lasts=hft.IOC)

    return Knows
