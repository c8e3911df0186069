"""Taking orders back: one, those of a side, of an instrument, or all.

A cancel lowers the risk, so no limit is asked. What a quote wants on a side that is taken back is
forgotten, or it would be sent again at the next answer.

Worst case: a walk along all open orders.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import jit
from hftlib.core.events import BUY, NO_SIDE, SELL
from hftlib.engine.counted import count
from hftlib.engine.memory import execution_base, session_at
from hftlib.execution.memory import order_of, position_of, slot_of
from hftlib.execution.sending import send_cancel


@jit.compiled()
def take_back(base: int, number: int) -> int:
    """Cancel an order: 0, or minus the reason."""
    execution = execution_base(base)
    instrument = order_of(execution, slot_of(execution, number)).instrument
    done = send_cancel(execution, session_at(base).time, number)
    count(base, instrument)  # one that waited is over at once
    return done


@jit.compiled()
def take_back_all(base: int, instrument: int) -> int:
    """Cancel every open order of an instrument, or of all (-1): how many were asked for."""
    session = session_at(base)
    if instrument >= 0:
        return _take_back_of(base, instrument, NO_SIDE) if instrument < session.instruments else 0
    asked = 0
    for one in range(session.instruments):
        asked += _take_back_of(base, one, NO_SIDE)
    return asked


@jit.compiled()
def take_back_side(base: int, instrument: int, side: int) -> int:
    """Cancel what is open on a side, or on both (NO_SIDE), and want no quote there any more."""
    position = position_of(execution_base(base), instrument)
    if side != SELL:
        forget(position, BUY)
    if side != BUY:
        forget(position, SELL)
    return _take_back_of(base, instrument, side)


@jit.compiled()
def _take_back_of(base: int, instrument: int, side: int) -> int:
    execution = execution_base(base)
    slot = position_of(execution, instrument).first_open
    asked = 0
    while slot != 0:
        order = order_of(execution, slot)
        slot = order.next
        meant = side == NO_SIDE or order.side == side
        if meant and send_cancel(execution, session_at(base).time, order.id) == 0:
            asked += 1
    count(base, instrument)
    return asked


@jit.compiled()
def forget_order(base: int, number: int) -> None:
    """The strategy takes back an order by itself: if it is a quote's, its side is not wanted."""
    execution = execution_base(base)
    slot = slot_of(execution, number)
    if slot == 0:
        return
    position = position_of(execution, order_of(execution, slot).instrument)
    if number == position.quote_bid:
        forget(position, BUY)
    elif number == position.quote_ask:
        forget(position, SELL)


@jit.compiled()
def forget_all(base: int, instrument: int) -> None:
    """The same for every order of an instrument, or of all (-1)."""
    for one in range(session_at(base).instruments):
        if instrument < 0 or one == instrument:
            position = position_of(execution_base(base), one)
            forget(position, BUY)
            forget(position, SELL)


@jit.inlined
def forget(position: Any, side: int) -> None:
    if side == BUY:
        position.want_bid = NO_PRICE
    else:
        position.want_ask = NO_PRICE
