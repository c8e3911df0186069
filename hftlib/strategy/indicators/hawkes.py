"""How fast events come of late: the intensity of a self-exciting (Hawkes) process.

    intensity(t) = base + sum over events before t of jump * weight * 2 ** (-(t - time) / half_life)

in events a second. Every event makes the next ones likelier, and that fades. Each event brings
jump * half_life / ln 2 others in the mean (`children`); from one on it feeds itself for ever.

Worst case: two numbers are kept, whatever came; with a half-life far below the time between events
it is just the base.
"""

from __future__ import annotations

import math

from hftlib.strategy.classes import block
from hftlib.strategy.fields import param, state


@block
class HawkesIntensity:
    """Updated at events, read between them by `at(now)`; before the first event it is the base."""

    base: float = param(1.0, low=0.0, help="events a second without any")
    jump: float = param(1.0, low=0.0, help="what an event adds, in events a second")
    half_life: int = param(500_000_000, low=1, duration=True, help="time until half is left")
    excess: float = state()
    value: float = state(math.nan)
    time: int = state()
    count: int = state()

    def update(self, now: int, weight: float = 1.0) -> float:
        """An event came; the intensity right after it."""
        if not math.isfinite(weight):
            return self.value
        self.excess = self.at(now) - self.base + self.jump * weight
        if self.count == 0 or now > self.time:
            self.time = now
        self.count += 1
        self.value = self.base + self.excess
        return self.value

    def at(self, now: int) -> float:
        """The intensity at a time, all events so far counted."""
        if self.count == 0 or now <= self.time:
            return self.base + self.excess
        return self.base + self.excess * math.exp2((self.time - now) / self.half_life)

    def children(self) -> float:
        """How many events one brings in the mean."""
        return self.jump * (self.half_life / 1e9) / math.log(2.0)
