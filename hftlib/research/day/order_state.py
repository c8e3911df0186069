"""What an order is while its messages are read: the wire's numbers led back to ours.

    orders = Orders(about)
    order = orders.entered(source, urn, number)      a new one, or the one that was sent again
    order = orders.replaced(source, old, urn)        another user reference of the same order
    order = orders.known(source, urn)                None: nobody here sent it

Quantities are as people count them: of OUCH shares, of a model's records lots times their unit.
Worst case: some 300 bytes for each user reference of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hftlib.core.numbers import EACH


@dataclass(slots=True)
class Order:
    """One order, as far as its messages have told."""

    number: int
    link: int
    symbol: str = ""
    side: str = ""
    price: Decimal | None = None
    filled: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    validity: str = ""
    kind: str = "limit"
    post_only: bool = False
    display: str = ""
    shown: Decimal | None = None
    capacity: str = ""
    reference: str = ""

    @property
    def strategy(self) -> int:
        """Whose it is, counted from 0."""
        return self.number // EACH

    @property
    def asked(self) -> Decimal:
        """All it asks for, what is filled included."""
        return self.filled + self.open


class Orders:
    """All orders of a journal, by the user references of each link."""

    def __init__(self) -> None:
        self._by_urn: dict[tuple[int, int], Order] = {}
        self._by_number: dict[int, Order] = {}

    def known(self, link: int, urn: int) -> Order | None:
        return self._by_urn.get((link, urn))

    def of_number(self, number: int) -> Order | None:
        return self._by_number.get(number)

    def entered(self, link: int, urn: int, number: int) -> tuple[Order, bool]:
        """The order, and whether it was sent before: a session that broke sends it again."""
        there = self._by_urn.get((link, urn))
        if there is not None:
            return there, True
        made = Order(number, link)
        self._by_urn[link, urn] = self._by_number[number] = made
        return made, False

    def replaced(self, link: int, old: int, urn: int) -> Order | None:
        """The order that this user reference is of from now on, too."""
        there = self._by_urn.get((link, old)) or self._by_urn.get((link, urn))
        if there is not None:
            self._by_urn[link, urn] = there
        return there

    def modelled(self, number: int) -> Order:
        """An order that a model of the venue was told, which has no user references."""
        return self._by_number.setdefault(number, Order(number, 0))


def strategy_names(about: Mapping[str, Any]) -> list[str]:
    """What ran, in the order in which numbers of orders count them."""
    return [str(one.get("class", "")) for one in about.get("strategies", ())]
