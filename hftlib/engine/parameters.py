"""Another value of a strategy's parameter while it trades: an event like any other directive.

    set_parameter(base, address)     a DIRECTIVE: the strategy's scope, the place in its state, the
                                     eight bytes; 0, or why it is refused

It holds from the strategy's next callback on. Whether the class allows the value is known to who
tells it (`Strategy.parameter`); here it is only seen that the place is one of this state, and that
the role RISK or higher says so: other parameters are other orders, within the same limits.

Worst case: what a strategy worked out of a parameter in `on_start` stays as it is.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.engine.memory import context_address, context_at, risk_base
from hftlib.engine.seats import after, first_of
from hftlib.risk.authority import NOT_ALLOWED, RISK
from hftlib.risk.directives import FLOAT, NO_SUCH, concluded, directive_at
from hftlib.risk.memory import change_of, risk_at, strategy_row
from hftlib.risk.states import PARAMETER, new_row
from hftlib.strategy.abi import STATE

STATE_BYTES = STATE.itemsize


@jit.compiled()
def set_parameter(base: int, address: int) -> int:
    """Write it, if whoever tells it may."""
    told, here = directive_at(address), risk_base(base)
    place = told.which & (FLOAT - 1)
    outcome, row, seat = NO_SUCH, 0, first_of(base)
    while seat != 0:
        context = context_at(context_address(seat))
        inside = STATE_BYTES <= place <= context.state_bytes - 8 and place % 8 == 0
        if told.scope == strategy_row(here, context.strategy) and inside:
            outcome = 0 if told.role >= RISK else NOT_ALLOWED
            if outcome == 0:
                at = context_address(seat) + context.state_at + place
                row = new_row(here, told.time, PARAMETER, told.scope)
                last = change_of(here, min(risk_at(here).changes, risk_at(here).changes_max) - 1)
                last.which, last.before, last.after = told.which, jit.load_i64(at), told.value
                jit.store_i64(at, told.value)
        seat = after(seat)
    return concluded(here, address, row, outcome)
