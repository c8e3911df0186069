"""What becomes of orders that are out already: when a state changes, when data go bad.

    a book changed  ─▶ watched ─▶ marks, breakers, data that are not to be trusted
    nothing came    ─▶ guard   ─▶ data that grew old, orders that wait
    a state changed ─▶ enforce ─▶ open orders that may not stay are cancelled, what waits is refused

A quote whose side is taken back is not wanted any more: once a person lifts a halt, the strategy
says anew what it wants. Worst case: a walk along all open orders.
"""

from __future__ import annotations

from hftlib.core import events, jit, orders
from hftlib.engine.guarding import observed
from hftlib.engine.holding_back import end_held, look_at_held
from hftlib.engine.memory import (
    FOREVER,
    context_address,
    context_at,
    execution_base,
    risk_base,
    session_at,
)
from hftlib.engine.seats import after, first_of
from hftlib.engine.taking_back import take_back_side
from hftlib.execution.memory import position_of
from hftlib.risk import breakers
from hftlib.risk.controls import G_DATA, HALTED, REDUCING
from hftlib.risk.exposure import reduces
from hftlib.risk.flattening import is_flattening
from hftlib.risk.memory import (
    FIRM_ROW,
    holding_of,
    instrument_row,
    risk_at,
    rule_of,
    scope_of,
    strategy_row,
)
from hftlib.risk.rules import untrusted

CROSSED_NS = 1_000_000  # so long a crossed book is a message half told, no news


@jit.compiled()
def watched(base: int, instrument: int) -> None:
    """A book changed, and somebody limits what that does.

    Each strategy's look at the book comes here. What concerns everybody is done at the first one's,
    before any strategy hears of the change.
    """
    here = risk_base(base)
    risk = risk_at(here)
    now = session_at(base).time
    observed(base, here, instrument)
    if session_at(base).first_seat == 0:
        rule = rule_of(here, instrument)
        if risk.marks != 0 and holding_of(here, FIRM_ROW, instrument).mark != rule.mark:
            breakers.marked(here, instrument, now)
        if risk.groups & G_DATA:
            breakers.moved_far(here, instrument, now)
    _distrust(base, here, instrument, now)
    if risk.acts != 0:
        enforce(base)


@jit.compiled()
def _distrust(base: int, here: int, instrument: int, now: int) -> None:
    """Data that are not to be trusted: the instrument's orders go. Looked at again when fine.

    How old data may be is limited for each strategy, so each has its own view of them.
    """
    rule, strategy = rule_of(here, instrument), context_at(context_address(base)).strategy
    own = holding_of(here, strategy_row(here, strategy), instrument)
    reason = untrusted(here, strategy, instrument, now)
    # Between two messages a book may look crossed for a moment: its orders stay that long.
    if reason == orders.CROSSED and now - rule.crossed_since < CROSSED_NS:
        reason = own.distrusted
    if reason != 0 and own.distrusted == 0:
        session_at(base).distrusted += 1
        take_back_side(base, instrument, events.NO_SIDE)
    elif reason == 0 and own.distrusted != 0:
        session_at(base).distrusted -= 1
    own.distrusted = reason


@jit.compiled("void(int64, int64)")
def guard(base: int, now: int) -> None:
    """Nothing may have come for long: are the data of what we work in still fresh?"""
    here = risk_base(base)
    seat = first_of(base)
    while seat != 0:
        session_at(seat).time = now
        for instrument in range(session_at(seat).instruments):
            if position_of(execution_base(seat), instrument).open_orders != 0:
                _distrust(seat, here, instrument, now)
        seat = after(seat)
    risk = risk_at(here)
    risk.next_guard = now + risk.guard_ns if risk.groups & G_DATA else FOREVER
    seat = first_of(base)
    while seat != 0:
        if session_at(seat).held != 0:
            look_at_held(seat, now)
        seat = after(seat)


@jit.compiled()
def enforce(base: int) -> None:
    """States changed: orders that may not stay go, and no quote is wanted that may not stand.

    Whoever's doing it was, a state may bind others: every strategy is looked at.
    """
    risk_at(risk_base(base)).acts = 0
    seat = first_of(base)
    while seat != 0:
        _enforce(seat)
        seat = after(seat)


@jit.compiled()
def _enforce(base: int) -> None:
    here = risk_base(base)
    strategy = context_at(context_address(base)).strategy
    worst = 0
    for instrument in range(session_at(base).instruments):
        state = _worst(here, strategy, instrument)
        worst = max(worst, state)
        if state == HALTED:
            end_held(base, instrument, events.NO_SIDE, orders.TRADING_HALTED)
            take_back_side(base, instrument, events.NO_SIDE)
        elif risk_at(here).flattening != 0 and is_flattening(here, strategy, instrument):
            end_held(base, instrument, events.NO_SIDE, orders.FLATTENING)
            take_back_side(base, instrument, events.NO_SIDE)
        elif state == REDUCING:
            for side in (events.BUY, events.SELL):
                if not _may_stay(here, strategy, instrument, side):
                    end_held(base, instrument, side, orders.REDUCING_ONLY)
                    take_back_side(base, instrument, side)
    context_at(context_address(base)).trading_state = worst


@jit.compiled()
def _worst(here: int, strategy: int, instrument: int) -> int:
    """The worst state of an instrument's scopes."""
    state = scope_of(here, instrument_row(here, instrument)).state
    row = strategy_row(here, strategy)
    while True:
        state = max(state, scope_of(here, row).state)
        if row == FIRM_ROW:
            return state
        row = scope_of(here, row).parent


@jit.compiled()
def _may_stay(here: int, strategy: int, instrument: int, side: int) -> bool:
    """Whether a side's open orders only reduce what every reducing scope holds."""
    halted = scope_of(here, instrument_row(here, instrument)).state != 0
    if halted and not reduces(holding_of(here, FIRM_ROW, instrument), side, 0):
        return False
    row = strategy_row(here, strategy)
    while True:
        halted = scope_of(here, row).state != 0
        if halted and not reduces(holding_of(here, row, instrument), side, 0):
            return False
        if row == FIRM_ROW:
            return True
        row = scope_of(here, row).parent
