"""What is wrong with an order's terms, before anything is done with it.

The first thing that is wrong is the reason, in the order in which they stand here: who, what,
how much, at which price, how. Then the symbol's state, and room.

Worst case: an order that may only add looks at both best levels of the other side.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.matching.reasons import (
    BAD_CROSS,
    BAD_DISPLAY,
    BAD_LASTING,
    BAD_MINIMUM,
    BAD_PREVENTION,
    BAD_PRICE,
    BAD_QUANTITY,
    BAD_STYLE,
    BAD_TRIGGER,
    FIRM_DISABLED,
    IS_HALTED,
    NO_FIRM,
    NO_ROOM,
    NO_SIDE,
    NO_SYMBOL,
    NOT_OPEN,
    NOT_TRADING,
    OFF_GRID,
    WOULD_TAKE,
)
from hftlib.venue.matching.records import (
    ATTRIBUTED,
    AUCTION,
    BUY,
    CLOSED,
    DAY,
    DECREMENT,
    EXEMPT,
    GTT,
    GTX,
    HIDDEN,
    IOC,
    MARKET,
    PEG_MID,
    PLAIN,
    POST_ONLY,
    PRICE_MAX,
    QUANTITY_MAX,
    REOPENING,
    SHOWN,
    STOP,
    TRADING,
)
from hftlib.venue.matching.tables import engine_of, firm_of, symbol_of, tick_at
from hftlib.venue.matching.taking import would_take


@jit.once
def refusal(base: int, command: Any) -> int:
    """Why an ENTER is refused; 0: it is not. Its session is known."""
    engine = engine_of(base)
    if not 0 < command.firm <= engine.firms:
        return NO_FIRM
    if command.symbol >= engine.symbols:
        return NO_SYMBOL
    if not BUY <= command.side <= EXEMPT:
        return NO_SIDE
    if not PLAIN <= command.style <= PEG_MID:
        return BAD_STYLE
    if command.cross > REOPENING:
        return BAD_CROSS
    if command.prevention > DECREMENT:
        return BAD_PREVENTION
    if engine.live == engine.orders_max:
        return NO_ROOM
    return refused_terms(
        base,
        command,
        command.firm,
        command.symbol,
        command.side,
        command.style,
        command.cross,
    )


@jit.once
def refused_terms(
    base: int, command: Any, firm: int, symbol_number: int, side: int, style: int, cross: int
) -> int:
    """Why an order of these terms is refused, new or in the place of another; 0: it is not."""
    symbol = symbol_of(base, symbol_number)
    if firm_of(base, firm).disabled != 0:
        return FIRM_DISABLED
    if not 0 < command.quantity < QUANTITY_MAX:
        return BAD_QUANTITY
    if command.price != MARKET:
        if not 0 < command.price <= PRICE_MAX:
            return BAD_PRICE
        if command.price % tick_at(symbol, command.price) != 0:
            return OFF_GRID
    if not DAY <= command.lasts <= GTX:
        return BAD_LASTING
    if command.lasts == GTT and command.expire <= engine_of(base).time:
        return BAD_LASTING
    if not SHOWN <= command.shows <= ATTRIBUTED:
        return BAD_DISPLAY
    if command.display != 0 and (
        not 0 < command.display < QUANTITY_MAX or command.shows == HIDDEN or style > STOP
    ):
        return BAD_DISPLAY
    reason = _refused_style(command, style, cross)
    if reason != 0:
        return reason
    if symbol.state != TRADING:
        return _refused_state(symbol.state, command, style, cross)
    if command.flags & POST_ONLY != 0 and would_take(base, symbol_number, side, command.price):
        return WOULD_TAKE
    return 0


@jit.inlined
def _refused_style(command: Any, style: int, cross: int) -> int:
    """Terms that do not go together."""
    if style == STOP and not 0 < command.trigger <= PRICE_MAX:
        return BAD_TRIGGER
    if style > STOP and command.shows != HIDDEN:
        return BAD_DISPLAY
    if style > STOP and not -PRICE_MAX <= command.offset <= PRICE_MAX:
        return BAD_PRICE
    if style == STOP and command.lasts == IOC:
        return BAD_LASTING
    if cross != 0 and (style != PLAIN or command.display != 0):
        return BAD_CROSS
    if cross != 0 and command.lasts != DAY:
        return BAD_LASTING
    if command.flags & POST_ONLY != 0 and (
        style != PLAIN or cross != 0 or command.lasts == IOC or command.price == MARKET
    ):
        return BAD_STYLE
    if command.minimum != 0 and (
        not 0 < command.minimum <= command.quantity
        or style != PLAIN
        or cross != 0
        or command.flags & POST_ONLY != 0
    ):
        return BAD_MINIMUM
    return 0


@jit.inlined
def _refused_state(state: int, command: Any, style: int, cross: int) -> int:
    """Where nothing trades."""
    if state == CLOSED:
        return NOT_OPEN
    if state != AUCTION:
        return IS_HALTED
    at_once = command.lasts == IOC or command.minimum != 0
    if at_once or (command.price == MARKET and cross == 0 and style == PLAIN):
        return NOT_TRADING
    return 0
