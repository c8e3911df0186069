"""How numba compiles what: the options of each kind of function, in one place.

What is left open, numba lets a function inherit from whoever calls it first: so all is said.
"""

from __future__ import annotations

from typing import Any

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "forceinline": False}
INLINED: dict[str, Any] = OPTIONS | {"forceinline": True}
# Methods of shapes are small, and work on memory that is there.
METHODS: dict[str, Any] = INLINED | {"_nrt": False}
# Strategies: Python's own rules for what divides by zero and for indexes; nothing may allocate.
REPORTING: dict[str, Any] = {
    "nogil": True,
    "error_model": "python",
    "boundscheck": True,
    "forceinline": False,
    "_nrt": False,
}
