"""A session: the arena laid out and filled in, ready for events.

    session = Session(instruments, strategy, limits=Limits(...), fees=[...], capacity=Capacity(...))
    session = Session(instruments, {"fast": one, "slow": another}, ...)     several, by name
    path.market(session.address, event_address, received)

Everything a decision may hang on lies in this one arena; a copy of it is the session as it stands.
Each strategy has a seat of its own in it (`seating.py`); books, risk and fees are all strategies'.
What belongs to the process, the addresses of the services and of the strategies' code, is written
into the contexts by `connect`, and again wherever a copy is to run.

Worst case: the arena is taken as a whole at the start, some 12 MB for each strategy beside the
books.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity, power_of_two
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.fees import FEES, Fees
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.numbers import SLOTS_MAX, STRATEGIES_MAX
from hftlib.engine.seating import Seat, Strategy
from hftlib.engine.services import addresses
from hftlib.execution.curves import VolumeCurve, points_of
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import Limits

ORDERS_MAX = SLOTS_MAX


class Session:
    """Strategies, their books, orders and limits, in one arena."""

    def __init__(
        self,
        instruments: Instruments,
        strategies: Strategy | Mapping[str, Strategy],
        *,
        limits: Limits,
        fees: Sequence[Fees],
        capacity: Capacity,
        orders_max: int = ORDERS_MAX,
        curves: Mapping[str, VolumeCurve] | None = None,
        begin: int = 0,
    ) -> None:
        self.instruments = instruments
        count, slots = len(instruments), power_of_two(orders_max)
        named = strategies if isinstance(strategies, Mapping) else {strategies.name: strategies}
        _require_room(len(named), slots)
        self.seats = [
            Seat(number, name, one, instruments, slots)
            for number, (name, one) in enumerate(named.items())
        ]
        self.risk = RiskRoom(instruments, list(named), limits)
        books = {name: (slot.dtype, slot.count) for name, slot in capacity.layout().slots.items()}
        own = {name: one for seat in self.seats for name, one in seat.arrays().items()}
        layout = Layout(
            **own,
            fees=(FEES, count + 1),
            **self.risk.slots(),
            curve_points=(np.dtype(np.int64), max(1, points_of(curves or {}))),
            **books,
        )
        self.arena = Arena.create(layout, huge_pages=True)
        self.books = Books(instruments, capacity=capacity, arena=self.arena)
        self.address = self.arena.address_of("session")
        for row, instrument in enumerate(instruments):
            fees[row].lay(self.arena["fees"][row : row + 1], instrument)
        self.risk.lay(self.arena)
        before = None
        for seat in self.seats:
            seat.lay(self.arena, self.risk.watching, curves or {}, begin)
            seat.follow(self.seats[0], before)
            before = seat

    @property
    def names(self) -> list[str]:
        """What its strategies are called, in their order."""
        return [seat.name for seat in self.seats]

    def connect(self, compiled: bool = True) -> None:
        """Write in what belongs to this process: where code lies."""
        for seat in self.seats:
            context = seat["context"][0]
            context["services"] = addresses()
            context["entry"] = seat.strategy.entry(compiled)

    def __repr__(self) -> str:
        return f"<Session of {', '.join(self.names)} over {len(self.instruments):,} instruments>"


def _require_room(count: int, slots: int) -> None:
    if not 1 <= count <= STRATEGIES_MAX:
        raise InputError(
            f"{count} strategies are too {'many' if count else 'few'} for a session",
            where="Session(instruments, strategies)",
            do=f"Give 1 to {STRATEGIES_MAX}.",
        )
    if count > 1 and slots > SLOTS_MAX:
        raise InputError(
            f"{slots:,} open orders of each strategy are too many where there are {count}",
            where="Session(orders_max=...)",
            do=f"Give at most {SLOTS_MAX:,}.",
        )
