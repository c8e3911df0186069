"""Before trading: compile everything, then forbid compiling.

`warm` compiles every registered entry, or loads it from the cache, and reports each. `freeze`
makes every later compilation, and every later load from the cache, an error that names the
function: a compiler that wakes up inside the hot loop costs seconds. Freezing cannot be undone.

It listens to numba's own compiler lock, which every compilation must take, so it holds for all
libraries in the process and not only for hftlib. Worst case: an argument of an unexpected type is
refused loudly after `freeze`, where numba's own switch would convert 1.9 to 1 and go on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba.core import event

from hftlib.core.errors import CompileError
from hftlib.core.jit.functions import COMPILED, ENTRIES


@dataclass(frozen=True, slots=True)
class Warmed:
    """One entry made ready, and what it took."""

    name: str
    signature: str
    seconds: float
    from_cache: bool


def registered() -> int:
    """How many entries `warm` would make ready."""
    return len(ENTRIES)


def warm(report: Callable[[int, int, str], None] | None = None) -> list[Warmed]:
    """Make every entry ready; `report(done, total, name)` is called before each and at the end."""
    done = []
    for number, entry in enumerate(ENTRIES):
        if report:
            report(number, len(ENTRIES), entry.name)
        hits_before = entry.cache_hits()
        start = time.perf_counter()
        entry.compile()
        seconds = time.perf_counter() - start
        done.append(Warmed(entry.name, entry.signature, seconds, entry.cache_hits() > hits_before))
    if report:
        report(len(ENTRIES), len(ENTRIES), "")
    return done


def freeze() -> None:
    """From now on, any compilation in this process raises CompileError."""
    if COMPILED and not is_frozen():
        event.register("numba:compiler_lock", _refusal)


def is_frozen() -> bool:
    return _refusal in event._registered["numba:compiler_lock"]


class _Refusal(event.Listener):
    def on_start(self, _event: Any) -> None:
        raise CompileError(
            "Something asked for a compilation after start-up was done",
            where=f"{_asked_for()}, in a process frozen by jit.freeze()",
            do="Give the function its signature in @jit.compiled, so that jit.warm() compiles it, "
            "and pass arguments of exactly those types.",
        )

    def on_end(self, _event: Any) -> None:
        """The lock is given back: nothing to refuse."""


_refusal = _Refusal()


def _asked_for() -> str:
    """The function being compiled: the event does not say, so look up the stack for it."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        # Callbacks and numba.vectorize are compiled through a wrapper that has them as `args[0]`.
        arguments = frame.f_locals.get("args")
        first = arguments[:1] if isinstance(arguments, tuple) else ()
        for asker in (frame.f_locals.get("self"), *first):
            asker = getattr(asker, "_dispatcher", asker)
            function = getattr(asker, "py_func", None) or getattr(asker, "_pyfunc", None)
            if function is not None:
                return f"{function.__module__}.{function.__qualname__}"
    return "a compilation outside any function"
