"""A maker that knows its inventory: Avellaneda and Stoikov (2008), with a horizon that rolls.

    r    = middle - q * gamma * sigma**2 * T                        where it is indifferent
    edge = gamma * sigma**2 * T / 2 + ln(1 + gamma / kappa) / gamma  from r to either quote

    q      clips held                      T      seconds over which inventory is a risk (`horizon`)
    sigma  ticks per square root of a second, measured       gamma   dislike of risk
    kappa  how fast fills thin out per tick of distance: intensity = A * exp(-kappa * ticks)

Worst case: a quote follows each change of the book, one message a side under way at most.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

import math
from typing import Any

import hftlib as hft

INSTRUMENTS = 256


@hft.strategy
class AvellanedaStoikov:
    """Quote around a reservation price that inventory moves, as wide as volatility asks for.

    It waits until volatility is known (two steps of `every`), quotes one clip a side, and at
    `clips_max` clips only the side that reduces. Instruments beyond 256 are left alone.

    When it loses money: the model's prices are a random walk and its fills are blind. Where fills
    know more than the middle (they come before it moves), its edge is too small by that much, and
    no parameter here sees it. Volatility that jumps is measured a half-life too late: quotes are
    tight in the first seconds of a move. A trend is a walk to it: it buys all the way down to
    `clips_max`. A kappa above the market's quotes too tight, one below stands too far to be filled.
    """

    gamma: float = hft.param(0.05, low=1e-6, high=100.0, help="dislike of risk, per clip and tick")
    kappa: float = hft.param(0.5, low=1e-6, high=100.0, help="decay of fills, per tick")
    horizon: int = hft.param(5_000_000_000, low=1, duration=True, help="time to be rid of a clip")
    clip: int = hft.param(100, low=1, help="lots of each quote")
    clips_max: int = hft.param(5, low=1, high=1000, help="held at most, long or short")
    reservation: float = hft.state(size=INSTRUMENTS)
    edge: float = hft.state(size=INSTRUMENTS)
    volatility: hft.RealisedVolatility = hft.state(size=INSTRUMENTS, half_life="20s", every="200ms")

    def on_book(self, ctx: Any, i: int) -> None:
        if i >= INSTRUMENTS:
            return
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            self.pull(ctx, i)
            return
        sigma = self.volatility[i].update(ctx.time, b.mid) / b.tick
        if math.isfinite(sigma):
            self.place(ctx, i, sigma)

    def place(self, ctx: Any, i: int, sigma: float) -> None:
        b = ctx.book(i)
        held = ctx.position(i)
        risk = self.gamma * sigma * sigma * (self.horizon / 1e9)
        self.reservation[i] = b.mid - held / self.clip * risk * b.tick
        away = 0.5 * risk + math.log1p(self.gamma / self.kappa) / self.gamma
        self.edge[i] = away * b.tick
        most = self.clips_max * self.clip
        ctx.quote(
            i,
            bid=min(self.reservation[i] - self.edge[i], b.ask - b.tick),
            ask=max(self.reservation[i] + self.edge[i], b.bid + b.tick),
            quantity=self.clip,
            bid_quantity=max(0, min(self.clip, most - held)),
            ask_quantity=max(0, min(self.clip, most + held)),
            post_only=True,
        )

    def on_halt(self, ctx: Any, i: int) -> None:
        self.pull(ctx, i)

    def pull(self, ctx: Any, i: int) -> None:
        """Want nothing on either side."""
        ctx.quote(i, bid=0.0, ask=0.0, quantity=0)
