"""The slow obvious twin of the books: dicts of levels, a dict of orders, and no trick.

    orders    reference ─▶ [side, key, quantity]          side: 2 * instrument, plus 1 for asks
    sides     [side]: key ─▶ Level                        key: smaller is better, as in `tables.py`
    Level     quantity, how many orders, and a dict of references in order of arrival

It knows the rules of `apply.py` and of `events.py` as their docstrings say them, and no more of how
the fast books are made than what is part of their answers: their capacities, in orders, levels
and pages of the grid. Worst case: some 2 µs an event, and `picture` sorts everything.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from hftlib.book import tables
from hftlib.book.apply import ALL
from hftlib.book.capacity import Capacity, grid
from hftlib.book.levels import ORDERS_TOLD_MAX
from hftlib.core import events

SAYS_NOTHING, CHANGED = 0, 1
FULL = (tables.ORDERS_FULL, tables.LEVELS_FULL, tables.PAGES_FULL)
OF_ORDERS = (events.ADD, events.EXECUTE, events.CANCEL, events.DELETE, events.REPLACE)
OF_ONE_BOOK = (*OF_ORDERS, events.TRADE, events.CROSS, events.LEVEL, events.QUOTE, events.CLEAR)
FACTS = ("time", "sequence", "last", "last_size", "volume", "state", "stale", "trades")


class Level:
    """What stands at a price; `queue` holds the orders that have names, first come first."""

    __slots__ = ("orders", "quantity", "queue")

    def __init__(self) -> None:
        self.quantity = self.orders = 0
        self.queue: dict[int, list[int]] = {}


class NaiveBooks:
    """`apply` events, then compare `picture` and the counts."""

    def __init__(self, ticks: list[int], capacity: Capacity) -> None:
        self.capacity = capacity
        self.instruments = capacity.instruments
        ticks = ticks + [1] * (self.instruments - len(ticks))
        self.grids = [grid(tick) for tick in ticks]
        self.sides: list[dict[int, Level]] = [{} for _ in range(2 * self.instruments)]
        self.orders: dict[int, list[int]] = {}
        self.pages: Counter[tuple[int, int]] = Counter()
        self.levels = 0
        self.facts = [dict.fromkeys(FACTS, 0) for _ in range(self.instruments)]
        self.impossible: Counter[int] = Counter()

    def apply(self, array: np.ndarray[Any, Any]) -> list[int]:
        """The answer to each event."""
        return [self._answer(*event) for event in array.tolist()]

    def _answer(
        self,
        time: int,
        _received: int,
        sequence: int,
        reference: int,
        other: int,
        price: int,
        quantity: int,
        instrument: int,
        kind: int,
        side: int,
        flags: int,
    ) -> int:
        if instrument >= self.instruments:
            done = self._of_all(instrument, kind, reference)
        else:
            facts = self.facts[instrument]
            facts["time"], facts["sequence"] = time, sequence
            if kind in OF_ORDERS:
                done = self._of_order(
                    reference, other, price, quantity, instrument, kind, side, flags
                )
            else:
                done = self._seldom(reference, price, quantity, instrument, kind, side, flags)
            if -done in FULL:
                facts["stale"] |= tables.STALE_FULL
        if done < 0:
            self.impossible[-done] += 1
        return done

    def _of_all(self, instrument: int, kind: int, reference: int) -> int:
        if instrument != ALL or (kind in OF_ONE_BOOK and kind != events.CLEAR):
            return -tables.NO_INSTRUMENT
        if kind == events.CLEAR:
            for number in range(2 * self.instruments):
                self._clear(number)
            for facts in self.facts:
                facts["stale"] = 0
            return CHANGED
        for facts in self.facts:
            self._tell(facts, kind, reference)
        return SAYS_NOTHING

    def _of_order(
        self,
        reference: int,
        other: int,
        price: int,
        quantity: int,
        instrument: int,
        kind: int,
        side: int,
        flags: int,
    ) -> int:
        if kind == events.ADD:
            if side not in (events.BUY, events.SELL):
                return -tables.NO_SIDE
            return self._add(2 * instrument + side - 1, reference, price, quantity)
        order = self.orders.get(reference)
        if order is None:
            return self._take_unnamed(instrument, kind, side, price, quantity, flags)
        if order[0] >> 1 != instrument:
            return -tables.OTHER_INSTRUMENT
        if kind == events.DELETE:
            self._drop(reference, order)
            return CHANGED
        if quantity <= 0:
            return -tables.NO_QUANTITY
        if kind == events.REPLACE:
            refused = self._refused(price, quantity)
            if refused or (other != reference and other in self.orders):
                return refused or -tables.DOUBLE_ORDER
            self._drop(reference, order)
            return self._add(order[0], other, price, quantity)
        if kind == events.EXECUTE:
            traded = price or (order[1] if order[0] & 1 else -order[1])
            self._print(instrument, traded, min(quantity, order[2]), flags)
        if quantity < order[2]:
            order[2] -= quantity
            self.sides[order[0]][order[1]].quantity -= quantity
            return CHANGED
        self._drop(reference, order)
        return CHANGED if quantity == order[2] else -tables.TOO_MUCH

    def _add(self, side: int, reference: int, price: int, quantity: int) -> int:
        if reference in self.orders:
            return -tables.DOUBLE_ORDER
        refused = self._refused(price, quantity)
        if refused:
            return refused
        if len(self.orders) >= self.capacity.orders:
            return -tables.ORDERS_FULL
        key = price if side & 1 else -price
        level = self._level(side, key)
        if isinstance(level, int):
            return level
        if level.quantity >= tables.TOTAL_MAX:
            return -tables.NO_QUANTITY
        order = [side, key, quantity]
        self.orders[reference] = level.queue[reference] = order
        level.quantity += quantity
        level.orders += 1
        return CHANGED

    @staticmethod
    def _refused(price: int, quantity: int) -> int:
        """Minus the reason why no order can be like this, or 0."""
        if not 0 < quantity < tables.QUANTITY_MAX:
            return -tables.NO_QUANTITY
        return 0 if abs(price) < tables.KEY_MAX else -tables.WRONG_PRICE

    def _level(self, side: int, key: int) -> Level | int:
        """The level of a price, made if there is none; or minus the reason why not."""
        level = self.sides[side].get(key)
        if level is not None:
            return level
        if self.levels == self.capacity.levels:
            return -tables.LEVELS_FULL
        page = self._page(side, key)
        if page not in self.pages and len(self.pages) == self.capacity.pages:
            return -tables.PAGES_FULL
        self.pages[page] += 1
        self.levels += 1
        level = self.sides[side][key] = Level()
        return level

    def _page(self, side: int, key: int) -> tuple[int, int]:
        scale, shift = self.grids[side >> 1]
        return side, key * scale >> shift >> tables.SLOT_BITS

    def _drop(self, reference: int, order: list[int]) -> None:
        side, key, quantity = order
        level = self.sides[side][key]
        del self.orders[reference], level.queue[reference]
        level.orders -= 1
        level.quantity -= quantity
        if level.quantity == 0:
            self._remove(side, key)

    def _remove(self, side: int, key: int) -> None:
        del self.sides[side][key]
        self.levels -= 1
        page = self._page(side, key)
        self.pages[page] -= 1
        if self.pages[page] == 0:
            del self.pages[page]

    def _take_unnamed(
        self, instrument: int, kind: int, side: int, price: int, quantity: int, flags: int
    ) -> int:
        if kind == events.EXECUTE and price != 0 and 0 < quantity < tables.QUANTITY_MAX:
            self._print(instrument, price, quantity, flags)
        if side not in (events.BUY, events.SELL) or price == 0 or kind == events.REPLACE:
            return -tables.NO_ORDER
        if quantity <= 0:
            return -tables.NO_QUANTITY
        number = 2 * instrument + side - 1
        key = price if side == events.SELL else -price
        level = self.sides[number].get(key)
        if level is None:
            return -tables.NO_ORDER
        if quantity > level.quantity - sum(order[2] for order in level.queue.values()):
            return -tables.TOO_MUCH_LEVEL
        level.quantity -= quantity
        if level.quantity == 0:
            self._remove(number, key)
        return CHANGED

    def _seldom(
        self,
        reference: int,
        price: int,
        quantity: int,
        instrument: int,
        kind: int,
        side: int,
        flags: int,
    ) -> int:
        number = 2 * instrument + side - 1
        if kind in (events.LEVEL, events.QUOTE):
            if side not in (events.BUY, events.SELL):
                return -tables.NO_SIDE
            if not 0 <= quantity < tables.QUANTITY_MAX:
                return -tables.NO_QUANTITY
            if abs(price) >= tables.KEY_MAX and (kind == events.LEVEL or quantity):
                return -tables.WRONG_PRICE
            if kind == events.QUOTE:
                self._clear(number)
                if quantity == 0:
                    return CHANGED
            key = price if side == events.SELL else -price
            return self._set(number, key, quantity, reference)
        if kind == events.CLEAR:
            if side > events.SELL:
                return -tables.NO_SIDE
            if abs(price) >= tables.KEY_MAX:
                return -tables.WRONG_PRICE
            for which in (events.BUY, events.SELL):
                if side in (events.NO_SIDE, which):
                    key = price if which == events.SELL else -price
                    limit = key if side and price else tables.KEY_MAX
                    self._clear(2 * instrument + which - 1, limit)
            if side == events.NO_SIDE:
                self.facts[instrument]["stale"] = 0
            return CHANGED
        if kind in (events.TRADE, events.CROSS):
            if not 0 <= quantity < tables.QUANTITY_MAX:
                return -tables.NO_QUANTITY
            if quantity > 0:
                self._print(instrument, price, quantity, flags)
        else:
            self._tell(self.facts[instrument], kind, reference)
        return SAYS_NOTHING

    def _set(self, side: int, key: int, quantity: int, orders: int) -> int:
        if quantity == 0 and key not in self.sides[side]:
            return SAYS_NOTHING
        level = self._level(side, key)
        if isinstance(level, int):
            return level
        self._forget(level)
        level.quantity = quantity
        level.orders = orders if 0 <= orders <= ORDERS_TOLD_MAX else 0
        if quantity == 0:
            self._remove(side, key)
        return CHANGED

    def _clear(self, side: int, limit: int = tables.KEY_MAX) -> None:
        for key, level in list(self.sides[side].items()):
            if key <= limit:
                self._forget(level)
                self._remove(side, key)

    def _forget(self, level: Level) -> None:
        for reference in level.queue:
            del self.orders[reference]
        level.queue.clear()

    def _print(self, instrument: int, price: int, quantity: int, flags: int) -> None:
        facts = self.facts[instrument]
        if flags & events.NOT_PRINTABLE:
            return
        facts["last"], facts["last_size"] = price, quantity
        facts["trades"] += 1
        if facts["volume"] < tables.TOTAL_MAX:
            facts["volume"] += quantity

    @staticmethod
    def _tell(facts: dict[str, int], kind: int, reference: int) -> None:
        if kind == events.STATUS:
            facts["state"] = reference
        elif kind == events.GAP:
            facts["stale"] |= tables.STALE_GAP
        elif kind == events.RECOVERED:
            facts["stale"] &= ~tables.STALE_GAP
        elif kind == events.UNREADABLE and reference != events.UNKNOWN_TYPE:
            facts["stale"] |= tables.STALE_UNREAD

    def picture(self) -> dict[int, list[Any]]:
        """For each side that has any: its levels, best first, each with its queue."""
        return {
            side: [
                (key, level.quantity, level.orders, [(r, o[2]) for r, o in level.queue.items()])
                for key, level in sorted(levels.items())
            ]
            for side, levels in enumerate(self.sides)
            if levels
        }
