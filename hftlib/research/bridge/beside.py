"""`hft.beside_bars`: a bar backtest beside the same signals through the book, and what was lost.

    portfolio = vectorbt.Portfolio.from_signals(bars.close, entries, exits, size=100, ...)
    hft.beside_bars(result, portfolio, every="1m")

Each order of the portfolio stands beside the fills from its bar's end until the next order's: what
was paid against the bar's close, what was not filled, fees, and the last price that both are valued
at. The causes add up to the difference of the two P&Ls.

vectorbt never comes near the live path: its licence has the Commons Clause (`docs/bridge.md`).
Worst case: one search of the fills for each order of the portfolio.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import shown
from hftlib.research import charts
from hftlib.research.parity.causes import Worth, split
from hftlib.research.result import Result
from hftlib.research.validation.verdict import Verdict

Array = np.ndarray[Any, Any]
PRICE, FILLED, FEES, LAST = "price paid", "not filled, or later", "fees", "last price"


def beside_bars(result: Result, portfolio: Any, *, every: Any) -> Verdict:
    """What is left of a bar backtest's P&L in the book, and where the rest went."""
    if not isinstance(result, Result):
        raise _refused(f"{shown(result)} is no result", "Give what hft.backtest answered.")
    if not hasattr(portfolio, "orders") or not hasattr(portfolio, "close"):
        do = "Give what vectorbt.Portfolio.from_signals(...) made."
        raise _refused(f"{type(portfolio).__name__} is no vectorbt Portfolio", do)
    width = duration_ns(every, field="every")
    fills = result.fills
    orders, closes = _named(_orders(portfolio), _closes(portfolio), fills)
    symbols = sorted(set(orders["symbol"]) | set(fills["symbol"]))
    if strange := [one for one in symbols if one not in closes]:
        there = ", ".join(map(str, closes))
        raise _refused(f"The portfolio has no {strange[0]!r}", f"Its columns are {there}.")
    causes, pnl_bars = dict.fromkeys((PRICE, FILLED, FEES, LAST), 0.0), 0.0
    for symbol in symbols:
        mine, theirs = fills[fills["symbol"] == symbol], orders[orders["symbol"] == symbol]
        last = _last_mid(result, symbol, closes[symbol])
        for ticks, on_bars in _beside(mine, theirs, width, last):
            for cause, amount in zip((FILLED, PRICE, FEES), split(ticks, on_bars), strict=True):
                causes[cause] += amount
        signed = theirs["size"].to_numpy()
        brought = float((signed * (closes[symbol] - theirs["price"].to_numpy())).sum())
        pnl_bars += brought - float(theirs["fees"].sum())
        causes[LAST] += float(signed.sum()) * (last - closes[symbol])
    return _told(causes, pnl_bars, len(orders), len(fills))


def _orders(portfolio: Any) -> Any:
    """Size with its sign, price, fees, time and symbol of each order of the portfolio."""
    import pandas as pd

    found = portfolio.orders.records_readable
    sign = np.where(found["Side"].to_numpy() == "Buy", 1.0, -1.0)
    times = pd.DatetimeIndex(found["Timestamp"])
    times = (times.tz_localize("UTC") if times.tz is None else times).as_unit("ns").asi8
    return pd.DataFrame(
        {
            "time": times,
            "size": sign * found["Size"].to_numpy(float),
            "price": found["Price"].to_numpy(float),
            "fees": found["Fees"].to_numpy(float),
            "symbol": found["Column"].to_numpy(object),
        }
    )


def _closes(portfolio: Any) -> dict[Any, float]:
    """The last close of each column."""
    close = portfolio.close
    frame = close.to_frame(name=close.name) if close.ndim == 1 else close
    return {name: float(frame[name].dropna().iloc[-1]) for name in frame.columns}


def _named(orders: Any, closes: dict[Any, float], fills: Any) -> tuple[Any, dict[Any, float]]:
    """One column is the one instrument that was traded, whatever name it has."""
    traded = set(fills["symbol"])
    if len(closes) != 1 or len(traded) > 1 or traded <= set(closes):
        return orders, closes
    symbol = next(iter(traded))
    return orders.assign(symbol=symbol), {symbol: next(iter(closes.values()))}


def _last_mid(result: Result, symbol: str, otherwise: float) -> float:
    grouping = result._grouping
    for row, name in grouping.names.items():
        if name == symbol:
            known = grouping.series(row).mid
            known = known[~np.isnan(known)]
            return float(known[-1]) if len(known) else otherwise
    return otherwise


def _beside(fills: Any, orders: Any, width: int, last: float) -> list[tuple[Worth, Worth]]:
    """Each order's worth, quantity and fees in the book and on bars."""
    import pandas as pd

    begins = orders["time"].to_numpy() + width
    times = pd.DatetimeIndex(fills["received"]).as_unit("ns").asi8
    slot = np.searchsorted(begins, times, side="right") - 1
    sign = np.where(fills["side"].to_numpy() == "buy", 1.0, -1.0)
    signed = sign * fills["quantity"].to_numpy(float)
    worth = signed * (last - fills["price"].to_numpy(float))
    fees = fills["fee"].to_numpy(float)
    made = []
    for n in range(-1, len(begins)):
        at = slot == n
        here = (float(worth[at].sum()), float(np.abs(signed[at]).sum()), float(fees[at].sum()))
        there: Worth = (0.0, 0.0, 0.0)
        if n >= 0:
            size, price = float(orders["size"].iloc[n]), float(orders["price"].iloc[n])
            there = size * (last - price), abs(size), float(orders["fees"].iloc[n])
        made.append((here, there))
    return made


def _told(causes: dict[str, float], pnl_bars: float, orders: int, fills: int) -> Verdict:
    pnl = pnl_bars + sum(causes.values())
    figures = {"P&L on bars": pnl_bars, **causes, "P&L in the book": pnl}
    figures |= {"orders on bars": orders, "fills in the book": fills}
    if not orders:
        said, passed = "The portfolio has no order, so there is nothing to lose.", None
    else:
        kept = f", {pnl / pnl_bars:.0%} of it" if pnl_bars > 0 else ""
        said = f"Of {pnl_bars:,.2f} on bars the book leaves {pnl:,.2f}{kept}."
        passed = pnl > 0
    names = ["on bars", *causes, "in the book"]
    picture = charts.bars(
        names, [pnl_bars, *causes.values(), pnl], title="What the book leaves of a bar backtest"
    )
    return Verdict("Bars beside ticks", passed, said, figures, picture)


def _refused(what: str, do: str) -> InputError:
    return InputError(what, where="hft.beside_bars(result, portfolio)", do=do)
