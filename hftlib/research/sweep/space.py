"""Which parameters a sweep tries: a list is choices, (low, high) a range; and the grid and chance.

    {"edge_ticks": [1, 2, 3], "clip": (100, 1000), "window": ("1s", "1m")}
    None          each parameter's own low and high, or its choices
    {"clip": None}                   the same of one parameter

A parameter that is not named keeps what the strategy has. A grid takes each choice, and of a range
`GRID_POINTS` values spread evenly, or all where there are fewer. Chance draws without repeating
itself, number by number from its seed: the first hundred of a thousand are those of a hundred.

Worst case: a grid of `GRID_MAX` combinations; a larger one is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.strategy.fields import nearest

GRID_POINTS, GRID_MAX = 10, 1_000_000
_WHERE = "hft.sweep(strategy, tapes, space)"
_TRIES = 1_000


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one parameter may be: choices, or where there are none a range of whole or any numbers.

    Values of a range that belong together for people: those of a grid.
    """

    name: str
    kind: str  # "choices", "whole", "number"
    choices: tuple[Any, ...] = ()
    low: Any = None
    high: Any = None

    @property
    def points(self) -> tuple[Any, ...]:
        """Its values in a grid."""
        if self.kind == "choices":
            return self.choices
        if self.kind == "whole" and self.high - self.low < GRID_POINTS:
            return tuple(range(self.low, self.high + 1))
        even = np.linspace(self.low, self.high, GRID_POINTS)
        if self.kind == "whole":
            return tuple(sorted({round(value) for value in even.tolist()}))
        return tuple(even.tolist())

    @property
    def count(self) -> float:
        """How many values it has."""
        if self.kind == "choices":
            return len(self.choices)
        return self.high - self.low + 1 if self.kind == "whole" else math.inf

    def drawn(self, chance: np.random.Generator) -> Any:
        if self.kind == "choices":
            return self.choices[int(chance.integers(len(self.choices)))]
        if self.kind == "whole":
            return int(chance.integers(self.low, self.high, endpoint=True))
        return float(chance.uniform(self.low, self.high))

    def place_of(self, value: Any) -> float:
        """Where a value lies, from 0 to 1: choices that are no numbers by their order."""
        if self.kind != "choices":
            return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return self.choices.index(value) / max(1, len(self.choices) - 1)

    def as_json(self) -> dict[str, Any]:
        if self.kind == "choices":
            return {"name": self.name, "choices": list(self.choices)}
        return {"name": self.name, "kind": self.kind, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Space:
    """All dimensions, in the order of the strategy's parameters."""

    dimensions: tuple[Dimension, ...]

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.dimensions]

    @property
    def count(self) -> float:
        """How many combinations there are."""
        return math.prod(one.count for one in self.dimensions)

    @property
    def grid_size(self) -> int:
        return math.prod(len(one.points) for one in self.dimensions)

    def grid_at(self, number: int) -> dict[str, Any]:
        """The combination of that number; the last parameter changes fastest."""
        made = {}
        for one in reversed(self.dimensions):
            number, place = divmod(number, len(one.points))
            made[one.name] = one.points[place]
        return {name: made[name] for name in self.names}

    def drawn(self, count: int, seed: int) -> list[dict[str, Any]]:
        """So many different combinations by chance."""
        if count > self.count:
            raise InputError(
                f"The space has {self.count:,.0f} combinations, and {count:,} trials are asked for",
                where="hft.sweep(trials=...)",
                do='Ask for fewer, or take them all: method="grid".',
            )
        chance, seen = np.random.default_rng(seed), set[tuple[Any, ...]]()
        made: list[dict[str, Any]] = []
        while len(made) < count:
            for _ in range(_TRIES):
                one = {part.name: part.drawn(chance) for part in self.dimensions}
                key = tuple(one.values())
                if key not in seen:
                    break
            else:
                one = self._left(seen)
                key = tuple(one.values())
            seen.add(key)
            made.append(one)
        return made

    def _left(self, seen: set[tuple[Any, ...]]) -> dict[str, Any]:
        """The first combination that is not drawn yet, where chance finds none: nearly all are."""
        values = [
            one.choices or tuple(range(one.low, one.high + 1))
            for one in self.dimensions
            if one.kind != "number"
        ]
        place = [0] * len(values)
        while True:
            key = tuple(part[n] for part, n in zip(values, place, strict=True))
            if key not in seen:
                return dict(zip(self.names, key, strict=True))
            for column in reversed(range(len(place))):
                place[column] = (place[column] + 1) % len(values[column])
                if place[column]:
                    break


