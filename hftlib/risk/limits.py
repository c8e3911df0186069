"""Limits: what orders must keep to, as people write it; the same in a notebook and in a file.

    hft.Limits(position_lots=1_000, order_value_money=100_000)          every instrument
    hft.Limits(position_lots=1_000,
               instrument={"AAPL": {"position_lots": 500}},             one of them
               strategy={"daily_loss_money": 5_000},                    every strategy
               portfolio={"equities": {"strategies": ["QueueImbalance"],
                                       "gross_exposure_money": 2_000_000}},
               firm={"messages": 1_000},
               rules={"restricted": ["MSFT"], "self_match": "cancel_newest"})

Every limit of `hftlib.risk.controls` may be set at every level; the tightest wins. `"*"` stands for
every instrument or strategy. In `limits.toml` the same names are tables (`limits_file.py`).

Worst case: a name that is not known, a value that is none, is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.keywords import require_known
from hftlib.core.units import is_whole, shown
from hftlib.risk.controls import (
    CONTROLS,
    LEVELS,
    MONEY_ONE,
    NAMES,
    NO_LIMIT,
    WINDOW_NAMES,
    WINDOWS,
)

EVERY = "*"
SETTINGS = (*NAMES, *WINDOW_NAMES)
OPEN_ORDERS = 64  # at once in an instrument, where nobody says
COUNT_MAX = 1 << 20  # of what is counted in a window
_COUNTED = ("messages", "new_orders", "replaces", "paced_orders", "executions", "message_rate")
_UNITS = {one.name: one.unit for one in CONTROLS} | {one.name: one.unit for one in WINDOWS}

SELF_MATCH = ("venue", "cancel_newest", "cancel_oldest", "cancel_both", "decrement")
# Each rule: what it may be, and what it is when nobody says.
CHOICES: dict[str, tuple[str, ...]] = {
    "self_match": SELF_MATCH,
    "when_closed": ("refuse", "hold"),
    "outside_bands": ("hold", "refuse"),
    "too_fast": ("refuse", "hold"),
    "stale_books": ("pause", "allow"),
    "crossed_books": ("pause", "allow"),
    "collar_reference": ("mid", "last", "static"),
}
LISTS = ("restricted", "no_short", "any_price", "phases")
TABLES = ("bands_percent", "static_price")
MINUTES = ("bands_double_open_minutes", "bands_double_close_minutes")
RULES = (*CHOICES, *LISTS, *TABLES, *MINUTES)
LAUNCH = ("instruments", "venues", "position_lots", "order_value_money", "price_low", "price_high")


class Limits:
    """What orders must keep to, at four levels; immutable."""

    def __init__(
        self,
        *values: Any,
        instrument: Mapping[str, Any] | None = None,
        strategy: Mapping[str, Any] | None = None,
        portfolio: Mapping[str, Any] | None = None,
        firm: Mapping[str, Any] | None = None,
        rules: Mapping[str, Any] | None = None,
        launch: Mapping[str, Any] | None = None,
        currency: str = "",
        rates: Mapping[str, float] | None = None,
        **every: Any,
    ) -> None:
        if values:
            raise InputError(
                f"Limits takes each limit by its name, not {shown(values[0])} alone",
                where="Limits(...)",
                do=f"Write for instance Limits(position_lots={shown(values[0])}).",
            )
        require_known(every, list(SETTINGS), "Limits")
        by_symbol = _named(instrument, "instrument")
        by_symbol[EVERY] = {"open_orders": OPEN_ORDERS, **by_symbol.get(EVERY, {}), **every}
        self.instrument = {name: _level(one, "instrument", name) for name, one in by_symbol.items()}
        self.strategy = {
            name: _level(one, "strategy", name)
            for name, one in _named(strategy, "strategy").items()
        }
        self.portfolio: dict[str, dict[str, int]] = {}
        self.members: dict[str, tuple[str, ...]] = {}
        for name, one in _named(portfolio, "portfolio").items():
            plain = dict(one)
            self.members[name] = _names(plain.pop("strategies", [EVERY]), "strategies")
            self.portfolio[name] = _level(plain, "portfolio", name)
        _require_one_each(self.members)
        self.firm = _level(firm or {}, "firm", "")
        self.rules = _rules(rules or {})
        self.launch = _launch(launch or {})
        self.currency = currency
        self.shared = False  # a file of a whole desk: it may name what a session does not have
        self.rates = {name: _rate(name, rate) for name, rate in (rates or {}).items()}

    def of_instrument(self, symbol: str) -> dict[str, int]:
        """What holds for one instrument: its own, and for the rest what every one has."""
        return {**self.instrument.get(EVERY, {}), **self.instrument.get(symbol, {})}

    def of_strategy(self, name: str) -> dict[str, int]:
        return {**self.strategy.get(EVERY, {}), **self.strategy.get(name, {})}

    def portfolio_of(self, strategy: str) -> str:
        """The portfolio a strategy belongs to; the empty name: none that is limited."""
        named = [name for name, members in self.members.items() if strategy in members]
        every = [name for name, members in self.members.items() if EVERY in members]
        return next(iter(named + every), "")

    def require_symbols(self, symbols: Iterable[str]) -> None:
        """Refuse a limit for a symbol that is not there: it would bind nobody."""
        if self.shared:
            return
        known = list(symbols)
        asked = [(name, "instrument") for name in self.instrument]
        for rule in ("restricted", "no_short", "any_price", *TABLES):
            asked += [(name, rule) for name in self.rules.get(rule, ())]
        for name, where in asked:
            if name not in (EVERY, *known):
                raise InputError(
                    f"There is no instrument {shown(name)} to limit",
                    where=f"Limits({where}=...)",
                    do=f"Use symbols of the tape, such as {', '.join(known[:5])}.",
                )

    def require_strategies(self, names: Iterable[str]) -> None:
        """The same for a strategy."""
        if self.shared:
            return
        known = list(names)
        asked = [(name, "strategy") for name in self.strategy]
        asked += [(name, "portfolio") for members in self.members.values() for name in members]
        for name, where in asked:
            if name not in (EVERY, *known):
                raise InputError(
                    f"There is no strategy {shown(name)} to limit",
                    where=f"Limits({where}=...)",
                    do=f"Use names of strategies here: {', '.join(known)}.",
                )

    def scopes(self) -> list[tuple[str, str, dict[str, int]]]:
        """Every scope that is limited: level, name, limits."""
        made = [("instrument", name, one) for name, one in self.instrument.items()]
        made += [("strategy", name, one) for name, one in self.strategy.items()]
        made += [("portfolio", name, one) for name, one in self.portfolio.items()]
        return [one for one in [*made, ("firm", "", self.firm)] if one[2]]

    @property
    def text(self) -> str:
        """All that is limited, in one line."""
        parts = []
        for level, name, one in self.scopes():
            told = ", ".join(f"{key} {as_written(key, value)}" for key, value in one.items())
            whose = "" if (level, name) == ("instrument", EVERY) else f"{level} {name}".strip()
            parts.append(f"{whose}: {told}" if whose else told)
        usual = {name: choices[0] for name, choices in CHOICES.items()}
        parts += [f"{name} {one}" for name, one in self.rules.items() if usual.get(name) != one]
        return "; ".join(parts) or "none"

    def __repr__(self) -> str:
        return f"<Limits: {self.text}>"


def as_written(name: str, value: int) -> str:
    """A limit as people wrote it: money in the currency, all else as it is kept."""
    return f"{value / MONEY_ONE:,.15g}" if _UNITS[name] == "money" else f"{value:,}"


def _named(given: Mapping[str, Any] | None, level: str) -> dict[str, Mapping[str, Any]]:
    """Limits by name; limits alone are those of every one."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _wrong(f"{shown(given)} gives no limits by name", level)
    if given and all(not isinstance(one, Mapping) for one in given.values()):
        return {EVERY: given}
    for name, one in given.items():
        if not isinstance(name, str) or not isinstance(one, Mapping):
            raise _wrong(f"{shown(name)}: {shown(one)} is no name with its limits", level)
    return dict(given)


