"""The average price of recent trades, weighted by what was traded.

    ring │ . . 3 4 5 6 7 . . │      first: the oldest trade of the window; count: the next one's
               ▲     ▲     ▲
           first   mark  count      trades from the mark on are also summed afresh

When the oldest trade reaches the mark, the fresh sums are the window's, without what taking trades
out has left of rounding; they take over, and the mark moves to the end.

Worst case: `length` trades leave at once, a loop of as many steps; 24 * length bytes.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

import math

from hftlib.strategy.classes import block
from hftlib.strategy.fields import param, state


@block
class VWAP:
    """The last `length` trades, as far as they are younger than `window` (0: whatever their age).

        value = sum of price * quantity / sum of quantity      not a number without trades

    `crowded` counts trades that left too early because `length` was too small for `window`.
    """

    length: int = param(1_000, low=1, high=1_000_000, help="trades at most")
    window: int = param(0, low=0, duration=True, help="age at which a trade leaves; 0 never")
    times: int = state(size="length")
    prices: float = state(size="length")
    quantities: float = state(size="length")
    value: float = state(math.nan)
    volume: float = state()
    money: float = state()
    mark_volume: float = state()
    mark_money: float = state()
    time: int = state()
    first: int = state()
    mark: int = state()
    count: int = state()
    crowded: int = state()

    def update(self, now: int, price: float, quantity: float) -> float:
        if not (math.isfinite(price) and math.isfinite(quantity) and quantity > 0):
            return self.at(now)
        self.leave(now)
        if self.count - self.first == self.length:
            self.drop()
            self.crowded += 1 if self.window > 0 else 0
        if self.first == self.count:
            self.begin()
        place = self.count % self.length
        self.times[place] = self.time
        self.prices[place] = price
        self.quantities[place] = quantity
        # Floats, as whole numbers would wrap: they are exact up to 2**53.
        money = float(price) * float(quantity)
        self.money += money
        self.volume += quantity
        if self.count >= self.mark:
            self.mark_money += money
            self.mark_volume += quantity
        self.count += 1
        self.value = self.money / self.volume
        return self.value

    def at(self, now: int) -> float:
        """The value at a time without a trade."""
        self.leave(now)
        self.value = self.money / self.volume if self.count > self.first else math.nan
        return self.value

    def leave(self, now: int) -> None:
        if self.count == 0 or now > self.time:
            self.time = now
        while (
            self.window > 0
            and self.first < self.count
            and self.times[self.first % self.length] <= self.time - self.window
        ):
            self.drop()

    def drop(self) -> None:
        place = self.first % self.length
        self.money -= self.prices[place] * self.quantities[place]
        self.volume -= self.quantities[place]
        self.first += 1
        if self.first == self.mark:
            self.money = self.mark_money
            self.volume = self.mark_volume
            self.mark_money = 0.0
            self.mark_volume = 0.0
            self.mark = self.count

    def begin(self) -> None:
        """The first trade of an empty window stands before the mark: it is summed once."""
        self.money = 0.0
        self.volume = 0.0
        self.mark_money = 0.0
        self.mark_volume = 0.0
        self.mark = self.count + 1
