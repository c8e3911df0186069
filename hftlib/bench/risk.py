"""`hft bench risk`: what asking risk costs an order, with nothing limited and with twenty limits.

    asked   one intent: rules, four levels, stamps, and what every scope could come to
    lived   an order's whole life: asked, sent, accepted, taken back, ended, counted at each step

Both take turns with the same where no limit is set, so the difference is what limits add. The
prices, sides and quantities differ from lap to lap and none is refused: a refusal would be shorter.

Worst case of the method: a mean over a hundred thousand laps hides single slow ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.bench.harness import Bench, require_compiled
from hftlib.book.capacity import Capacity
from hftlib.core import clock, events, jit, orders
from hftlib.core.events import EVENT
from hftlib.core.fees import Fees
from hftlib.core.instruments import Instruments
from hftlib.engine.guarding import left, may_send, tried
from hftlib.engine.intents import place
from hftlib.engine.memory import execution_base, market_of, session_at
from hftlib.engine.path import answer
from hftlib.engine.session import Session
from hftlib.engine.taking_back import take_back
from hftlib.execution.memory import execution_at
from hftlib.risk.limits import Limits
from hftlib.strategy.abi import STATE

LAPS = 100_000
BUDGET_NS = 150.0
BID, ASK, TICK = 1_000_000, 1_000_200, 100
_event_at = jit.record_at(EVENT)

# Twenty, at four levels; wide enough that none of the laps is refused.
TYPICAL: dict[str, Any] = {
    "instrument": {
        "*": {
            "position_lots": 10**6,
            "order_quantity_lots": 10**4,
            "order_value_money": 10**7,
            "open_orders": 100,
            "collar_bps": 500,
            "messages": 10**4,
            "stale_ms": 10**6,
        }
    },
    "strategy": {
        "position_lots": 10**6,
        "gross_exposure_money": 10**9,
        "daily_loss_money": 10**7,
        "drawdown_money": 10**7,
        "messages": 10**4,
        "reject_rate_percent": 90,
    },
    "portfolio": {
        "gross_exposure_money": 10**9,
        "net_exposure_money": 10**9,
        "value_at_risk_money": 10**8,
        "daily_loss_money": 10**7,
    },
    "firm": {"gross_exposure_money": 10**10, "capital_money": 10**10, "messages": 10**5},
}
COUNT = sum(len(given) for _, _, given in Limits(**TYPICAL).scopes())


class _Nobody:
    """A strategy without callbacks."""

    name, parameters, digest, state_dtype, handles = "bench", dict[str, Any](), "0", STATE, 0

    def lay(self, place: Any) -> None:
        """Nothing but zeros."""

    def entry(self, compiled: bool = True) -> int:
        return 0


@jit.compiled("float64(int64, int64)")
def asked_laps(base: int, laps: int) -> float:
    """Rules, four levels, stamps and sums, for an intent that differs from lap to lap."""
    session = session_at(base)
    start = clock.monotonic_ns()
    refused = 0
    for n in range(laps):
        session.time += 1_000_000
        market_of(base, 0).time = session.time
        side = 1 + n % 2
        price = BID - TICK * (n % 7) if side == events.BUY else ASK + TICK * (n % 7)
        lots = 100 + n % 13
        tried(base, 0)
        reason = may_send(base, orders.NEW, 0, side, price, 1, price, lots, lots, 0)
        refused += 1 if reason != 0 else 0
        left(base, 0)
    cost = (clock.monotonic_ns() - start) / laps
    return cost if refused == 0 else -1.0


@jit.compiled("float64(int64, int64, int64)")
def lived_laps(base: int, report: int, laps: int) -> float:
    """Whole lives of orders, one at a time."""
    session = session_at(base)
    execution = execution_at(execution_base(base))
    event = _event_at(report)
    start = clock.monotonic_ns()
    refused = 0
    for n in range(laps):
        session.time += 1_000_000
        market_of(base, 0).time = session.time
        side = 1 + n % 2
        price = BID - TICK * (n % 7) if side == events.BUY else ASK + TICK * (n % 7)
        number = place(base, 0, side, float(price), 100 + n % 13, 1, 1, 0, 0, 0.0)
        refused += 1 if number <= 0 else 0
        event.time, event.received = session.time, session.time
        event.reference, event.instrument, event.side = number, 0, side
        event.kind, event.other, event.price, event.quantity = orders.ACCEPTED, n, price, 100
        event.sequence = 2 * n + 1
        answer(base, report, 0)
        take_back(base, number)
        event.kind, event.other, event.quantity = orders.CANCELED, orders.ASKED, 100 + n % 13
        event.sequence = 2 * n + 2
        answer(base, report, 0)
        execution.commands, execution.ended = 0, 0
    cost = (clock.monotonic_ns() - start) / laps
    return cost if refused == 0 else -1.0


def session_with(limits: Limits) -> Session:
    """A session of one instrument with a market to value orders by."""
    table = Instruments()
    table.add("AAA", venue="XNAS", tick=TICK)
    small = Capacity(instruments=1, orders=256, levels=256, pages=64)
    session = Session(table, _Nobody(), limits=limits, fees=[Fees()], capacity=small, orders_max=64)
    session.connect()
    market = session.arena["markets"][0]
    market["bid"], market["ask"], market["bid_quantity"] = BID, ASK, 500
    market["ask_quantity"], market["last"] = 500, BID
    session.arena["session"]["time"] = 10**15
    return session


def benches() -> list[Bench]:
    """Each with what it costs where nothing is limited."""
    require_compiled("hft bench risk")
    limited = session_with(Limits(**TYPICAL))
    free = session_with(Limits(open_orders=None))
    report = np.zeros(1, EVENT)

    def asked(session: Session) -> float:
        return asked_laps(session.address, LAPS)

    def lived(session: Session) -> float:
        return lived_laps(session.address, report.ctypes.data, LAPS)

    added = f"{COUNT} limits at four levels"
    return [
        Bench(
            f"risk asked, {added}",
            lambda: asked(limited),
            budget=BUDGET_NS,
            against="nothing limited",
            probe=lambda: asked(free),
        ),
        Bench(
            f"an order's life, {added}",
            lambda: lived(limited),
            against="nothing limited",
            probe=lambda: lived(free),
        ),
    ]
