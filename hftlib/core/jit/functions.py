"""The two decorators: `compiled` makes machine code of a function, `callback` gives it an address.

    @jit.compiled("int64(int64, int64)")          an entry: called from Python, warmed by signature
    @jit.compiled()                               a leaf: machine code that others call
    @jit.inlined                                  a small leaf: its code repeated at every call
    @jit.callback("int64(int64, int64)")          a C function; `.address` goes into plain memory

All of them release the GIL, follow C's arithmetic (no exception on division by zero) and are kept
in the cache of `cache.py`. Worst case: the first call of a cold function compiles it, in
0.1 to 2 s; `jit.warm` does that beforehand and `jit.freeze` forbids it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
from numba.core import config, sigutils
from numba.core.ccallback import CFunc

from hftlib.core.errors import CompileError
from hftlib.core.jit.calls import UNCOMPILED, UNCOMPILED_MAX
from hftlib.core.jit.kept import kept_code

COMPILED = not config.DISABLE_JIT
BOUNDS_CHECKED = bool(config.BOUNDSCHECK)

# Said outright: what is left open, numba lets a function inherit from whoever calls it first.
OPTIONS = {"nogil": True, "error_model": "numpy", "forceinline": False}


@dataclass(frozen=True, slots=True)
class Entry:
    """One function with one signature, to be compiled before it is needed."""

    name: str
    signature: str
    compile: Callable[[], Any]
    cache_hits: Callable[[], int]


ENTRIES: list[Entry] = []


def compiled(*signatures: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile the decorated function; each signature is compiled by `warm`."""

    _require_text("compiled", *signatures)

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**OPTIONS)(function)
        if COMPILED:
            dispatcher._cache = kept_code(function)
            for text in signatures:
                _register(_entry(function, dispatcher, text))
        return dispatcher

    return decorate


def inlined(function: Callable[..., Any]) -> Any:
    """Repeat the decorated function's code wherever it is called.

    A call costs some nanoseconds (`hft bench core` has one): fine for what is seldom or long, too
    much for a step of the tick path.
    """
    dispatcher = numba.njit(**(OPTIONS | {"forceinline": True}))(function)
    if COMPILED:
        dispatcher._cache = kept_code(function)
    return dispatcher


def callback(signature: str) -> Callable[[Callable[..., Any]], Callback]:
    """Make the decorated function a C function of this signature, callable through its address.

    As in C, what it returns becomes the declared type: a float returned for an int64 is cut off.
    """
    _require_text("callback", signature)

    def decorate(function: Callable[..., Any]) -> Callback:
        made = Callback(function, signature)
        if COMPILED:
            _register(
                Entry(_name(function), signature, lambda: made.address, lambda: made.cache_hits)
            )
        return made

    return decorate


class Callback:
    """A function with an address. Calling it from Python runs the plain Python function."""

    def __init__(self, function: Callable[..., Any], signature: str) -> None:
        self.function = function
        self.signature = signature
        self.name = _name(function)
        self._machine_code: Any = None
        self._key = 0

    @property
    def address(self) -> int:
        """Where the machine code lies; compiled at the first asking."""
        if not COMPILED:
            return self._key or self._filed()
        return int(self.machine_code.address)

    @property
    def machine_code(self) -> Any:
        """numba's own object for the function; for this package only."""
        if self._machine_code is None:
            signature = sigutils.normalize_signature(self.signature)
            made: Any = CFunc(self.function, signature, locals={}, options=dict(OPTIONS))
            made._cache = kept_code(self.function)
            made.compile()
            self._machine_code = made
        return self._machine_code

    @property
    def cache_hits(self) -> int:
        return int(self._machine_code.cache_hits) if self._machine_code else 0

    def _filed(self) -> int:
        if len(UNCOMPILED) + 1 >= UNCOMPILED_MAX:
            raise CompileError(
                f"More than {UNCOMPILED_MAX} uncompiled callbacks were made",
                where=self.name,
                do="Make callbacks once, at module level, not inside a loop.",
            )
        self._key = len(UNCOMPILED) + 1
        UNCOMPILED[self._key] = self.function
        return self._key

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __repr__(self) -> str:
        return f"<callback {self.name} {self.signature}>"


def _register(entry: Entry) -> None:
    """A function defined again in a notebook's cell takes the place of the earlier one."""
    if entry.name.startswith("__main__.") and "<" not in entry.name:
        ENTRIES[:] = [e for e in ENTRIES if (e.name, e.signature) != (entry.name, entry.signature)]
    ENTRIES.append(entry)


def _require_text(decorator: str, *signatures: Any) -> None:
    for signature in signatures:
        if not isinstance(signature, str):
            raise CompileError(
                f"A signature is text, not {type(signature).__name__}",
                where=f"@jit.{decorator}",
                do=f'Write @jit.{decorator}("int64(int64)"), with what the function takes.',
            )


def _entry(function: Callable[..., Any], dispatcher: Any, text: str) -> Entry:
    arguments, result = sigutils.normalize_signature(text)

    def compile_it() -> None:
        # What is ready already needs no compiler, which may be frozen by now.
        if arguments not in dispatcher.overloads:
            dispatcher.compile(arguments)
        given = dispatcher.overloads[arguments].signature.return_type
        if result is not None and numba.types.unliteral(given) != result:
            raise CompileError(
                f"The function returns {given}, its signature says {result}",
                where=f"{_name(function)}, @jit.compiled({text!r})",
                do="Correct the signature, or convert what the function returns.",
            )

    hits = lambda: sum(dispatcher.stats.cache_hits.values())  # noqa: E731
    return Entry(_name(function), text, compile_it, hits)


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
