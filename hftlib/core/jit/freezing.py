"""After `freeze`, every compilation, and every load of kept code, is an error naming the function.

It listens to numba's own compiler lock, which every compilation must take, so it holds for all
libraries in the process and not only for hftlib; what is linked without numba asks `refuse`.
Freezing cannot be undone. Worst case: it imports numba, to be able to listen.
"""

from __future__ import annotations

import sys
from typing import Any

from hftlib.core.errors import CompileError
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.meaning import StandsForFunction
from hftlib.core.jit.settings import COMPILED

_frozen = _forbidden = False


def freeze() -> None:
    """From now on, any compilation in this process raises CompileError."""
    global _frozen
    if not COMPILED or _frozen:
        return
    forbid_compiling()
    _frozen = True


def forbid_compiling() -> None:
    """The same, but that kept code may still be linked."""
    global _forbidden
    if _forbidden:
        return
    wake()
    from numba.core import event

    class Refusal(event.Listener):
        def on_start(self, _event: Any) -> None:
            raise _refusal(_asked_for())

        def on_end(self, _event: Any) -> None:
            """The lock is given back: nothing to refuse."""

    event.register("numba:compiler_lock", Refusal())
    _forbidden = True


def is_frozen() -> bool:
    return _frozen


def refuse(name: str) -> None:
    """Refuse to make the function ready, if it is too late for that."""
    if _frozen:
        raise _refusal(name)


def _refusal(name: str) -> CompileError:
    if not _frozen:
        return CompileError(
            "Something asked for a compilation in a process that runs a release's code",
            where=name,
            do="Give the function its signature in @jit.compiled, so that a release has it.",
        )
    return CompileError(
        "Something asked for a compilation after start-up was done",
        where=f"{name}, in a process frozen by jit.freeze()",
        do="Give the function its signature in @jit.compiled, so that jit.warm() compiles it, "
        "and pass arguments of exactly those types.",
    )


def _asked_for() -> str:
    """The function being compiled: the event does not say, so look up the stack for it."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        # Callbacks and numba.vectorize are compiled through a wrapper that has them as `args[0]`.
        arguments = frame.f_locals.get("args")
        first = arguments[:1] if isinstance(arguments, tuple) else ()
        for asker in (frame.f_locals.get("self"), *first):
            if isinstance(asker, StandsForFunction):  # whatever it is asked for it compiles
                return f"{asker.py_func.__module__}.{asker.py_func.__qualname__}"
            asker = getattr(asker, "_dispatcher", asker)
            function = getattr(asker, "py_func", None) or getattr(asker, "_pyfunc", None)
            if function is not None:
                return f"{function.__module__}.{function.__qualname__}"
    return "a compilation outside any function"
