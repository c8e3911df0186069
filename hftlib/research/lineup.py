"""Who runs in a backtest: one strategy, or several by name, each with its parameters.

    Maker                                   one, with its own name
    [Maker, Taker(size=2)]                  two, each with the name of its class
    {"fast": Maker, "slow": Maker}          two of one class, which need names of their own

    params={"edge": 2}                      of one
    params=[{"edge": 2}, {}]                of several: in the same order,
    params={"fast": {"edge": 2}}            or by name

A name is what limits, directives and results call a strategy by.
Worst case: STRATEGIES_MAX of them; more are refused with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.numbers import STRATEGIES_MAX
from hftlib.core.units import shown

_NEEDED = ("lay", "entry", "state_dtype", "parameters")
_NAME = re.compile(r"[A-Za-z]\w{0,31}", re.ASCII)
_WHERE = "hft.backtest(strategy, tape)"


def lineup(strategy: Any, params: Any) -> dict[str, Any]:
    """The strategies of a run by name, in their order."""
    if isinstance(strategy, Mapping):
        given = dict(strategy)
        for name in given:
            require_name(name)
    elif isinstance(strategy, list | tuple):
        given = {}
        for one in strategy:
            name = _own_name(one)
            if name in given:
                raise InputError(
                    f"Two strategies are called {name}",
                    where="hft.backtest([...], tape)",
                    do=f'Give each a name: hft.backtest({{"{name}": ..., "{name}2": ...}}, tape).',
                )
            given[name] = one
    else:
        one = strategy_of(strategy, params)
        return {one.name: one}
    if not 1 <= len(given) <= STRATEGIES_MAX:
        raise InputError(
            f"{len(given)} strategies are too {'many' if given else 'few'} to run together",
            where=_WHERE,
            do=f"Give 1 to {STRATEGIES_MAX}.",
        )
    settings = _settings(list(given), params)
    return {name: strategy_of(one, settings.get(name)) for name, one in given.items()}


def strategy_of(strategy: Any, params: Mapping[str, Any] | None) -> Any:
    """The strategy with its parameters; a class stands for its defaults."""
    if params is not None and not is_by_name(params):
        raise InputError(
            f"{shown(params)} gives no parameters by name",
            where="hft.backtest(params=...)",
            do='Give a dict, such as {"edge_ticks": 2}.',
        )
    if isinstance(strategy, type) and hasattr(strategy, "state_dtype"):
        strategy = strategy(**(params or {}))
    elif params and hasattr(strategy, "with_params"):
        strategy = strategy.with_params(**params)
    if not all(hasattr(strategy, name) for name in _NEEDED):
        raise _no_strategy(strategy)
    return strategy


def require_name(name: Any) -> None:
    """Refuse what limits, scopes and folders could not be named after."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"{shown(name)} is no name for a strategy",
            where="hft.backtest({...}, tape)",
            do="Use a letter, then letters, digits and underscores: at most 32 of them.",
        )


def is_by_name(value: Any) -> bool:
    """Whether it is a dict whose keys are names."""
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def _own_name(strategy: Any) -> str:
    """A class's name, or that of the class which a strategy was made of."""
    if isinstance(strategy, type) and hasattr(strategy, "state_dtype"):
        return strategy.__name__
    if not isinstance(strategy, type) and isinstance(getattr(strategy, "name", None), str):
        return str(strategy.name)
    raise _no_strategy(strategy)


def _no_strategy(strategy: Any) -> InputError:
    what = strategy if isinstance(strategy, type) else type(strategy)
    return InputError(
        f"{what.__name__} is no strategy",
        where=_WHERE,
        do="Decorate a class with @hft.strategy and pass the class, or one made of it.",
    )


def _settings(names: Sequence[str], params: Any) -> dict[str, Any]:
    """The parameters of each strategy that has some."""
    where = "hft.backtest(params=...)"
    if params is None:
        return {}
    if isinstance(params, list | tuple):
        if len(params) != len(names):
            raise InputError(
                f"Parameters for {len(params)} strategies are given, and there are {len(names)}",
                where=where,
                do=f"Give one dict for each of {', '.join(names)}; {{}} where nothing is set.",
            )
        return dict(zip(names, params, strict=True))
    known = f"Name them by strategy: {{{', '.join(f'{name!r}: {{...}}' for name in names[:3])}}}."
    if not is_by_name(params):
        raise InputError(f"{shown(params)} gives no parameters by name", where=where, do=known)
    for name in params:
        if name not in names:
            raise InputError(f"There is no strategy {shown(name)} here", where=where, do=known)
    return dict(params)
