"""A leaf compiled once for all whole numbers: what its callers give is made an int64 first.

numba asks a leaf for code for exactly the types of a call, and a constant has a type of its own.
Here all integers are the same type when it asks; the call itself then converts. Imports numba.
Worst case: an unsigned number of 64 bits wraps, as it does wherever it becomes an int64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types


def widening(template_of: Callable[..., Any]) -> Callable[..., Any]:
    """A dispatcher's `get_call_template` for arguments whose integers are all int64."""

    def asked(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        wide = {name: _wide(kind) for name, kind in named.items()}
        return template_of(tuple(map(_wide, arguments)), wide)

    return asked


def _wide(kind: Any) -> Any:
    plain = types.unliteral(kind)
    return types.int64 if isinstance(plain, types.Integer) else plain
