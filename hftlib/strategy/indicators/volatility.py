"""Realised volatility: how far a price goes in a second, from what it did of late.

    r = price - price before           or ln(price / price before), if `relative`
    rate += (1 - 2 ** (-dt / half_life)) * (r ** 2 / dt - rate)
    value = sqrt(rate)                 price units (or a share) per square root of a second

Steps of at least `every` are taken, since prices that jump between bid and ask at each event would
count as movement; a step may be longer where nothing came. Worst case: the first step is taken
whole, so for some half-lives the value hangs on few steps.
"""

from __future__ import annotations

import math

from hftlib.strategy.classes import block
from hftlib.strategy.fields import param, state


@block
class RealisedVolatility:
    """Per square root of a second; not a number until the second step."""

    half_life: int = param(30_000_000_000, low=1, duration=True, help="time until half is left")
    every: int = param(100_000_000, low=1, duration=True, help="shortest step")
    relative: bool = param(False, help="of logarithms instead of prices")
    value: float = state(math.nan)
    rate: float = state()
    price: float = state()
    time: int = state()
    steps: int = state()

    def update(self, now: int, price: float) -> float:
        if not math.isfinite(price) or (self.relative and price <= 0.0):
            return self.value
        if self.steps == 0:
            self.begin(now, price)
        elif now - self.time >= self.every:
            moved = math.log(price / self.price) if self.relative else price - self.price
            latest = moved * moved / ((now - self.time) / 1e9)
            share = math.exp2((self.time - now) / self.half_life)
            self.rate = latest if self.steps == 1 else share * self.rate + (1.0 - share) * latest
            self.value = math.sqrt(self.rate)
            self.begin(now, price)
        return self.value

    def begin(self, now: int, price: float) -> None:
        self.time = now
        self.price = price
        self.steps += 1

    def over(self, duration_ns: int) -> float:
        """How far it goes in so long: the value, scaled by the square root of time."""
        return self.value * math.sqrt(duration_ns / 1e9)