def _level(given: Mapping[str, Any], level: str, name: str) -> dict[str, int]:
    """Limits of one scope, in whole numbers of their unit."""
    if not isinstance(given, Mapping):
        raise _wrong(f"{shown(given)} gives no limits by name", level)
    assert level in LEVELS
    whose = f"Limits({level}={{{name!r}: ...}})" if name not in ("", EVERY) else "Limits"
    require_known(given, list(SETTINGS), whose)
    return {
        key: checked_value(key, value, f"{whose}({key}=...)")
        for key, value in given.items()
        if value is not None
    }


def checked_value(name: str, value: Any, where: str) -> int:
    """A limit in whole numbers of its unit; money in ten-thousandths of the currency."""
    unit = _UNITS[name]
    number = is_whole(value) or (unit == "money" and _is_number(value))
    if not number or not 0 <= value <= NO_LIMIT // MONEY_ONE:
        raise InputError(
            f"{shown(value)} is no limit",
            where=where,
            do=f"Give {_what_to_give(unit)}, not below zero.",
        )
    if name in WINDOW_NAMES and value < 1:
        raise InputError(f"{shown(value)} is no window", where=where, do="Give at least 1.")
    if name in _COUNTED and value > COUNT_MAX:
        do = f"Count at most {COUNT_MAX:,} in a window; take a shorter window."
        raise InputError(f"{shown(value)} is too many to count", where=where, do=do)
    return round(value * MONEY_ONE) if unit == "money" else int(value)


