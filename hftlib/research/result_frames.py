"""Orders, fills, samples and positions as DataFrames: words, floats, and times in the zone.

Prices and money are in the currency, quantities in shares, coins or contracts; a price or a middle
that is not there is NaN, a time that is not there NaT. Names of columns that are durations or
figures of `stats` are the same here as there. Worst case: some 200 bytes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core import events, orders
from hftlib.core import parents as p
from hftlib.core.units import INT64_MIN
from hftlib.research.result_groups import Grouping, carried
from hftlib.research.result_measures import horizon_names
from hftlib.research.result_stats import last_mid
from hftlib.research.result_strategies import named

Array = np.ndarray[Any, Any]
_KINDS = ("", "limit", "market", "stop", "stop limit")
_LASTS = ("", "day", "ioc", "fok")
_WITH_LIMIT = (orders.LIMIT, orders.STOP_LIMIT)


class Frames:
    """Makes the frames of one result; nothing is kept here."""

    def __init__(self, grouping: Grouping, zone: str, strategies: Sequence[str] = ()) -> None:
        self._made, self._zone, self._strategies = grouping, zone, list(strategies)
        self._scales = grouping.scales

    def orders(self) -> Any:
        """A row for each order, by its number."""
        import pandas as pd

        rows, found = self._rows("orders")
        scales, filled = self._scales, found["filled"]
        price = scales.prices(found["price"], rows)
        value = scales.prices(found["value"], rows)
        columns = {
            "sent": self._times(found["sent"]),
            "symbol": self._symbols(rows),
            "side": _words(found["side"], events.SIDES),
            "kind": _words(found["kind"], _KINDS),
            "lasts": _words(found["lasts"], _LASTS),
            "post_only": (found["flags"] & orders.POST_ONLY) != 0,
            "price": np.where(np.isin(found["kind"], _WITH_LIMIT), price, np.nan),
            "quantity": scales.quantities(found["quantity"], rows),
            "filled": scales.quantities(filled, rows),
            "average": np.where(filled > 0, value / np.maximum(filled, 1), np.nan),
            "fees": scales.money(found["fees"], rows),
            "state": _words(found["state"], orders.STATES),
            "reason": _words(found["reason"], orders.REASONS),
            "accepted": self._times(found["accepted"]),
            "done": self._times(found["done"]),
            "venue_accepted": self._times(found["venue_accepted"]),
            "arrival_mid": scales.mids(found["twice_mid"], rows),
            "display": scales.quantities(found["display"], rows),
            "trigger": np.where(
                found["trigger"] != 0, scales.prices(found["trigger"], rows), np.nan
            ),
            "replaces": found["replaces"].copy(),
            "venue_number": found["venue_number"].copy(),
            "strategy": self._whose(found),
            "parent": found["parent"].copy(),
        }
        return pd.DataFrame(columns, index=pd.Index(found["id"].copy(), name="order"))

    def fills(self) -> Any:
        """A row for each fill, by its number; with the middle at each horizon after it."""
        import pandas as pd

        rows, found = self._rows("fills")
        scales = self._scales
        columns = {
            "time": self._times(found["time"]),
            "received": self._times(found["received"]),
            "symbol": self._symbols(rows),
            "side": _words(found["side"], events.SIDES),
            "role": _words(found["taker"], ("maker", "taker")),
            "price": scales.prices(found["price"], rows),
            "quantity": scales.quantities(found["quantity"], rows),
            "fee": scales.money(found["fee"], rows),
            "mid": scales.mids(found["twice_mid"], rows),
            "arrival_mid": scales.mids(found["sent_mid"], rows),
            "position": scales.quantities(found["position"], rows),
            "cash": scales.money(found["cash"], rows),
            "entered": self._times(found["entered"]),
            "order": found["order"].copy(),
            "match": found["match"].copy(),
        }
        if self._strategies:
            columns["strategy"] = self._whose(found)
        for number, name in enumerate(horizon_names(self._made.horizons)):
            columns[f"mid_{name}"] = scales.mids(self._made.marks[:, number], rows)
        return pd.DataFrame(columns, index=pd.Index(found["number"].copy(), name="fill"))

    def parents(self) -> Any:
        """A row for each parent order, by its number."""
        import pandas as pd

        rows, found = self._rows("parents")
        scales, filled = self._scales, found["filled"]
        value = scales.prices(found["value"], rows)
        average = np.where(filled > 0, value / np.maximum(filled, 1), np.nan)
        arrival = scales.mids(found["twice_mid"], rows)
        worse = np.where(found["side"] == events.BUY, average - arrival, arrival - average)
        limited = found["limit"] != p.NO_LIMIT
        columns = {
            "began": self._times(found["begin"]),
            "ended": self._times(found["done"]),
            "until": self._times(np.where(found["end"] == p.FOREVER, 0, found["end"])),
            "symbol": self._symbols(rows),
            "algorithm": _words(found["algo"], tuple(name for name, _ in p.ALGORITHMS)),
            "side": _words(found["side"], events.SIDES),
            "quantity": scales.quantities(found["quantity"], rows),
            "filled": scales.quantities(filled, rows),
            "average": average,
            "limit": np.where(limited, scales.prices(found["limit"], rows), np.nan),
            "arrival_mid": arrival,
            "slippage_bps": 1e4 * worse / np.abs(arrival),
            "fees": scales.money(found["fees"], rows),
            "children": found["children"].copy(),
            "state": _words(found["state"], p.STATES),
            "reason": _words(found["reason"], orders.REASONS),
            "unknown": scales.quantities(found["unknown"], rows),
            "strategy": self._whose(found),
        }
        return pd.DataFrame(columns, index=pd.Index(found["id"].copy(), name="parent"))

    def equity(self) -> Any:
        """A row for each sample and instrument; holdings are at the last middle known."""
        import pandas as pd

        rows, found = self._rows("equity")
        scales = self._scales
        position = scales.quantities(found["position"], rows)
        cash, fees = scales.money(found["cash"], rows), scales.money(found["fees"], rows)
        mid = scales.mids(found["twice_mid"], rows)
        known = np.empty(len(mid))
        order = np.argsort(rows, kind="stable")
        firsts = np.unique(rows[order], return_index=True)[1]
        for piece in np.split(order, firsts[1:]):
            known[piece] = carried(mid[piece])
        holding = np.where(position == 0, 0.0, position * known * scales.multipliers(rows))
        columns = {
            "time": self._times(found["time"]),
            "symbol": self._symbols(rows),
            "position": position,
            "cash": cash,
            "fees": fees,
            "mid": mid,
            "pnl_gross": cash + holding,
            "pnl_net": cash + holding - fees,
            "volume": scales.quantities(found["volume"], rows),
            "open_orders": found["open_orders"].copy(),
        }
        return pd.DataFrame(columns)

    def positions(self) -> Any:
        """A row for each instrument: what was bought, sold and is held, and what it brought."""
        import pandas as pd

        made = []
        for row in self._made.rows:
            group, series = self._made.of(row), self._made.series(row)
            bought, sold = group.sign > 0, group.sign < 0
            last = group.lasts
            rows, mid = last["instrument"], last_mid(series)
            position = float(self._scales.quantities(last["position"], rows).sum())
            cash = float(self._scales.money(last["cash"], rows).sum())
            gross = cash + (position * mid * series.worth if position else 0.0)
            fees = float(group.fees.sum())
            one = {"symbol": group.label, "currency": group.currency, "position": position}
            one |= {"bought": float(group.quantity[bought].sum())}
            one |= {"sold": float(group.quantity[sold].sum())}
            one |= {"average_bought": _average(group, bought)}
            one |= {"average_sold": _average(group, sold), "mid": mid, "cash": cash, "fees": fees}
            made.append(one | {"pnl_gross": gross, "pnl_net": gross - fees})
        names = [*_POSITION_COLUMNS]
        return pd.DataFrame(made, columns=names).set_index("symbol")

    def _rows(self, name: str) -> tuple[Array, Array]:
        found = self._made.arrays[name]
        return found["instrument"], found

    def _whose(self, found: Array) -> Any:
        """The strategies of some rows: by name where there are several, else by number."""
        return named(found["strategy"], self._strategies)

    def _symbols(self, rows: Array) -> Any:
        import pandas as pd

        present, codes = np.unique(rows, return_inverse=True)
        names = self._made.names
        symbols = [names.get(int(row), self._made.instruments[int(row)].symbol) for row in present]
        distinct = list(dict.fromkeys(symbols))
        place = np.array([distinct.index(one) for one in symbols], np.int64)
        return pd.Categorical.from_codes(place[codes] if len(rows) else [], categories=distinct)

    def _times(self, ns: Array) -> Any:
        import pandas as pd

        stamps = np.where(ns == 0, INT64_MIN, ns).view("datetime64[ns]")
        return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(self._zone)


_POSITION_COLUMNS = (
    *("symbol", "currency", "position", "bought", "sold", "average_bought", "average_sold"),
    *("mid", "cash", "fees", "pnl_gross", "pnl_net"),
)


def _words(codes: Array, words: tuple[str, ...]) -> Any:
    """Each code as its word; a code beyond the table shows as its number."""
    import pandas as pd

    present, places = np.unique(codes, return_inverse=True)
    texts = [words[code] if 0 <= code < len(words) else f"{code}" for code in present.tolist()]
    distinct = list(dict.fromkeys(texts))
    place = np.array([distinct.index(text) for text in texts], np.int64)
    return pd.Categorical.from_codes(place[places] if len(codes) else [], categories=distinct)


def _average(group: Any, chosen: Array) -> float:
    weight = float(group.quantity[chosen].sum())
    amount = float((group.quantity[chosen] * group.price[chosen]).sum())
    return amount / weight if weight else float("nan")
