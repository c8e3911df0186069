"""Circuit breakers: what happened, not what is asked for, moves a scope's state.

    filled     executions, slippage, the loss of one trade      after each fill
    ended      fill rate, reject rate                           after each order's end
    marked     loss, drawdown, volatility                       after each change of a price
    attempted  message rate                                     before each order is asked about

Rates look at the last 60 orders that ended, as bits of one number, and speak once there were
twenty; slippage is an average in which a fill counts 1/16, once there were eight.

Worst case: a breaker acts at the next event it sees, so one fill may carry a loss beyond its limit.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY
from hftlib.risk import controls
from hftlib.risk.controls import (
    EXECUTIONS_WINDOW,
    G_BREAK,
    HALTED,
    MESSAGES_WINDOW,
    MS,
    NO_LIMIT,
    REDUCING,
    VOLATILITY_WINDOW,
)
from hftlib.risk.exposure import money, profit, revalue
from hftlib.risk.memory import (
    FIRM_ROW,
    R_ATTEMPTS,
    R_EXECUTIONS,
    holding_of,
    instrument_row,
    risk_at,
    rule_of,
    scope_of,
    strategy_row,
)
from hftlib.risk.states import broke, move
from hftlib.risk.windows import count_within, noted, too_many

RATE_LEAST = 20  # orders that ended before rates speak
RATE_BITS = 60
RATE_MASK = 2**RATE_BITS - 1
SLIPPED_LEAST = 8
SLIPPED_SHARE = 16
BPS_HUNDREDTHS = 1_000_000


@jit.inlined
def _parent(base: int, row: int) -> int:
    return scope_of(base, row).parent


@jit.compiled()
def filled(base: int, strategy: int, fill: Any) -> None:
    """A fill of ours, of an order sent when twice the middle was `fill.sent_mid`."""
    lost = _cost(base, strategy, fill)  # kept always: the limit may be set later
    if risk_at(base).groups & G_BREAK == 0:
        return
    _filled_in(base, instrument_row(base, fill.instrument), fill, lost)
    row = strategy_row(base, strategy)
    while True:
        _filled_in(base, row, fill, lost)
        if row == FIRM_ROW:
            return
        row = _parent(base, row)


@jit.compiled()
def _cost(base: int, strategy: int, fill: Any) -> int:
    """The average cost goes on: the money that this fill lost against it, 0 where it gained."""
    holding = holding_of(base, strategy_row(base, strategy), fill.instrument)
    signed = fill.quantity if fill.side == BUY else -fill.quantity
    before = fill.position - signed
    lost = 0
    closed = 0
    if before == 0:
        holding.cost = 0  # what broken trades or roundings left behind cost nothing
    if before != 0 and (before > 0) != (signed > 0):
        closed = min(abs(before), abs(signed))
        basis = holding.cost * closed // abs(before)
        got = fill.price * closed
        gain = got - basis if before > 0 else basis - got
        lost = money((fill.fee - gain) * rule_of(base, fill.instrument).factor)
        holding.cost -= basis
    holding.cost += fill.price * (abs(signed) - closed)
    return max(0, lost)


@jit.compiled()
def _filled_in(base: int, row: int, fill: Any, lost: int) -> None:
    scope = scope_of(base, row)
    if scope.groups & G_BREAK == 0:
        return
    now = fill.received
    most = scope.limits[controls.EXECUTIONS]
    if most != NO_LIMIT:
        window = scope.windows[EXECUTIONS_WINDOW] * MS
        if too_many(base, scope, R_EXECUTIONS, most, window, now) and scope.state != HALTED:
            move(base, row, HALTED, now, orders.TOO_MANY_EXECUTIONS, most, most + 1)
        noted(base, scope, R_EXECUTIONS, now)
    most = scope.limits[controls.TRADE_LOSS]
    if lost > most:
        broke(base, row, now, orders.TRADE_LOSS, most, lost)
    most = scope.limits[controls.SLIPPAGE]
    if most != NO_LIMIT and fill.sent_mid > 0:
        away = 2 * fill.price - fill.sent_mid
        slip = (away if fill.side == BUY else -away) * BPS_HUNDREDTHS // fill.sent_mid
        scope.slipped += 1
        share = min(scope.slipped, SLIPPED_SHARE)
        scope.slippage += (slip - scope.slippage) // share
        if scope.slipped >= SLIPPED_LEAST and scope.slippage > most * 100:
            broke(base, row, now, orders.SLIPPAGE, most, -(-scope.slippage // 100))


@jit.compiled()
def ended(
    base: int, strategy: int, instrument: int, was_filled: int, rejected: int, now: int
) -> None:
    """An order of ours is over: it was filled at least in part, or the venue rejected it."""
    if risk_at(base).groups & G_BREAK == 0:
        return
    _ended_in(base, instrument_row(base, instrument), was_filled, rejected, now)
    row = strategy_row(base, strategy)
    while True:
        _ended_in(base, row, was_filled, rejected, now)
        if row == FIRM_ROW:
            return
        row = _parent(base, row)


@jit.compiled()
def _ended_in(base: int, row: int, was_filled: int, rejected: int, now: int) -> None:
    scope = scope_of(base, row)
    if scope.groups & G_BREAK == 0:
        return
    scope.ended += 1
    scope.filled_bits = ((scope.filled_bits << 1) | was_filled) & RATE_MASK
    scope.rejected_bits = ((scope.rejected_bits << 1) | rejected) & RATE_MASK
    count = min(scope.ended, RATE_BITS)
    if count < RATE_LEAST:
        return
    least = scope.limits[controls.FILL_RATE]
    rate = 100 * _ones(scope.filled_bits) // count
    if rate < least and scope.state < REDUCING:
        move(base, row, REDUCING, now, orders.FILL_RATE, least, rate)
    most = scope.limits[controls.REJECT_RATE]
    if most != NO_LIMIT:
        rejects = _ones(scope.rejected_bits)
        if 100 * rejects > most * count:
            broke(base, row, now, orders.REJECT_RATE, most, -(-100 * rejects // count))


@jit.inlined
def _ones(bits: int) -> int:
    """How many bits are set."""
    count = 0
    while bits != 0:
        bits = bits & (bits - 1)
        count += 1
    return count


@jit.compiled()
def marked(base: int, instrument: int, now: int) -> None:
    """The mark of an instrument moved: what is held of it is worth something else."""
    revalue(base, instrument)
    risk = risk_at(base)
    if risk.groups & G_BREAK == 0:
        return
    firm = holding_of(base, FIRM_ROW, instrument)
    row = instrument_row(base, instrument)
    _lost(base, row, firm.flow + firm.worth, now)
    for scope_row in range(1 + risk.portfolios + risk.strategies):
        _lost(base, scope_row, profit(scope_of(base, scope_row)), now)


@jit.inlined
def _lost(base: int, row: int, gain: int, now: int) -> None:
    scope = scope_of(base, row)
    if scope.groups & G_BREAK == 0:
        return
    scope.peak = max(scope.peak, gain)
    if -gain > scope.limits[controls.LOSS]:
        broke(base, row, now, orders.LOSS, scope.limits[controls.LOSS], -gain)
    if scope.peak - gain > scope.limits[controls.DRAWDOWN]:
        most = scope.limits[controls.DRAWDOWN]
        broke(base, row, now, orders.DRAWDOWN, most, scope.peak - gain)


@jit.compiled()
def moved_far(base: int, instrument: int, now: int) -> None:
    """The middle moved: its range in the present window against the tightest limit of any scope."""
    row = instrument_row(base, instrument)
    scope = scope_of(base, row)
    middle = rule_of(base, instrument).middle
    if middle <= 0:
        return
    if scope.window_began == 0 or now - scope.window_began >= scope.windows[VOLATILITY_WINDOW] * MS:
        scope.window_began, scope.lows, scope.highs = now, middle, middle
        return
    scope.lows, scope.highs = min(scope.lows, middle), max(scope.highs, middle)
    most = scope.limits[controls.VOLATILITY]
    risk = risk_at(base)
    for one in range(1 + risk.portfolios + risk.strategies):
        most = min(most, scope_of(base, one).limits[controls.VOLATILITY])
    spread = scope.highs - scope.lows
    if most != NO_LIMIT and spread * 10_000 > most * scope.lows:
        seen = -(-spread * 10_000 // scope.lows)
        broke(base, row, now, orders.VOLATILITY, most, seen)


@jit.compiled()
def attempted(base: int, strategy: int, instrument: int, now: int) -> None:
    """Somebody tries to send, whether it may leave or not: a strategy that runs wild is stopped."""
    _attempted_in(base, instrument_row(base, instrument), now)
    row = strategy_row(base, strategy)
    while True:
        _attempted_in(base, row, now)
        if row == FIRM_ROW:
            return
        row = _parent(base, row)


@jit.inlined
def _attempted_in(base: int, row: int, now: int) -> None:
    scope = scope_of(base, row)
    most = scope.limits[controls.MESSAGE_RATE]
    if most == NO_LIMIT:
        return
    window = scope.windows[MESSAGES_WINDOW] * MS
    noted(base, scope, R_ATTEMPTS, now)
    if too_many(base, scope, R_ATTEMPTS, most + 1, window, now):
        seen = count_within(base, scope, R_ATTEMPTS, window, now)
        broke(base, row, now, orders.MESSAGE_RATE, most, seen)
