"""Two results side by side: what differs in how they were made, and in every figure.

Worst case: two results of different currencies have no common total; then the figures are compared
by instrument alone, and those in only one of them are named.
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


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """`other` beside `ours`; what it says of a figure is other less ours."""

    ours: Stats
    other: Stats
    about: tuple[dict[str, Any], dict[str, Any]]
    same: bool  # whether both did exactly the same
    zone: str = "UTC"

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        """What they say of themselves and do not share."""
        first, second = (_flat(one) for one in self.about)
        names = [*first, *(name for name in second if name not in first)]
        pairs = {name: (first.get(name), second.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def to_dict(self) -> dict[str, dict[str, tuple[Any, Any]]]:
        """By total or instrument, by figure: ours and the other's."""
        return {
            label: {name: (one[name], two.get(name)) for name in one}
            for label, _, one, two in self._pairs()
        }

    def sheets(self) -> list[Sheet]:
        made = [
            (name, *(_fact(name, value, self.zone) for value in pair))
            for name, pair in self.differences.items()
        ]
        title = "The same orders, fills and equity" if self.same else "What was different"
        sheets = [Sheet(title, ("", "this", "other"), made)]
        for label, currency, one, two in self._pairs():
            rows = [
                _row(figure, one[figure.name], two.get(figure.name), currency)
                for figure in self.ours.figures
            ]
            heads = ("", "this", "other", "difference")
            sheets.append(Sheet(label, heads, [row for row in rows if row[1:3] != ("-", "-")]))
        first, second = self.ours.instruments, self.other.instruments
        for title, ones, others in (("this", first, second), ("other", second, first)):
            if names := [name for name in ones if name not in others]:
                sheets.append(Sheet(f"Only in {title}: {', '.join(names)}", ()))
        return sheets

    def _pairs(self) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        made = []
        for currency in self.ours.totals:
            if currency in self.other.totals:
                one, two = self.ours.totals[currency], self.other.totals[currency]
                made.append((f"total {currency}", currency, one, two))
        if len(self.ours.instruments) == 1 and self.ours.instruments.keys() == (
            self.other.instruments.keys()
        ):
            made = []
        for name, one in self.ours.instruments.items():
            if name in self.other.instruments:
                made.append((name, one["currency"], one, self.other.instruments[name]))
        return made


def _row(figure: Figure, one: Any, two: Any, currency: str) -> tuple[str, str, str, str]:
    texts = (text_of(figure, one, currency), text_of(figure, two, currency))
    if "-" in texts or math.isclose(one, two, rel_tol=1e-12):
        return (figure.title, *texts, "")
    return (figure.title, *texts, text_of(figure, two - one, currency))


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
