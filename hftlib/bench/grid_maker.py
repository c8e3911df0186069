"""The grid market maker of the comparison with hftbacktest, as a strategy of ours.

The same looks, orders and cancels as `quote` of `peers/strategies.py`, which says what one look
does. Worst case: SLOTS orders at once; a look that finds no free slot sends no more.
"""

from __future__ import annotations

from typing import Any

import hftlib as hft

SLOTS = 64


@hft.strategy
class Watch:
    """Nothing but the books, and a glance at the touch."""

    step_ns: int = hft.param(10_000_000, low=1_000)
    total: int = hft.state()
    looks: int = hft.state()

    def on_start(self, ctx: Any) -> None:
        ctx.timer(self.step_ns - ctx.feed_latency)

    def on_timer(self, ctx: Any, number: int) -> None:
        ctx.timer(self.step_ns)
        b = ctx.book(0)
        self.total += b.bid + b.ask
        self.looks += 1


@hft.strategy
class GridMaker:
    """Post-only orders on a grid around the middle, leaning against the position."""

    step_ns: int = hft.param(10_000_000, low=1_000)
    levels: int = hft.param(1, low=1, high=16)
    spread_ticks: int = hft.param(2, low=1)
    gap_ticks: int = hft.param(1, low=1)
    order_lots: int = hft.param(1, low=1)
    skew_ticks: int = hft.param(1, low=0)
    position_max_lots: int = hft.param(10, low=1)
    order: int = hft.state(size=SLOTS)
    side: int = hft.state(size=SLOTS)
    tick: int = hft.state(size=SLOTS)
    used: int = hft.state()
    no_slot: int = hft.state()

    def on_start(self, ctx: Any) -> None:
        ctx.timer(self.step_ns - ctx.feed_latency)

    def on_timer(self, ctx: Any, number: int) -> None:
        ctx.timer(self.step_ns)
        for slot in range(self.used):
            if self.order[slot] != 0 and ctx.order(self.order[slot]).is_over:
                self.order[slot] = 0
        b = ctx.book(0)
        if not b.has_both:
            return
        held = ctx.position(0)
        bid, ask = b.bid // b.tick, b.ask // b.tick
        lean = held // self.order_lots * self.skew_ticks
        want_bid = min(((bid + ask - self.spread_ticks) >> 1) - lean, bid)
        want_ask = max(((bid + ask + self.spread_ticks + 1) >> 1) - lean, ask)
        bids = self.levels if held < self.position_max_lots else 0
        asks = self.levels if held > -self.position_max_lots else 0
        for slot in range(self.used):
            if self.order[slot] != 0:
                away = self.tick[slot] - want_ask
                count = asks
                if self.side[slot] == hft.BUY:
                    away = want_bid - self.tick[slot]
                    count = bids
                wanted = away >= 0 and away % self.gap_ticks == 0 and away // self.gap_ticks < count
                one = ctx.order(self.order[slot])
                if not wanted and one.is_settled:
                    ctx.cancel(self.order[slot])
        for level in range(bids):
            self.send(ctx, hft.BUY, want_bid - level * self.gap_ticks, b.tick)
        for level in range(asks):
            self.send(ctx, hft.SELL, want_ask + level * self.gap_ticks, b.tick)

    def send(self, ctx: Any, side: int, tick: int, size: int) -> None:
        """An order at `tick`, unless one of ours is there."""
        free = -1
        for slot in range(self.used):
            if self.order[slot] == 0:
                if free < 0:
                    free = slot
            elif self.side[slot] == side and self.tick[slot] == tick:
                return
        if free < 0:
            if self.used == SLOTS:
                self.no_slot += 1
                return
            free = self.used
            self.used += 1
        number = ctx.submit(0, side, tick * size, self.order_lots, post_only=True)
        self.order[free] = max(number, 0)
        self.side[free] = side
        self.tick[free] = tick
