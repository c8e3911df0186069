"""The middle, corrected by what the queues have foretold so far: Stoikov's micro-price, learnt.

    price = middle + mean of the middle's next move, of all books that looked like this one

"Like this one": the share of the bid in both best queues, in ten classes, and the spread in ticks,
in four (four and more are one). As a book and its mirror foretell mirrored moves, each move teaches
both. It is the first term of Stoikov's series (2018); no model says what an imbalance is worth.

Worst case: a class that has never been seen corrects by nothing; each move of the middle walks the
40 classes, others cost a few nanoseconds. Nothing is forgotten within a run.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

import math
from typing import Any

from hftlib.strategy.classes import block
from hftlib.strategy.fields import state

SHARES, SPREADS = 10, 4
CLASSES = SHARES * SPREADS


@block
class MicropriceTable:
    """`update` with every change of a book; it answers the micro-price, in price units.

    `moves[k] / seen[k]` is the correction in the class k. Not a number with an empty side.
    """

    moves: float = state(size=CLASSES)
    seen: float = state(size=CLASSES)
    waiting: int = state(size=CLASSES)
    value: float = state(math.nan)
    twice_mid: int = state()
    is_known: bool = state()

    def update(self, book: Any) -> float:
        if not book.has_both:
            # Whatever comes next is no move from where it was.
            self.forget_waiting()
            self.is_known = False
            self.value = math.nan
            return self.value
        twice = book.bid + book.ask
        if self.is_known and twice != self.twice_mid:
            self.learn(0.5 * (twice - self.twice_mid))
        self.twice_mid = twice
        self.is_known = True
        k = self.kind_of(book)
        self.waiting[k] += 1
        self.value = 0.5 * twice + self.correction(k)
        return self.value

    def correction(self, k: int) -> float:
        return self.moves[k] / self.seen[k] if self.seen[k] > 0.0 else 0.0

    def kind_of(self, book: Any) -> int:
        both = float(book.bid_quantity) + float(book.ask_quantity)
        share = book.bid_quantity / both if both > 0.0 else 0.5
        wide = min(max((book.ask - book.bid) // book.tick, 1), SPREADS) - 1
        return wide * SHARES + min(int(share * SHARES), SHARES - 1)

    def learn(self, move: float) -> None:
        for k in range(CLASSES):
            count = self.waiting[k]
            if count > 0:
                mirror = k - k % SHARES + SHARES - 1 - k % SHARES
                self.moves[k] += move * count
                self.seen[k] += count
                self.moves[mirror] -= move * count
                self.seen[mirror] += count
                self.waiting[k] = 0

    def forget_waiting(self) -> None:
        for k in range(CLASSES):
            self.waiting[k] = 0
