"""A strategy's seat in the arena of a session: which arrays it has, and what is written into them.

    Seat(0, "Maker", strategy, table)      arrays session, context, state, execution, ...
    Seat(1, "Taker", strategy, table)      arrays session_1, context_1, state_1, execution_1, ...
    seat["positions"]                      its own, whatever the arena calls it

The first seat's arrays have plain names, so that the session of an only strategy is what it was
before there could be several. What all share (books, fees, risk) the session lays out itself.

Worst case: some 12 MB of memory for each seat, of which only what is used is ever touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.core.arena import Arena
from hftlib.core.instruments import Instruments
from hftlib.core.numbers import EACH
from hftlib.core.orders import COMMAND, FILL, ORDER
from hftlib.core.parents import NO_LIMIT, PARENT, PARENTS, PARENTS_MAX, PLACE
from hftlib.core.positions import POSITION
from hftlib.engine.memory import (
    EAGER,
    EAGER_LEARNS,
    FOREVER,
    SESSION,
    STOPPED_BY_FAULT,
    STOPPED_ITSELF,
)
from hftlib.execution.curves import VolumeCurve
from hftlib.execution.memory import BOOKED, EXECUTION
from hftlib.execution.routing import OFFER, OFFERS_MAX
from hftlib.strategy.abi import ABI, CALLBACKS, CONTEXT, MARKET, ON_BOOK, ON_TRADE

LOG_MAX = 1 << 14
REFUSALS_MAX = 1 << 12
BOOKED_MAX = 1 << 14  # trades of ours that are known again when they are told a second time
PARENTS_LOG_MAX = 1 << 9


class Strategy(Protocol):
    """What the engine needs of a strategy; `hftlib.strategy` makes them."""

    name: str
    handles: int  # bit n: it has the callback of number n
    state_dtype: np.dtype[Any]

    def lay(self, place: Any) -> None:
        """Write parameters and first state into memory of `state_dtype`."""

    def entry(self, compiled: bool = True) -> int:
        """The address of its code; of plain Python where it is not compiled."""


@dataclass(eq=False)
class Seat:
    """One strategy's part of a session."""

    number: int
    name: str
    strategy: Strategy
    instruments: Instruments
    slots: int  # of orders, a power of two
    arena: Arena = field(init=False, repr=False)

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """The array that is its own; what all share, of this name."""
        found: np.ndarray[Any, Any] = self.arena[self._called(name)]
        return found

    @property
    def address(self) -> int:
        return self.arena.address_of(self._called("session"))

    @property
    def state_address(self) -> int:
        """Where the strategy's own state lies: what its code is called with."""
        return self.arena.address_of(self._called("state"))

    def arrays(self) -> dict[str, Any]:
        """What an arena needs for it."""
        count = len(self.instruments)
        own = {
            "session": SESSION,
            "context": CONTEXT,
            "state": self.strategy.state_dtype,
            "execution": EXECUTION,
            "markets": (MARKET, count + 1),
            "positions": (POSITION, count + 1),
            "own_orders": (ORDER, self.slots),
            "commands": (COMMAND, 2 * self.slots),
            "fills": (FILL, LOG_MAX),
            "ended": (ORDER, LOG_MAX),
            "refusals": (ORDER, REFUSALS_MAX),
            "booked": (BOOKED, BOOKED_MAX),
            "chains": (np.dtype(np.int64), BOOKED_MAX),
            "parents": PARENTS,
            "parent_rows": (PARENT, PARENTS_MAX),
            "parents_ended": (PARENT, PARENTS_LOG_MAX),
            "venue_places": (PLACE, count + 1),
            "offers": (OFFER, OFFERS_MAX),
        }
        return {self._named(name): one for name, one in own.items()}

    def lay(
        self, arena: Arena, watching: bool, curves: Mapping[str, VolumeCurve], begin: int
    ) -> None:
        """Write it all; `watching`: risk looks at each change of a book, so it must be shown."""
        self.arena = arena
        self._lay_session(watching)
        self._lay_execution()
        self._lay_context()
        self._lay_instruments()
        self._lay_parents()
        self._lay_curves(curves, begin)
        self.strategy.lay(self["state"])

    def why_stopped(self, among: int) -> str:
        """Why its strategy is called no more, where that is its own doing; of how many seats."""
        context = self["context"][0]
        if context["stopped"] == STOPPED_ITSELF:
            return f"it called ctx.stop({int(self['session']['stop_number'][0])})"
        if context["stopped"] != STOPPED_BY_FAULT:
            return ""
        state: Any = self["state"][0]
        strategy: Any = self.strategy
        code, callback = int(state["fault"]), CALLBACKS[int(state["faulty_call"])]
        # Of two of one class, run uncompiled, each has its own exception: by where its state lies.
        where = () if among == 1 else (self.state_address,)
        return f"{strategy.explain(code, *where)} (in {callback})"

    def follow(self, first: Seat, before: Seat | None) -> None:
        """Its place in the row of seats."""
        self["session"]["first_seat"] = first.address - self.address
        if before is not None:
            before["session"]["next_seat"] = self.address - before.address

    def _named(self, name: str) -> str:
        return name if self.number == 0 else f"{name}_{self.number}"

    def _called(self, name: str) -> str:
        own = self._named(name)
        return own if own in self.arena.layout.slots else name

    def _between(self, origin: str, name: str) -> int:
        """Bytes from one array to another."""
        slots = self.arena.layout.slots
        return slots[self._called(name)].offset - slots[self._called(origin)].offset

    def _lay_session(self, watching: bool) -> None:
        session = self["session"][0]
        session["instruments"] = len(self.instruments)
        for name in ("books", "context", "markets", "execution", "risk", "refusals"):
            session[f"{name}_at"] = self._between("session", name)
        session["next_timer"] = FOREVER
        session["refusals_max"] = REFUSALS_MAX
        looks = (1 << ON_BOOK) | (1 << ON_TRADE)
        session["watching"] = watching
        session["unseen"] = -1
        # Who counts what positions are worth looks at each change, whatever the strategy does.
        session["eager"] = EAGER if self.strategy.handles & looks or watching else 0
        session["timers"]["due"] = FOREVER

    def _lay_execution(self) -> None:
        execution = self["execution"][0]
        execution["instruments"], execution["order_mask"] = len(self.instruments), self.slots - 1
        execution["orders_at"] = self._between("execution", "own_orders")
        for name in ("positions", "fees", "commands", "fills", "ended", "booked", "chains"):
            execution[f"{name}_at"] = self._between("execution", name)
        execution["booked_mask"] = len(self["booked"]) - 1
        execution["parents_at"] = self._between("execution", "parents")
        for name in ("commands", "fills", "ended"):
            execution[f"{name}_max"] = len(self[name])
        execution["strategy"], execution["last_order"] = self.number, self.number * EACH

    def _lay_context(self) -> None:
        context = self["context"][0]
        context["abi"], context["instruments"] = ABI, len(self.instruments)
        context["order_mask"] = self.slots - 1
        context["orders_at"] = self._between("context", "own_orders")
        for name in ("markets", "positions", "session", "state", "parents"):
            context[f"{name}_at"] = self._between("context", name)
        context["handles"], context["strategy"] = self.strategy.handles, self.number
        context["state_bytes"] = self.strategy.state_dtype.itemsize

    def _lay_instruments(self) -> None:
        markets, positions = self["markets"], self["positions"]
        markets["bid"] = markets["ask"] = NO_PRICE
        markets["tick"] = markets["lot"] = 1
        markets["instrument"] = np.arange(len(markets))
        begins = np.arange(len(markets)) * markets.itemsize
        markets["context_at"] = self._between("markets", "context") - begins
        positions["want_bid"] = positions["want_ask"] = NO_PRICE
        for row, instrument in enumerate(self.instruments):
            markets["tick"][row], markets["lot"][row] = instrument.tick, instrument.round_lot

    def _lay_parents(self) -> None:
        """The tables of parent orders; and what is a venue of the same thing as what."""
        header, places = self["parents"][0], self["venue_places"]
        header["parents_at"] = self._between("parents", "parent_rows")
        header["places_at"] = self._between("parents", "venue_places")
        header["points_at"] = self._between("parents", "curve_points")
        header["log_at"] = self._between("parents", "parents_ended")
        header["log_max"] = PARENTS_LOG_MAX
        header["offers_at"] = self._between("parents", "offers")
        header["mask"], header["instruments"] = PARENTS_MAX - 1, len(self.instruments)
        header["next"] = FOREVER
        header["draft"]["limit"] = NO_LIMIT
        places["peer"], places["latency"], places["curve_at"] = np.arange(len(places)), -1, -1
        places["bid"] = places["ask"] = NO_PRICE
        by_thing: dict[object, list[int]] = {}
        for row, one in enumerate(self.instruments):
            thing = (one.symbol, one.price_unit.size, one.lot_unit.size, one.currency)
            by_thing.setdefault(thing, []).append(row)
        for rows in by_thing.values():
            places["peer"][rows] = np.roll(rows, -1)
        header["grouped"] = any(len(rows) > 1 for rows in by_thing.values())
        session = self["session"][0]
        if header["grouped"] and session["eager"]:
            session["eager"] |= EAGER_LEARNS

    def _lay_curves(self, curves: Mapping[str, VolumeCurve], begin: int) -> None:
        used = 0
        for symbol, curve in curves.items():
            for row in [n for n, one in enumerate(self.instruments) if one.symbol == symbol]:
                place = self["venue_places"][row : row + 1]
                curve.lay(place, self["curve_points"], used, begin)
            used += len(curve.points)
