"""The strategy behind a signal: from one target position to the next, by the way it is told.

    take    at once, through the best price by `slip_ticks`; again after `pause` if need be
    join    stands at the best price of its own side, goes along with it, and takes after `patience`
    twap    a parent order over `seconds`

Targets lie in its state, sorted by when they are known: `hft.signals_to_strategy` puts them there.
Worst case: a signal for an instrument whose market is closed waits for it to open.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

from typing import Any

import hftlib as hft

TAKE, JOIN, OVER_TIME = 0, 1, 2
INSTRUMENTS = 64
STEPS = 65_536


@hft.strategy
class SignalFollower:
    """Go to each target position when it is known, and stay there until the next."""

    way: int = hft.param(TAKE, choices=(TAKE, JOIN, OVER_TIME), help="0 take, 1 join, 2 TWAP")
    delay: int = hft.param(0, low=0, duration=True, help="from a bar's end until it is acted on")
    slip_ticks: int = hft.param(2, low=0, help="through the best price, when it takes")
    pause: int = hft.param(100_000_000, low=1000, duration=True, help="between two tries")
    patience: int = hft.param(5_000_000_000, low=1000, duration=True, help="of join, then take")
    seconds: float = hft.param(30.0, low=1.0, help="of TWAP")
    slices: int = hft.param(10, low=1, help="of TWAP")
    times: int = hft.state(size=STEPS)
    rows: int = hft.state(size=STEPS)
    targets: int = hft.state(size=STEPS)
    count: int = hft.state()
    done: int = hft.state()
    wanted: int = hft.state(size=INSTRUMENTS)
    since: int = hft.state(size=INSTRUMENTS)
    tried: int = hft.state(size=INSTRUMENTS)
    asked: int = hft.state(size=INSTRUMENTS)
    parents: int = hft.state(size=INSTRUMENTS)

    def on_start(self, ctx: Any) -> None:
        if self.count > 0:
            ctx.timer(max(1000, self.times[0] + self.delay - ctx.time), INSTRUMENTS)

    def on_timer(self, ctx: Any, number: int) -> None:
        if number < INSTRUMENTS:
            self.work(ctx, number)
            return
        while self.done < self.count and self.times[self.done] + self.delay <= ctx.time:
            i = self.rows[self.done]
            if self.wanted[i] != self.targets[self.done]:
                self.wanted[i] = self.targets[self.done]
                self.since[i] = ctx.time
                self.tried[i] = 0
                ctx.cancel_all(i)
                if self.parents[i] > 0:
                    ctx.cancel_parent(self.parents[i])
                    self.parents[i] = 0
            self.done += 1
            self.work(ctx, i)
        if self.done < self.count:
            ctx.timer(max(1000, self.times[self.done] + self.delay - ctx.time), INSTRUMENTS)

    def on_book(self, ctx: Any, i: int) -> None:
        if i < INSTRUMENTS and self.since[i] > 0:
            self.work(ctx, i)

    def work(self, ctx: Any, i: int) -> None:
        """What is missing to the target is asked for, once; nothing while an answer is due."""
        b = ctx.book(i)
        left = self.wanted[i] - ctx.position(i)
        if left == 0 or not (b.is_open and b.has_both):
            return
        if self.way == OVER_TIME:
            if self.parents[i] == 0 and ctx.open_orders(i) == 0:
                self.parents[i] = self.over_time(ctx, i, left)
        elif self.way == JOIN and ctx.time - self.since[i] < self.patience:
            self.join(ctx, i, left)
        elif ctx.open_orders(i) > 0:
            if self.way == JOIN:
                ctx.cancel_all(i)
        elif self.tried[i] == 0 or ctx.time - self.tried[i] >= self.pause:
            self.take(ctx, i, left)

    def over_time(self, ctx: Any, i: int, left: int) -> int:
        side = hft.BUY if left > 0 else hft.SELL
        number = ctx.parent(
            i, side, abs(left), algo=hft.TWAP, seconds=self.seconds, finish=True, slices=self.slices
        )
        return max(0, number)

    def join(self, ctx: Any, i: int, left: int) -> None:
        b = ctx.book(i)
        best = b.bid if left > 0 else b.ask
        if ctx.open_orders(i) > 0:
            if self.asked[i] != best and ctx.time - self.tried[i] >= self.pause:
                ctx.cancel_all(i)
                self.tried[i] = ctx.time
            return
        self.asked[i] = best
        self.tried[i] = ctx.time
        if left > 0:
            ctx.submit(i, hft.BUY, float(best), left)
        else:
            ctx.submit(i, hft.SELL, float(best), -left)
        ctx.timer(self.patience, i)

    def take(self, ctx: Any, i: int, left: int) -> None:
        b = ctx.book(i)
        self.tried[i] = ctx.time
        through = self.slip_ticks * b.tick
        if left > 0:
            ctx.submit(i, hft.BUY, float(b.ask + through), left, lasts=hft.IOC)
        else:
            ctx.submit(i, hft.SELL, float(b.bid - through), -left, lasts=hft.IOC)
        ctx.timer(self.pause, i)
