"""Sums of a ledger: by strategy, instrument, venue, currency; exact inside, floats at the edge.

The money of an account counts its instrument's own unit, so sums over several are of fractions.
Columns of a table, money in `currency`:

    cash        received for all sales less paid for all purchases, without fees
    cost        what is held cost; of a short position minus what it brought
    realised    by what was closed, before fees               == cash + cost
    unrealised  what is held at its mark, less its cost       NaN: there is no mark
    gross, fees, net     realised + unrealised; paid, rebates negative; what is left
    turnover    sum of price times quantity of all fills

Exchanged into one currency a table has no cash and cost: they are of many moments. Quantities are
told where a row is of one instrument. Worst case: one sort of the fills for each table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.instruments import Instruments
from hftlib.execution.ledger_memory import BOOKED
from hftlib.research.ledger_rates import Rates
from hftlib.research.result_money import ratios_of
from hftlib.research.sheets import Sheet, Shown

Array = np.ndarray[Any, Any]
KEYS = ("strategy", "instrument", "venue", "currency")
_MONEY = ("cash", "cost", "realised", "unrealised", "gross", "fees", "net", "turnover")
_QUANTITIES = ("position", "bought", "sold")
COLUMNS = (*_QUANTITIES, "fills", *_MONEY)
_LOW_BITS = 32


class LedgerTable(Shown):
    """Rows of sums; `.exact` as fractions, `.frame` as floats."""

    def __init__(
        self,
        instruments: Instruments,
        accounts: Array,
        booked: Array,
        marks: Mapping[int, Fraction],
        by: tuple[str, ...],
        fx: Mapping[str, Any] | None = None,
        into: str | None = None,
        strategies: Sequence[str] = (),
    ) -> None:
        self._strategies = strategies
        self._instruments, self._accounts, self._marks = instruments, accounts, dict(marks)
        self._booked = booked[booked["state"] == BOOKED]
        currencies = sorted({instruments[int(row)].currency for row in accounts["instrument"]})
        self._rates = None
        if fx is not None or into is not None:
            self._rates = Rates(fx or {}, into, currencies)
        self._names = names_of(instruments)
        self.by = by
        if self._rates is None and "currency" not in by:
            self.by = (*by, "currency")

    @cached_property
    def exact(self) -> list[dict[str, Any]]:
        """A dict for each row, its amounts as fractions; None: not known."""
        groups: dict[tuple[Any, ...], list[int]] = {}
        for number in range(len(self._accounts)):
            groups.setdefault(self._key(number), []).append(number)
        return [self._row(key, groups[key]) for key in sorted(groups)]

    @property
    def columns(self) -> list[str]:
        """Those of the sums."""
        money = [one for one in _MONEY if self._rates is None or one not in ("cash", "cost")]
        return [*(_QUANTITIES if "instrument" in self.by else ()), "fills", *money]

    @cached_property
    def frame(self) -> Any:
        """The rows as a DataFrame of floats."""
        import pandas as pd

        rows = [{**one, **{n: _float(one[n]) for n in self.columns}} for one in self.exact]
        names = [*self.by, *(["into"] if self._rates else []), *self.columns]
        made = pd.DataFrame(rows, columns=names)
        made["fills"] = made["fills"].astype("int64")
        return made.set_index(list(self.by)) if self.by else made

    def sheets(self) -> list[Sheet]:
        rates = self._rates
        title = "Ledger" if rates is None else f"Ledger, in {rates.into}"
        rows = [
            (*(str(one[name]) for name in self.by), *(_shown(one[name]) for name in self.columns))
            for one in self.exact
        ]
        return [Sheet(title, (*self.by, *self.columns), rows)]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: exact amounts as text, what is not known as None."""
        rows = [
            {name: _text(one[name]) if name in _MONEY else one[name] for name in one}
            for one in self.exact
        ]
        for row in rows:
            row |= {name: _text(row[name]) for name in _QUANTITIES if name in row}
        return {"by": list(self.by), "rows": rows}

    def _key(self, number: int) -> tuple[Any, ...]:
        account = self._accounts[number]
        one = self._instruments[int(account["instrument"])]
        number = int(account["strategy"])
        whose = self._strategies[number] if number < len(self._strategies) else number
        values = {"strategy": whose, "instrument": self._names[one.row]}
        values |= {"venue": one.venue, "currency": one.currency}
        return tuple(values[name] for name in self.by)

    def _row(self, key: tuple[Any, ...], numbers: list[int]) -> dict[str, Any]:
        made: dict[str, Any] = dict(zip(self.by, key, strict=True))
        if self._rates is not None:
            made["into"] = self._rates.into
        chosen = self._accounts[numbers]
        if "instrument" in self.by:
            lot = self._instruments[int(chosen["instrument"][0])].lot_unit.size
            for name, field in zip(_QUANTITIES, ("quantity", "bought", "sold"), strict=True):
                made[name] = sum(map(int, chosen[field])) * lot
        made["fills"] = int(chosen["fills"].sum())
        parts = [self._money(number) for number in numbers]
        for name in _MONEY:
            if name in parts[0]:
                amounts = [part[name] for part in parts]
                known = [amount for amount in amounts if amount is not None]
                made[name] = sum(known, Fraction(0)) if len(known) == len(amounts) else None
        return made

    def _money(self, number: int) -> dict[str, Fraction | None]:
        """The amounts of one account, in its currency or exchanged."""
        account = self._accounts[number]
        row, held = int(account["instrument"]), int(account["quantity"])
        unit = money_unit(self._instruments, row)
        mark, cost = self._marks.get(row), int(account["cost"])
        opened = 0 if held == 0 else None if mark is None else held * mark - cost
        flows = {name: self._flows[name].get(number, {}) for name in ("realised", "fee", "value")}
        if self._rates is None:
            made = {name: int(account[name]) * unit for name in ("cash", "cost")}
            rates, last = [Fraction(1)], Fraction(1)
        else:
            made = {}
            currency = self._instruments[row].currency
            _, rates = self._rates.steps(currency, np.zeros(0, np.int64))
            last = self._rates.last(currency)
        sums = {
            name: sum((amount * rates[step] for step, amount in flow.items()), Fraction(0)) * unit
            for name, flow in flows.items()
        }
        unrealised = None if opened is None else opened * unit * last
        gross = None if unrealised is None else sums["realised"] + unrealised
        return {
            **made,
            "realised": sums["realised"],
            "unrealised": unrealised,
            "gross": gross,
            "fees": sums["fee"],
            "net": None if gross is None else gross - sums["fee"],
            "turnover": sums["value"],
        }

    @cached_property
    def _flows(self) -> dict[str, dict[int, dict[int, int]]]:
        """Of each account and rate, the sums of its fills."""
        booked = self._booked
        account = booked["account"].astype(np.int64) - 1
        steps = np.zeros(len(booked), np.int64)
        if self._rates is not None:
            rows = self._accounts["instrument"][account]
            of = {int(row): self._instruments[int(row)].currency for row in np.unique(rows)}
            for currency in set(of.values()):
                mine = np.isin(rows, [row for row in of if of[row] == currency])
                steps[mine] = self._rates.steps(currency, booked["time"][mine])[0]
        values = {"realised": booked["realised"], "fee": booked["fee"]}
        values["value"] = np.abs(booked["price"]) * booked["quantity"]
        return {name: exact_sums(account, steps, one) for name, one in values.items()}