def _what_to_give(unit: str) -> str:
    return "an amount of money" if unit == "money" else f"a whole number ({unit})"


def _rules(given: Mapping[str, Any]) -> dict[str, Any]:
    require_known(given, list(RULES), "Limits(rules=...)")
    made: dict[str, Any] = {}
    for name, value in given.items():
        where = f"Limits(rules={{{name!r}: ...}})"
        if name in CHOICES:
            if value not in CHOICES[name]:
                do = f"Choose one of {', '.join(CHOICES[name])}."
                raise InputError(f"{shown(value)} is no choice here", where=where, do=do)
            made[name] = value
        elif name in LISTS:
            made[name] = _names(value, name)
        elif name in MINUTES:
            if not is_whole(value) or value < 0:
                do = "Give whole minutes, such as 15."
                raise InputError(f"{shown(value)} is no number of minutes", where=where, do=do)
            made[name] = int(value)
        else:
            table = value if isinstance(value, Mapping) else {EVERY: value}
            for symbol, number in table.items():
                if not _is_number(number) or number <= 0:
                    do = 'Give a number above zero, or one by symbol: {"AAPL": 5}.'
                    raise InputError(f"{shown(number)} for {symbol} is none", where=where, do=do)
            made[name] = {symbol: float(number) for symbol, number in table.items()}
    return made


def _launch(given: Mapping[str, Any]) -> dict[str, Any]:
    require_known(given, list(LAUNCH), "Limits(launch=...)")
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name in ("instruments", "venues"):
            made[name] = _names(value, name)
        elif not _is_number(value) or value < 0:
            raise _wrong(f"{shown(value)} is no bound", f"launch={{{name!r}: ...}}")
        else:
            made[name] = value
    return made


def _names(value: Any, name: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Iterable) or not all(isinstance(one, str) for one in names):
        raise _wrong(f"{shown(value)} is no list of names", name)
    return tuple(names)


def _require_one_each(members: Mapping[str, tuple[str, ...]]) -> None:
    """A strategy has one portfolio: a second one would limit nobody."""
    named = [strategy for one in members.values() for strategy in dict.fromkeys(one)]
    for strategy in named:
        if named.count(strategy) > 1:
            whose = "every other strategy" if strategy == EVERY else f"the strategy {strategy}"
            raise InputError(
                f"More than one portfolio has {whose}",
                where="Limits(portfolio=...)",
                do="Name each strategy in one portfolio; what limits all belongs to the firm.",
            )


def _rate(name: str, rate: Any) -> float:
    if not _is_number(rate) or rate <= 0:
        raise _wrong(f"{shown(rate)} is no rate of {name}", "rates")
    return float(rate)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _wrong(what: str, where: str) -> InputError:
    do = 'Give limits by name, such as {"position_lots": 500}.'
    return InputError(what, where=f"Limits({where}=...)", do=do)
