"""The two decorators: `compiled` makes machine code of a function, `callback` gives it an address.

    @jit.compiled("int64(int64, int64)")          an entry: called from Python, warmed by signature
    @jit.compiled()                               a leaf: machine code that others call
    @jit.inlined                                  a small leaf: its code repeated at every call
    @jit.callback("int64(int64, int64)")          a C function; `.address` goes into plain memory

All of them release the GIL and follow C's arithmetic (no exception on division by zero). Entries
and callbacks are kept as object code that needs no numba (`native.py`), leaves in numba's cache
(`kept.py`). Worst case: the first call of a cold function compiles it, in 0.1 to 2 s; `jit.warm`
does that beforehand and `jit.freeze` forbids it afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from types import MethodType
from typing import Any

from hftlib.core.errors import CompileError
from hftlib.core.jit.calls import UNCOMPILED, UNCOMPILED_MAX
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.meaning import StandsForFunction, meaning
from hftlib.core.jit.native import Native, standing_alone
from hftlib.core.jit.options import INLINED, OPTIONS
from hftlib.core.jit.settings import BOUNDS_CHECKED, COMPILED

__all__ = ["BOUNDS_CHECKED", "COMPILED", "ENTRIES", "Callback", "Compiled", "callback", "compiled"]


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
        if not COMPILED:
            return function
        made = Compiled(function, OPTIONS, signatures)
        for text in signatures:
            _register(made.entry(text))
        return made

    return decorate


def inlined(function: Callable[..., Any]) -> Any:
    """Repeat the decorated function's code wherever it is called.

    A call costs some nanoseconds (`hft bench core` has one): fine for what is seldom or long, too
    much for a step of the tick path.
    """
    return Compiled(function, INLINED) if COMPILED else function


class Compiled(StandsForFunction):
    """A function as machine code; numba is asked only for what its kept code cannot answer.

    Called with exactly the numbers of one of its signatures, it runs that signature's own object
    code. Everything else is its dispatcher's, which numba makes of it when first needed.
    """

    def __init__(
        self, function: Callable[..., Any], options: dict[str, Any], signatures: Any = ()
    ) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self._options, self._signatures = options, tuple(signatures)
        made = {text: standing_alone(function, text, options) for text in signatures}
        self._runs: dict[tuple[type, ...], Callable[..., Any]] = {}  # by the arguments' types
        self._natives = {text: native for text, native in made.items() if native is not None}
        self._means = ""

    def as_it_means_now(self) -> Any:
        """The dispatcher for a caller to be compiled, which is kept by what all of it means now.

        A number that a cell gave another value counts without running the helper's cell again.
        hftlib's own modules give a name its value once.
        """
        if not self.py_func.__module__.startswith("hftlib."):
            means = meaning(self.py_func)
            if means != self._means:
                self.__dict__.pop("dispatcher", None)
            self._means = means
        return self.dispatcher

    @cached_property
    def dispatcher(self) -> Any:
        """numba's own object for the function; for this package only."""
        wake()
        import numba

        from hftlib.core.jit.kept import kept_code

        made = numba.njit(**self._options)(self.py_func)
        made._cache = kept_code(self.py_func)
        return made

    def __call__(self, *values: Any, **named: Any) -> Any:
        if named:
            return self.dispatcher(*values, **named)
        given = tuple(map(type, values))
        run = self._runs.get(given)
        if run is None:
            run = self._runs[given] = self._run_for(given)
        return run(*values)

    def _run_for(self, given: tuple[type, ...]) -> Callable[..., Any]:
        for native in self._natives.values():
            if native.takes(given) and native.address:
                return native.run
        return self.dispatcher

    def entry(self, text: str) -> Entry:
        """What `warm` makes ready for this signature."""
        native = self._natives.get(text)

        def compile_it() -> None:
            if native is None or not native.address:
                self._compile(text)

        def hits() -> int:
            return int(native is not None and native.was_kept) or self._cache_hits()

        return Entry(_name(self.py_func), text, compile_it, hits)

    def _compile(self, text: str) -> None:
        wake()
        from numba.core import sigutils

        from hftlib.core.jit.native_code import refuse_result

        arguments, result = sigutils.normalize_signature(text)
        # What is ready already needs no compiler, which may be frozen by now.
        if arguments not in self.dispatcher.overloads:
            self.dispatcher.compile(arguments)
        given = self.dispatcher.overloads[arguments].signature.return_type
        refuse_result(given, result, _name(self.py_func), text)

    def _cache_hits(self) -> int:
        return sum(self.dispatcher.stats.cache_hits.values()) if "dispatcher" in vars(self) else 0

    def __getattr__(self, name: str) -> Any:
        """What else numba's dispatchers have, such as `inspect_llvm`."""
        if name.startswith("__"):
            raise AttributeError(f"a compiled function has no {name!r}")
        return getattr(self.dispatcher, name)

    def __get__(self, owner: Any, _kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __reduce__(self) -> Any:
        """By name where it is found under its name; else numba pickles the function itself."""
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = getattr(found, part, None)
        if found is self and self.__module__ != "__main__":
            return self.__qualname__
        return _again, (self.dispatcher, self._options, self._signatures)

    def __repr__(self) -> str:
        return f"<compiled {_name(self.py_func)}>"


def _again(dispatcher: Any, options: dict[str, Any], signatures: tuple[str, ...]) -> Compiled:
    return Compiled(dispatcher.py_func, options, signatures)


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
        self._native: Native | None = standing_alone(function, signature, OPTIONS, True)
        self._machine_code: Any = None
        self._key = 0

    @property
    def address(self) -> int:
        """Where the machine code lies; compiled at the first asking."""
        if not COMPILED:
            return self._key or self._filed()
        return (self._native and self._native.address) or int(self.machine_code.address)

    @property
    def machine_code(self) -> Any:
        """numba's own object for the function, where its code cannot stand alone."""
        if self._machine_code is None:
            wake()
            from numba.core import sigutils
            from numba.core.ccallback import CFunc

            from hftlib.core.jit.kept import kept_code

            signature = sigutils.normalize_signature(self.signature)
            made: Any = CFunc(self.function, signature, locals={}, options=dict(OPTIONS))
            made._cache = kept_code(self.function)
            made.compile()
            self._machine_code = made
        return self._machine_code

    @property
    def cache_hits(self) -> int:
        kept = self._native is not None and self._native.was_kept
        return int(kept or (self._machine_code is not None and self._machine_code.cache_hits))

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


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
