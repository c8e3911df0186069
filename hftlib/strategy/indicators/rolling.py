"""Mean and variance of the last `length` values, in constant time and without drift.

    values │ 7 8 9 3 4 5 6 │      the ring; 3 is the oldest and goes next
             lap ─▶               what came since place 0 is also summed afresh

Taking the oldest value out of a sum leaves its rounding behind. So each lap round the ring is
summed a second time from nothing, and at its end, when it is the whole window, it takes over.

Worst case: rounding at the size of the largest of the last 2 * length values; 8 * length bytes.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

import math

from hftlib.strategy.classes import block
from hftlib.strategy.fields import param, state


@block
class RollingMean:
    """The mean of the last `length` values, or of as many as there were."""

    length: int = param(100, low=1, high=1_000_000, help="values in the window")
    values: float = state(size="length")
    value: float = state(math.nan)
    total: float = state()
    lap_total: float = state()
    count: int = state()

    def update(self, x: float) -> float:
        if not math.isfinite(x):
            return self.value
        place = self.count % self.length
        if self.count >= self.length:
            self.total -= self.values[place]
        self.values[place] = x
        self.total += x
        self.lap_total += x
        self.count += 1
        if place == self.length - 1:
            self.total = self.lap_total
            self.lap_total = 0.0
        self.value = self.total / min(self.count, self.length)
        return self.value


@block
class RollingVariance:
    """Mean and variance of the last `length` values (Welford's sums, with one value replaced).

    variance = sum of (x - mean) ** 2 / (n - 1)      not a number with less than two values
    z(x) = (x - mean) / sqrt(variance)               likewise, and while nothing moves
    """

    length: int = param(100, low=1, high=1_000_000, help="values in the window")
    values: float = state(size="length")
    value: float = state(math.nan)
    mean: float = state(math.nan)
    squares: float = state()
    lap_mean: float = state()
    lap_squares: float = state()
    count: int = state()

    def update(self, x: float) -> float:
        if not math.isfinite(x):
            return self.value
        place = self.count % self.length
        if self.count == 0:
            self.mean = x
        elif self.count < self.length:
            away = x - self.mean
            self.mean += away / (self.count + 1)
            self.squares += away * (x - self.mean)
        else:
            old, mean = self.values[place], self.mean
            self.mean += (x - old) / self.length
            self.squares += (x - old) * ((x - self.mean) + (old - mean))
        self.values[place] = x
        self.count += 1
        self.add_to_lap(x, place)
        filled = min(self.count, self.length)
        self.value = max(self.squares, 0.0) / (filled - 1) if filled > 1 else math.nan
        return self.value

    def add_to_lap(self, x: float, place: int) -> None:
        if place == 0:
            self.lap_mean = x
            self.lap_squares = 0.0
        else:
            away = x - self.lap_mean
            self.lap_mean += away / (place + 1)
            self.lap_squares += away * (x - self.lap_mean)
        if place == self.length - 1:
            self.mean = self.lap_mean
            self.squares = self.lap_squares

    def deviation(self) -> float:
        return math.sqrt(self.value)

    def z(self, x: float) -> float:
        """How many standard deviations x lies above the mean."""
        deviation = math.sqrt(self.value)
        if deviation > 0.0:
            return (x - self.mean) / deviation
        return math.nan
