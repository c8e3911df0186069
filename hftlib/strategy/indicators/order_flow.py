"""Order-flow imbalance at the best prices (Cont, Kukanov and Stoikov, 2014).

From one best quote to the next, what came to the bid and what left the ask pushes the price up:

    e = [bid >= bid'] q_bid - [bid <= bid'] q_bid' - [ask <= ask'] q_ask + [ask >= ask'] q_ask'

where a prime marks the quote before, q what stands there and [..] is 1 or 0. An empty side is a
price out of reach with nothing at it. Worst case: in one message a whole side can appear, after a
halt for instance; skip what is not open, or the reopening counts as flow.
"""

from __future__ import annotations

import math
from typing import Any

from hftlib.strategy.classes import block
from hftlib.strategy.context import NO_PRICE
from hftlib.strategy.fields import param, state


@block
class OrderFlowImbalance:
    """The flow of late: a sum of e in which each halves every `half_life`; in lots, up is plus.

    `last` is the newest e, `total` the sum of all. Before the second quote there is no flow: 0.
    """

    half_life: int = param(
        1_000_000_000, low=1, duration=True, help="time after which half is left"
    )
    value: float = state()
    last: int = state()
    total: int = state()
    time: int = state()
    count: int = state()
    bid: int = state()
    bid_quantity: int = state()
    ask: int = state()
    ask_quantity: int = state()

    def update(self, now: int, book: Any) -> float:
        """Of an instrument's book, at every change of it."""
        bid, ask = book.bid, book.ask
        if ask == NO_PRICE:
            ask = -NO_PRICE
        flow = 0
        if self.count > 0:
            flow += book.bid_quantity if bid >= self.bid else 0
            flow -= self.bid_quantity if bid <= self.bid else 0
            flow -= book.ask_quantity if ask <= self.ask else 0
            flow += self.ask_quantity if ask >= self.ask else 0
        self.bid = bid
        self.bid_quantity = book.bid_quantity
        self.ask = ask
        self.ask_quantity = book.ask_quantity
        self.last = flow
        self.total += flow
        self.value = self.at(now) + flow
        if self.count == 0 or now > self.time:
            self.time = now
        self.count += 1
        return self.value

    def at(self, now: int) -> float:
        """The value at a time without a change."""
        if self.count == 0 or now <= self.time:
            return self.value
        return self.value * math.exp2((self.time - now) / self.half_life)
