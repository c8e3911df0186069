"""Records in plain Python, read and written by attribute as compiled code does.

numpy's own record type hides a field behind any array method of the same name (`sum`, `size`,
`max`), and plain structured values have no attributes at all. These two classes have nothing but
the fields. They are for uncompiled runs and for looking; their speed does not matter.

Worst case: an item of an array of narrow numbers keeps numpy's width and wraps where compiled code
does not; `int(array[index])` means the same in both.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class RecordView:
    """One record: each field is an attribute, and writing one writes the memory."""

    __slots__ = ("_value",)

    def __init__(self, value: np.void) -> None:
        object.__setattr__(self, "_value", value)

    def __getattr__(self, name: str) -> Any:
        try:
            return viewed(self._value[name])
        except ValueError:
            fields = ", ".join(self._value.dtype.names)
            raise AttributeError(f"this record has no field {name!r}; it has {fields}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._value.dtype.names:
            getattr(self, name)
        self._value[name] = value

    def __dir__(self) -> list[str]:
        return list(self._value.dtype.names)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={self._value[name]}" for name in self._value.dtype.names)
        return f"<record {fields}>"


class RecordArray:
    """Records side by side: an index gives a `RecordView` onto the memory."""

    __slots__ = ("_values",)

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return viewed(self._values[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._values[index] = value._value if isinstance(value, RecordView) else value

    def __repr__(self) -> str:
        return f"<{len(self)} records of {', '.join(self._values.dtype.names or ())}>"


def viewed(value: Any) -> Any:
    """Wrap records and arrays of them; anything else is as it should be already."""
    if isinstance(value, np.integer) and value.itemsize < 8:
        return np.int64(value)  # compiled arithmetic widens: 255 + 1 is 256, not 0
    if getattr(value, "dtype", None) is None or value.dtype.names is None:
        return value
    return RecordArray(value) if isinstance(value, np.ndarray) else RecordView(value)
