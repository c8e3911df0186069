"""A made-up LOBSTER day: both files, as LOBSTER would write them of a market nobody recorded.

A market of named orders runs from before the day. A message is written when it changes the window
of the best `depth` levels, and with it the row of that window afterwards: what happens beyond stays
unsaid, as in the real files. Worst case: both sides are sorted at every step.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

NO_LEVEL = 9_999_999_999
SUBMIT, REDUCE, REMOVE, EXECUTE, HIDDEN = range(1, 6)
BUY, SELL = 1, -1
Order = tuple[int, int, int]  # direction, price, size


class Market:
    """Orders at random, none of them crossing; `thick` is how many there about are."""

    def __init__(self, depth: int, thick: int, seed: int) -> None:
        self.random, self.depth, self.thick = Random(seed), depth, thick
        self.orders: dict[int, Order] = {}
        self.sizes: dict[int, Counter[int]] = {BUY: Counter(), SELL: Counter()}
        self.next = 1

    def window(self) -> list[int]:
        asks = sorted(self.sizes[SELL].items())[: self.depth]
        bids = sorted(self.sizes[BUY].items(), reverse=True)[: self.depth]
        asks += [(NO_LEVEL, 0)] * (self.depth - len(asks))
        bids += [(-NO_LEVEL, 0)] * (self.depth - len(bids))
        return [number for pair in zip(asks, bids, strict=True) for one in pair for number in one]

    def step(self) -> tuple[int, int, int, int, int]:
        """One thing happens: the message's type, id, size, price and direction."""
        chance = self.random.random()
        if not self.orders or chance < 0.5 * self.thick / (self.thick + len(self.orders)) + 0.25:
            return self._submit()
        if chance > 0.97:
            return HIDDEN, 0, 5, 1_000_000, self.random.choice((BUY, SELL))
        reference = self.random.choice(list(self.orders))
        direction, price, size = self.orders[reference]
        kind = REMOVE
        if self.random.random() < 0.3:  # whoever comes first at the best price
            best = max if direction == BUY else min
            price = best(self.sizes[direction])
            reference = next(r for r, o in self.orders.items() if o[:2] == (direction, price))
            kind, size = EXECUTE, self.orders[reference][2]
        if size > 1 and self.random.random() < 0.5:
            size = self.random.randrange(1, size)
            kind = REDUCE if kind == REMOVE else kind
        self._take(reference, size)
        return kind, reference, size, price, direction

    def _submit(self) -> tuple[int, int, int, int, int]:
        direction = self.random.choice((BUY, SELL))
        others = self.sizes[-direction]
        best = (min if direction == BUY else max)(others, default=1_000_000 + 100 * direction)
        price = best - direction * 100 * self.random.randrange(1, 2 + self.thick)
        size, reference = self.random.randrange(1, 200), self.next
        self.next += 1
        self.orders[reference] = (direction, price, size)
        self.sizes[direction][price] += size
        return SUBMIT, reference, size, price, direction

    def _take(self, reference: int, size: int) -> None:
        direction, price, left = self.orders.pop(reference)
        if left > size:
            # A dict keeps the place of a key only while it stays: who is reduced goes in again.
            rest = {r: o for r, o in self.orders.items() if r > reference}
            for later in rest:
                del self.orders[later]
            self.orders[reference] = (direction, price, left - size)
            self.orders |= rest
        self.sizes[direction][price] -= size
        if not self.sizes[direction][price]:
            del self.sizes[direction][price]


def written_day(folder: Path, depth: int, thick: int, seed: int, steps: int = 8_000) -> Path:
    """Write both files of a day; the path of the message file."""
    folder.mkdir()
    market = Market(depth, thick, seed)
    for _ in range(20 * thick):
        market.step()
    messages, rows, before = [], [], market.window()
    for number in range(steps):
        message, after = market.step(), market.window()
        if message[0] == HIDDEN or after != before:
            time = f"{34200 + number // 10}.{number % 10}"
            messages.append(f"{time}," + ",".join(map(str, message)))
            rows.append(",".join(map(str, after)))
        before = after
    name = "TEST_2012-06-21_34200000_57600000_{}_" + f"{depth}.csv"
    (folder / name.format("orderbook")).write_text("\n".join(rows) + "\n")
    path = folder / name.format("message")
    path.write_text("\n".join(messages) + "\n")
    return path
