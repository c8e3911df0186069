"""What the exchange itself does: states, bands, crosses, cancels of many, broken trades.

    closed ─▶ auction ─▶ trading ─▶ halted or paused ─▶ auction ─▶ trading ─▶ closed
              orders gather;  CROSS   only cancels       orders gather;  CROSS

A symbol comes to trading by a cross, or by command if its bids and asks do not cross. Bands bound
what may trade: what would trade or stand beyond them is taken off. A cancel of many goes session by
session, an order entered earlier before a later one.

Worst case: a cancel of many goes through all orders of the sessions asked for.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.matching.crossing import cross_now, indicate, is_crossed
from hftlib.venue.matching.ending import cancel
from hftlib.venue.matching.entering import rejected
from hftlib.venue.matching.expiring import earliest
from hftlib.venue.matching.queues import watch
from hftlib.venue.matching.reasons import (
    BAD_CROSS,
    BAD_PRICE,
    BAD_STATE,
    CUT_OFF,
    DAY_OVER,
    EXCHANGE,
    IS_CROSSED,
    MASS,
    NO_FIRM,
    NO_SYMBOL,
    NO_TRADE,
    TIME_OVER,
)
from hftlib.venue.matching.records import (
    ALL,
    AUCTION,
    BANDS,
    BREAKING,
    BROKEN,
    COLLAR,
    DAY,
    DISABLE,
    DISABLED,
    ENABLED,
    EVENT_TOLD,
    HALT,
    MASS_CANCELLED,
    OF_ALL,
    PAUSED,
    PRICE_MAX,
    REOPENING,
    STATE,
    SYSTEM_TOLD,
    TELL,
    TRADING,
)
from hftlib.venue.matching.tables import (
    engine_of,
    firm_of,
    own_of,
    report_at,
    session_of,
    symbol_of,
    tick_at,
    trade_of,
)
from hftlib.venue.matching.telling import blank, of_command

BPS = 10_000
_MARKET_OVER, _SYSTEM_OVER = ord("M"), ord("E")


@jit.once
def expire(base: int) -> None:
    """Orders whose time is over."""
    engine = engine_of(base)
    while engine.next_expiry <= engine.time:
        cancel(base, earliest(base), TIME_OVER)


@jit.once
def set_state(base: int, command: Any) -> None:
    engine = engine_of(base)
    if command.symbol != ALL and command.symbol >= engine.symbols:
        rejected(base, NO_SYMBOL, command)
    elif command.state > PAUSED:
        rejected(base, BAD_STATE, command)
    elif command.symbol != ALL:
        _set_one(base, command.symbol, command)
    else:
        for number in range(engine.symbols):
            _set_one(base, number, command)


@jit.inlined
def _set_one(base: int, number: int, command: Any) -> None:
    if command.state == TRADING and is_crossed(base, number):
        rejected(base, IS_CROSSED, command)
    else:
        enter_state(base, number, command.state, command.reason)


@jit.once
def enter_state(base: int, number: int, state: int, why: int) -> None:
    """The one door to a symbol's state."""
    symbol = symbol_of(base, number)
    symbol.state = state
    watch(base, number)
    report = report_at(blank(base, STATE, 0))
    report.symbol = number
    report.state = state
    report.extra = why
    report.public = HALT


