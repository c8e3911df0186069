"""What a C signature written as text says, without numba where the kinds are plain numbers.

"int64(int64, float64)"    ──▶    Signature("int64", ("int64", "float64"))
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

_C: dict[str, Any] = {
    "void": None,
    "boolean": ctypes.c_bool,
    "float32": ctypes.c_float,
    "float64": ctypes.c_double,
    **{f"int{bits}": getattr(ctypes, f"c_int{bits}") for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": getattr(ctypes, f"c_uint{bits}") for bits in (8, 16, 32, 64)},
}
_TEXT = re.compile(r"\s*(\w+)\s*\(\s*((?:\w+\s*(?:,\s*\w+\s*)*)?)\)\s*")


@dataclass(frozen=True, slots=True)
class Signature:
    """Kinds by numba's names, and as ctypes knows them."""

    result: str
    arguments: tuple[str, ...]

    @property
    def prototype(self) -> tuple[Any, ...]:
        """The result's kind and the arguments' for `ctypes.CFUNCTYPE`."""
        return _C[self.result], *(_C[name] for name in self.arguments)


@cache
def plain(text: str) -> Signature | None:
    """The signature, if all its kinds are plain numbers under numba's full names."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    names = tuple(name.strip() for name in found[2].split(",")) if found[2].strip() else ()
    if found[1] not in _C or not _C.keys() - {"void"} >= set(names):
        return None
    return Signature(found[1], names)


def prototype(text: str) -> tuple[Any, ...]:
    """Result and arguments as ctypes takes them; other spellings are numba's to read."""
    known = plain(text)
    if known is not None:
        return known.prototype
    from numba.core import sigutils, types
    from numba.core.typing.ctypes_utils import to_ctypes

    arguments, result = sigutils.normalize_signature(text)
    return tuple(None if kind is types.void else to_ctypes(kind) for kind in (result, *arguments))
