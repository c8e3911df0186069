"""An order's life once more, slow and plain, written from `docs/orders.md` alone.

Nothing here is shared with `hftlib.execution`: orders are objects, open quantities are summed anew,
the trades that are remembered are a list, fees are fractions.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hftlib.core import orders as o

DEAD = (o.FILLED_WHOLE, o.WAS_CANCELED, o.WAS_REJECTED, o.WAS_EXPIRED, o.WAS_REFUSED)
TIMED = (o.MOMENT_OVER, o.TIME_OVER)


class Life:
    """One order."""

    def __init__(self, number: int, instrument: int, side: int, price: int, quantity: int) -> None:
        self.number, self.instrument, self.side = number, instrument, side
        self.price, self.quantity = price, quantity
        self.state = o.HELD
        self.filled = self.value = self.fees = self.reason = self.replaces = 0
        self.wanted = self.off = self.accepted = self.done = 0
        self.new_open = self.cancel_open = self.replace_open = False
        self.answered = self.stated = self.kept = 0

    @property
    def most(self) -> int:
        """All it may come to."""
        return (max(self.quantity, self.wanted) if self.replace_open else self.quantity) - self.off

    @property
    def left(self) -> int:
        return 0 if self.state in DEAD else self.most - self.filled

    def stand(self) -> None:
        if self.cancel_open:
            self.state = o.PENDING_CANCEL
        elif self.replace_open:
            self.state = o.PENDING_REPLACE
        elif self.filled > 0:
            self.state = o.PARTLY_FILLED
        else:
            self.state = o.PENDING_NEW if self.new_open else o.LIVE

    def close(self, time: int) -> None:
        """Nothing more can come: it is over."""
        if self.state not in DEAD and self.most <= self.filled:
            if self.state != o.ENDING or self.filled >= self.quantity:
                self.state, self.reason = o.FILLED_WHOLE, 0
            else:
                self.state = o.WAS_EXPIRED if self.reason in TIMED else o.WAS_CANCELED
        if self.state in DEAD and not self.done:
            self.done = time
            self.new_open = self.cancel_open = self.replace_open = False

    @property
    def pending(self) -> int:
        return self.cancel_open * 1 + self.replace_open * 2 + self.new_open * 4


class Lives:
    """Orders, two positions, and what was counted."""

    def __init__(self, slots: int, remembered: int, maker: Fraction, taker: Fraction) -> None:
        self.slots, self.remembered = slots, remembered
        self.rates = (maker, taker)
        self.last = 0
        self.held: dict[int, Life] = {}  # by slot
        self.trades: list[list[int]] = []  # order, match, what, price, quantity, fee, ins, side
        self.books = [dict.fromkeys(("quantity", "cash", "fees", "bought", "sold", "fills"), 0)]
        self.books.append(dict(self.books[0]))
        self.repeated = self.late = self.impossible = self.unmatched = 0
        self.filled_ever = self.broken_ever = 0
        self.rows: list[tuple[int, int, int]] = []

    def find(self, number: int) -> Life | None:
        one = self.held.get(number % self.slots)
        return one if one is not None and one.number == number else None

    # What we ask.

    def make(self, instrument: int, side: int, price: int, quantity: int, held: bool) -> int:
        number = self.last + 1
        for _ in range(self.slots):
            there = self.held.get(number % self.slots)
            if number % self.slots and (there is None or there.state in DEAD):
                self.last = number
                one = Life(number, instrument, side, price, quantity)
                self.held[number % self.slots] = one
                if not held:
                    one.state, one.new_open = o.PENDING_NEW, True
                return number
            number += 1
        return -o.NO_ROOM

    def cancel(self, number: int, time: int) -> int:
        one = self.find(number)
        if one is None or one.state in (*DEAD, o.ENDING):
            return -o.NO_ORDER
        if one.state == o.HELD:
            one.state, one.reason = o.WAS_CANCELED, o.ASKED
            one.close(time)
            return 0
        if one.cancel_open:
            return -o.BUSY
        one.cancel_open = True
        if one.state != o.UNKNOWN:
            one.state = o.PENDING_CANCEL
        return 0

    def replace(self, number: int, price: int, quantity: int) -> int:
        one = self.find(number)
        if one is None or one.state in DEAD:
            return -o.NO_ORDER
        if one.state == o.HELD:
            one.price, one.quantity = price, quantity
            return 0
        if one.state not in (o.PENDING_NEW, o.LIVE, o.PARTLY_FILLED):
            return -o.BUSY
        one.state, one.replace_open, one.wanted = o.PENDING_REPLACE, True, quantity
        return 0

    def release(self, number: int) -> int:
        one = self.find(number)
        if one is None or one.state != o.HELD:
            return -o.NO_ORDER
        one.state, one.new_open = o.PENDING_NEW, True
        return 0

    def refuse(self, number: int, reason: int, time: int) -> int:
        one = self.find(number)
        if one is None or one.state != o.HELD:
            return -o.NO_ORDER
        one.state, one.reason = o.WAS_REFUSED, reason
        one.close(time)
        return 0

    # What is told.

    def tell(self, kind: int, number: int, e: dict[str, int]) -> None:
        if kind == o.DISCONNECTED:
            for one in self.held.values():
                if e["instrument"] == one.instrument or e["instrument"] == 2**32 - 1:
                    self.cut(one)
        elif kind in (o.FILLED, o.BROKEN):
            (self.fill if kind == o.FILLED else self.undo)(number, e)
        elif not 0 < number <= self.last or not o.ACCEPTED <= kind <= o.RECONCILED:
            self.impossible += 1
        else:
            one = self.find(number)
            if one is None:
                self.late += 1
            else:
                name = o.REPORTS[kind - o.ACCEPTED].lower()
                told = getattr(self, f"on_{name}")(one, e)
                setattr(self, told, getattr(self, told) + 1) if told else None
                one.close(e["received"])

    def cut(self, one: Life) -> None:
        if one.state not in (*DEAD, o.HELD, o.ENDING):
            one.cancel_open, one.state = False, o.UNKNOWN

    def not_there(self, one: Life, stopped: str, filled: str, rejected: str) -> str:
        """A report of the venue's about an order that is over, or that it should not know."""
        if one.state == o.HELD:
            one.state = o.UNKNOWN
            return "impossible"
        if one.state == o.WAS_REFUSED:
            return "impossible"
        return {o.FILLED_WHOLE: filled, o.WAS_REJECTED: rejected}.get(one.state, stopped)

    def away(self, one: Life) -> bool:
        return one.state in DEAD or one.state == o.HELD

    def on_accepted(self, one: Life, e: dict[str, int]) -> str:
        if self.away(one):
            was = "repeated" if one.accepted else "late"
            return self.not_there(one, was, was, "impossible")
        if one.accepted:
            return "repeated"
        one.accepted, one.new_open = e["received"], False
        if one.state != o.ENDING:
            one.stand()
        return ""

    def on_rejected(self, one: Life, e: dict[str, int]) -> str:
        if self.away(one):
            return self.not_there(one, "impossible", "impossible", "repeated")
        if one.state == o.ENDING:
            return "impossible"
        if not one.new_open:
            one.state = o.UNKNOWN
            return "impossible"
        one.state, one.reason = o.WAS_REJECTED, e["other"]
        return ""

    def on_canceled(self, one: Life, e: dict[str, int]) -> str:
        if self.away(one):
            return self.not_there(one, "repeated", "impossible", "impossible")
        if one.state == o.ENDING:
            return "repeated"
        one.reason, off = e["other"], e["quantity"]
        one.off = off if off > 0 else one.most - one.filled
        one.state = o.ENDING
        return ""

    def on_expired(self, one: Life, e: dict[str, int]) -> str:
        timed = e["other"] if e["other"] in TIMED else o.TIME_OVER
        return self.on_canceled(one, {**e, "other": timed})

    def on_replaced(self, one: Life, e: dict[str, int]) -> str:
        if self.away(one):
            return self.not_there(one, "late", "late", "impossible")
        told = 0 < e["sequence"] <= one.answered
        if told or not one.replace_open:
            return "repeated" if told or one.replaces else "impossible"
        one.answered = max(one.answered, e["sequence"])
        one.replace_open = one.new_open = False
        one.replaces += 1
        if not 0 < e["sequence"] <= one.stated:
            one.stated = max(one.stated, e["sequence"])
            one.price, one.quantity = e["price"], max(one.wanted, e["quantity"])
        if one.state != o.ENDING:
            one.stand()
        return ""

    def refused(self, one: Life, e: dict[str, int], last: str, open_: str) -> str:
        if self.away(one):
            return self.not_there(one, "late", "late", "late")
        if 0 < e["sequence"] <= getattr(one, last):
            return "repeated"
        if not getattr(one, open_):
            return "late" if one.state in (o.UNKNOWN, o.ENDING) else "impossible"
        setattr(one, last, max(getattr(one, last), e["sequence"]))
        setattr(one, open_, False)
        if one.state != o.ENDING:
            one.stand()
            if e["other"] == o.UNKNOWN_ORDER:
                one.state = o.UNKNOWN
        return ""

    def on_cancel_rejected(self, one: Life, e: dict[str, int]) -> str:
        return self.refused(one, e, "kept", "cancel_open")

    def on_replace_rejected(self, one: Life, e: dict[str, int]) -> str:
        return self.refused(one, e, "answered", "replace_open")

    def on_restated(self, one: Life, e: dict[str, int]) -> str:
        if self.away(one):
            return self.not_there(one, "late", "late", "impossible")
        if one.state == o.ENDING:
            return "late"
        if 0 < e["sequence"] <= one.stated:
            return "repeated" if e["sequence"] == one.stated else "late"
        if e["quantity"] < 0:
            return "impossible"
        one.stated = max(one.stated, e["sequence"])
        one.price, one.new_open = e["price"], False
        most = max(e["quantity"], one.wanted if one.replace_open else 0)
        if most > one.filled:
            one.quantity = e["quantity"]
            one.stand()
        else:
            one.reason, one.off = e["other"], one.most - one.filled
            one.state = o.ENDING
        return ""

    def on_lost(self, one: Life, e: dict[str, int]) -> str:
        if self.away(one) or one.state == o.ENDING:
            return "late"
        was = "repeated" if one.state == o.UNKNOWN else ""
        self.cut(one)
        return was

    def on_reconciled(self, one: Life, e: dict[str, int]) -> str:
        left, in_all = e["quantity"], e["other"]
        if one.state not in (o.UNKNOWN, o.ENDING):
            return "late"
        if left < 0 or in_all < one.filled:
            return "impossible"
        if left > 0 and one.state == o.ENDING:
            return "late"
        one.new_open = one.replace_open = False
        if left > 0:
            one.price, one.quantity = e["price"], left + in_all
            one.stand()
            return ""
        one.cancel_open = False
        one.reason = one.reason if one.state == o.ENDING else o.FOUND_OVER
        one.off, one.state = one.quantity - in_all, o.ENDING
        return ""

    # Trades.

    def recall(self, number: int, match: int) -> list[int] | None:
        found = [t for t in self.trades if t[0] == number and t[1] == match]
        return found[-1] if match and found else None

    def keep(self, trade: list[int]) -> None:
        self.trades.append(trade)
        del self.trades[: -self.remembered]

    def move(self, ins: int, side: int, price: int, quantity: int, fee: int) -> None:
        book, sign = self.books[ins], 1 if side == 1 else -1
        book["quantity"] += sign * quantity
        book["cash"] -= sign * quantity * price
        book["fees"] += fee
        book["bought" if side == 1 else "sold"] += quantity
        book["fills"] += 1 if quantity > 0 else -1
        self.rows.append((price, quantity, fee))

    def fill(self, number: int, e: dict[str, int]) -> None:
        quantity, match = e["quantity"], e["other"]
        if quantity <= 0 or not 0 < number <= self.last:
            self.impossible += 1
            return
        known = self.recall(number, match)
        if known is not None and known[2] != 3:
            self.repeated += 1
            return
        one = self.find(number)
        ins, side = (one.instrument, one.side) if one else (e["instrument"], e["side"])
        if side not in (1, 2) or ins > 1:
            self.impossible += 1
            return
        fee = ceil(abs(e["price"]) * quantity * self.rates[1 if e["flags"] & o.TAKER else 0])
        self.move(ins, side, e["price"], quantity, fee)
        self.filled_ever += 1
        trade = [number, match, 1, e["price"], quantity, fee, ins, side]
        if known is not None:
            known[:] = trade
        elif match:
            self.keep(trade)
        if one is None:
            self.late += 1
        else:
            self.grow(one, e, fee)
        if known is not None:
            self.take_back(known, e["received"])

    def grow(self, one: Life, e: dict[str, int], fee: int) -> None:
        one.filled += e["quantity"]
        one.value += e["quantity"] * e["price"]
        one.fees += fee
        if one.state in (o.WAS_CANCELED, o.WAS_EXPIRED):
            self.late += 1
        elif one.state in DEAD:
            self.impossible += 1
        elif one.state == o.HELD:
            self.impossible += 1
            one.state = o.UNKNOWN
        else:
            self.impossible += one.filled > one.most
            if one.state not in (o.UNKNOWN, o.ENDING):
                one.new_open = False
                one.stand()
        one.close(e["received"])

    def undo(self, number: int, e: dict[str, int]) -> None:
        if e["other"] == 0 or not 0 < number <= self.last:
            self.impossible += 1
            return
        known = self.recall(number, e["other"])
        if known is None:
            self.keep([number, e["other"], 3, 0, 0, 0, 0, 0])
            self.unmatched += 1
        elif known[2] != 1:
            self.repeated += 1
        else:
            self.take_back(known, e["received"])

    def take_back(self, trade: list[int], time: int) -> None:
        number, _, _, price, quantity, fee, ins, side = trade
        trade[2] = 2
        self.move(ins, side, price, -quantity, -fee)
        self.broken_ever += 1
        one = self.find(number)
        if one is None:
            return
        one.filled -= quantity
        one.value -= price * quantity
        one.fees -= fee
        if one.state not in DEAD:
            one.quantity -= quantity
            if one.state not in (o.UNKNOWN, o.ENDING):
                one.stand()
            one.close(time)

    def open_lots(self, instrument: int, side: int) -> int:
        return sum(
            one.left
            for one in self.held.values()
            if one.instrument == instrument and one.side == side
        )
