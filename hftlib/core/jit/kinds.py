"""Records with methods: a dtype plus Python functions that take the record as their first argument.

    BOOK = jit.Shape("book", MARKET)

    @BOOK.derived
    def has_both(book): return book.bid > NO_PRICE and book.ask > NO_PRICE      book.has_both

    @BOOK.method
    def price_at(book, side: int, n: int): ...                             book.price_at(BUY, n=0)

    book_at = BOOK.at            at module level; in both modes, like `jit.record_at`

Compiled, the record is a pointer and a method a call that LLVM inlines. In Python `at` gives a
`ShapeView` (`shape_views.py`): the same memory, the same names, Python's own numbers.

A parameter with an annotation (`int`, `float`, `bool`) is converted to it, and a float is never
taken for an int. Parameters of a shape's *open* methods have no types of their own: a user's class
is compiled for what it is called with. Unlike numba's own records, one that is returned stays
where it lies and is not copied.

Worst case: a shape's name is its identity; one made again under a name takes the former's place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr
from numba.core.typing.templates import signature as typed
from numba.extending import lower_getattr_generic
from numba.np.arrayobj import record_getattr

from hftlib.core.jit.functions import COMPILED
from hftlib.core.jit.kept import kept_code
from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.shape_views import view_class

_PLAIN = {int: types.int64, float: types.float64, bool: types.boolean}
_WORDS = {int: "a whole number", float: "a number", bool: "True or False"}
_INLINED = {"nogil": True, "error_model": "numpy", "forceinline": True, "_nrt": False}
SHAPES: dict[str, Shape] = {}


class Shape:
    """A dtype with derived attributes and methods; `parts` are the shapes of fields, by name."""

    def __init__(
        self,
        name: str,
        dtype: np.dtype[Any],
        parts: dict[str, Shape] | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.dtype, self.parts = name, dtype, parts or {}
        self.functions: dict[str, Callable[..., Any]] = {}
        self.derived_names: set[str] = set()
        self._options = options
        self._dispatchers: dict[str, Any] = {}
        self._templates: dict[str, Any] = {}
        self._results: dict[str, Any] = {}
        SHAPES[name] = self
        self.view = view_class(self)
        self.kind = Kind(name, _fields(self), dtype.itemsize)
        self.at = self._placing()

    def method(self, function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
        """Make the function a method of these records."""
        name = name or function.__name__
        self.functions[name] = function
        setattr(self.view, name, function)
        return function

    def derived(self, function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
        """Make the function, which takes the record only, an attribute of these records."""
        name = name or function.__name__
        self.functions[name] = function
        self.derived_names.add(name)
        setattr(self.view, name, property(function))
        return function

    def dispatcher(self, name: str) -> Any:
        if name not in self._dispatchers:
            function = self.functions[name]
            made = numba.njit(**(self._options or _INLINED))(function)
            if self._options is None:
                made._cache = kept_code(function)
            self._dispatchers[name] = made
        return self._dispatchers[name]

    def template(self, name: str) -> Any:
        if name not in self._templates:
            self._templates[name] = _method_template(self, name)
        return self._templates[name]

    def result(self, name: str) -> Any:
        """The type of a derived attribute."""
        if name not in self._results:
            made = self.dispatcher(name)
            made.compile((self.kind,))
            self._results[name] = made.overloads[(self.kind,)].signature.return_type
        return self._results[name]

    def _placing(self) -> Callable[[int], Any]:
        view, kind = self.view, self.kind

        def at(address: int) -> Any:
            return view(int(address))

        at.__qualname__ = f"{self.name}.at"
        if COMPILED:

            @lowers(at, typed(kind, types.int64))
            def _(context: Any, builder: Any, address: Any) -> Any:
                return builder.inttoptr(address, context.get_value_type(kind))

        return at

    def __repr__(self) -> str:
        return f"<shape {self.name}, {self.dtype.itemsize} bytes>"


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
            return shape.result(name)
        if name in shape.functions:
            return types.BoundFunction(shape.template(name), kind)
        if name not in kind.fields:
            raise TypingError(f"{shape.name!r} has no {name!r}")
        return None


@lower_getattr_generic(Kind)
def _(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    shape = kind.shape
    if name in shape.derived_names:
        return _call(
            context, builder, shape.dispatcher(name), typed(shape.result(name), kind), value
        )
    return record_getattr(context, builder, kind, value, name)


def _fields(shape: Shape) -> list[tuple[str, dict[str, Any]]]:
    found = []
    assert shape.dtype.names is not None
    for name in shape.dtype.names:
        dtype, offset = shape.dtype.fields[name][:2]  # type: ignore[index]
        part = shape.parts.get(name)
        kind: Any = part.kind if part else None
        if part is None:
            kind = numba.from_dtype(dtype)
        elif dtype.subdtype:
            kind = types.NestedArray(part.kind, dtype.shape)
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
        dispatcher = shape.dispatcher(name)
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
        return _call(context, builder, shape.dispatcher(name), signature, *values)

    cpu_target.target_context.insert_func_defn([(lower, key, (types.VarArg(types.Any),))])
    return template


def _declared(shape: Shape, function: Callable[..., Any]) -> dict[str, Any] | None:
    """The parameters' types, if the shape's functions have them: those with options are open."""
    if shape._options is not None:
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
