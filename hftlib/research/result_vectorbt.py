"""A vectorbt Portfolio of the same fills: one column for each instrument, fees as fixed fees.

Each fill is a row and an order of its size at its price; between them stand the samples of the
equity, so that its curves are there, too. vectorbt wants distinct times, so rows of one ns follow
each other by one ns. It begins with enough cash for every purchase, or with what it is given;
P&L is its final value less that.

Its rows are not regular in time, so it is given no frequency, and its ratios that need one are left
to whoever resamples `value()`. What it cannot represent is refused: prices of zero or less, several
currencies in one portfolio, fees that are more than a sale brings.

Worst case: four arrays of rows times instruments; beyond CELLS_MAX the samples are left out, and
where the fills alone are beyond it, it is refused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown
from hftlib.research.result_groups import Group, Grouping

Array = np.ndarray[Any, Any]
CELLS_MAX = 20_000_000


def portfolio_of(
    grouping: Grouping, zone: str, currency: str | None = None, cash: float | None = None
) -> Any:
    """The Portfolio of all instruments of one currency."""
    currency = _currency(grouping, currency)
    group = grouping.total(currency)
    if not len(group.fills):
        raise _refused("there is no fill", "Trade something, or look at the result itself.")
    if (group.price <= 0).any():
        n = int(np.argmax(group.price <= 0))
        what = f"fill {group.fills['number'][n]} has a price of {group.price[n]:g}"
        raise _refused(f"{what}, and it takes only prices above zero", "Use .fills instead.")
    columns = {row: n for n, row in enumerate(group.rows)}
    column = np.array([columns[row] for row in group.fills["instrument"].tolist()])
    times, samples = _times(group, len(columns))
    rows = len(times)
    at = np.flatnonzero(~samples)
    size = np.full((rows, len(columns)), np.nan)
    price, fees = size.copy(), np.zeros((rows, len(columns)))
    size[at, column] = group.sign * group.worth
    price[at, column] = group.price
    fees[at, column] = group.fees
    close = _closes(group, times, price)
    needed = _cash_needed(group, column, len(columns))
    return _made(
        times=_distinct(times),
        names=[grouping.names[row] for row in group.rows],
        zone=zone,
        arrays=(close, size, price, fees),
        cash=needed if cash is None else np.full(len(columns), float(cash)),
        fills=len(group.fills),
    )


def _made(
    times: Array,
    names: list[str],
    zone: str,
    arrays: tuple[Array, ...],
    cash: Array,
    fills: int,
) -> Any:
    import pandas as pd

    try:
        import vectorbt as vbt
    except ImportError as error:
        raise HostError(
            f"vectorbt cannot be imported: {error}",
            where="to_vectorbt",
            do="Install the research extra: pip install 'hftlib[research]'.",
        ) from None
    index = pd.DatetimeIndex(times.view("datetime64[ns]")).tz_localize("UTC").tz_convert(zone)
    close, size, price, fees = (pd.DataFrame(one, index=index, columns=names) for one in arrays)
    try:
        made = vbt.Portfolio.from_orders(
            close,
            size=size,
            price=price,
            fees=0.0,
            fixed_fees=fees,
            slippage=0.0,
            init_cash=cash,
            allow_partial=False,
            raise_reject=True,
        )
    except Exception as error:  # its refusals are of several kinds, some of them of numba
        what = f"it refuses one of the fills: {error}"
        raise _refused(what, "Pass more cash, as cash=1e9.") from None
    if made.orders.count().sum() != fills:
        what = f"it kept {made.orders.count().sum():,} of {fills:,} fills"
        raise _refused(what, "Use .fills instead; sizes below 1e-12 are none to it.")
    return made


def _currency(grouping: Grouping, currency: str | None) -> str:
    known = grouping.currencies
    if currency is None and len(known) > 1:
        names = ", ".join(known)
        do = f"Ask for one of them: to_vectorbt(currency={known[0]!r})."
        raise _refused(f"it has one currency, and there are {names}", do)
    chosen = currency if currency is not None else (known[0] if known else "")
    if known and chosen not in known:
        raise _refused(f"nothing trades in {shown(chosen)}", f"There is {', '.join(known)}.")
    return chosen


def _times(group: Group, columns: int) -> tuple[Array, Array]:
    """A row for each fill and each time of the samples, fills first; and which are samples."""
    fills, curve = group.fills["received"], group.curve.times
    if len(fills) * columns > CELLS_MAX:
        what = f"{len(fills):,} fills of {columns:,} instruments are too many for it"
        raise _refused(what, f"It takes {CELLS_MAX:,} of fills times instruments; slice the tape.")
    if (len(fills) + len(curve)) * columns > CELLS_MAX:
        # Only the end, where holdings are valued, has to be there.
        curve = curve[-1:]
    times = np.concatenate([fills, curve])
    samples = np.append(np.zeros(len(fills), bool), np.ones(len(curve), bool))
    order = np.argsort(times, kind="stable")
    return times[order], samples[order]


def _closes(group: Group, times: Array, price: Array) -> Array:
    """The last known middle of each instrument; before there is one, the prices of fills."""
    closes = np.full(price.shape, np.nan)
    for column, series in enumerate(group.series):
        known = ~np.isnan(series.mid)
        at = np.searchsorted(series.times[known], times, side="right") - 1
        if known.any():
            closes[:, column] = np.where(at >= 0, series.mid[known][at], np.nan)
        filled = np.where(np.isnan(closes[:, column]), price[:, column], closes[:, column])
        closes[:, column] = _both_ways(filled)
    return closes


def _both_ways(values: Array) -> Array:
    """Gaps filled from before, and those at the start from after."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.ones(len(values))
    at = np.maximum(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0)
    return values[known[at]]


def _distinct(times: Array) -> Array:
    """The same times, each later than the one before it by a ns at least."""
    steps = np.arange(len(times))
    return np.maximum.accumulate(times - steps) + steps


def _cash_needed(group: Group, column: Array, columns: int) -> Array:
    """Enough for every purchase, with a tenth to spare."""
    made = np.ones(columns)
    flow = -group.sign * group.value - group.fees
    for n in range(columns):
        mine = column == n
        if mine.any():
            lowest = min(0.0, float(np.cumsum(flow[mine]).min()))
            made[n] = math.ceil(-1.1 * lowest + float(group.value[mine].max()))
    return made


def _refused(what: str, do: str) -> InputError:
    return InputError(f"vectorbt cannot represent this result: {what}", where="to_vectorbt", do=do)
