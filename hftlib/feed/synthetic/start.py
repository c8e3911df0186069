"""The first state of a synthetic day: every table laid out and filled from the seed.

Each stock has chance of its own, named by the seed and its symbol. Worst case: as `market`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.feed.synthetic.arrivals import ANSWERS_PERCENT, STIRRED
from hftlib.feed.synthetic.chance import ONE, below, seeded, tables
from hftlib.feed.synthetic.memory import (
    ECHOES,
    LEVEL,
    LEVEL_BYTES,
    LEVEL_NONE_ABOVE,
    LEVEL_NONE_BELOW,
    LEVELS,
    MARKET,
    NEVER,
    ORDER,
    ORDER_BYTES,
    ORDERS,
    STOCK,
)
from hftlib.feed.synthetic.plan import OPEN_NS, Wish, timetable

NEWS_SECONDS = 5
CROWD = 130
ROUND_LOT = 100
# A price of 21 to 400 dollars, in ticks: far enough from zero for the levels around it.
_PRICE_LEAST, _PRICE_SPAN = 2_100, 38_000
assert len(ANSWERS_PERCENT) == ECHOES


class Day:
    """The memory of one run through a market; `address` is what compiled code wants."""

    def __init__(self, wish: Wish) -> None:
        count = len(wish.symbols)
        self.market = np.zeros(1, MARKET)
        self.market["words"][0] = seeded("market", wish.seed)
        self.address = int(self.market.ctypes.data)
        # Padded to a power of two: the tournament's empty seats never act.
        leaves = 1 << (count - 1).bit_length()
        self.stocks = np.zeros(leaves, STOCK)
        self.stocks["due"] = NEVER
        self.orders = np.zeros((count, ORDERS), ORDER)
        self.levels = np.zeros((count, LEVELS), LEVEL)
        self.levels["first"] = self.levels["last"] = -1
        # Until somebody is due, the winner of every game is the first of its seats.
        self.tree = np.zeros(leaves, np.int64)
        for node in range(1, leaves):
            depth = leaves.bit_length() - node.bit_length()
            self.tree[node] = (node << depth) - leaves
        for index, symbol in enumerate(wish.symbols):
            self._fill(wish, index, symbol)
        halted = [below(self.address, count) for _ in range(wish.halts)]
        self.steps = timetable(wish, halted)
        self._tie(count, leaves)

    @property
    def is_over(self) -> bool:
        return bool(self.market["steps_done"][0] == self.market["steps"][0])

    @property
    def now_ns(self) -> int:
        """Nanoseconds since midnight at the venue."""
        return int(self.market["now"][0])

    def _fill(self, wish: Wish, index: int, symbol: str) -> None:
        stock: Any = self.stocks[index : index + 1]
        stock["words"][0] = seeded("stock", wish.seed, symbol)
        stock["at"] = at = int(stock.ctypes.data)
        stock["name"] = int.from_bytes(symbol.ljust(8).encode("ascii"), "big")
        stock["locate"] = index + 1
        # Hundredths: the first stock is as asked for, the others half to twice as much.
        busy, wide = (100 if index == 0 else 50 + below(at, 150) for _ in range(2))
        # Of 100 actions this many answer none; a quarter of those comes in on news.
        own_percent = 100 - sum(ANSWERS_PERCENT)
        hundredths = max(1, own_percent * wish.rate * busy // 100)
        stock["gap_ns"] = 10**9 * 100 * 4 // (3 * hundredths)
        stock["stirred"] = hundredths * NEWS_SECONDS * ONE // (100 * 4 * len(STIRRED))
        stock["spread"] = max(1, wish.spread_ticks * wide // 100)
        stock["bid"], stock["ask"] = LEVEL_NONE_BELOW, LEVEL_NONE_ABOVE
        stock["first_tick"] = _PRICE_LEAST + below(at, _PRICE_SPAN) - LEVELS // 2
        stock["fair"] = (LEVELS // 2) << 8
        stock["crowd"] = CROWD
        stock["beta"] = 128 + below(at, 256)
        stock["round_lot"] = ROUND_LOT
        stock["orders_at"] = self.orders.ctypes.data + index * ORDERS * ORDER_BYTES
        stock["levels_at"] = self.levels.ctypes.data + index * LEVELS * LEVEL_BYTES

    def _tie(self, count: int, leaves: int) -> None:
        market: Any = self.market
        market["at"] = self.address
        market["stocks"], market["leaves"] = count, leaves
        market["steps"] = len(self.steps)
        market["open_ns"] = OPEN_NS
        market["news_due"], market["news_gap_ns"] = OPEN_NS, NEWS_SECONDS * 10**9
        market["tables_at"] = tables().ctypes.data
        market["stocks_at"] = self.stocks.ctypes.data
        market["tree_at"] = self.tree.ctypes.data
        market["steps_at"] = self.steps.ctypes.data
