"""The record of orders: each order message of a journal as one row, whatever came of it.

    record = OrderRecord(about, name)
    for row in record.take(told): ...      told: what `engine/live/decoding.py` says of one frame

    NEW MODIFY CANCEL                       what we sent
    ACCEPTED MODIFIED REDUCED CANCELED EXPIRED REJECTED MODIFY_REJECTED CANCEL_REJECTED
    PARTIAL FILL BROKEN RESTATED PRIORITY MASS_CANCEL ENTRY_DISABLED ENTRY_ENABLED
                                            what the venue answered, by its own time as well

Of a shadow they are the commands that were not sent and the answers of a model: `simulated` says
so. Columns and what they are for stand in `schema.py`. It needs no replay: bytes are enough.

Worst case: some 20 microseconds a message; one about an order that nobody here sent has no order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hftlib.core.ouch.codes import CANCELS, EXPIRING, LIQUIDITY, REJECTS
from hftlib.research.day.order_facts import OrderFacts
from hftlib.research.day.order_state import Order, Orders

Told = dict[str, Any]
Row = dict[str, Any]
_SIDES = {"B": "buy", "S": "sell", "T": "sell short", "E": "sell short exempt"}
_VALID = {"0": "day", "3": "immediate or cancel", "5": "GTX", "6": "until a time", "E": "extended"}
_CAPACITY = {"A": "agency", "P": "principal", "R": "riskless principal", "O": "other"}
_DISPLAY = {"Y": "visible", "N": "hidden", "A": "attributed"}
_MARKET = "214748.3647"  # a price that means: at the market
_CONTROLS = {
    "mass cancel": "MASS_CANCEL",
    "mass cancelled": "MASS_CANCEL",
    "disable entry": "ENTRY_DISABLED",
    "entry disabled": "ENTRY_DISABLED",
    "enable entry": "ENTRY_ENABLED",
    "entry enabled": "ENTRY_ENABLED",
}


class OrderRecord:
    """The rows of one journal."""

    def __init__(self, about: Mapping[str, Any], journal: str) -> None:
        self._orders = Orders()
        self._facts = OrderFacts(about, journal)
        self._wanted: dict[tuple[int, int], Decimal] = {}
        self._answers = {
            "accepted": self._accepted,
            "replaced": self._replaced,
            "executed": self._executed,
            "cancelled": self._cancelled,
            "cancelled by AIQ": self._cancelled,
            "rejected": self._rejected,
            "cancel rejected": self._kept,
            "cancel pending": self._pending,
            "broken": self._broken,
            "restated": self._restated,
            "modified": self._modified,
            "priority update": self._priority,
        }

    def take(self, told: Told) -> Iterator[Row]:
        """The rows that one message makes; of what is about no order, none."""
        what = told["what"]
        if told["kind"] == "SESSION_OUT":
            if what == "enter":
                yield self._entered(told)
            elif what == "replace":
                yield self._asked_replace(told)
            elif what in ("cancel", "modify"):
                yield self._asked_cancel(told)
        elif told["kind"] == "SESSION_IN" and what in self._answers:
            yield self._answers[what](told)
        if what in _CONTROLS and told["kind"] in ("SESSION_IN", "SESSION_OUT"):
            yield self._facts.row(told, _CONTROLS[what], None)

    def _entered(self, told: Told) -> Row:
        urn, text = int(told["urn"]), str(told.get("client_id", ""))
        number = int(text) if text.isdigit() else urn
        order, again = self._orders.entered(int(told["source"]), urn, number)
        if not again:
            self._described(order, told)
            order.open = _number(told["quantity"])
            order.symbol = str(told["symbol"]).strip()
            order.side = _SIDES.get(str(told["side"]), str(told["side"]))
        return self._facts.row(told, "NEW", order, repeated=again)

    def _described(self, order: Order, told: Told) -> None:
        """What an order says of itself when it is sent, and when it is changed."""
        is_market = told.get("price") == _MARKET
        order.kind = "market" if is_market else "limit"
        order.price = None if is_market else _number(told["price"])
        order.validity = _VALID.get(str(told["tif"]), str(told["tif"]))
        order.display = _DISPLAY.get(str(told["display"]), str(told["display"]))
        order.capacity = _CAPACITY.get(str(told.get("capacity", "")), order.capacity)
        order.post_only = told.get("post_only") == "P"
        if "max_floor" in told:
            order.shown = _number(told["max_floor"])

    def _asked_replace(self, told: Told) -> Row:
        order = self._orders.replaced(int(told["source"]), int(told["original"]), int(told["urn"]))
        asked: Told = {"price": _number(told["price"]), "quantity": _number(told["quantity"])}
        if told["price"] == _MARKET:
            asked["price"] = None
        self._wanted[int(told["source"]), int(told["urn"])] = asked["quantity"]
        return self._facts.row(told, "MODIFY", order, previous=told["original"], **asked)

    def _asked_cancel(self, told: Told) -> Row:
        order = self._known(told)
        less = int(told["quantity"])
        asked = {"quantity": Decimal(less)} if less else {}
        is_end = told["what"] == "cancel" and not less
        return self._facts.row(told, "CANCEL" if is_end else "MODIFY", order, **asked)

    def _accepted(self, told: Told) -> Row:
        order = self._known(told)
        if order is not None:
            self._described(order, told)
            order.open = _number(told["quantity"]) if told["state"] == "L" else Decimal(0)
            order.reference = str(told["reference"])
        return self._facts.row(told, "ACCEPTED", order)

    def _replaced(self, told: Told) -> Row:
        order = self._orders.replaced(int(told["source"]), int(told["original"]), int(told["urn"]))
        if order is not None:
            self._described(order, told)
            order.open = self._left(told, order) if told["state"] == "L" else Decimal(0)
            order.reference = str(told["reference"])
        return self._facts.row(told, "MODIFIED", order, previous=told["original"])

    def _left(self, told: Told, order: Order) -> Decimal:
        """What is open after a replace: all that was asked, unless the venue made less of it."""
        given = _number(told["quantity"])
        wanted = self._wanted.pop((int(told["source"]), int(told["urn"])), None)
        if wanted is None:
            return given
        left = max(Decimal(0), wanted - order.filled)
        return given if given != wanted and given < left else left

    def _executed(self, told: Told) -> Row:
        order, quantity = self._known(told), _number(told["quantity"])
        is_whole = False
        if order is not None:
            order.filled += quantity
            order.open = max(Decimal(0), order.open - quantity)
            is_whole = order.open == 0
        words = LIQUIDITY.get(told["liquidity"])
        role = "" if words is None else ("aggressive" if words[1] else "passive")
        return self._facts.row(
            told,
            "FILL" if is_whole else "PARTIAL",
            order,
            traded_price=_number(told["price"]),
            traded_quantity=quantity,
            liquidity=role,
            trade_id=str(told["match"]),
        )

    def _cancelled(self, told: Told) -> Row:
        order, why = self._known(told), str(told["reason"])
        if order is not None:
            order.open = max(Decimal(0), order.open - _number(told["quantity"]))
        event = "EXPIRED" if why in EXPIRING else "CANCELED"
        if order is not None and order.open:
            event = "REDUCED"
        said = CANCELS.get(why, (f"reason {why}", 0))[0]
        return self._facts.row(told, event, order, reason=said, by_us=why == "U")

    def _rejected(self, told: Told) -> Row:
        order, code = self._known(told), int(told["reason"])
        said = REJECTS.get(code, (f"reason {code}", 0))[0]
        event = "REJECTED"
        if order is not None and order.reference:
            event = "MODIFY_REJECTED"  # what stood before stands
        elif order is not None:
            order.open = Decimal(0)
        return self._facts.row(told, event, order, reason=said)

    def _kept(self, told: Told) -> Row:
        return self._facts.row(told, "CANCEL_REJECTED", self._known(told))

    def _pending(self, told: Told) -> Row:
        return self._facts.row(told, "CANCEL_PENDING", self._known(told))

    def _broken(self, told: Told) -> Row:
        more = {"trade_id": str(told["match"]), "reason": f"reason {told['reason']}"}
        return self._facts.row(told, "BROKEN", self._known(told), **more)

    def _restated(self, told: Told) -> Row:
        return self._facts.row(
            told, "RESTATED", self._known(told), reason=f"reason {told['reason']}"
        )

    def _modified(self, told: Told) -> Row:
        order = self._known(told)
        if order is not None:
            order.open = _number(told["quantity"])
        return self._facts.row(told, "MODIFIED", order)

    def _priority(self, told: Told) -> Row:
        order = self._known(told)
        if order is not None:
            order.price, order.reference = _number(told["price"]), str(told["reference"])
        return self._facts.row(told, "PRIORITY", order)

    def _known(self, told: Told) -> Order | None:
        return self._orders.known(int(told["source"]), int(told["urn"]))


def _number(value: Any) -> Decimal:
    return Decimal(str(value))
