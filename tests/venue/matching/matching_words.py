"""A market in words: orders as short calls, reports as short lines, for stories.

    m.buy("ann", 100, 10.00)
    m.said()   ->  ["ann: accepted 1, 100 @ 10.00  [A1 100]"]

In brackets is what the public hears: the ITCH letter, the number it names, the shares.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.venue.matching import records as r
from hftlib.venue.matching.engine import MatchingEngine, Size
from hftlib.venue.matching.reasons import NAMES

PEOPLE = ("", "ann", "bob", "cyd", "dan")
SMALL = Size(orders=64, levels=256, pages=64, sessions=4, firms=4, trades=64)


def units(price: float | None) -> int:
    return r.MARKET if price is None else round(price * 10_000)


class Market:
    """One symbol, open unless said otherwise; each person is a session and a firm."""

    def __init__(self, state: int = r.TRADING, size: Size = SMALL) -> None:
        self.engine = MatchingEngine(["AAA"], size=size)
        self.urns = [0] * len(PEOPLE)
        self.time = 0
        self.reports: list[Any] = []
        self.tell(r.SET_STATE, state=state)
        self.reports.clear()

    def tell(self, kind: int, **fields: Any) -> None:
        one = np.zeros(1, r.COMMAND)
        one["kind"], one["time"] = kind, self.time
        for name, value in fields.items():
            one[name] = value
        self.reports.extend(self.engine.obey(one))

    def ask(self, who: str, terms: dict[str, Any]) -> int:
        """ENTER with these terms, whatever they are; the number it has."""
        session = PEOPLE.index(who)
        self.urns[session] += 1
        fields = {"session": session, "firm": session, "urn": self.urns[session]}
        fields |= {"style": r.PLAIN, "lasts": r.DAY, "shows": r.SHOWN}
        self.tell(r.ENTER, **(fields | terms))
        return self.urns[session]

    def buy(self, who: str, quantity: int, price: float | None = None, **more: Any) -> int:
        terms = {"side": r.BUY, "quantity": quantity, "price": units(price)}
        return self.ask(who, terms | more)

    def sell(self, who: str, quantity: int, price: float | None = None, **more: Any) -> int:
        terms = {"side": r.SELL, "quantity": quantity, "price": units(price)}
        return self.ask(who, terms | more)

    def replace(self, who: str, original: int, quantity: int, price: float, **more: Any) -> int:
        session = PEOPLE.index(who)
        self.urns[session] += 1
        fields = {"session": session, "urn": self.urns[session], "original": original}
        fields |= {"quantity": quantity, "price": units(price), "lasts": r.DAY, "shows": r.SHOWN}
        self.tell(r.REPLACE, **(fields | more))
        return self.urns[session]

    def cancel(self, who: str, urn: int, quantity: int = 0) -> None:
        self.tell(r.CANCEL, session=PEOPLE.index(who), urn=urn, quantity=quantity)

    def quietly(self) -> None:
        """What was said so far is no part of the story."""
        self.reports.clear()

    def said(self) -> list[str]:
        told, self.reports = self.reports, []
        return [line(one) for one in told]

    def queue(self, side: int) -> list[tuple[float, int, int]]:
        """What shows on a side: price, quantity, number."""
        rows = self.engine.books.standing()
        rows = rows[(rows["instrument"] == 0) & (rows["side"] == side) & (rows["reference"] != 0)]
        return [
            (one["price"] / 10_000, int(one["quantity"]), int(one["reference"])) for one in rows
        ]


def money(price: int) -> str:
    """As many decimals as it needs: two or four."""
    if price == r.MARKET:
        return "market"
    return f"{price / 10_000:.4f}" if price % 100 else f"{price / 10_000:.2f}"


def line(one: Any) -> str:
    kind = r.REPORTS[one["kind"]]
    who = PEOPLE[one["session"]] if one["session"] < len(PEOPLE) else "somebody"
    price = money(int(one["price"]))
    text = f"{who}: {kind}" if who else kind
    if one["kind"] in (r.REJECTED, r.CANCEL_REJECTED):
        return f"{text}, {NAMES[one['reason']]}"
    if one["kind"] == r.STATE:
        return f"state {r.STATES[one['state']]}"
    if one["kind"] == r.CROSSED:
        return f"crossed {one['quantity']} @ {price}"
    if one["kind"] == r.IMBALANCE:
        side = r.SIDES[one["state"]]
        near, far = (money(int(one[name])) for name in ("other", "open"))
        told = f"paired {one['quantity']} @ {price}, {one['extra']} to {side}"
        return f"{told}, near {near}, far {far}"
    text += f" {one['order']}" if one["order"] else ""
    if one["kind"] in (r.ACCEPTED, r.EXECUTED, r.CANCELLED, r.PREVENTED, r.BROKEN, r.MODIFIED):
        text += f", {one['quantity']}"
    if one["kind"] in (r.REPLACED, r.PRIORITY):
        text += f" was {one['other']}, {one['open']}"
    if one["kind"] == r.MASS_CANCELLED:
        return f"{text}, {one['quantity']}"
    if one["kind"] in (r.ACCEPTED, r.EXECUTED, r.REPLACED, r.PRIORITY, r.BROKEN):
        text += f" @ {price}"
    if one["reason"]:
        text += f", {NAMES[one['reason']]}"
    if one["public"]:
        number = one["order"]
        if one["kind"] == r.REPLACED and chr(one["public"]) in "DU":
            number = one["other"]
        named = "" if chr(one["public"]) in "PB" else number
        text += f"  [{chr(one['public'])}{named} {one['shown']}]"
    return text
