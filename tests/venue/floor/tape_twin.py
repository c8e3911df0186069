"""What must stand of a tape on an exchange, in plain dictionaries, from the events and the trades.

    open here = open on the tape - what participants took, and never less than nothing

It reads the engine's own list of trades for who took what, and knows nothing of how it came about.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.venue.matching.tables import IN_SHOWN


class TapeTwin:
    def __init__(self, exchange: Any, house: int) -> None:
        self.engine, self.house, self.flow = exchange.engine, house, exchange.flow
        self.open: dict[int, int] = {}  # on the tape
        self.taken: dict[int, int] = {}
        self.names: dict[int, int] = {}  # our number of an order: the tape's
        self.side: dict[int, int] = {}
        self.matches = int(self.engine.header["match"])
        self.urn = int(self.flow.record["urn"][0])
        self.given_to_others = 0

    def heard(self, event: Any) -> None:
        """An event of the tape was followed."""
        kind, reference, quantity = (int(event[name]) for name in ("kind", "reference", "quantity"))
        urn, before = int(self.flow.record["urn"][0]), self.urn
        self.urn = urn
        other = int(event["other"])
        if kind == events.ADD and reference not in self.open:
            self.open[reference], self.taken[reference] = quantity, 0
            self.side[reference] = int(event["side"])
            assert urn == before + 1
            self.names[urn] = reference
        elif reference in self.open and kind in (events.EXECUTE, events.CANCEL):
            self.open[reference] -= min(quantity, self.open[reference])
        elif reference in self.open and kind == events.REPLACE:
            self.taken[other] = self.taken.pop(reference)
            del self.open[reference]
            self.open[other], self.side[other] = quantity, self.side.pop(reference)
            if urn > before:
                self.names[urn] = other
        elif kind == events.DELETE:
            self.open.pop(reference, None)
        if self.open.get(reference) == 0:
            del self.open[reference]
        self.look()

    def look(self) -> None:
        """Trades since the last look: which of them took from an order of the tape's."""
        table = self.engine.arena["trades"]
        last = int(self.engine.header["match"])
        for match in range(self.matches + 1, last + 1):
            one = table[match & (len(table) - 1)]
            if int(one["match"]) != match:
                continue  # the number of a cross
            stood = (int(one["session"]), int(one["urn"]))
            taker = (int(one["session_taker"]), int(one["urn_taker"]))
            if stood[0] == self.house and taker[0] == self.house:
                continue
            for session, urn in (stood, taker):
                if session == self.house and urn in self.names:
                    reference = self.names[urn]
                    self.taken[reference] = self.taken.get(reference, 0) + int(one["quantity"])
                elif session == self.house:
                    self.given_to_others += int(one["quantity"])
        self.matches = last

    def wanted(self) -> dict[int, int]:
        left = {r: quantity - self.taken[r] for r, quantity in self.open.items()}
        return {reference: quantity for reference, quantity in left.items() if quantity > 0}

    def found(self) -> dict[int, int]:
        """What of the house stands, by the tape's references."""
        own = self.engine.arena["owns"]
        rows = np.flatnonzero((own["session"] == self.house) & (own["number"] != 0))
        assert (own["place"][rows] == IN_SHOWN).all()
        shown = self.engine.books.standing()
        quantities = dict(zip(shown["reference"].tolist(), shown["quantity"].tolist(), strict=True))
        return {int(own["offset"][n]): quantities[int(own["number"][n])] for n in rows.tolist()}