@jit.once
def set_bands(base: int, command: Any) -> None:
    """Prices so far from the reference may trade; nothing said: any."""
    if command.symbol >= engine_of(base).symbols:
        rejected(base, NO_SYMBOL, command)
        return
    if not 0 <= command.price <= PRICE_MAX or command.bps > BPS:
        rejected(base, BAD_PRICE, command)
        return
    symbol = symbol_of(base, command.symbol)
    symbol.lower, symbol.upper = 0, PRICE_MAX
    if command.price != 0:
        symbol.reference = command.price
    if command.price != 0 and command.bps != 0:
        low = command.price * (BPS - command.bps) // BPS
        high = command.price * (BPS + command.bps) // BPS
        # Inwards to the grid: a price beyond the bands is none of theirs.
        symbol.lower = -(-low // tick_at(symbol, low)) * tick_at(symbol, low)
        symbol.upper = min(high // tick_at(symbol, high) * tick_at(symbol, high), PRICE_MAX)
    symbol.pegging = -1
    watch(base, command.symbol)
    report = report_at(blank(base, BANDS, 0))
    report.symbol = command.symbol
    report.price = command.price
    report.quantity = symbol.upper
    report.open = symbol.lower
    report.extra = command.bps
    told = symbol.state != TRADING or command.flags & TELL != 0
    report.public = COLLAR if told else 0


@jit.once
def cross_or_indicate(base: int, command: Any, happens: int) -> None:
    """CROSS from an auction or from trading, INDICATE from any state."""
    if command.symbol >= engine_of(base).symbols:
        rejected(base, NO_SYMBOL, command)
        return
    state = symbol_of(base, command.symbol).state
    if not 0 < command.cross <= REOPENING:
        rejected(base, BAD_CROSS, command)
    elif not 0 <= command.price <= PRICE_MAX:
        rejected(base, BAD_PRICE, command)
    elif happens == 0:
        indicate(base, command.symbol, command.cross, command.price)
    elif (state != AUCTION and state != TRADING) or command.state > PAUSED:
        rejected(base, BAD_STATE, command)
    else:
        cross_now(base, command.symbol, command.cross, command.price)
        enter_state(base, command.symbol, command.state, command.reason)


@jit.once
def break_trade(base: int, command: Any) -> None:
    """Both owners hear that a trade never was; the public hears it once."""
    engine = engine_of(base)
    trade = trade_of(base, command.match & engine.trade_mask)
    if command.match <= 0 or trade.match != command.match or trade.broken != 0:
        rejected(base, NO_TRADE, command)
        return
    trade.broken = 1
    for side in range(2):
        report = report_at(blank(base, BROKEN, EXCHANGE))
        report.other = trade.match
        report.price = trade.price
        report.quantity = trade.quantity
        report.symbol = trade.symbol
        report.urn = trade.urn_taker if side == 0 else trade.urn
        report.session = trade.session_taker if side == 0 else trade.session
        report.firm = trade.firm_taker if side == 0 else trade.firm
        report.side = trade.side_taker if side == 0 else trade.side
        report.public = BREAKING if side == 0 else 0


@jit.once
def cancel_many(base: int, session: int, firm: int, symbol: int, lasts: int, reason: int) -> int:
    """All orders of a session (0: of any), firm (0), symbol (ALL), time in force (0); how many."""
    engine = engine_of(base)
    first, last = (session, session) if session != 0 else (1, engine.sessions)
    count = 0
    for number in range(first, last + 1):
        n = session_of(base, number).first
        while n != 0:
            own = own_of(base, n)
            after = own.after
            if (
                (firm == 0 or own.firm == firm)
                and (symbol == ALL or own.symbol == symbol)
                and (lasts == 0 or own.lasts == lasts)
            ):
                cancel(base, n, reason)
                count += 1
            n = after
    return count


@jit.once
def mass_cancel(base: int, command: Any, reason: int) -> None:
    engine = engine_of(base)
    of_all = command.flags & OF_ALL != 0  # of a firm, whichever session they came by
    if command.firm > engine.firms or (of_all and command.firm == 0):
        rejected(base, NO_FIRM, command)
        return
    if command.symbol != ALL and command.symbol >= engine.symbols:
        rejected(base, NO_SYMBOL, command)
        return
    whose = 0 if of_all else command.session
    count = cancel_many(base, whose, command.firm, command.symbol, 0, reason)
    report_at(of_command(base, MASS_CANCELLED, reason, command)).quantity = count


@jit.inlined
def mass_reason(session: int) -> int:
    return MASS if session != 0 else EXCHANGE


@jit.once
def disconnect(base: int, command: Any) -> None:
    """A session was cut off: all its orders are cancelled."""
    count = cancel_many(base, command.session, 0, ALL, 0, CUT_OFF)
    report_at(of_command(base, MASS_CANCELLED, CUT_OFF, command)).quantity = count


@jit.once
def disable_or_enable(base: int, command: Any) -> None:
    """Whether a firm may enter and replace; what stands, stands."""
    if not 0 < command.firm <= engine_of(base).firms:
        rejected(base, NO_FIRM, command)
        return
    off = command.kind == DISABLE
    firm_of(base, command.firm).disabled = 1 if off else 0
    of_command(base, DISABLED if off else ENABLED, 0, command)


@jit.once
def system_event(base: int, command: Any) -> None:
    """Told to the public; M ends what lasts for the day, E ends everything."""
    report = report_at(blank(base, SYSTEM_TOLD, 0))
    report.extra = command.letter
    report.public = EVENT_TOLD
    if command.letter == _MARKET_OVER:
        cancel_many(base, 0, 0, ALL, DAY, DAY_OVER)
    elif command.letter == _SYSTEM_OVER:
        cancel_many(base, 0, 0, ALL, 0, DAY_OVER)
