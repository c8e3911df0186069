"""Two results or more side by side: what differs in how they were made, and in every figure.

How long a run took and the digests of what it was made of are left out: they differ where nothing
else does, and tell a reader nothing.

Worst case: results of different currencies have no common total; then the figures are compared by
instrument alone, and those that not all of them have are named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hftlib.core.times import to_text
from hftlib.core.units import is_whole, shown
from hftlib.research.result_figures import Figure, text_of
from hftlib.research.result_stats import Stats
from hftlib.research.sheets import Sheet, Shown

_LEFT_OUT = ("seconds", "strategy_digest", "tape_digest")


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """The others beside the first; of two, a figure's difference is the other's less the first's.

    Every tuple has an item for each result, in the order in which they were given.
    """

    stats: tuple[Stats, ...]
    about: tuple[dict[str, Any], ...]
    same: bool  # whether all of them did exactly the same
    zone: str = "UTC"

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called: this, other; of several: this, other 1, other 2."""
        others = len(self.stats) - 1
        return ("this", *(["other"] if others == 1 else [f"other {n + 1}" for n in range(others)]))

    @property
    def differences(self) -> dict[str, tuple[Any, ...]]:
        """What they say of themselves and do not share."""
        told = [_flat(one) for one in self.about]
        names = dict.fromkeys(name for one in told for name in one if name not in _LEFT_OUT)
        values = {name: tuple(one.get(name) for one in told) for name in names}
        return {name: row for name, row in values.items() if any(one != row[0] for one in row)}

    def to_dict(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        """By total or instrument, by figure: a value for each result."""
        return {
            label: {name: tuple(one.get(name) for one in figures) for name in figures[0]}
            for label, _, figures in self._shared()
        }

    def sheets(self) -> list[Sheet]:
        made = [
            (name, *(_fact(name, value, self.zone) for value in row))
            for name, row in self.differences.items()
        ]
        title = "The same orders, fills and equity" if self.same else "What was different"
        sheets = [Sheet(title, ("", *self.names), made)]
        heads = ("", *self.names, *(["difference"] if len(self.stats) == 2 else []))
        for label, currency, figures in self._shared():
            rows = [
                _row(figure, [one.get(figure.name) for one in figures], currency)
                for figure in self.stats[0].figures
            ]
            known = [row for row in rows if any(text != "-" for text in row[1 : len(figures) + 1])]
            sheets.append(Sheet(label, heads, known))
        return [*sheets, *self._not_in_all()]

    def _not_in_all(self) -> list[Sheet]:
        made = []
        for title, one in zip(self.names, self.stats, strict=True):
            names = [
                name
                for name in one.instruments
                if not all(name in other.instruments for other in self.stats)
            ]
            if names:
                only = "Only in" if len(self.stats) == 2 else "Not in all, but in"
                made.append(Sheet(f"{only} {title}: {', '.join(names)}", ()))
        return made

    def _shared(self) -> list[tuple[str, str, list[dict[str, Any]]]]:
        """Totals and instruments that all of them have: label, currency, figures of each."""
        made = []
        traded = [one.instruments for one in self.stats]
        # Of the same one instrument the total says nothing more.
        if not (len(traded[0]) == 1 and all(one.keys() == traded[0].keys() for one in traded)):
            for currency in self.stats[0].totals:
                if all(currency in one.totals for one in self.stats):
                    figures = [one.totals[currency] for one in self.stats]
                    made.append((f"total {currency}", currency, figures))
        for name, first in traded[0].items():
            if all(name in one for one in traded):
                made.append((name, first["currency"], [one[name] for one in traded]))
        return made


def _row(figure: Figure, values: list[Any], currency: str) -> tuple[str, ...]:
    texts = [text_of(figure, value, currency) for value in values]
    if len(values) != 2:
        return (figure.title, *texts)
    if "-" in texts or math.isclose(*values, rel_tol=1e-12):
        return (figure.title, *texts, "")
    return (figure.title, *texts, text_of(figure, values[1] - values[0], currency))


def _fact(name: str, value: Any, zone: str) -> str:
    if value is None:
        return "-"
    if name in ("begin", "end") and is_whole(value):
        return to_text(int(value), zone=zone).replace("T", " ")
    return shown(value)


def _flat(about: dict[str, Any]) -> dict[str, Any]:
    """Parameters one by one."""
    made: dict[str, Any] = {}
    for name, value in about.items():
        if isinstance(value, dict):
            made |= {f"{name}: {inner}": one for inner, one in value.items()}
        else:
            made[name] = value
    return made
