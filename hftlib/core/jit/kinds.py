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

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.shape_views import view_class

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
        self.options = options
        SHAPES[name] = self
        self.view = view_class(self)
        self.at = self._placing()

    @cached_property
    def compiled(self) -> Any:
        """What numba knows of these records, once something is compiled: a `kinds_code.Made`."""
        from hftlib.core.jit.kinds_code import Made

        return Made(self)

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

    def _placing(self) -> Callable[[int], Any]:
        view = self.view

        def at(address: int) -> Any:
            return view(int(address))

        at.__qualname__ = f"{self.name}.at"

        @lowers(at, self._signature)
        def _(context: Any, builder: Any, address: Any) -> Any:
            return builder.inttoptr(address, context.get_value_type(self.compiled.kind))

        return at

    def _signature(self) -> Any:
        return self.compiled.placed()

    def __repr__(self) -> str:
        return f"<shape {self.name}, {self.dtype.itemsize} bytes>"
