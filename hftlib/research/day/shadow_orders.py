"""The record of orders of a shadow: commands that were not sent, and what a model answered.

Its records count in price units and lots, where the wire has prices and shares; here both are told
in the instrument's own units, exactly. Worst case: a report about an order that no command made
has no order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hftlib.core import orders as o
from hftlib.core.units import exact_fraction
from hftlib.engine.live.making import instruments_of
from hftlib.research.day.order_facts import OrderFacts
from hftlib.research.day.order_state import Order, Orders

Told = dict[str, Any]
Row = dict[str, Any]
_SENT = {"new": "NEW", "replace": "MODIFY", "cancel": "CANCEL"}
_ANSWERS = {
    "accepted": "ACCEPTED",
    "rejected": "REJECTED",
    "filled": "FILL",
    "canceled": "CANCELED",
    "replaced": "MODIFIED",
    "cancel_rejected": "CANCEL_REJECTED",
    "replace_rejected": "MODIFY_REJECTED",
    "expired": "EXPIRED",
    "broken": "BROKEN",
    "restated": "RESTATED",
}
_LASTS = {o.DAY: "day", o.IOC: "immediate or cancel", o.FOK: "fill or kill"}
_KINDS = {o.LIMIT: "limit", o.MARKET: "market", o.STOP: "stop", o.STOP_LIMIT: "stop limit"}
PLACES = 12  # of decimals, where a unit has no end


class ShadowRecord:
    """The rows of one shadow's journal."""

    def __init__(self, about: Mapping[str, Any], journal: str) -> None:
        self._facts, self._orders = OrderFacts(about, journal), Orders()
        self._table = instruments_of(about)
        self._venues = [str(one.get("venue", "")) for one in about.get("links", ())]

    def take(self, told: Told) -> Iterator[Row]:
        """The row of a command or of an answer; of anything else none."""
        if told["kind"] != "SHADOW":
            return
        if told["what"] in _SENT:
            yield self._command(told)
        elif told["what"] in _ANSWERS and told.get("reference"):
            yield self._answer(told)

    def _command(self, told: Told) -> Row:
        order = self._orders.modelled(int(told["order"]))
        one = self._table[int(told.get("instrument", 0))]
        order.link = self._venues.index(one.venue) if one.venue in self._venues else 0
        more: Told = {}
        if told["what"] == "new":
            order.symbol, order.side = one.symbol, str(told.get("side", "")).lower()
            order.kind = _KINDS.get(int(told.get("its_kind", 0)), "limit")
            order.validity = _LASTS.get(int(told.get("lasts", 0)), "")
            order.post_only = bool(int(told.get("flags", 0)) & o.POST_ONLY)
            order.price = self._price(one, told) if order.kind != "market" else None
            order.open = self._quantity(one, told)
        elif told["what"] == "replace":
            more = {"price": self._price(one, told), "quantity": self._quantity(one, told)}
        return self._row(told, _SENT[told["what"]], order, "out", **more)

    def _answer(self, told: Told) -> Row:
        order = self._orders.of_number(int(told["reference"]))
        event, more = _ANSWERS[told["what"]], dict[str, Any]()
        if order is not None:
            one = self._table[int(told.get("instrument", 0))]
            more, event = self._changed(order, one, told, event)
        return self._row(told, event, order, "in", **more)

    def _changed(self, order: Order, one: Any, told: Told, event: str) -> tuple[Told, str]:
        """What the answer makes of the order, and what else the row says."""
        quantity = self._quantity(one, told)
        if event == "FILL":
            order.filled += quantity
            order.open = max(Decimal(0), order.open - quantity)
            took = int(told.get("flags", 0)) & o.TAKER
            more = {
                "traded_price": self._price(one, told),
                "traded_quantity": quantity,
                "liquidity": "aggressive" if took else "passive",
                "trade_id": str(told.get("other", "")) or None,
            }
            return more, "PARTIAL" if order.open else "FILL"
        if event == "ACCEPTED":
            order.reference = str(told.get("other", ""))
        elif event == "MODIFIED":
            order.price, order.open = self._price(one, told), quantity
            order.reference = str(told.get("other", "")) or order.reference
        elif event in ("CANCELED", "EXPIRED", "REJECTED"):
            order.open = Decimal(0)
        reason = int(told.get("other", 0))
        says = event in ("CANCELED", "EXPIRED", "REJECTED", "CANCEL_REJECTED", "MODIFY_REJECTED")
        words = o.REASONS[reason] if says and 0 <= reason < len(o.REASONS) else None
        by_us = reason == o.ASKED or event != "CANCELED"
        return {"reason": words, "by_us": by_us}, event

    def _row(self, told: Told, event: str, order: Order | None, way: str, **more: Any) -> Row:
        placed = told | {"source": order.link if order is not None else 0}
        made = self._facts.row(placed, event, order, **more)
        made["direction"] = way
        if way == "in" and told.get("its_time"):
            made["venue_time_ns"] = int(told["its_time"])
        return made

    def _price(self, one: Any, told: Told) -> Decimal:
        return decimal_of(int(told.get("price", 0)) * exact_fraction(one.price_unit.size, "unit"))

    def _quantity(self, one: Any, told: Told) -> Decimal:
        return decimal_of(int(told.get("quantity", 0)) * exact_fraction(one.lot_unit.size, "unit"))


def decimal_of(value: Fraction) -> Decimal:
    """The same with decimals; exact where it has an end within PLACES of them."""
    over, under = value.numerator, value.denominator
    scaled, rest = divmod(abs(over) * 10**PLACES, under)
    scaled += 2 * rest >= under
    made = Decimal(scaled if over >= 0 else -scaled).scaleb(-PLACES)
    whole = made.to_integral_value()
    return whole if made == whole else made.normalize()
