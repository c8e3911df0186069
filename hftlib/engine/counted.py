"""Risk counts what execution holds: after every change of a position or of what is open.

Worst case: three scopes above an instrument, some nanoseconds each.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.engine.memory import context_address, context_at, execution_base, risk_base
from hftlib.execution.memory import position_of
from hftlib.risk.exposure import follow


@jit.inlined
def count(base: int, instrument: int) -> None:
    """Bring every scope's holding of an instrument up to what execution says."""
    strategy = context_at(context_address(base)).strategy
    follow(risk_base(base), strategy, instrument, position_of(execution_base(base), instrument))
