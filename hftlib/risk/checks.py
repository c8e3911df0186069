"""May this order leave? 0, or the reason; with it the limit, what was seen, and whose limit it is.

    the intent ─▶ its instrument's rules (`rules.py`) ─▶ instrument ─▶ strategy ─▶ portfolio ─▶ firm
                                                         state, pace, size, collar, duplicates,
                                                         position, exposure, risk

The first that refuses gives the reason. There is no way around: every order of ours comes here,
whoever wants it, and only a cancel does not. Within a scope what nobody limits is not asked.

Stamps are left by `windows.sent` once every scope has allowed it: a refused order uses up no pace.

Worst case: four scopes with every group limited, and 256 orders in a window for duplicates.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY
from hftlib.risk import controls
from hftlib.risk.collars import reference_of
from hftlib.risk.controls import (
    FIRM,
    G_COLLAR,
    G_DUPLICATE,
    G_MONEY,
    G_PACE,
    G_POSITION,
    G_RISK,
    G_SIZE,
    HALTED,
    INSTRUMENT,
    MESSAGES_WINDOW,
    MS,
    NO_LIMIT,
    STRATEGY,
)
from hftlib.risk.exposure import after, money, one_sided, reduces
from hftlib.risk.memory import (
    ANY_PRICE,
    FIRM_ROW,
    INTENT_AT,
    R_MESSAGES,
    R_NEW,
    R_PACED,
    R_REPLACES,
    holding_of,
    instrument_row,
    intent_at,
    risk_at,
    rule_of,
    scope_of,
    strategy_row,
)
from hftlib.risk.windows import since_same, too_many

BPS = 10_000


@jit.inlined
def refused(base: int, level: int, reason: int, limit: int, seen: int) -> int:
    """Note what refused it: the reason."""
    risk = risk_at(base)
    risk.limit, risk.seen, risk.level = limit, seen, level
    return reason


@jit.compiled("int64(int64)")
def allowed(base: int) -> int:
    """May the intent in the header leave? 0, or the reason."""
    intent = intent_at(base + INTENT_AT)
    row = instrument_row(base, intent.instrument)
    firm = holding_of(base, FIRM_ROW, intent.instrument)
    reason = _at_level(base, row, scope_of(base, row), firm, intent, INSTRUMENT)
    row = strategy_row(base, intent.strategy)
    level = STRATEGY
    while reason == 0:
        scope = scope_of(base, row)
        reason = _at_level(
            base, row, scope, holding_of(base, row, intent.instrument), intent, level
        )
        if level == FIRM:
            return reason
        row = scope.parent
        level += 1
    return reason


@jit.compiled()
def _at_level(base: int, row: int, scope: Any, holding: Any, intent: Any, level: int) -> int:
    """What one scope says."""
    if scope.state != 0:
        if scope.state == HALTED:
            return refused(base, level, orders.TRADING_HALTED, 0, 0)
        closing = risk_at(base).closing != 0
        if scope.flattening != 0 and not closing:
            return refused(base, level, orders.FLATTENING, 0, 0)
        calmer = intent.calmer != 0 or (closing and scope.flattening != 0)
        if not calmer and not reduces(holding, intent.side, intent.more):
            seen = one_sided(holding, intent.side, intent.more)
            return refused(base, level, orders.REDUCING_ONLY, 0, seen)
    groups = scope.groups
    reason = 0
    if groups & G_PACE:
        reason = _pace(base, scope, intent, level)
    if intent.calmer != 0 or reason != 0:
        return reason
    if groups & G_SIZE:
        reason = _size(base, scope, holding, intent, level)
    if reason == 0 and groups & G_COLLAR:
        reason = _collar(base, scope, intent, level)
    if reason == 0 and groups & G_DUPLICATE:
        reason = _duplicate(base, row, scope, intent, level)
    if reason == 0 and groups & G_POSITION:
        most = scope.limits[controls.POSITION]
        seen = one_sided(holding, intent.side, intent.more)
        if intent.more > 0 and seen > most:
            return refused(base, level, orders.POSITION_TOO_LARGE, most, seen)
    if reason == 0 and groups & G_MONEY:
        reason = _exposure(base, scope, holding, intent, level)
    if reason == 0 and groups & G_RISK:
        reason = _risk(base, scope, holding, intent, level)
    return reason


@jit.inlined
def _size(base: int, scope: Any, holding: Any, intent: Any, level: int) -> int:
    most = scope.limits[controls.ORDER_QUANTITY]
    if intent.quantity > most:
        return refused(base, level, orders.ORDER_TOO_LARGE, most, intent.quantity)
    most = scope.limits[controls.ORDER_VALUE]
    if most != NO_LIMIT:
        rule = rule_of(base, intent.instrument)
        if intent.worth_price == 0 and rule.flags & ANY_PRICE == 0:
            return refused(base, level, orders.NO_VALUE, most, 0)
        size = abs(float(intent.worth_price)) * float(intent.quantity)
        value = money(size * rule.factor)
        if value > most:
            return refused(base, level, orders.VALUE_TOO_LARGE, most, value)
    most = scope.limits[controls.OPEN_ORDERS]
    if intent.what == orders.NEW:
        here = holding.open_orders if level == INSTRUMENT else scope.open_orders
        if here >= most:
            return refused(base, level, orders.TOO_MANY_OPEN, most, here + 1)
    return 0


@jit.inlined
def beyond(intent: Any, reference: int) -> int:
    """How far a limit lies on the dear side of a reference, twice; below zero: on the cheap one."""
    away = 2 * intent.price - reference
    return away if intent.side == 1 else -away


@jit.inlined
def _collar(base: int, scope: Any, intent: Any, level: int) -> int:
    rule = rule_of(base, intent.instrument)
    reference = reference_of(rule)
    if intent.limited == 0 or reference == 0:
        return 0
    away, size = beyond(intent, reference), abs(reference)
    most = scope.limits[controls.COLLAR_BPS]
    # Compared as products, so that a limit of so many basis points is exact.
    if most != NO_LIMIT and away * BPS > most * size:
        return refused(base, level, orders.OUTSIDE_COLLAR, most, -(-away * BPS // size))
    most = scope.limits[controls.COLLAR_TICKS]
    if most != NO_LIMIT and away > 2 * most * rule.tick:
        return refused(base, level, orders.OUTSIDE_COLLAR, most, -(-away // (2 * rule.tick)))
    most = scope.limits[controls.COLLAR_WINDOW_BPS]
    if most != NO_LIMIT and rule.anchor != 0:
        away, size = beyond(intent, rule.anchor), abs(rule.anchor)
        if away * BPS > most * size:
            return refused(base, level, orders.MOVED_TOO_FAR, most, -(-away * BPS // size))
    return 0


@jit.inlined
def _pace(base: int, scope: Any, intent: Any, level: int) -> int:
    window, now = scope.windows[MESSAGES_WINDOW] * MS, intent.time
    most = scope.limits[controls.MESSAGES]
    if too_many(base, scope, R_MESSAGES, most, window, now):
        return refused(base, level, orders.TOO_FAST, most, most + 1)
    if intent.what != orders.NEW:
        most = scope.limits[controls.REPLACES]
        if too_many(base, scope, R_REPLACES, most, window, now):
            return refused(base, level, orders.TOO_MANY_REPLACES, most, most + 1)
        return 0
    most = scope.limits[controls.NEW_ORDERS]
    if too_many(base, scope, R_NEW, most, window, now):
        return refused(base, level, orders.TOO_MANY_ORDERS, most, most + 1)
    most = scope.limits[controls.PACED_ORDERS]
    if too_many(base, scope, R_PACED, most, window, now):
        return refused(base, level, orders.PACED, most, most + 1)
    return 0


@jit.inlined
def _duplicate(base: int, row: int, scope: Any, intent: Any, level: int) -> int:
    least = scope.limits[controls.DUPLICATE]
    if intent.what != orders.NEW or least == NO_LIMIT:
        return 0
    # An instrument's orders are those of the firm.
    where = FIRM_ROW if level == INSTRUMENT else row
    ago = since_same(base, where, scope_of(base, where), intent)
    if 0 <= ago < least * MS:
        return refused(base, level, orders.DUPLICATE, least, ago // MS)
    return 0


@jit.inlined
def _exposure(base: int, scope: Any, holding: Any, intent: Any, level: int) -> int:
    if intent.more <= 0:
        return 0
    rule = rule_of(base, intent.instrument)
    unknown = rule.mark == 0 and rule.flags & ANY_PRICE == 0
    if unknown and not reduces(holding, intent.side, intent.more):
        return refused(base, level, orders.NO_VALUE, 0, 0)
    price = 0.5 * rule.mark * rule.factor
    gross = money(after(holding, intent.side, intent.more) * abs(price))
    most = scope.limits[controls.POSITION_VALUE]
    # What makes nothing larger is not refused for being large already.
    grows = gross > holding.gross
    if grows and gross > most:
        return refused(base, level, orders.POSITION_VALUE_TOO_LARGE, most, gross)
    own = level == INSTRUMENT
    most = scope.limits[controls.GROSS]
    seen = gross if own else scope.gross - holding.gross + gross
    if grows and seen > most:
        return refused(base, level, orders.GROSS_TOO_LARGE, most, seen)
    size = one_sided(holding, intent.side, intent.more)
    part = money((size if intent.side == BUY else -size) * price)
    if (intent.side == BUY) == (price >= 0.0):
        seen = part if own else scope.long - holding.long + part
    else:
        seen = -part if own else holding.short - scope.short - part
    most = scope.limits[controls.NET]
    if seen > most and not reduces(holding, intent.side, intent.more):
        return refused(base, level, orders.NET_TOO_LARGE, most, seen)
    most = scope.limits[controls.CAPITAL]
    asked = abs(holding.quantity) + holding.open_buy + holding.open_sell + intent.more
    part = money(asked * abs(price))
    seen = part if own else scope.capital - holding.capital + part
    if seen > most and not reduces(holding, intent.side, intent.more):
        return refused(base, level, orders.CAPITAL_TOO_LARGE, most, seen)
    return 0


@jit.inlined
def _risk(base: int, scope: Any, holding: Any, intent: Any, level: int) -> int:
    if reduces(holding, intent.side, intent.more):
        return 0
    most = scope.limits[controls.VALUE_AT_RISK]
    if scope.value_at_risk > most:
        return refused(base, level, orders.RISK_TOO_LARGE, most, scope.value_at_risk)
    most = scope.limits[controls.SHORTFALL]
    if scope.shortfall > most:
        return refused(base, level, orders.RISK_TOO_LARGE, most, scope.shortfall)
    return 0


@jit.compiled("int64(int64, int64, int64, int64)")
def room(base: int, strategy: int, instrument: int, side: int) -> int:
    """How many lots more may be asked for on this side, as far as positions are limited."""
    row = instrument_row(base, instrument)
    most = scope_of(base, row).limits[controls.POSITION]
    left = most - one_sided(holding_of(base, FIRM_ROW, instrument), side, 0)
    row = strategy_row(base, strategy)
    while True:
        scope = scope_of(base, row)
        most = scope.limits[controls.POSITION]
        left = min(left, most - one_sided(holding_of(base, row, instrument), side, 0))
        if row == FIRM_ROW:
            return left
        row = scope.parent
