"""Arrays of records that a header knows the way to: where they begin, and how many there are.

    order_of, order_address = jit.rows(execution_at, ORDER, "orders_at", "order_mask", 1)
    order_of(base, 3).price      the record; `base` is where the header lies

Distances count from the header, so a copy of the memory works wherever it lies.
Worst case: no check in compiled code, unless bounds are checked; then as `jit.nth`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hftlib.core.jit.bounds import nth
from hftlib.core.jit.functions import inlined
from hftlib.core.jit.memory import record_at


def rows(
    header_at: Callable[[int], Any], dtype: np.dtype[Any], begins: str, count: str, more: int = 0
) -> tuple[Any, Any]:
    """`row(base, n)` and `address(base, n)`, by the header's fields; there are `count + more`."""
    item_bytes = dtype.itemsize
    at = record_at(dtype)

    @inlined
    def address(base: int, n: int) -> int:
        header = header_at(base)
        return nth(base + getattr(header, begins), n, getattr(header, count) + more, item_bytes)

    @inlined
    def row(base: int, n: int) -> Any:
        return at(address(base, n))

    return row, address
