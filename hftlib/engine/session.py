"""A session: the arena laid out and filled in, ready for events.

    session = Session(instruments, strategy, limits=Limits(...), fees=[...], capacity=Capacity(...))
    path.market(session.address, event_address, received)

Everything a decision may hang on lies in this one arena; a copy of it is the session as it stands.
What belongs to the process, the addresses of the services and of the strategy's code, is written
into the context by `connect`, and again wherever a copy is to run.

Worst case: the arena is taken as a whole at the start, some 3 MB beside the books.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity, power_of_two
from hftlib.book.reading import NO_PRICE
from hftlib.core.arena import Arena
from hftlib.core.fees import FEES, Fees
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.orders import COMMAND, FILL, ORDER
from hftlib.core.positions import POSITION
from hftlib.engine.memory import FOREVER, SESSION
from hftlib.engine.services import addresses
from hftlib.execution.memory import EXECUTION
from hftlib.risk.limits import LIMITS, Limits
from hftlib.strategy.abi import ABI, CONTEXT, MARKET, ON_BOOK, ON_TRADE

ORDERS_MAX = 4096
LOG_MAX = 1 << 14


class Strategy(Protocol):
    """What the engine needs of a strategy; `hftlib.strategy` makes them."""

    name: str
    handles: int  # bit n: it has the callback of number n
    state_dtype: np.dtype[Any]

    def lay(self, place: Any) -> None:
        """Write parameters and first state into memory of `state_dtype`."""

    def entry(self, compiled: bool = True) -> int:
        """The address of its code; of plain Python where it is not compiled."""


class Session:
    """One strategy, its books, orders and limits, in one arena."""

    def __init__(
        self,
        instruments: Instruments,
        strategy: Strategy,
        *,
        limits: Limits,
        fees: Sequence[Fees],
        capacity: Capacity,
        orders_max: int = ORDERS_MAX,
    ) -> None:
        self.instruments, self.strategy = instruments, strategy
        count = len(instruments)
        slots = power_of_two(orders_max)
        books = {name: (slot.dtype, slot.count) for name, slot in capacity.layout().slots.items()}
        layout = Layout(
            session=SESSION,
            context=CONTEXT,
            state=strategy.state_dtype,
            execution=EXECUTION,
            markets=(MARKET, count + 1),
            positions=(POSITION, count + 1),
            limits=(LIMITS, count + 1),
            fees=(FEES, count + 1),
            own_orders=(ORDER, slots),
            commands=(COMMAND, 2 * slots),
            fills=(FILL, LOG_MAX),
            ended=(ORDER, LOG_MAX),
            **books,
        )
        self.arena = Arena.create(layout, huge_pages=True)
        self.books = Books(instruments, capacity=capacity, arena=self.arena)
        self.address = self.arena.address_of("session")
        self._lay_session(count)
        self._lay_execution(count, slots)
        self._lay_context(count, slots)
        self._lay_instruments(limits, fees)
        strategy.lay(self.arena["state"])

    def connect(self, compiled: bool = True) -> None:
        """Write in what belongs to this process: where code lies."""
        context = self.arena["context"][0]
        context["services"] = addresses()
        context["entry"] = self.strategy.entry(compiled)

    def _between(self, origin: str, name: str) -> int:
        """Bytes from one array to another."""
        slots = self.arena.layout.slots
        return slots[name].offset - slots[origin].offset

    def _lay_session(self, count: int) -> None:
        session = self.arena["session"][0]
        session["instruments"] = count
        for name in ("books", "context", "markets", "execution", "limits"):
            session[f"{name}_at"] = self._between("session", name)
        session["next_timer"] = FOREVER
        looks = (1 << ON_BOOK) | (1 << ON_TRADE)
        session["eager"], session["unseen"] = bool(self.strategy.handles & looks), -1
        session["timers"]["due"] = FOREVER

    def _lay_execution(self, count: int, slots: int) -> None:
        execution = self.arena["execution"][0]
        execution["instruments"], execution["order_mask"] = count, slots - 1
        execution["orders_at"] = self._between("execution", "own_orders")
        for name in ("positions", "fees", "commands", "fills", "ended"):
            execution[f"{name}_at"] = self._between("execution", name)
        for name in ("commands", "fills", "ended"):
            execution[f"{name}_max"] = self.arena.layout.slots[name].count

    def _lay_context(self, count: int, slots: int) -> None:
        context = self.arena["context"][0]
        context["abi"], context["instruments"], context["order_mask"] = ABI, count, slots - 1
        context["orders_at"] = self._between("context", "own_orders")
        for name in ("markets", "positions", "session", "state"):
            context[f"{name}_at"] = self._between("context", name)
        context["handles"] = self.strategy.handles

    def _lay_instruments(self, limits: Limits, fees: Sequence[Fees]) -> None:
        limits.require_symbols(self.instruments.symbols)
        markets, positions = self.arena["markets"], self.arena["positions"]
        markets["bid"] = markets["ask"] = NO_PRICE
        markets["tick"] = markets["lot"] = 1
        markets["instrument"] = np.arange(len(markets))
        begins = np.arange(len(markets)) * markets.itemsize
        markets["context_at"] = self._between("markets", "context") - begins
        positions["want_bid"] = positions["want_ask"] = NO_PRICE
        for row, instrument in enumerate(self.instruments):
            markets["tick"][row], markets["lot"][row] = instrument.tick, instrument.round_lot
            limits.lay(self.arena["limits"][row], instrument)
            fees[row].lay(self.arena["fees"][row : row + 1], instrument)

    def __repr__(self) -> str:
        return f"<Session of {self.strategy.name} over {len(self.instruments):,} instruments>"
