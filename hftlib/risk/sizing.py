"""How much to trade: lots from equity, volatility and edge. Helpers for strategies, never limits.

    by_equity(equity, 0.05, price)                        a twentieth of it
    by_volatility(equity, 0.01, price, volatility)        so much that one standard deviation of
                                                          the holding is a hundredth of it
    by_kelly(equity, 0.5, price, edge, volatility, 0.2)   half of Kelly's share, and never more
                                                          than a fifth of it

In a strategy they are `hft.sizing.by_equity(...)` and so on.
`equity` is money as `ctx.pnl` and `.cash` count it: price units times lots. `volatility` is the
standard deviation of the price's return and `edge` its expected return, both over the same time
and as shares of the price: 0.02 is 2 %. A negative edge asks for a sale.

Worst case: none is a size, too: 0 where there is no equity, price or volatility above 0, or where
anything is not a number. Lots are rounded towards 0 and never beyond LOTS_MAX.
"""

from __future__ import annotations

from hftlib.core import jit

LOTS_MAX = 2**52


@jit.compiled("int64(float64, float64, float64)")
def by_equity(equity: float, share: float, price: float) -> int:
    """So many lots as this share of the equity buys; a negative share sells."""
    if not (equity > 0.0 and price > 0.0):
        return 0
    lots = equity * share / price
    if not -LOTS_MAX < lots < LOTS_MAX:
        if lots != lots:  # not a number
            return 0
        return LOTS_MAX if lots > 0.0 else -LOTS_MAX
    return int(lots)


@jit.compiled("int64(float64, float64, float64, float64)")
def by_volatility(equity: float, risked: float, price: float, volatility: float) -> int:
    """So many lots that one standard deviation of what they are worth is this share of equity."""
    if not volatility > 0.0:
        return 0
    return by_equity(equity, risked / volatility, price)


@jit.compiled("int64(float64, float64, float64, float64, float64, float64)")
def by_kelly(
    equity: float, part: float, price: float, edge: float, volatility: float, cap: float
) -> int:
    """This part of Kelly's share, edge over variance, bounded by `cap` as a share of equity."""
    if not (volatility > 0.0 and part > 0.0 and cap > 0.0):
        return 0
    share = part * edge / volatility / volatility
    if share != share:
        return 0
    return by_equity(equity, min(max(share, -cap), cap), price)
