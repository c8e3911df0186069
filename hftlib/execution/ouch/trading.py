"""Executions of a venue as fills, and those it takes back.

Worst case: a trade that is broken after many others is no longer known here; the report goes out
all the same, and the orders' own room, which remembers more of them, takes it back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit, orders
from hftlib.core.orders import TAKER
from hftlib.core.ouch.codes import LIQUIDITY
from hftlib.core.ouch.messages import OUTBOUND
from hftlib.execution.ouch import memory as m
from hftlib.execution.ouch.memory import gateway_at, trade_of
from hftlib.execution.ouch.reporting import end_replace, forget, is_over, tell

_executed_at = jit.record_at(OUTBOUND["E"].dtype)
_broken_at = jit.record_at(OUTBOUND["B"].dtype)
_takes = np.zeros(256, np.int64)
for _letter, (_, _is_taker) in LIQUIDITY.items():
    _takes[ord(_letter)] = TAKER if _is_taker else 0


@jit.compiled()
def executed(
    base: int, working: Any, is_there: bool, command: Any, number: int, time: int, received: int
) -> None:
    said = _executed_at(base + m.RECORD_AT)
    flags = _takes[said.liquidity]
    tell(
        base,
        orders.FILLED,
        command,
        said.match,
        said.price,
        said.quantity,
        flags,
        number,
        time,
        received,
    )
    if not is_there:
        gateway_at(base).late += 1
        return
    gateway = gateway_at(base)
    trade = trade_of(base, gateway.trades)
    trade.match, trade.order, trade.quantity = said.match, command.order, said.quantity
    gateway.trades += 1
    working.filled += said.quantity
    if is_over(working):
        end_replace(base, working, number, time, received)
        forget(working)


@jit.compiled()
def broken(
    base: int, working: Any, is_there: bool, command: Any, number: int, time: int, received: int
) -> None:
    """A fill is taken back; the order does not get these shares again, here or in `life.py`."""
    gateway, match = gateway_at(base), _broken_at(base + m.RECORD_AT).match
    tell(base, orders.BROKEN, command, match, 0, 0, 0, number, time, received)
    if is_there:
        for n in range(max(0, gateway.trades - gateway.trade_mask - 1), gateway.trades):
            trade = trade_of(base, n)
            if trade.match == match and trade.order == command.order:
                working.filled -= trade.quantity
                working.asked -= trade.quantity
                trade.order = 0
