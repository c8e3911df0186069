"""What people and processes tell risk: halt, reduce, lift, another limit, the portfolio's risk.

    a DIRECTIVE ─▶ `directed` ─▶ 0, or why it is refused; a row in the log in both cases

Each is an event with a time, so that a replay sees it where the session saw it. Who may do what:

    anybody                      halt and reduce any scope; make a limit tighter
    role RISK                    lift a halt, make a limit looser: instrument, strategy, portfolio
    two people, RISK or higher   the same for the firm
    a process (PROCESS)          tell portfolio risk and exchange rates; halt; so may RISK
    a process alone              hold after a restart, and go on (`recovering.py`)
    anybody                      close what a scope holds (`flattening.py`); what is halted: as lift

Worst case: a directive for a scope, a limit or a value that is none is refused and logged.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.records import record
from hftlib.risk import controls
from hftlib.risk.authority import (
    NOT_ALLOWED,
    PROCESS,
    TEXT_AT,
    TRADER,
    authority,
    may_tell,
)
from hftlib.risk.controls import (
    ACTIVE,
    CONTROLS,
    G_MONEY,
    GROUPS,
    HALTED,
    INSTRUMENT,
    NO_LIMIT,
    RING_LIMITS,
)
from hftlib.risk.exposure import profit, revalue_all
from hftlib.risk.flattening import FLATTEN, flattened, may_flatten
from hftlib.risk.memory import (
    FIRM_ROW,
    change_of,
    holding_of,
    instrument_row,
    risk_at,
    rule_of,
    scope_of,
)
from hftlib.risk.recovering import GO_ON, HELD, HOLD, held
from hftlib.risk.states import LIMIT, RATE, REFUSED, RISK_TOLD, STATE, move, new_row

DIRECTIVE = record(
    "directive",
    256,
    """
    0    time      int64    when it is given: ns since the epoch, UTC
    8    what      int64    SET_STATE ... SET_PARAMETER
    16   scope     int64    row of the scope; of an instrument, where only that is meant
    24   which     int64    the control; of TELL_RISK 0, 1; of a parameter its place in the state
    32   value     int64    the state, the limit, the risk in money
    40   rate      float64  of TELL_RATE: money of one price unit times one lot
    48   role      int64    of who gives it: PROCESS, TRADER, RISK, OFFICER
    56   second_role int64  of the second person; 0 nobody
    64   outcome   int64    0 done, else why it was refused
    80   who       S32
    112  second    S32      of a parameter its name
    144  why       S64
    """,
)
SET_STATE, SET_LIMIT, TELL_RISK, TELL_RATE, ASK_RISK, DISCONNECT = range(1, 7)
_TOLD = ("state", "limit", "tell risk", "tell rate", "ask risk", "disconnect")
DIRECTIVES = ("", *_TOLD, *HELD, "flatten", "parameter")
SET_PARAMETER, FLOAT = 10, 1 << 32  # told to the engine (`engine/parameters.py`), logged here
NO_SUCH, NO_VALUE, NO_ROOM, NOT_HELD = range(3, 7)
OUTCOMES = (
    "",
    "this role may not do it",
    "it takes two people, of the role risk or higher",
    "there is no such scope, limit or state",
    "the value is none",
    "there is no room to count so many in a window",
    "nothing is held, or somebody has moved it since",
)
DIRECTIVE_BYTES = DIRECTIVE.itemsize
RATE_MAX = 2.0**56  # as in `exposure.MONEY_MAX`: beyond it a lot is worth more than can be
TEXT_BYTES = 128  # who, second and why lie as in a row of the log, from TEXT_AT on

directive_at = jit.record_at(DIRECTIVE)
_COUNT = len(CONTROLS)
# Compiled code that reads a table by number could fail; a number of four bits each cannot.
_HALF, _BITS = 15, 4


def _packed(values: list[int]) -> tuple[int, int]:
    """Small numbers, one for each control, in two whole numbers."""
    halves = (values[:_HALF], values[_HALF:])
    low, high = (sum(one << (_BITS * n) for n, one in enumerate(half)) for half in halves)
    return low, high


_GROUPS = _packed([GROUPS.index(one.group) for one in CONTROLS])
# The ring in which something is counted for a control, and one; 0: nothing is.
_RINGS = _packed(
    [RING_LIMITS.index(one.name) + 1 if one.name in RING_LIMITS else 0 for one in CONTROLS]
)
_GROUPS_LOW, _GROUPS_HIGH = _GROUPS
_RINGS_LOW, _RINGS_HIGH = _RINGS


@jit.inlined
def _of(low: int, high: int, which: int) -> int:
    """What stands in two packed numbers for a control."""
    if which < _HALF:
        return (low >> (_BITS * which)) & 15
    return (high >> (_BITS * (which - _HALF))) & 15


@jit.compiled("int64(int64, int64)")
def directed(base: int, address: int) -> int:
    """Do what a directive says, if whoever gives it may: 0, or why not."""
    told = directive_at(address)
    risk = risk_at(base)
    outcome = NO_SUCH
    row = 0
    if told.what == TELL_RATE:
        if 0 <= told.scope < risk.instruments:
            outcome = may_tell(told)
            if outcome == 0 and not 0.0 < told.rate < RATE_MAX:
                outcome = NO_VALUE
            if outcome == 0:
                row = _rated(base, told)
    elif 0 <= told.scope < risk.scopes:
        if told.what == SET_STATE:
            outcome = _may_move(scope_of(base, told.scope), told, address)
            if outcome == 0:
                reason = orders.BY_WATCHDOG if told.role == PROCESS else orders.BY_PERSON
                row = move(base, told.scope, told.value, told.time, reason, 0, 0)
                if row == 0:
                    row = _said_again(base, told, reason)
                elif told.value == ACTIVE:
                    _forgive(base, told.scope)
        elif told.what == SET_LIMIT:
            outcome = _may_limit(scope_of(base, told.scope), told, address)
            if outcome == 0:
                row = _limited(base, told)
        elif told.what == TELL_RISK:
            outcome = may_tell(told)
            if outcome == 0 and not 0 <= told.value <= NO_LIMIT:
                outcome = NO_VALUE
            elif outcome == 0 and not 0 <= told.which <= 1:
                outcome = NO_SUCH
            if outcome == 0:
                row = _risk_told(base, told)
        elif told.what == FLATTEN:
            outcome = may_flatten(scope_of(base, told.scope), told, address)
            if outcome == 0:
                row = flattened(base, told)
        elif told.what in (HOLD, GO_ON) and told.role == PROCESS:
            row = held(base, told)
            outcome = NOT_HELD if row == 0 and told.what == GO_ON else 0
    return concluded(base, address, row, outcome)


@jit.compiled()
def concluded(base: int, address: int, row: int, outcome: int) -> int:
    """What became of a directive, in it and in the log; `row`: that of what was done."""
    told, risk = directive_at(address), risk_at(base)
    if outcome != 0:
        scope = told.scope if 0 <= told.scope < risk.scopes and told.what != TELL_RATE else 0
        row = new_row(base, told.time, REFUSED, scope)
        last = change_of(base, _last(base))
        last.which, last.after, last.reason = told.which, told.value, outcome
    if row != 0:
        jit.copy_words(row + TEXT_AT, address + TEXT_AT, TEXT_BYTES)
    told.outcome = outcome
    return outcome


@jit.inlined
def _last(base: int) -> int:
    risk = risk_at(base)
    return min(risk.changes, risk.changes_max) - 1


@jit.inlined
def _may_move(scope: Any, told: Any, address: int) -> int:
    if not ACTIVE <= told.value <= HALTED:
        return NO_SUCH
    if told.role == 0:
        return NOT_ALLOWED
    return 0 if told.value >= scope.state else authority(scope, told, address)


@jit.compiled()
def _said_again(base: int, told: Any, reason: int) -> int:
    """It is in this state already: who said so stands in the log all the same, and no more."""
    address = new_row(base, told.time, STATE, told.scope)
    row = change_of(base, _last(base))
    row.before, row.after, row.reason = told.value, told.value, reason
    if scope_of(base, told.scope).held_from != 0:  # no longer only because of a restart
        scope_of(base, told.scope).held_from, scope_of(base, told.scope).why = 0, reason
    return address


@jit.compiled()
def _forgive(base: int, row: int) -> None:
    """A scope that a person made active again begins anew: its rates, its best moment."""
    scope = scope_of(base, row)
    scope.peak = profit(scope)
    if scope.level == INSTRUMENT:
        firm = holding_of(base, FIRM_ROW, row - instrument_row(base, 0))
        scope.peak = firm.flow + firm.worth
    scope.ended, scope.filled_bits, scope.rejected_bits = 0, 0, 0
    scope.slipped, scope.slippage = 0, 0
    scope.ring_tail[3] = 0
    scope.ring_tail[4] = 0
    scope.window_began = 0


@jit.inlined
def _may_limit(scope: Any, told: Any, address: int) -> int:
    if not 0 <= told.which < _COUNT:
        return NO_SUCH
    if not 0 <= told.value <= NO_LIMIT:
        return NO_VALUE
    ring = _of(_RINGS_LOW, _RINGS_HIGH, told.which) - 1
    if ring >= 0 and told.value < NO_LIMIT:
        # Nothing is counted for a limit of none, but the breaker sees how far beyond it goes.
        times = max(2, -(-scope.windows[controls.HALT_AT] // 100))
        counted = times * told.value + 2
        if told.value == 0 and told.which != controls.MESSAGE_RATE:
            counted = 0
        if counted > scope.ring_mask[ring] + 1:
            return NO_ROOM
    if _tighter(told.which, scope.limits[told.which], told.value):
        return 0 if told.role >= TRADER else NOT_ALLOWED
    return authority(scope, told, address)


@jit.inlined
def _tighter(which: int, before: int, after: int) -> bool:
    """Whether a limit allows no more than before."""
    if which == controls.FILL_RATE:
        return after >= before
    if which == controls.DUPLICATE:  # the longer, the tighter; without a limit: not at all
        return before == NO_LIMIT or before <= after < NO_LIMIT
    return after <= before


@jit.compiled()
def _limited(base: int, told: Any) -> int:
    scope = scope_of(base, told.scope)
    address = new_row(base, told.time, LIMIT, told.scope)
    row = change_of(base, _last(base))
    row.which, row.before, row.after = told.which, scope.limits[told.which], told.value
    scope.limits[told.which] = told.value
    bit = 1 << _of(_GROUPS_LOW, _GROUPS_HIGH, told.which)
    scope.groups |= bit
    risk = risk_at(base)
    risk.groups |= bit
    if bit == G_MONEY and told.scope <= risk.portfolios + risk.strategies:
        scope.keeps = 1
    elif bit == G_MONEY:
        scope_of(base, 0).keeps = 1  # an instrument's holding is the firm's
    risk.marks = 1
    revalue_all(base)
    return address


@jit.compiled()
def _risk_told(base: int, told: Any) -> int:
    scope = scope_of(base, told.scope)
    address = new_row(base, told.time, RISK_TOLD, told.scope)
    row = change_of(base, _last(base))
    row.which, row.after = told.which, told.value
    if told.which == 0:
        row.before, scope.value_at_risk = scope.value_at_risk, told.value
    else:
        row.before, scope.shortfall = scope.shortfall, told.value
    return address


@jit.compiled()
def _rated(base: int, told: Any) -> int:
    address = new_row(base, told.time, RATE, 0)
    row = change_of(base, _last(base))
    row.which = told.scope
    rule_of(base, told.scope).factor = told.rate
    revalue_all(base)
    return address