def money_unit(instruments: Instruments, row: int) -> Fraction:
    """What one unit of an instrument's money is, in its currency."""
    one = instruments.table[row]
    names = ("price_unit_over", "price_unit_under", "lot_unit_over", "lot_unit_under", "multiplier")
    return ratios_of(*(int(one[name]) for name in names))["money"]


def exact_sums(accounts: Array, steps: Array, values: Array) -> dict[int, dict[int, int]]:
    """Exact sums by account and step: in two halves, neither of which can run over."""
    made: dict[int, dict[int, int]] = {}
    if not len(values):
        return made
    order = np.lexsort((steps, accounts))
    accounts, steps, values = accounts[order], steps[order], values[order]
    new = (np.diff(accounts) != 0) | (np.diff(steps) != 0)
    firsts = np.flatnonzero(np.append(True, new))
    high = np.add.reduceat(values >> _LOW_BITS, firsts).tolist()
    low = np.add.reduceat(values & ((1 << _LOW_BITS) - 1), firsts).tolist()
    for first, up, down in zip(firsts.tolist(), high, low, strict=True):
        of = made.setdefault(int(accounts[first]), {})
        of[int(steps[first])] = (up << _LOW_BITS) + down
    return made


def names_of(instruments: Instruments) -> list[str]:
    """A name for each row; a symbol that trades at several venues has the venue beside it."""
    symbols = instruments.symbols
    counts = Counter(symbols)
    venues = instruments.table["venue"].tolist()
    return [
        f"{symbol}@{venue.decode('utf-8', 'replace')}" if counts[symbol] > 1 else symbol
        for symbol, venue in zip(symbols, venues, strict=True)
    ]


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _shown(value: Any) -> Any:
    if value is None:
        return "-"
    return int(value) if isinstance(value, int) or value == int(value) else float(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
