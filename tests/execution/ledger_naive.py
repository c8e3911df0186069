"""The ledger's slow twin: lists of lots and fractions, written from the definitions alone."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

BUY = 1


class NaiveAccount:
    """One account; `fills` is kept, and everything can be asked of it at any time."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.lots: list[list[int]] = []  # [signed quantity, price], oldest first
        self.position = self.cash = self.fees = self.realised = 0
        self.cost = Fraction(0)
        self.bought = self.sold = self.fills = 0

    def fill(self, side: int, price: int, quantity: int, fee: int) -> int:
        """What it realised."""
        self.fills += 1
        self.fees += fee
        if side == BUY:
            self.bought += quantity
            self.cash -= price * quantity
        else:
            self.sold += quantity
            self.cash += price * quantity
        signed = quantity if side == BUY else -quantity
        took = self._fifo(signed, price) if self.method == "fifo" else self._average(signed, price)
        self.realised += took
        return took

    def _fifo(self, signed: int, price: int) -> int:
        realised = 0
        while signed and self.lots and (self.lots[0][0] > 0) != (signed > 0):
            held, paid = self.lots[0]
            closed = min(abs(held), abs(signed))
            realised += closed * (price - paid) if held > 0 else closed * (paid - price)
            direction = 1 if held > 0 else -1
            self.lots[0][0] -= direction * closed
            signed += direction * closed
            if self.lots[0][0] == 0:
                self.lots.pop(0)
        if signed:
            self.lots.append([signed, price])
        self.position = sum(quantity for quantity, _ in self.lots)
        self.cost = Fraction(sum(quantity * paid for quantity, paid in self.lots))
        return realised

    def _average(self, signed: int, price: int) -> int:
        realised = 0
        if self.position and (self.position > 0) != (signed > 0):
            closed = min(abs(self.position), abs(signed))
            part = ceil(self.cost * closed / abs(self.position))
            direction = 1 if self.position > 0 else -1
            self.cost -= part
            self.position -= direction * closed
            signed += direction * closed
            realised = direction * closed * price - part
        self.position += signed
        self.cost += signed * price
        return realised


class NaiveLedger:
    """Accounts by strategy and instrument, and all fills, so that one can be left out."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.accounts: dict[tuple[int, int], NaiveAccount] = {}
        self.all: list[tuple] = []

    def fill(self, strategy, instrument, side, price, quantity, fee, match=0, order=0) -> int:
        self.all.append((strategy, instrument, side, price, quantity, fee, match, order))
        key = (strategy, instrument)
        account = self.accounts.setdefault(key, NaiveAccount(self.method))
        return account.fill(side, price, quantity, fee)

    def without(self, instrument: int, match: int) -> NaiveLedger:
        """As if this trade had never been; accounts that had fills stay, and be they empty."""
        made = NaiveLedger(self.method)
        for key in self.accounts:
            made.accounts[key] = NaiveAccount(self.method)
        for one in self.all:
            if (one[1], one[6]) != (instrument, match):
                made.fill(*one)
        return made
