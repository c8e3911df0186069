"""Tables of execution quality and of where the P&L came from, by whatever they are asked for.

    QualityTable      a row for each group, a column for each figure of `tca_figures.py`
    AttributionTable  spread captured + adverse selection + inventory - fees, exact

Groups are by strategy, instrument, venue, currency, side, and, where it is about fills only, role.
Money of several currencies does not add, so each has rows of its own. Worst case: one sort of the
orders and one of the fills for each table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.events import SIDES
from hftlib.core.instruments import Instruments
from hftlib.research.ledger_tables import exact_sums, money_unit, names_of
from hftlib.research.result_figures import text_of
from hftlib.research.result_money import Scales
from hftlib.research.sheets import Sheet, Shown, figures_table
from hftlib.research.tca_figures import (
    ATTRIBUTION,
    Said,
    fill_figures,
    order_figures,
    quality_figures,
)
from hftlib.research.tca_measures import FillCosts, OrderCosts

Array = np.ndarray[Any, Any]
KEYS = ("strategy", "instrument", "venue", "currency", "side", "role")
_PARTS = ("spread", "adverse", "inventory", "unattributed")
_ROLES = ("maker", "taker")
TEXT_GROUPS = 3  # beside the titles, in 100 characters


class Keys:
    """Which group each order and each fill belongs to."""

    def __init__(self, instruments: Instruments, strategies: Sequence[str] = ()) -> None:
        self.instruments = instruments
        self._strategies = strategies or range(1 << 16)  # by name where there are several
        self._names = np.array([*names_of(instruments), ""], object)
        text = {
            name: np.array([value.decode("utf-8", "replace") for value in column.tolist()], object)
            for name, column in (
                ("venue", instruments.table["venue"]),
                ("currency", instruments.table["currency"]),
            )
        }
        self._of_row = {"instrument": self._names, **text}

    def groups(self, records: Any, by: tuple[str, ...]) -> dict[tuple[Any, ...], Array]:
        """The places of each group, by its key."""
        count = len(records)
        columns = [self._codes(records, name) for name in by]
        if not count:
            return {}
        table = np.stack([codes for codes, _ in columns], axis=1)
        found, inverse = np.unique(table, axis=0, return_inverse=True)
        order = np.argsort(inverse.reshape(-1), kind="stable")
        firsts = np.searchsorted(inverse.reshape(-1)[order], np.arange(len(found)))
        pieces = np.split(order, firsts[1:])
        return {
            tuple(words[code] for code, (_, words) in zip(one, columns, strict=True)): piece
            for one, piece in zip(found.tolist(), pieces, strict=True)
        }

    def _codes(self, records: Any, name: str) -> tuple[Array, Any]:
        if name == "strategy":
            return records["strategy"].astype(np.int64), self._strategies
        if name == "side":
            return records["side"].astype(np.int64), SIDES
        if name == "role":
            return (records["taker"] != 0).astype(np.int64), _ROLES
        words = self._of_row[name]
        distinct = sorted(set(words.tolist()))
        place = {word: n for n, word in enumerate(distinct)}
        of_row = np.array([place[word] for word in words.tolist()], np.int64)
        return of_row[records["instrument"]], distinct


class _Table(Shown):
    """Rows of figures by key."""

    title = ""

    def __init__(self, by: tuple[str, ...], figures: list[Said]) -> None:
        self.by, self.figures = by, figures

    @cached_property
    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The figures of each group; each table says."""
        return {}

    @cached_property
    def frame(self) -> Any:
        """A row for each group, as a DataFrame."""
        import pandas as pd

        names = [figure.name for figure in self.figures]
        made = [
            {**dict(zip(self.by, key, strict=True)), **{n: _float(one[n]) for n in names}}
            for key, one in self.rows.items()
        ]
        return pd.DataFrame(made, columns=[*self.by, *names]).set_index(list(self.by))

    def sheets(self) -> list[Sheet]:
        return [self.sheet(TEXT_GROUPS)]

    def sheet(self, most: int) -> Sheet:
        """Figures down, groups across, the busiest of them; what nobody has is left out."""
        busiest = sorted(self.rows, key=lambda key: -self._size(key))[:most]
        chosen = [(key, one) for key, one in self.rows.items() if key in busiest]
        left = len(self.rows) - len(chosen)
        at = self.by.index("currency")
        heads = [" ".join(str(word) for word in key) for key, _ in chosen]
        made = []
        for figure in self.figures:
            cells = [text_of(figure, one[figure.name], str(key[at])) for key, one in chosen]
            if any(cell != "-" for cell in cells):
                made.append((figure.title, *cells))
        title = self.title + (f", {left:,} more not shown" if left else "")
        return Sheet(title, ("", *heads), made)

    def _size(self, key: tuple[Any, ...]) -> float:
        """How much a group matters; each table says."""
        return 0.0

    def __rich__(self) -> Any:
        return figures_table(self.sheet(TEXT_GROUPS))

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: what cannot be told is None."""
        rows = [
            {**dict(zip(self.by, key, strict=True)), **{n: _plain(v) for n, v in one.items()}}
            for key, one in self.rows.items()
        ]
        return {"by": list(self.by), "rows": rows}


class QualityTable(_Table):
    """How well orders were executed."""

    title = "Execution quality"

    def __init__(
        self,
        keys: Keys,
        of_orders: OrderCosts,
        of_fills: FillCosts,
        by: tuple[str, ...],
        horizons: list[str],
        horizon: int,
        market: bool,
    ) -> None:
        super().__init__(_with_currency(by), quality_figures(horizons))
        self._keys, self._orders, self._fills = keys, of_orders, of_fills
        self._horizons, self._horizon, self._market = horizons, horizon, market

    @cached_property
    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        orders = self._keys.groups(self._orders.records, self.by)
        fills = self._keys.groups(self._fills.records, self.by)
        scales, none = Scales(self._keys.instruments), np.zeros(0, np.int64)
        return {
            key: {
                **order_figures(self._orders, orders.get(key, none), scales, self._market),
                **fill_figures(
                    self._fills, fills.get(key, none), scales, self._horizons, self._horizon
                ),
            }
            for key in sorted({*orders, *fills})
        }

    def _size(self, key: tuple[Any, ...]) -> float:
        return float(self.rows[key]["turnover"])


class AttributionTable(_Table):
    """Where the P&L came from."""

    title = "Where the P&L came from"

    def __init__(self, keys: Keys, of_fills: FillCosts, by: tuple[str, ...], horizon: str) -> None:
        super().__init__(_with_currency(by), list(ATTRIBUTION))
        self.title = f"{self.title}, adverse selection over {horizon}"
        self._keys, self._fills = keys, of_fills

    @cached_property
    def exact(self) -> dict[tuple[Any, ...], dict[str, Fraction | None]]:
        """The same in fractions; None: what is held at the end has no known middle."""
        return {
            key: self._row(places)
            for key, places in sorted(self._keys.groups(self._fills.records, self.by).items())
        }

    @cached_property
    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        return {
            key: {name: _float(value) for name, value in one.items()}
            for key, one in self.exact.items()
        }

    def _size(self, key: tuple[Any, ...]) -> float:
        value = self.exact[key]["spread"]
        return abs(float(value)) if value is not None else 0.0

    def _row(self, at: Array) -> dict[str, Fraction | None]:
        costs = self._fills
        rows = costs.records["instrument"][at].astype(np.int64)
        valued = bool(costs.valued[at].all())
        made: dict[str, Fraction | None] = {
            name: self._money(getattr(costs, name)[at], rows, 2)
            if valued or name == "spread"
            else None
            for name in (*_PARTS, "gross")
        }
        fees = self._money(costs.records["fee"][at], rows, 1)
        gross = made["gross"]
        return {**made, "fees": fees, "net": None if gross is None else gross - fees}

    def _money(self, values: Array, rows: Array, parts: int) -> Fraction:
        """An exact sum over instruments, each with its own unit."""
        sums = exact_sums(rows, np.zeros(len(rows), np.int64), values)
        units = {row: money_unit(self._keys.instruments, row) for row in sums}
        return sum((of[0] * units[row] for row, of in sums.items()), Fraction(0)) / parts


def _with_currency(by: tuple[str, ...]) -> tuple[str, ...]:
    return by if "currency" in by else (*by, "currency")


def _float(value: Any) -> Any:
    if value is None:
        return float("nan")
    return float(value) if isinstance(value, Fraction) else value


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
