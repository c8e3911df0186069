"""One runner takes over from another: what that one held, into this one's memory, by one frame.

    CARRIED, positions, scopes, then a row for each, all int64:

    seat, instrument, quantity, cash, fees, bought, sold, fills, cost        of each position
    row of risk, state, best profit                                          of each scope

The frame is a CONNECTED longer than a word. Execution has the positions from there on as if it had
booked the fills itself; risk follows as after any fill, so limits of positions, of losses and of
drawdown hold across the switch. A scope gets no state lower than it has; what the firm had before
it was held it has again once it goes on (`risk/recovering.py`).

Worst case: a row for each instrument of each strategy; a frame that names what is not there faults.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.orders import BY_RECOVERY
from hftlib.engine.counted import count
from hftlib.engine.live.memory import NO_SUCH_FRAME, live_at
from hftlib.engine.memory import execution_base, risk_base, session_at
from hftlib.engine.seats import after, first_of
from hftlib.execution.memory import position_of
from hftlib.risk.controls import HALTED
from hftlib.risk.memory import FIRM_ROW, holding_of, risk_at, scope_of, strategy_row
from hftlib.risk.states import move

HEAD_WORDS, POSITION_WORDS, SCOPE_WORDS = 3, 9, 3
TOOK_OVER = 2  # of LIVE's `begun`
_WORD = 8


@jit.compiled()
def carried(live: int, address: int, length: int) -> None:
    """What another runner held is ours from here on."""
    header = live_at(live)
    positions, scopes = jit.load_i64(address + _WORD), jit.load_i64(address + 2 * _WORD)
    words = length // _WORD
    fits = 0 <= positions <= words and 0 <= scopes <= words
    if not fits or length != _WORD * (
        HEAD_WORDS + POSITION_WORDS * positions + SCOPE_WORDS * scopes
    ):
        header.fault = NO_SUCH_FRAME
        return
    here = address + HEAD_WORDS * _WORD
    for _ in range(positions):
        if not _position(header.session, here):
            header.fault = NO_SUCH_FRAME
            return
        here += POSITION_WORDS * _WORD
    for _ in range(scopes):
        if not _scope(risk_base(header.session), here, header.now):
            header.fault = NO_SUCH_FRAME
            return
        here += SCOPE_WORDS * _WORD
    header.begun = TOOK_OVER


@jit.compiled()
def _position(base: int, row: int) -> bool:
    """One of them; whether there is such a strategy and such an instrument."""
    number, instrument = jit.load_i64(row), jit.load_i64(row + _WORD)
    seat = first_of(base)
    for _ in range(number):
        seat = after(seat) if seat != 0 else 0
    if number < 0 or seat == 0 or not 0 <= instrument < session_at(seat).instruments:
        return False
    position = position_of(execution_base(seat), instrument)
    position.quantity += jit.load_i64(row + 2 * _WORD)
    position.cash += jit.load_i64(row + 3 * _WORD)
    position.fees += jit.load_i64(row + 4 * _WORD)
    position.bought += jit.load_i64(row + 5 * _WORD)
    position.sold += jit.load_i64(row + 6 * _WORD)
    position.fills += jit.load_i64(row + 7 * _WORD)
    risk = risk_base(seat)
    holding_of(risk, strategy_row(risk, number), instrument).cost += jit.load_i64(row + 8 * _WORD)
    count(seat, instrument)
    return True


@jit.compiled()
def _scope(base: int, row: int, now: int) -> bool:
    """A state and the best profit of one; whether there is such a scope."""
    number, state, peak = (
        jit.load_i64(row),
        jit.load_i64(row + _WORD),
        jit.load_i64(row + 2 * _WORD),
    )
    if not 0 <= number < risk_at(base).scopes or not 0 <= state <= HALTED:
        return False
    scope = scope_of(base, number)
    scope.peak = max(scope.peak, peak)
    if number == FIRM_ROW and scope.held_from != 0:
        scope.held_from = max(scope.held_from, state + 1)
    elif state > scope.state:
        move(base, number, state, now, BY_RECOVERY, 0, 0)
    return True