def space_of(space: Any, strategy: Any) -> Space:
    """The space a user means, for a strategy with its parameters."""
    declared = type(strategy).declared_parameters()
    given = dict.fromkeys(_bounded(declared)) if space is None else space
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        do = 'Give a dict, such as {"edge_ticks": [1, 2, 3], "clip": (100, 1000)}.'
        raise InputError(f"{shown(space)} is no space of parameters", where=_WHERE, do=do)
    if not given:
        what = f"There is nothing to vary of {strategy.name}"
        do = 'Name parameters: {"edge_ticks": [1, 2, 3]}; or give them low and high in hft.param.'
        raise InputError(what, where=_WHERE, do=do)
    for name in given:
        if name not in declared:
            what = f"{strategy.name} has no parameter {shown(name)}"
            raise InputError(what, where=_WHERE, do=nearest(name, declared, "parameter"))
    return Space(
        tuple(
            _dimension(name, given[name], strategy, declared) for name in declared if name in given
        )
    )


def _bounded(declared: Mapping[str, Any]) -> list[str]:
    """The parameters that say themselves what they may be."""
    return [
        name
        for name, one in declared.items()
        if one.choices is not None
        or isinstance(one.default, bool)
        or (one.low is not None and one.high is not None)
    ]


def _dimension(name: str, given: Any, strategy: Any, declared: Mapping[str, Any]) -> Dimension:
    one, where = declared[name], f"the space's {name!r}"
    if given is None:
        given = _own(name, one, where)
    if isinstance(given, tuple) and len(given) == 2:
        low, high = (_checked(strategy, name, value, where) for value in given)
        if isinstance(low, bool) or one.choices is not None:
            do = f"Give a list of values: {list(given)!r}."
            raise InputError(f"{name} is no number with a range", where=where, do=do)
        if not low < high:
            what = f"The range of {name} goes from {low!r} to {high!r}"
            raise InputError(what, where=where, do="Give (low, high), the lower one first.")
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError(f"The range of {name} has no end", where=where, do="Give numbers.")
        return Dimension(name, "number" if isinstance(low, float) else "whole", (), low, high)
    if isinstance(given, str) or not isinstance(given, list | range | np.ndarray):
        what = f"{shown(given)} says neither which values {name} has nor from where to where"
        do = "Give a list of values, [1, 2, 3], or a range, (low, high)."
        raise InputError(what, where=where, do=do)
    values = [_checked(strategy, name, value, where) for value in given]
    if not values:
        raise InputError(f"{name} has no values", where=where, do="Give at least one.")
    return Dimension(name, "choices", _sorted(name, values, where))


def _own(name: str, one: Any, where: str) -> Any:
    """A parameter's own range."""
    if one.choices is not None:
        return list(one.choices)
    if isinstance(one.default, bool):
        return [False, True]
    if one.low is None or one.high is None:
        what = f"{name} does not say from where to where it goes"
        do = f"Give (low, high) here, or in the class: hft.param({one.default!r}, low=…, high=…)."
        raise InputError(what, where=where, do=do)
    return [one.low] if one.low == one.high else (one.low, one.high)


def _checked(strategy: Any, name: str, value: Any, where: str) -> Any:
    """The value as the class takes it, which refuses what is outside its bounds."""
    return strategy._plan.values({**strategy.parameters, name: value}, where)[name]


def _sorted(name: str, values: list[Any], where: str) -> tuple[Any, ...]:
    made = tuple(sorted(values))
    for one, other in pairwise(made):
        if one == other:
            raise InputError(f"{name} has {one!r} twice", where=where, do="Leave one out.")
    return made
