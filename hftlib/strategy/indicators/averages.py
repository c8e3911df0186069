"""Averages that forget: by time, or by the number of updates.

Both keep three or four numbers, whatever they have seen. Worst case: a first value far off counts
whole until others have come; after ten half-lives a thousandth of it is left.
"""

from __future__ import annotations

import math

from hftlib.strategy.classes import block
from hftlib.strategy.fields import param, state


@block
class EMA:
    """An average in which a value's weight halves every `half_life`.

        value += (1 - 2 ** (-dt / half_life)) * (x - value)        dt since the moment before

    The first value is taken whole. Of several values at one moment the last one counts.
    """

    half_life: int = param(1_000_000_000, low=1, duration=True, help="time until half is left")
    value: float = state(math.nan)
    before: float = state()
    weight: float = state(1.0)
    time: int = state()
    count: int = state()

    def update(self, now: int, x: float) -> float:
        if not math.isfinite(x):
            return self.value
        if self.count == 0:
            self.before = x
            self.time = now
        elif now > self.time:
            self.before = self.value
            self.weight = 1.0 - math.exp2((self.time - now) / self.half_life)
            self.time = now
        self.count += 1
        self.value = self.before + self.weight * (x - self.before)
        return self.value


@block
class EMAByUpdate:
    """An average in which a value's weight halves every `half_life` updates.

    value += (1 - 2 ** (-1 / half_life)) * (x - value)

    The first value is taken whole; time plays no part.
    """

    half_life: float = param(10.0, low=1e-3, help="updates until half is left")
    value: float = state(math.nan)
    weight: float = state()
    count: int = state()

    def update(self, x: float) -> float:
        if not math.isfinite(x):
            return self.value
        if self.count == 0:
            self.value = x
            self.weight = 1.0 - math.exp2(-1.0 / self.half_life)
        else:
            self.value += self.weight * (x - self.value)
        self.count += 1
        return self.value
