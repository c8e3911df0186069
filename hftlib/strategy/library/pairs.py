"""Two instruments that go together: sells their spread when it is wide, buys it when narrow.

    spread = middle of first - ratio * middle of second         sampled every `every`
    z      = (spread - mean) / standard deviation               of the last 240 samples

    z >= enter ─▶ want -clip of first        z <= -enter ─▶ want +clip
    |z| <= leave, or |z| >= stop ─▶ want none

The first leg goes where it is wanted, by a quote at the best price (`passive`) or by taking; the
second always follows what is held of the first, by taking. Worst case: between a fill of the first
leg and that of the second the pair is open for a round trip, longer if the second is halted.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

from typing import Any

import hftlib as hft


@hft.strategy
class Pairs:
    """Trade the spread of two instruments back to its mean.

    `ratio` lots of the second stand against one of the first; both legs are one clip at most.
    Nothing is opened before 240 samples, nor again after a stop until z has been within `leave`.

    When it loses money: when the two stop going together. News about one of them makes a spread
    that is wide and does not come back; the stop then sells at the worst of it, and the mean
    catches up with the new level only after. Two things that never went together have a z-score,
    too. Each round trip pays the second leg's spread twice, and passive first legs are filled
    when the price runs through them: just when the spread goes on widening.
    """

    first: int = hft.param(0, low=0, help="instrument of the first leg")
    second: int = hft.param(1, low=0, help="instrument of the second leg")
    ratio: float = hft.param(1.0, low=1e-6, high=1e6, help="lots of second for one of first")
    enter: float = hft.param(2.0, low=0.0, help="z-score that opens")
    leave: float = hft.param(0.5, low=0.0, help="z-score that closes")
    stop: float = hft.param(6.0, low=0.0, help="z-score that gives up")
    passive: bool = hft.param(False, help="make the first leg instead of taking it")
    clip: int = hft.param(100, low=1, help="lots of the first leg")
    every: int = hft.param(250_000_000, low=1, duration=True, help="between two samples")
    pause: int = hft.param(5_000_000, low=1000, duration=True, help="between two tries of a leg")
    spreads: hft.RollingVariance = hft.state(length=240)
    z: float = hft.state()
    wanted: int = hft.state()
    gave_up: bool = hft.state(False)
    sampled: int = hft.state()
    rests_until: int = hft.state(size=2)

    def on_book(self, ctx: Any, i: int) -> None:
        if i != self.first and i != self.second:
            return
        if not (self.is_fit(ctx, self.first) and self.is_fit(ctx, self.second)):
            self.pull(ctx)
            return
        if ctx.time - self.sampled >= self.every:
            self.sample(ctx)
        self.move(ctx)

    def on_order(self, ctx: Any, i: int, order: Any) -> None:
        # The second leg follows at once, not with the next book.
        if i == self.first and self.is_fit(ctx, self.first) and self.is_fit(ctx, self.second):
            self.follow(ctx)

    def on_halt(self, ctx: Any, i: int) -> None:
        if i == self.first or i == self.second:
            self.pull(ctx)

    def is_fit(self, ctx: Any, i: int) -> bool:
        return ctx.book(i).is_open and ctx.book(i).has_both

    def pull(self, ctx: Any) -> None:
        ctx.quote(self.first, bid=0.0, ask=0.0, quantity=0)

    def sample(self, ctx: Any) -> None:
        """Where the spread stands among the last ones, and what is wanted therefore."""
        self.sampled = ctx.time
        spread = ctx.book(self.first).mid - self.ratio * ctx.book(self.second).mid
        self.z = self.spreads.z(spread)
        is_full = self.spreads.count >= self.spreads.length
        self.spreads.update(spread)
        if abs(self.z) <= self.leave:
            self.wanted = 0
            self.gave_up = False
        elif abs(self.z) >= self.stop:
            self.wanted = 0
            self.gave_up = True
        elif abs(self.z) >= self.enter and is_full and not self.gave_up:
            self.wanted = -self.clip if self.z > 0.0 else self.clip

    def move(self, ctx: Any) -> None:
        self.follow(ctx)
        missing = self.wanted - ctx.position(self.first)
        if self.passive:
            self.offer(ctx, missing)
        else:
            self.take(ctx, self.first, missing, 0)

    def follow(self, ctx: Any) -> None:
        """Hold as much of the second as stands against what is held of the first."""
        against = -round(ctx.position(self.first) * self.ratio)
        self.take(ctx, self.second, against - ctx.position(self.second), 1)

    def offer(self, ctx: Any, missing: int) -> None:
        b = ctx.book(self.first)
        ctx.quote(
            self.first,
            bid=float(b.bid),
            ask=float(b.ask),
            quantity=0,
            bid_quantity=max(0, missing),
            ask_quantity=max(0, -missing),
            post_only=True,
        )

    def take(self, ctx: Any, i: int, missing: int, leg: int) -> None:
        if missing == 0 or ctx.open_orders(i) > 0 or ctx.time < self.rests_until[leg]:
            return
        # Refused or missed, it is tried again after the pause, from what is held then.
        self.rests_until[leg] = ctx.time + self.pause
        b = ctx.book(i)
        if missing > 0:
            ctx.buy(i, float(b.ask), missing, lasts=hft.IOC)
        else:
            ctx.sell(i, float(b.bid), -missing, lasts=hft.IOC)
