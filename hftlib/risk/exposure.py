"""What every scope holds and could come to: sums kept as positions, orders and prices move.

    follow   execution's position changed ─▶ its strategy's row ─▶ portfolio ─▶ firm
    marked   the price of an instrument changed ─▶ what is held of it is worth something else

For an instrument with position q and open orders b to buy and s to sell, at a price p:

    long  = (q + b) p     every buy filled and no sale        gross   = max(|q+b|, |q-s|, |q|) |p|
    short = (q - s) p     every sale filled and no buy        capital = (|q| + b + s) |p|
                          (the other way round where p is below zero)

Each part is rounded to whole money once and the sums are integers, so that nothing drifts: a sum is
always the sum of its parts. Worst case: 2**56 for a part; sums of 64 such parts would wrap.
"""

from __future__ import annotations

import math
from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY
from hftlib.risk.memory import (
    FIRM_ROW,
    holding_of,
    risk_at,
    rule_of,
    scope_of,
    strategy_row,
)

MONEY_MAX = 2**56


@jit.inlined
def money(amount: float) -> int:
    """Whole money, the nearest; what is beyond any sense is the largest."""
    if not amount < MONEY_MAX:
        return MONEY_MAX
    if amount < -MONEY_MAX:
        return -MONEY_MAX
    return math.floor(amount + 0.5)


@jit.inlined
def worst(quantity: int, open_buy: int, open_sell: int) -> int:
    """The largest position, long or short, that could come of it; its size in lots."""
    return max(abs(quantity + open_buy), abs(quantity - open_sell), abs(quantity))


@jit.compiled()
def follow(base: int, strategy: int, instrument: int, position: Any) -> None:
    """Execution's position of a strategy is the truth: bring its row and those above up to it."""
    row = strategy_row(base, strategy)
    last = holding_of(base, row, instrument)
    held = position.quantity - last.quantity
    buys = position.open_buy - last.open_buy
    sells = position.open_sell - last.open_sell
    orders = position.open_orders - last.open_orders
    cash = position.cash - last.cash
    fees = position.fees - last.fees
    moved = held | cash | fees
    if moved | buys | sells | orders == 0:
        return  # prices that moved are `revalue`'s affair
    worth = moved != 0 and risk_at(base).marks != 0
    while True:
        scope = scope_of(base, row)
        holding = holding_of(base, row, instrument)
        holding.open_buy += buys
        holding.open_sell += sells
        holding.open_orders += orders
        scope.open_orders += orders
        if moved != 0:
            holding.quantity += held
            holding.cash += cash
            holding.fees += fees
        if scope.keeps != 0:
            _exposed(base, scope, holding, instrument)
        if worth:
            _worth(base, scope, holding, instrument)
        if row == FIRM_ROW:
            return
        row = scope.parent


@jit.inlined
def _exposed(base: int, scope: Any, holding: Any, instrument: int) -> None:
    """What one holding could come to, anew, and the scope's sums with it."""
    rule = rule_of(base, instrument)
    price = 0.5 * rule.mark * rule.factor
    size = abs(price)
    quantity, buys, sells = holding.quantity, holding.open_buy, holding.open_sell
    part = money(worst(quantity, buys, sells) * size)
    scope.gross += part - holding.gross
    holding.gross = part
    # Below a price of nothing a purchase lowers what all is worth, and a sale raises it.
    up, down = (buys, -sells) if price >= 0.0 else (-sells, buys)
    part = money((quantity + up) * price)
    scope.long += part - holding.long
    holding.long = part
    part = money((quantity + down) * price)
    scope.short += part - holding.short
    holding.short = part
    part = money((abs(quantity) + buys + sells) * size)
    scope.capital += part - holding.capital
    holding.capital = part


@jit.inlined
def _worth(base: int, scope: Any, holding: Any, instrument: int) -> None:
    """What it brought and what it is worth, likewise."""
    rule = rule_of(base, instrument)
    price = 0.5 * rule.mark * rule.factor
    holding.mark = rule.mark
    part = money((holding.cash - holding.fees) * rule.factor)
    scope.flow += part - holding.flow
    holding.flow = part
    part = money(holding.quantity * price)
    scope.worth += part - holding.worth
    holding.worth = part


@jit.compiled()
def revalue(base: int, instrument: int) -> None:
    """Every scope that holds or works something of an instrument, at its present mark."""
    risk = risk_at(base)
    for row in range(1 + risk.portfolios + risk.strategies):
        holding = holding_of(base, row, instrument)
        if holding.mark != rule_of(base, instrument).mark:
            _all(base, row, holding, instrument)


@jit.compiled()
def revalue_all(base: int) -> None:
    """The same for all instruments, whatever their marks: when a rate or a rule changed."""
    risk = risk_at(base)
    for row in range(1 + risk.portfolios + risk.strategies):
        for instrument in range(risk.instruments):
            _all(base, row, holding_of(base, row, instrument), instrument)


@jit.compiled()
def _all(base: int, row: int, holding: Any, instrument: int) -> None:
    scope = scope_of(base, row)
    if scope.keeps != 0:
        _exposed(base, scope, holding, instrument)
    _worth(base, scope, holding, instrument)


@jit.inlined
def profit(scope: Any) -> int:
    return scope.flow + scope.worth


@jit.inlined
def after(holding: Any, side: int, more: int) -> int:
    """The largest position, by size, if this is added to the open orders of a side."""
    buys = holding.open_buy + more if side == BUY else holding.open_buy
    sells = holding.open_sell if side == BUY else holding.open_sell + more
    return worst(holding.quantity, buys, sells)


@jit.inlined
def one_sided(holding: Any, side: int, more: int) -> int:
    """What this side could come to, positive in its own direction."""
    if side == BUY:
        return holding.quantity + holding.open_buy + more
    return holding.open_sell + more - holding.quantity


@jit.inlined
def reduces(holding: Any, side: int, more: int) -> bool:
    """Whether all that this side asks for only brings the position nearer to nothing."""
    return one_sided(holding, side, more) <= 0
