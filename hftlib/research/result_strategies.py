"""The strategies of a result, each with a Result of its own; together they show themselves as a
table.

    result.strategies["Maker"].fills        that strategy alone
    result.strategies                       a row for each, with what it did and what came of it

Worst case: the figures of every strategy are computed when the table is first shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research.sheets import Sheet, Shown

Array = np.ndarray[Any, Any]
_HEADS = ("strategy", "orders", "refused", "fills", "turnover", "fees", "P&L after fees", "", "")


class Strategies(Shown, Mapping[str, Any]):
    """By name, in the order in which they saw each event."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._parts = dict(parts)

    def __getitem__(self, name: str) -> Any:
        if name not in self._parts:
            raise InputError(
                f"There is no strategy {shown(name)} in this result",
                where="result.strategies[...]",
                do=f"Use one of {', '.join(self._parts)}.",
            )
        return self._parts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def sheets(self) -> list[Sheet]:
        rows = []
        for name, one in self._parts.items():
            counts = (len(one.records["orders"]), sum(one.refused.values()))
            for currency, figures in one.stats.totals.items():
                money = tuple(float(figures[key]) for key in ("turnover", "fees", "pnl_net"))
                did = (*counts, int(figures["fills"]), *money)
                rows.append((name, *did, currency, one.ended))
        return [Sheet("By strategy", _HEADS, rows)]


def named(numbers: Array, names: Sequence[str]) -> Any:
    """Strategies by name where there are several; else by number, as the rows have them."""
    if not names:
        return numbers.copy()
    import pandas as pd

    return pd.Categorical.from_codes(numbers.astype(np.int64), categories=list(names))
