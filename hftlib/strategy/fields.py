"""Parameters and state of a strategy or block: declared in the class, laid out as plain memory.

    edge_ticks: int = hft.param(1, low=1, high=5)     a number that is set before a run
    fair: float = hft.state()                         a number that lives during a run
    window: float = hft.state(size=32)                32 of them
    fast: hft.EMA = hft.state(half_life="1s")         a block, with its own parameters

Every field takes eight bytes, `bool` included, in the order: what the engine keeps (the record
STATE), parameters, state. A size may be the name of a block's own int parameter: each use of
the block then has a layout of its own.

Worst case: `SIZE_MAX` items in a field, 64 MB.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from hftlib.core.errors import HftError, InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import shown

SIZE_MAX = 8_000_000
KINDS = {int: np.int64, float: np.float64, bool: np.bool_}
WORDS = {int: "a whole number", float: "a number", bool: "True or False"}


@dataclass(frozen=True, slots=True)
class Param:
    """What `hft.param` declares."""

    default: Any
    low: Any = None
    high: Any = None
    choices: tuple[Any, ...] | None = None
    help: str = ""
    duration: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What `hft.state` declares; `settings` are those of a block's parameters."""

    initial: Any
    size: Any
    settings: dict[str, Any]


def param(
    default: Any,
    low: Any = None,
    high: Any = None,
    choices: Iterable[Any] | None = None,
    help: str = "",  # noqa: A002
    duration: bool = False,
) -> Any:
    """A parameter: an int, float or bool; a `duration` is an int of ns that text such as "1s"
    can state, as its bounds and choices can."""
    low, high = _bound("low", low, duration), _bound("high", high, duration)
    if choices is not None:
        choices = tuple(_in_ns(one, "choices") if duration else one for one in choices)
    return Param(default, low, high, choices, help, duration)


def _bound(name: str, given: Any, duration: bool) -> Any:
    """A number that values can be held against; None: there is no bound."""
    found = _in_ns(given, name) if duration else given
    if isinstance(found, np.generic):
        found = found.item()
    is_number = isinstance(found, int | float) and not isinstance(found, bool) and found == found
    if found is not None and not is_number:
        do = 'Give a number, or of a duration=True a text such as "1ms".'
        raise InputError(f"{shown(given)} is no bound", where=f"hft.param({name}=...)", do=do)
    return found


def _in_ns(given: Any, name: str) -> Any:
    """A duration as ns, where a text states it."""
    if not isinstance(given, str):
        return given
    try:
        return duration_ns(given)
    except HftError as error:
        raise InputError(error.what, where=f"hft.param({name}=...)", do=error.do) from None


def state(initial: Any = 0, size: Any = None, **settings: Any) -> Any:
    """A field that lives during a run: a number, an array of `size`, or a block with settings."""
    return State(initial, size, settings)


def checked(name: str, kind: type, param: Param, value: Any, where: str) -> Any:
    """The value as the parameter's type, or a sentence saying what is wrong with it."""
    if param.duration and isinstance(value, str):
        try:
            value = duration_ns(value)
        except HftError as error:
            raise _wrong(name, value, error.what, where, error.do) from None
    if isinstance(value, np.generic):
        value = value.item()
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        told = f"is {value!r}, but {name} is {WORDS[kind]}"
        raise _wrong(name, value, told, where, f"Give {WORDS[kind]}, such as {param.default!r}.")
    value = cast(Any, value)
    if kind is int and not -(2**63) <= value < 2**63:
        raise _wrong(name, value, f"is {value}, beyond 64 bits", where, "Give a smaller number.")
    if kind is float and value != value:
        raise _wrong(name, value, "is not a number", where, "Give a number.")
    if param.choices is not None and value not in param.choices:
        known = ", ".join(map(repr, param.choices))
        raise _wrong(name, value, f"is {value!r}, none of {known}", where, "Choose one of them.")
    for bound, outside, word in (
        (param.low, param.low is not None and value < param.low, "below"),
        (param.high, param.high is not None and value > param.high, "above"),
    ):
        if outside:
            told = f"is {value!r}, {word} its bound {bound!r}"
            raise _wrong(name, value, told, where, _range(param))
    return value


def nearest(name: str, known: Iterable[str], sort: str) -> str:
    """A hint: the likeliest meant name, else all there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    # Letters that changed places are the likeliest slip, however the others compare.
    swapped = [one for one in close if sorted(one) == sorted(name)]
    if close:
        return f"Did you mean {(swapped or close)[0]!r}?"
    return f"There is {', '.join(names)}." if names else f"There is no {sort} at all."


def _range(param: Param) -> str:
    if param.low is not None and param.high is not None:
        return f"Give a value from {param.low!r} to {param.high!r}."
    return (
        f"Give at least {param.low!r}."
        if param.low is not None
        else (f"Give at most {param.high!r}.")
    )


def _wrong(name: str, _value: Any, told: str, where: str, do: str) -> InputError:
    return InputError(f"The parameter {name!r} {told}", where=where, do=do)
