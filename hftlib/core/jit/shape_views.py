"""Records of a shape in plain Python: fields, derived attributes and methods over the same memory.

Numbers come out as Python's own, so that dividing by zero raises as it does in compiled
strategies; numpy's would warn and go on. Arrays come out as `ArrayView`, which offers what compiled
code may do with them: items, slices, length and iteration.

Worst case: a microsecond for each field; this is for debugging and for judging compiled code.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np


class ShapeView:
    """One record at an address."""

    __slots__ = ("_address", "_value")
    _shape: Any = None
    _address: int
    _value: Any

    def __init__(self, address: int) -> None:
        dtype = self._shape.dtype
        place: Any = (ctypes.c_char * dtype.itemsize).from_address(address)
        object.__setattr__(self, "_address", address)
        object.__setattr__(self, "_value", np.ndarray((1,), dtype, buffer=place)[0])

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._value.dtype.names:
            raise AttributeError(f"{self._shape.name!r} has no field {name!r}")
        self._value[name] = value

    def _out_of_steps(self) -> bool:
        names = self._value.dtype.names
        offset = 0 if "steps_left" in names else int(self._value["home"])
        if offset == 0 and "steps_left" not in names:
            return False
        left = ctypes.c_int64.from_address(self._address + offset)
        left.value -= 1
        return left.value < 0

    def __repr__(self) -> str:
        names = self._value.dtype.names
        return f"<{self._shape.name} {', '.join(f'{n}={self._value[n]}' for n in names)}>"


class ArrayView:
    """An array inside a record: items are Python's numbers, or records of a shape."""

    __slots__ = ("_address", "_part", "_values")

    def __init__(self, values: Any, address: int, part: Any) -> None:
        self._values, self._address, self._part = values, address, part

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ArrayView(self._values[index], 0, None)
        if self._part is None:
            return self._values[index].item()
        place = range(len(self._values))[index]
        return self._part.view(self._address + place * self._part.dtype.itemsize)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._values[index] = value._values if isinstance(value, ArrayView) else value

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return repr(self._values)


def view_class(shape: Any) -> type:
    """The class of views for a shape: one property for each field."""
    body = {name: _property(shape, name) for name in shape.dtype.names}
    return type(shape.name, (ShapeView,), {"__slots__": (), "_shape": shape, **body})


def _property(shape: Any, name: str) -> property:
    dtype, offset = shape.dtype.fields[name][:2]
    part = shape.parts.get(name)

    def read(view: Any) -> Any:
        if dtype.subdtype:
            return ArrayView(view._value[name], view._address + offset, part)
        if part is not None:
            return part.view(view._address + offset)
        return view._value[name].item()

    def write(view: Any, value: Any) -> None:
        view._value[name] = value._values if isinstance(value, ArrayView) else value

    return property(read, write)
