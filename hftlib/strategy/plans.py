"""A class as declared: its parameters, state and methods, the memory they take, and its shape.

    strategy   STATE (64 bytes) │ parameters │ state        each field 8 bytes, arrays 8 n
    block      home (8 bytes)   │ parameters │ state        home: bytes back to the strategy's STATE

A block lies inside its strategy's state, or inside another block. If one of its sizes is the
name of a parameter, each use with another value has a shape, and machine code, of its own.

Worst case: SIZE_MAX items in a field; a larger size is refused where it is declared.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.jit.options import REPORTING
from hftlib.strategy.abi import STATE
from hftlib.strategy.fields import KINDS, SIZE_MAX, WORDS, Param, State, checked, nearest
from hftlib.strategy.rewriting import functions_of
from hftlib.strategy.source import Source

STEPS_MAX = 1_000_000
BLOCK_HEADER = np.dtype({"names": ["home"], "formats": ["<i8"], "offsets": [0], "itemsize": 8})
_made = 0


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the class: its kind is int, float, bool, or the plan of a block."""

    name: str
    kind: Any
    declared: Param | State
    line: int

    @property
    def is_param(self) -> bool:
        return isinstance(self.declared, Param)


@dataclass(eq=False)
class Plan:
    """A class read and checked."""

    source: Source
    doc: str
    fields: dict[str, Field]
    methods: dict[str, ast.FunctionDef]
    is_block: bool
    # Why it can run as plain Python only, if so.
    only_uncompiled: Exception | None = None
    _shapes: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def params(self) -> dict[str, Field]:
        return {name: item for name, item in self.fields.items() if item.is_param}

    def values(self, given: dict[str, Any], where: str) -> dict[str, Any]:
        """All parameters, each checked; those not given have their defaults."""
        params = self.params
        for name in given:
            if name not in params:
                raise InputError(
                    f"{self.name} has no parameter {name!r}",
                    where=where,
                    do=nearest(name, params, "parameter"),
                )
        found = {}
        for name, item in params.items():
            param = cast(Param, item.declared)
            found[name] = checked(name, item.kind, param, given.get(name, param.default), where)
        return found

    def shape(self, values: dict[str, Any]) -> Laid:
        """The shape for these parameters; one for all, unless sizes depend on them."""
        sizes = {name: self._size(item, values) for name, item in self.fields.items()}
        parts = {}
        for name, item in self.fields.items():
            if isinstance(item.kind, Plan):
                settings = cast(State, item.declared).settings
                inner = item.kind.values(settings, self.source.where(item.line))
                parts[name] = item.kind.shape(inner)
        key = (tuple(sizes.items()), tuple((name, part.shape.name) for name, part in parts.items()))
        if key not in self._shapes:
            self._shapes[key] = Laid(self, sizes, parts)
        return self._shapes[key]

    def _size(self, item: Field, values: dict[str, Any]) -> int | None:
        if item.is_param:
            return None
        size = item.declared.size  # type: ignore[union-attr]
        if isinstance(size, str):
            size = values.get(size, 0)
        if size is None:
            return None
        if type(size) is not int or not 1 <= size <= SIZE_MAX:
            raise self.source.error(
                f"The size of {item.name!r} is {size!r}",
                item.line,
                f"A size is a whole number from 1 to {SIZE_MAX:,}, known when the class is made.",
            )
        return size

    def tree_text(self) -> str:
        """The plan's text with those of its blocks: what its machine code is made of."""
        inner = [
            item.kind.tree_text() for item in self.fields.values() if isinstance(item.kind, Plan)
        ]
        return "\0".join([self.source.text, *inner])


class Laid:
    """A plan with its sizes: the dtype, and the shape of its records with methods, by mode."""

    def __init__(self, plan: Plan, sizes: dict[str, int | None], parts: dict[str, Laid]) -> None:
        global _made
        _made += 1
        self.plan, self.sizes, self.parts = plan, sizes, parts
        self.dtype = self._dtype()
        # Made again in a notebook, a class of the same name is another one.
        shapes = {name: part.shape for name, part in parts.items()}
        self.shape: jit.Shape = jit.Shape(
            f"{plan.name} {_made}", self.dtype, shapes, dict(REPORTING)
        )
        self.functions = self._functions(compiled=True)
        for name, function in self.functions.items():
            self.shape.functions[name] = function
        for name, function in self._functions(compiled=False).items():
            setattr(self.shape.view, name, function)

    def _functions(self, compiled: bool) -> dict[str, Any]:
        sizes = {name: size for name, size in self.sizes.items() if size is not None}
        whole = {name for name, item in self.plan.fields.items() if item.kind is int}
        return functions_of(self.plan.source, self.plan.methods, sizes, whole, compiled)

    def _dtype(self) -> np.dtype[Any]:
        header = BLOCK_HEADER if self.plan.is_block else STATE
        assert header.names is not None
        names, formats = list(header.names), [header[name] for name in header.names]
        offsets, end = [header.fields[name][1] for name in names], header.itemsize  # type: ignore
        for name, item in self.plan.fields.items():
            kind: Any = self.parts[name].dtype if name in self.parts else np.dtype(KINDS[item.kind])
            size = self.sizes[name]
            formats.append(kind if size is None else np.dtype((kind, (size,))))
            names.append(name)
            offsets.append(end)
            end += -(-formats[-1].itemsize // 8) * 8
        layout: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": end}
        return np.dtype(layout, align=True)

    def lay(self, place: Any, values: dict[str, Any], home: int = 0) -> None:
        """Write parameters and initial state into one record."""
        if self.plan.is_block:
            place["home"] = -home
        else:
            place["steps_max"] = STEPS_MAX
        for name, item in self.plan.fields.items():
            if item.is_param:
                place[name] = values[name]
            elif name in self.parts:
                self._lay_part(place, name, item, home)
            else:
                place[name] = self._initial(item)

    def _lay_part(self, place: Any, name: str, item: Field, home: int) -> None:
        part, where = self.parts[name], self.plan.source.where(item.line)
        assert isinstance(item.declared, State) and self.dtype.fields is not None
        values = item.kind.values(item.declared.settings, where)
        start = home + self.dtype.fields[name][1]
        size = self.sizes[name]
        for index in range(size or 1):
            inner = place[name] if size is None else place[name][index]
            part.lay(inner, values, start + index * part.dtype.itemsize)

    def _initial(self, item: Field) -> Any:
        assert isinstance(item.declared, State)
        value = item.declared.initial
        if item.kind is not float and np.asarray(value).dtype.kind == "f":
            raise self.plan.source.error(
                f"The initial value of {item.name!r} is {value!r}, not {WORDS[item.kind]}",
                item.line,
                "Annotate it `float`, or give it a whole number.",
            )
        return value
