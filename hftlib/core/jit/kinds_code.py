"""What numba knows of shapes: the type of their records, their attributes and their methods.

Imported when something is compiled (`teaching.py`). A method is a dispatcher of numba's, compiled
for the kinds of its arguments at its first use and kept like a leaf.
Worst case: a method that cannot be compiled says so where it is used.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
from numba import types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr
from numba.core.typing.templates import signature as typed
from numba.extending import lower_getattr_generic
from numba.np.arrayobj import record_getattr

from hftlib.core.jit.kinds import SHAPES, Shape
from hftlib.core.jit.leaf_code import leaf
from hftlib.core.jit.options import METHODS

_PLAIN = {int: types.int64, float: types.float64, bool: types.boolean}
_WORDS = {int: "a whole number", float: "a number", bool: "True or False"}


class Made:
    """Of one shape: numba's type, and what has been compiled for it so far."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.kind = Kind(shape.name, _fields(shape), shape.dtype.itemsize)
        self._dispatchers: dict[str, Any] = {}
        self._templates: dict[str, Any] = {}
        self._results: dict[str, Any] = {}

    def placed(self) -> Any:
        """The signature of `shape.at`."""
        return typed(self.kind, types.int64)

    def dispatcher(self, name: str) -> Any:
        if name not in self._dispatchers:
            function = self.shape.functions[name]
            is_closed = self.shape.options is None
            options = self.shape.options or METHODS
            self._dispatchers[name] = leaf(function, options, is_kept=is_closed)
        return self._dispatchers[name]

    def template(self, name: str) -> Any:
        if name not in self._templates:
            self._templates[name] = _method_template(self.shape, name)
        return self._templates[name]

    def result(self, name: str) -> Any:
        """The type of a derived attribute."""
        if name not in self._results:
            made = self.dispatcher(name)
            made.compile((self.kind,))
            self._results[name] = made.overloads[(self.kind,)].signature.return_type
        return self._results[name]


class Kind(types.Record):
    """numba's type of the records of a shape; it is found by name, so it can be pickled."""

    def __init__(self, name: str, fields: Any, size: int) -> None:
        super().__init__(fields, size, True)
        self.name = f"hft.{name}"

    @property
    def shape(self) -> Shape:
        return SHAPES[self.name.removeprefix("hft.")]


@register_default(Kind)
class _KindModel(models.RecordModel):
    """A pointer everywhere: numba's own records are copied when they are returned."""

    def get_return_type(self) -> Any:
        return self.get_value_type()

    def as_return(self, _builder: Any, value: Any) -> Any:
        return value

    def from_return(self, _builder: Any, value: Any) -> Any:
        return value


@infer_getattr
class _Attributes(AttributeTemplate):
    key = Kind

    def generic_resolve(self, kind: Any, name: str) -> Any:
        shape = kind.shape
        if name in shape.derived_names:
            return shape.compiled.result(name)
        if name in shape.functions:
            return types.BoundFunction(shape.compiled.template(name), kind)
        if name not in kind.fields:
            raise TypingError(f"{shape.name!r} has no {name!r}")
        return None


@lower_getattr_generic(Kind)
def _(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    shape = kind.shape
    if name in shape.derived_names:
        made = shape.compiled
        return _call(context, builder, made.dispatcher(name), typed(made.result(name), kind), value)
    return record_getattr(context, builder, kind, value, name)


def _fields(shape: Shape) -> list[tuple[str, dict[str, Any]]]:
    found = []
    assert shape.dtype.names is not None
    for name in shape.dtype.names:
        dtype, offset = shape.dtype.fields[name][:2]  # type: ignore[index]
        part = shape.parts.get(name)
        kind: Any = part.compiled.kind if part else None
        if kind is None:
            kind = numba.from_dtype(dtype)
        elif dtype.subdtype:
            kind = types.NestedArray(kind, dtype.shape)
        align = max(dtype.alignment, 1)
        found.append((name, {"type": kind, "offset": offset, "alignment": align}))
    return found


def _call(context: Any, builder: Any, dispatcher: Any, signature: Any, *values: Any) -> Any:
    run = context.get_function(types.Dispatcher(dispatcher), signature)
    context.add_linking_libs(getattr(run, "libs", ()))
    return run(builder, values)


def _method_template(shape: Shape, name: str) -> Any:
    function = shape.functions[name]
    declared = _declared(shape, function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    outside = inspect.Signature(parameters)

    def generic(self: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        dispatcher = shape.compiled.dispatcher(name)
        if declared is None:
            kind: Any = types.Dispatcher(dispatcher)
            full = kind.get_call_type(self.context, (self.this, *given), keywords)
            result = typed(full.return_type, *full.args[1:], recvr=self.this)
        else:
            bound = outside.bind(*given, **keywords)
            for field, value in bound.arguments.items():
                _check(name, field, value, declared[field])
            kinds = [_PLAIN.get(declared[p.name], declared[p.name]) for p in parameters]
            dispatcher.compile((self.this, *kinds))
            done = dispatcher.overloads[(self.this, *kinds)].signature.return_type
            result = typed(done, *kinds, recvr=self.this)
        return result.replace(pysig=outside)

    key = f"hft method {shape.name}.{name} {id(shape)}"
    template = type(f"{shape.name}.{name}", (AbstractTemplate,), {"key": key, "generic": generic})

    def lower(context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
        return _call(context, builder, shape.compiled.dispatcher(name), signature, *values)

    cpu_target.target_context.insert_func_defn([(lower, key, (types.VarArg(types.Any),))])
    return template


def _declared(shape: Shape, function: Callable[..., Any]) -> dict[str, Any] | None:
    """The parameters' types, if the shape's functions have them: those with options are open."""
    if shape.options is not None:
        return None
    words = {"int": int, "float": float, "bool": bool}
    hints = function.__annotations__
    names = list(inspect.signature(function).parameters)[1:]
    return {name: words.get(hints[name], hints[name]) for name in names}


def _check(name: str, field: str, given: Any, wanted: Any) -> None:
    if isinstance(given, types.Omitted):
        return
    kinds: dict[Any, Any] = {int: types.Integer, float: types.Number, bool: types.Boolean}
    if isinstance(given, kinds[wanted] | types.Boolean):
        return
    hint = "; write int(...) or a whole division" if isinstance(given, types.Float) else ""
    raise TypingError(f"{name}() takes {_WORDS[wanted]} as {field!r}, not {given}{hint}")
