"""A taker that follows: a fast average above a slow one, and order flow that agrees.

    fast - slow >= entry_ticks  and flow >= flow_min   ─▶ buy at the ask, for the moment only
    fast - slow <= -entry_ticks and flow <= -flow_min  ─▶ sell at the bid
    after `hold`, or `stop_ticks` against it, or a cross the other way ─▶ out

What is held decides what is done, so fills in part, misses and refusals need no case of their own.
Worst case: while a venue is halted an exit waits; it is tried again with the first book after.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

from typing import Any

import hftlib as hft

INSTRUMENTS = 64


@hft.strategy
class MomentumTaker:
    """Buy what has begun to rise, sell what has begun to fall, leave by the clock or by a stop.

    Averages of the middle need `warm_up` before the first entry. One clip an instrument; after
    any try it rests for `pause`. Instruments beyond 64 are left alone.

    When it loses money: at each trade first, by the spread and two taker's fees, which the move
    has to pay for. In a market that goes back and forth each cross comes at the end of its move:
    it buys high and sells low, the faster the averages the oftener. A stop fills where the market
    is, not where it was put. It comes after those who saw the same flow sooner, and takes what
    they left.
    """

    entry_ticks: float = hft.param(1.0, low=0.0, help="fast average beyond slow one, to enter")
    flow_min: float = hft.param(100.0, low=0.0, help="lots of order flow that must agree")
    hold: int = hft.param(5_000_000_000, low=1, duration=True, help="longest time held")
    stop_ticks: float = hft.param(10.0, low=0.0, help="middle against the entry, to leave")
    slip_ticks: int = hft.param(2, low=1, help="through the best price to leave; more each try")
    clip: int = hft.param(100, low=1, help="lots of an entry")
    warm_up: int = hft.param(5_000_000_000, low=0, duration=True, help="before the first entry")
    pause: int = hft.param(50_000_000, low=1000, duration=True, help="between two tries")
    fast: hft.EMA = hft.state(size=INSTRUMENTS, half_life="500ms")
    slow: hft.EMA = hft.state(size=INSTRUMENTS, half_life="3s")
    flow: hft.OrderFlowImbalance = hft.state(size=INSTRUMENTS, half_life="500ms")
    began: int = hft.state(size=INSTRUMENTS)
    entry: float = hft.state(size=INSTRUMENTS)
    leaves_at: int = hft.state(size=INSTRUMENTS)
    rests_until: int = hft.state(size=INSTRUMENTS)
    misses: int = hft.state(size=INSTRUMENTS)

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        if i >= INSTRUMENTS or not (b.is_open and b.has_both):
            return
        ahead = self.fast[i].update(ctx.time, b.mid) - self.slow[i].update(ctx.time, b.mid)
        flow = self.flow[i].update(ctx.time, b)
        if self.began[i] == 0:
            self.began[i] = ctx.time
        if ctx.open_orders(i) > 0 or ctx.time < self.rests_until[i]:
            return
        held = ctx.position(i)
        if held != 0:
            against = (self.entry[i] - b.mid) * (1 if held > 0 else -1)
            turned = ahead * (1 if held > 0 else -1) <= -self.entry_ticks * b.tick
            if ctx.time >= self.leaves_at[i] or against >= self.stop_ticks * b.tick or turned:
                self.leave(ctx, i)
        elif ctx.time - self.began[i] >= self.warm_up:
            if ahead >= self.entry_ticks * b.tick and flow >= self.flow_min:
                self.enter(ctx, i, hft.BUY, b.ask)
            elif ahead <= -self.entry_ticks * b.tick and flow <= -self.flow_min:
                self.enter(ctx, i, hft.SELL, b.bid)

    def enter(self, ctx: Any, i: int, side: int, price: int) -> None:
        self.rests_until[i] = ctx.time + self.pause
        if ctx.submit(i, side, float(price), self.clip, lasts=hft.IOC) > 0:
            self.entry[i] = ctx.book(i).mid
            self.leaves_at[i] = ctx.time + self.hold
            self.misses[i] = 0
            ctx.timer(self.hold, i)

    def leave(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        held = ctx.position(i)
        self.rests_until[i] = ctx.time + self.pause
        # From now on it is out whatever the averages say, and looks again if this is a miss.
        self.leaves_at[i] = min(self.leaves_at[i], ctx.time)
        ctx.timer(self.pause, i)
        self.misses[i] += 1
        through = self.misses[i] * self.slip_ticks * b.tick
        if held > 0:
            ctx.sell(i, float(b.bid - through), held, lasts=hft.IOC)
        else:
            ctx.buy(i, float(b.ask + through), -held, lasts=hft.IOC)

    def on_timer(self, ctx: Any, number: int) -> None:
        b = ctx.book(number)
        late = ctx.time >= self.leaves_at[number]
        free = ctx.open_orders(number) == 0 and b.is_open and b.has_both
        if late and free and ctx.position(number) != 0:
            self.leave(ctx, number)
