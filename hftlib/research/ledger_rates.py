"""Rates of exchange, exact: one for each currency, or several with the time from which they hold.

    {"EUR": "1.08"}                                   one euro is 1.08 of the other, always
    {"EUR": [(ns, "1.08"), ("2026-11-20T14:00Z", "1.09")]}      from these times on

P&L is exchanged as it arises: what a fill realised and what it cost in fees at the rate of its
moment, what is still open at the last rate. Worst case: a search of the times for each currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import to_ns, to_text
from hftlib.core.units import INT64_MIN, exact_fraction, shown

Array = np.ndarray[Any, Any]


class Rates:
    """What one of each currency is worth in `into`."""

    def __init__(self, fx: Any, into: str | None, currencies: Sequence[str]) -> None:
        if not isinstance(fx, Mapping):
            do = "Give what one of each is worth: fx={'EUR': '1.08'}."
            raise InputError(f"{shown(fx)} holds no rates", where="fx", do=do)
        self.into = _into(fx, into, currencies)
        self._steps = {self.into: ([INT64_MIN], [Fraction(1)])}
        for currency, given in fx.items():
            if currency != self.into:
                self._steps[currency] = _steps(currency, given)
        missing = [one for one in currencies if one not in self._steps]
        if missing:
            do = f"Say what one of it is worth in {self.into}: fx={{{missing[0]!r}: '1.08'}}."
            raise InputError(f"There is no rate for {missing[0]}", where="fx", do=do)

    def last(self, currency: str) -> Fraction:
        """The rate that holds at the end."""
        return self._steps[currency][1][-1]

    def steps(self, currency: str, times: Array) -> tuple[Array, list[Fraction]]:
        """Which of the rates, counted from 0, holds at each time; and the rates."""
        begins, rates = self._steps[currency]
        at = np.searchsorted(np.array(begins, np.int64), times, side="right") - 1
        if len(at) and int(at.min()) < 0:
            first = int(times[int(np.argmin(at))])
            raise InputError(
                f"The first rate of {currency} is of {to_text(begins[0])}, and there is a fill of"
                f" {to_text(first)}",
                where=f"fx[{currency!r}]",
                do="Give the rate that held then as well.",
            )
        return at, rates


def _into(fx: Mapping[str, Any], into: str | None, currencies: Sequence[str]) -> str:
    if into is not None:
        if not isinstance(into, str) or not into:
            do = "Name the currency: into='USD'."
            raise InputError(f"{shown(into)} is no currency", where="into", do=do)
        return into
    left = [one for one in currencies if one not in fx]
    if len(left) == 1:
        return left[0]
    what = "All of them have a rate" if not left else f"{', '.join(left)} have no rate"
    do = "Name the currency that all is exchanged into: into='USD'."
    raise InputError(f"{what}, so it is not clear what the rates are in", where="fx", do=do)


def _steps(currency: str, given: Any) -> tuple[list[int], list[Fraction]]:
    if not isinstance(given, list | tuple):
        return [INT64_MIN], [_rate(currency, given)]
    if not given or not all(isinstance(one, list | tuple) and len(one) == 2 for one in given):
        do = "Give pairs of a time and the rate from then on: [(ns, '1.08'), ...]."
        raise InputError(f"{shown(given)} are no rates", where=f"fx[{currency!r}]", do=do)
    begins = [to_ns(time, field=f"fx[{currency!r}]") for time, _ in given]
    if any(b <= a for a, b in pairwise(begins)):
        do = "Give them in order of time, each time once."
        raise InputError("The times of the rates go back", where=f"fx[{currency!r}]", do=do)
    return begins, [_rate(currency, rate) for _, rate in given]


def _rate(currency: str, given: Any) -> Fraction:
    rate = exact_fraction(given, f"fx[{currency!r}]")
    if rate <= 0:
        do = "Give what one of it is worth in the other, above zero."
        raise InputError(f"{shown(given)} is no rate", where=f"fx[{currency!r}]", do=do)
    return rate
