"""How much the books hold, and the grid their prices fall on: decided once, at the start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hftlib.book.tables import (
    BATCH,
    BOOK,
    BOOKS,
    INSTRUMENTS_MAX,
    KEY_MAX,
    LEVEL,
    LIVE_MIN,
    LOOK,
    ORDER,
    PAGE,
    PLACE,
    SLOTS,
)
from hftlib.core.errors import InputError
from hftlib.core.layout import Layout
from hftlib.core.units import is_whole, shown

HOMES_MIN = 1 << 14
MOST = {"instruments": INSTRUMENTS_MAX, "pages": 1 << 24}  # a level's number has 31 bits


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much the books hold. The defaults suit a few liquid instruments."""

    instruments: int = 64
    orders: int = 1 << 17
    levels: int = 1 << 15
    pages: int = 1 << 13
    homes: int = 0  # places that references have of their own; 0: as many as proved fast

    def __post_init__(self) -> None:
        for name in self.__slots__:
            count = getattr(self, name)
            least = 0 if name == "homes" else 1
            most = MOST.get(name, 1 << 30)
            if not is_whole(count) or not least <= count <= most:
                raise InputError(
                    f"{shown(count)} is no number of {name} for books",
                    where=f"Capacity({name}=...)",
                    do=f"Give a whole number from {least} to {most:,}.",
                )
        if self.homes == 0:
            object.__setattr__(self, "homes", min(self._homes(), 1 << 30))
        object.__setattr__(self, "homes", power_of_two(self.homes))

    def _homes(self) -> int:
        """Few orders: what stays in the second cache. Many: so many that few are guests."""
        return max(self.orders, HOMES_MIN) if self.orders < LIVE_MIN else 8 * self.orders

    def layout(self) -> Layout:
        """The arrays of an arena for books of this capacity."""
        return Layout(
            books=BOOKS,
            looks=(LOOK, BATCH),
            book=(BOOK, self.instruments),
            guests=(np.dtype(np.int64), _table_size(self.orders)),
            orders=(ORDER, self.homes + self.orders),
            places=(PLACE, _table_size(self.pages)),
            pages=(PAGE, self.pages + 1),
            levels=(LEVEL, SLOTS * (self.pages + 2) + self.levels),
        )


def _table_size(count: int) -> int:
    # At most half full, so a search ends soon; a power of two, so a mask finds the place.
    return power_of_two(max(8, 2 * count))


def power_of_two(count: int) -> int:
    """The smallest power of two that is at least `count`."""
    return 1 << (count - 1).bit_length()


def grid(tick: int) -> tuple[int, int]:
    """`scale` and `shift` of a grid at least as fine as the tick, and hardly finer."""
    # Rounded up, so that neighbouring ticks never share a slot; 32 to 64, so nothing overflows.
    tick = min(tick, KEY_MAX)
    shift = tick.bit_length() + 5 if tick > 1 else 0
    return -(-(1 << shift) // tick), shift
