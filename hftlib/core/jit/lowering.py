"""Teach compiled code what a plain Python function means, in one step and without a second compile.

`lowers(twin, "int64(int64)")` says: where compiled code calls `twin`, emit what `build` emits.
Python code goes on calling `twin` itself, so both modes have one name and one meaning.

numba's `@overload` would do the same by compiling an implementation for every use in every
process; emitting directly keeps the edit-and-run loop of a strategy short.

What is said here waits until something must be compiled: a process that finds all its machine code
kept never imports numba. So `build` imports what it needs of numba itself.

Worst case: an argument that is not of the stated kind is refused at compile time, never converted
from float to integer behind one's back.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from hftlib.core.jit import settings

Build = Callable[..., Any]
_TAUGHT = "hftlib.core.jit.teaching"
_teaching = threading.RLock()
WAITING: list[tuple[Callable[..., Any], Any, Build]] = []


def lowers(twin: Callable[..., Any], signature: Any) -> Callable[[Build], Build]:
    """Decorate `build(context, builder, *values)`.

    `signature` is text, a numba signature, or a function that makes one once numba is there.
    """

    def decorate(build: Build) -> Build:
        WAITING.append((twin, signature, build))
        # `hft.clock` in a cell imports its module in the middle of a compilation.
        if getattr(sys.modules.get(_TAUGHT), "READY", False):
            wake()
        return build

    return decorate


def wake() -> None:
    """Load numba, if that has not happened yet, and teach it all that waits."""
    if _TAUGHT not in sys.modules:
        settings.still_as_read()
    from hftlib.core.jit import teaching

    with _teaching:
        teaching.teach()
