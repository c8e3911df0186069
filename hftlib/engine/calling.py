"""Calling the strategy: if it runs, and has a callback for this.

A strategy whose callback ends with an exception is called no more. What was refused while it was
called is told right after, so that nothing calls itself.

A refusal is told once: what a strategy asks for again while it hears that it was refused, to the
word, is refused again for the same reason, and only counted.

Worst case: a strategy that answers each refusal with another order hears of so many at once; what
is beyond is counted as refused and not told.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.engine.enforcing import enforce
from hftlib.engine.laps import BOOK, STRATEGY, lap
from hftlib.engine.looking import catch_up
from hftlib.engine.memory import (
    RUNNING,
    STOPPED_BY_FAULT,
    context_address,
    context_at,
    refused_address,
    refused_of,
    risk_base,
    session_at,
    state_at,
)
from hftlib.risk.memory import risk_at
from hftlib.strategy.abi import ENTRY, ON_ORDER

_call = jit.caller(ENTRY)
REFUSALS_TOLD_MAX = 64


@jit.inlined
def tell(base: int, what: int, instrument: int, argument: int) -> None:
    """Call the strategy, if it runs and has a callback for this."""
    here = context_address(base)
    context = context_at(here)
    if context.stopped != RUNNING or (context.handles >> what) & 1 == 0:
        return
    catch_up(base)
    session = session_at(base)
    session.callbacks[what] += 1
    lap(base, BOOK)
    fault = _call(context.entry, what, here + context.state_at, here, instrument, argument)
    lap(base, STRATEGY)
    if fault != 0:
        _stop_by_fault(base, what, fault)
    elif session.refusals != session.refusals_told:
        tell_refused(base)
    if risk_at(risk_base(base)).acts != 0:  # it tried to send too often
        enforce(base)


@jit.compiled()
def tell_refused(base: int) -> None:
    """The strategy hears of what was refused: in turn, and no more than so many at once."""
    session = session_at(base)
    here = context_address(base)
    context = context_at(here)
    hears = (context.handles >> ON_ORDER) & 1 != 0
    if hears:
        catch_up(base)
    first, known = session.refusals_told, session.refusals
    for _ in range(REFUSALS_TOLD_MAX):
        if not hears or session.refusals == session.refusals_told or context.stopped != RUNNING:
            break
        row = session.refusals_told
        session.refusals_told += 1
        if row >= known and _was_told(base, row, first):
            continue
        session.callbacks[ON_ORDER] += 1
        order = refused_address(base, row)
        instrument = refused_of(base, row).instrument
        lap(base, BOOK)
        fault = _call(context.entry, ON_ORDER, here + context.state_at, here, instrument, order)
        lap(base, STRATEGY)
        if fault != 0:
            _stop_by_fault(base, ON_ORDER, fault)
    session.refusals_told = session.refusals


@jit.compiled()
def _was_told(base: int, row: int, first: int) -> bool:
    """Whether the same was asked for, and refused for the same, in a row from `first` on."""
    one = refused_of(base, row)
    for n in range(first, row):
        other = refused_of(base, n)
        same = other.instrument == one.instrument and other.side == one.side
        same = same and other.price == one.price and other.quantity == one.quantity
        if same and other.id == one.id and other.reason == one.reason:
            return True
    return False


@jit.compiled()
def _stop_by_fault(base: int, what: int, fault: int) -> None:
    here = context_address(base)
    context = context_at(here)
    state = state_at(here + context.state_at)
    state.faults, state.fault, state.faulty_call = 1, fault, what
    context.stopped = STOPPED_BY_FAULT
