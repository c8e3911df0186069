"""Closing positions, where somebody told risk to flatten a scope (`risk/flattening.py`).

    flatten(base, now)     at each look around: what is open goes, then what is held is closed

For each strategy and instrument of such a scope: while orders are open they are waited for (each
was taken back); then all that is held is offered to whoever stands best on the other side, as an
immediate-or-cancel order, within the limits of one order, of prices and of pace. What is left is
offered again STEP_NS later, after a refusal REFUSED_NS later. The scope is HALTED once all is gone.

Each strategy closes its own, so two that hold the opposite of each other both trade. A strategy
that stopped or failed is closed, too. Its callbacks hear of the fills as of any.

Worst case: where nobody stands on the other side, where data are not to be trusted, or where an
order's fate is not known, it waits; a walk along all instruments each time.
"""

from __future__ import annotations

from hftlib.book.reading import NO_PRICE
from hftlib.core import events, jit, orders
from hftlib.engine.intents import place
from hftlib.engine.looking import catch_up
from hftlib.engine.memory import (
    context_address,
    context_at,
    execution_base,
    market_of,
    risk_base,
    session_at,
)
from hftlib.engine.seats import after, first_of
from hftlib.execution.memory import position_of
from hftlib.risk.controls import HALTED, ORDER_QUANTITY
from hftlib.risk.flattening import LEFT, is_flattening, mark_left
from hftlib.risk.memory import FIRM_ROW, instrument_row, risk_at, scope_of, strategy_row
from hftlib.risk.states import move

STEP_NS, REFUSED_NS = 10_000_000, 100_000_000


@jit.compiled()
def flatten(base: int, now: int) -> None:
    """One step of it, for every scope that is to be closed."""
    here = risk_base(base)
    risk = risk_at(here)
    refused = False
    seat = first_of(base)
    while seat != 0:
        catch_up(seat)
        strategy = context_at(context_address(seat)).strategy
        for instrument in range(session_at(seat).instruments):
            position = position_of(execution_base(seat), instrument)
            if position.quantity == 0 and position.open_orders == 0:
                continue
            if not is_flattening(here, strategy, instrument):
                continue
            mark_left(here, strategy, instrument)
            if position.open_orders == 0 and _close(seat, instrument, position.quantity) < 0:
                refused = True
        seat = after(seat)
    left = 0
    for row in range(risk.scopes):
        scope = scope_of(here, row)
        if scope.flattening == LEFT:
            scope.flattening = 1
            left += 1
        elif scope.flattening != 0:
            move(here, row, HALTED, now, orders.FLATTENING, 0, 0)
    risk.flattening = left
    if left != 0:
        risk.next_guard = min(risk.next_guard, now + (REFUSED_NS if refused else STEP_NS))


@jit.compiled()
def _close(base: int, instrument: int, held: int) -> int:
    """Offer what is held to who stands best: the number, minus the reason, or 0: nobody does."""
    market = market_of(base, instrument)
    side = events.SELL if held > 0 else events.BUY
    price = market.bid if held > 0 else market.ask
    if price == NO_PRICE:
        return 0
    here = risk_base(base)
    strategy = context_at(context_address(base)).strategy
    lots = min(abs(held), _most(here, strategy, instrument))
    risk_at(here).closing = 1
    done = place(base, instrument, side, float(price), lots, orders.LIMIT, orders.IOC, 0, 0, 0.0)
    risk_at(here).closing = 0
    return done


@jit.compiled()
def _most(here: int, strategy: int, instrument: int) -> int:
    """The most lots that one order may ask for."""
    most = scope_of(here, instrument_row(here, instrument)).limits[ORDER_QUANTITY]
    row = strategy_row(here, strategy)
    while True:
        most = min(most, scope_of(here, row).limits[ORDER_QUANTITY])
        if row == FIRM_ROW:
            return max(1, most)
        row = scope_of(here, row).parent
