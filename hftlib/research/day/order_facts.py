"""What every row of the record of orders says: whose order it is, where, by which clock.

    facts = OrderFacts(about, "day.journal")
    facts.row(told, "FILL", order, traded_price=..., traded_quantity=...)

Who decided is the strategy with the digest of what it was: of a release its own, else that of the
strategy's text. Nobody knows a client here: this trades for its own account. Worst case: none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hftlib.engine.live.making import instruments_of
from hftlib.research.day.order_state import Order, strategy_names
from hftlib.research.day.schema import ORDER_NAMES

Told = dict[str, Any]
Row = dict[str, Any]
# The venue's own record (RTS 24, field 21), by what it answered.
_RTS24 = {
    "ACCEPTED": "NEWO",
    "MODIFIED": "REME",
    "REDUCED": "REME",
    "RESTATED": "REMA",
    "PRIORITY": "REMA",
    "CANCELED": "CAME",
    "EXPIRED": "EXPI",
    "REJECTED": "REMO",
    "PARTIAL": "PARF",
    "FILL": "FILL",
}
_CAT = {"NEW": "MENO MEOR", "MODIFY": "MEOM MEMR", "CANCEL": "MEOC MECR"}
SHORT = 16  # of a digest, where a person reads it


class OrderFacts:
    """What all rows of one journal share."""

    def __init__(self, about: Mapping[str, Any], journal: str) -> None:
        self.journal, self.mode = journal, str(about.get("mode", ""))
        self._links = [dict(one) for one in about.get("links", ())]
        table = instruments_of(about)
        self._currencies = {(one.symbol, one.venue): one.currency for one in table}
        self._names = strategy_names(about)
        self._deciders = deciders(about)
        self._executor = f"hftlib {about.get('hftlib', '')}".strip()

    def row(self, told: Told, event: str, order: Order | None, **more: Any) -> Row:
        """One row; what is not given is as the order stands, and what nobody knows is None."""
        link = self._links[told["source"]] if told["source"] < len(self._links) else {}
        made: Row = dict.fromkeys(ORDER_NAMES)
        by_us = more.pop("by_us", True)
        made |= {
            "journal": self.journal,
            "frame": told["frame"],
            "part": told["n"],
            "event": event,
            "rts24_event": _RTS24.get(event, "") if by_us or event != "CANCELED" else "CAMO",
            "cat_event": _CAT.get(event, ""),
            "direction": "out" if told["kind"] == "SESSION_OUT" else "in",
            "time_ns": told["time"],
            "user_reference": told.get("urn"),
            "previous_reference": more.pop("previous", None),
            "account": link.get("user", ""),
            "venue": link.get("venue", ""),
            "mode": self.mode,
            "simulated": self.mode in ("shadow", "paper", "wire"),
            "repeated": bool(more.pop("repeated", False)),
            "is_algorithm": True,
            "execution_maker": self._executor,
        }
        if "timestamp" in told:
            made["venue_time_ns"] = int(link.get("midnight_ns", 0)) + int(told["timestamp"])
        if order is not None:
            made |= self._of_order(order, made["venue"])
        return made | {name: value for name, value in more.items() if name in made}

    def _of_order(self, order: Order, venue: str) -> Row:
        name = self._names[order.strategy] if order.strategy < len(self._names) else ""
        return {
            "order_id": str(order.number),
            "venue_order_id": order.reference or None,
            "strategy": name,
            "decision_maker": self._deciders.get(name, name),
            "symbol": order.symbol,
            "currency": self._currencies.get((order.symbol, venue), ""),
            "side": order.side,
            "order_type": order.kind,
            "validity": order.validity,
            "is_passive_only": order.post_only,
            "display": order.display,
            "displayed_quantity": order.shown,
            "capacity": order.capacity,
            "price": order.price,
            "quantity": order.asked,
            "remaining": order.open,
        }


def deciders(about: Mapping[str, Any]) -> dict[str, str]:
    """Who decided, by the name of each strategy: with the digest of what it was."""
    release = about.get("release")
    made = {}
    for one in about.get("strategies", ()):
        name = str(one.get("class", ""))
        if isinstance(release, Mapping):
            digest = str(release.get("digest", ""))
            made[name] = f"{name}@{release.get('name')}-{release.get('serial')}:{digest}"
        elif one.get("text"):
            made[name] = f"{name}@{hashlib.sha256(str(one['text']).encode()).hexdigest()}"
        else:
            made[name] = f"{name}@hftlib {about.get('hftlib', '')}"
    return made
