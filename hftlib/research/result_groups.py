"""One instrument, or all of one currency, as floats: what every measure of a result is taken from.

A group has the orders and fills of its instruments in the order in which they were, prices and
money in the currency, quantities in units, the middle of the book at each fill and at each horizon
after it, and the samples of each instrument.

Worst case: some 150 bytes for each fill and horizon and 48 for each sample, all of them arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core import orders
from hftlib.core.events import BUY
from hftlib.core.instruments import Instruments
from hftlib.research.result_curve import Curve, Series, curve_of
from hftlib.research.result_money import Scales
from hftlib.research.result_rows import Rows, Split

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Group:
    """Some instruments of one currency; `rows` are theirs in the table."""

    label: str
    currency: str
    rows: tuple[int, ...]
    begin: int
    end: int
    orders: Rows
    fills: Rows
    lasts: Rows  # the last fill of each instrument that has any
    scales: Scales
    marks: Array  # fills times horizons: twice the middle then, as counted
    series: list[Series]
    ticks: Array  # of each fill's instrument, in the currency
    horizons: tuple[int, ...]

    @cached_property
    def curve(self) -> Curve:
        return curve_of(self.series)

    @cached_property
    def sign(self) -> Array:
        """1 for what was bought, -1 for what was sold."""
        return np.where(self.fills["side"] == BUY, 1.0, -1.0)

    @cached_property
    def instruments(self) -> Array:
        """Of each fill."""
        return np.asarray(self.fills["instrument"])

    @cached_property
    def price(self) -> Array:
        return self.scales.prices(self.fills["price"], self.instruments)

    @cached_property
    def quantity(self) -> Array:
        return self.scales.quantities(self.fills["quantity"], self.instruments)

    @cached_property
    def worth(self) -> Array:
        """What a difference of 1 in price was worth in each fill, in the currency."""
        return self.quantity * self.scales.multipliers(self.instruments)

    @property
    def value(self) -> Array:
        return self.price * self.worth

    @cached_property
    def fees(self) -> Array:
        return self.scales.money(self.fills["fee"], self.instruments)

    @property
    def mid(self) -> Array:
        """At the venue just before each fill."""
        return self.scales.mids(self.fills["twice_mid"], self.instruments)

    @property
    def arrival_mid(self) -> Array:
        """As we saw it when the order was sent."""
        return self.scales.mids(self.fills["sent_mid"], self.instruments)

    def mid_after(self, horizon: int) -> Array:
        return self.scales.mids(self.marks[:, horizon], self.instruments)

    @property
    def taker(self) -> Array:
        return np.asarray(self.fills["taker"] != 0)


class Grouping:
    """Everything of a result, split by instrument once; totals are kept."""

    def __init__(
        self,
        instruments: Instruments,
        arrays: dict[str, Array],
        horizons: Sequence[int],
        span: tuple[int, int],
        no_price: int,
    ) -> None:
        self.instruments, self.arrays = instruments, arrays
        self.horizons, self.span = tuple(horizons), span
        self.scales = Scales(instruments)
        self.marks = _marks(arrays["fills"], arrays["markouts"], len(self.horizons), no_price)
        self._series: dict[int, Series] = {}
        self._totals: dict[str, Group] = {}
        self._split = {name: Split(arrays[name]) for name in ("orders", "fills", "equity")}

    @cached_property
    def rows(self) -> list[int]:
        """The instruments that were traded or asked for; all with samples where none was."""
        used = {*self._split["orders"].rows, *self._split["fills"].rows}
        return sorted(used) or self._split["equity"].rows

    @cached_property
    def names(self) -> dict[int, str]:
        """A name for each row; one symbol at two venues needs two."""
        symbols = self.instruments.symbols
        seen: dict[str, int] = {}
        for row in self.rows:
            seen[symbols[row]] = seen.get(symbols[row], 0) + 1
        return {
            row: f"{symbols[row]}@{self.instruments[row].venue}"
            if seen[symbols[row]] > 1
            else symbols[row]
            for row in self.rows
        }

    @property
    def currencies(self) -> list[str]:
        return sorted({self.instruments[row].currency for row in self.rows})

    def of(self, row: int) -> Group:
        """One instrument."""
        return self._group(self.names[row], (row,))

    def total(self, currency: str) -> Group:
        """All instruments of a currency."""
        if currency not in self._totals:
            rows = tuple(row for row in self.rows if self.instruments[row].currency == currency)
            self._totals[currency] = self._group(f"total {currency}", rows)
        return self._totals[currency]

    def series(self, row: int) -> Series:
        """The samples of one instrument."""
        if row not in self._series:
            self._series[row] = self._sampled(row)
        return self._series[row]

    def _group(self, label: str, rows: tuple[int, ...]) -> Group:
        fills = self._split["fills"].of(rows)
        instruments = fills["instrument"]
        ticks = self.instruments.table["tick"][instruments]
        return Group(
            label=label,
            currency=self.instruments[rows[0]].currency if rows else "",
            rows=rows,
            begin=self.span[0],
            end=self.span[1],
            orders=self._split["orders"].of(rows),
            fills=fills,
            lasts=self._split["fills"].lasts(rows),
            scales=self.scales,
            marks=self.marks[self._split["fills"].places(rows)],
            series=[self.series(row) for row in rows],
            ticks=self.scales.prices(ticks, instruments),
            horizons=self.horizons,
        )

    def _sampled(self, row: int) -> Series:
        samples = self._split["equity"].of((row,))
        rows = samples["instrument"]
        mid = self.scales.mids(samples["twice_mid"], rows)
        return Series(
            times=samples["time"],
            position=self.scales.quantities(samples["position"], rows),
            cash=self.scales.money(samples["cash"], rows),
            fees=self.scales.money(samples["fees"], rows),
            mid=carried(mid),
            volume=self.scales.quantities(samples["volume"], rows),
            worth=float(self.scales.multiplier[row]),
        )


def carried(values: Array) -> Array:
    """Each value that is not a number becomes the last one before it that was."""
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(last >= 0, values[np.maximum(last, 0)], np.nan) if len(values) else values


def sent_orders(group: Group) -> Rows:
    """The orders that left us."""
    states = group.orders["state"]
    never = (states == orders.FREE) | (states == orders.WAS_REFUSED) | (group.orders["sent"] == 0)
    sent: Rows = group.orders[~never]
    return sent


def _marks(fills: Array, markouts: Array, horizons: int, no_price: int) -> Array:
    """A row for each fill and a column for each horizon."""
    made = np.full((len(fills), horizons), no_price, np.int64)
    order = np.argsort(fills["number"], kind="stable")
    numbers = fills["number"][order]
    place = np.minimum(np.searchsorted(numbers, markouts["fill"]), max(0, len(fills) - 1))
    fits = (markouts["horizon"] >= 0) & (markouts["horizon"] < horizons)
    if len(fills):
        fits &= numbers[place] == markouts["fill"]
        made[order[place[fits]], markouts["horizon"][fits]] = markouts["twice_mid"][fits]
    return made
