"""The decorators that make machine code of a function; `callbacks.py` gives one an address.

    @jit.compiled("int64(int64, int64)")          an entry: called from Python, warmed by signature
    @jit.compiled()                               a leaf: machine code that others call
    @jit.once                                     a leaf, compiled once for all whole numbers
    @jit.inlined                                  a small leaf: its code repeated at every call

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
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.meaning import StandsForFunction, meaning
from hftlib.core.jit.native import standing_alone
from hftlib.core.jit.options import INLINED, OPTIONS
from hftlib.core.jit.settings import BOUNDS_CHECKED, COMPILED

__all__ = ["BOUNDS_CHECKED", "COMPILED", "ENTRIES", "Compiled", "compiled"]


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

    require_text("compiled", *signatures)

    def decorate(function: Callable[..., Any]) -> Any:
        if not COMPILED:
            return _as_it_is(function)
        made = Compiled(function, OPTIONS, signatures)
        for text in signatures:
            register_entry(made.entry(text))
        return made

    return decorate


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Uncompiled a function stays one, and says that it is no plain one."""
    function.is_compiled = True  # type: ignore[attr-defined]
    return function


def inlined(function: Callable[..., Any]) -> Any:
    """Repeat the decorated function's code wherever it is called.

    A call costs some nanoseconds (`hft bench core` has one): fine for what is seldom or long, too
    much for a step of the tick path.
    """
    return Compiled(function, INLINED) if COMPILED else _as_it_is(function)


def once(function: Callable[..., Any]) -> Any:
    """Compile the decorated function once for all whole numbers: each is an int64 in it.

    numba compiles a leaf anew for every constant and every width of integer that it is called
    with. Where many say why (`cancel(n, TOO_LATE)`) that is a dozen times the same code.
    """
    return Compiled(function, OPTIONS, widened=True) if COMPILED else _as_it_is(function)


class Compiled(StandsForFunction):
    """A function as machine code; numba is asked only for what its kept code cannot answer.

    Called with exactly the numbers of one of its signatures, it runs that signature's own object
    code. Everything else is its dispatcher's, which numba makes of it when first needed.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        options: dict[str, Any],
        signatures: Any = (),
        widened: bool = False,
    ) -> None:
        update_wrapper(self, function)
        self.py_func, self._widened = function, widened
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
                for made in ("leaf", "dispatcher"):
                    self.__dict__.pop(made, None)
            self._means = means
        return self.leaf

    @cached_property
    def leaf(self) -> Any:
        """What compiled code calls; for this package only."""
        wake()
        from hftlib.core.jit.leaf_code import leaf

        made = leaf(self.py_func, self._options)
        if self._widened:
            from hftlib.core.jit.widening_code import widening

            made.get_call_template = widening(made.get_call_template)
        return made

    @cached_property
    def dispatcher(self) -> Any:
        """What Python calls; for this package only."""
        wake()
        from hftlib.core.jit.leaf_code import root

        return root(self.py_func, self._options)

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

        return Entry(name_of(self.py_func), text, compile_it, hits)

    def _compile(self, text: str) -> None:
        wake()
        from numba.core import sigutils

        from hftlib.core.jit.native_code import refuse_result

        arguments, result = sigutils.normalize_signature(text)
        # What is ready already needs no compiler, which may be frozen by now.
        if arguments not in self.dispatcher.overloads:
            self.dispatcher.compile(arguments)
        given = self.dispatcher.overloads[arguments].signature.return_type
        refuse_result(given, result, name_of(self.py_func), text)

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
        return _again, (self.dispatcher, self._options, self._signatures, self._widened)

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.py_func)}>"


def _again(dispatcher: Any, options: Any, signatures: tuple[str, ...], widened: bool) -> Compiled:
    return Compiled(dispatcher.py_func, options, signatures, widened)


def register_entry(entry: Entry) -> None:
    """A function defined again in a notebook's cell takes the place of the earlier one."""
    if entry.name.startswith("__main__.") and "<" not in entry.name:
        ENTRIES[:] = [e for e in ENTRIES if (e.name, e.signature) != (entry.name, entry.signature)]
    ENTRIES.append(entry)


def require_text(decorator: str, *signatures: Any) -> None:
    for signature in signatures:
        if not isinstance(signature, str):
            raise CompileError(
                f"A signature is text, not {type(signature).__name__}",
                where=f"@jit.{decorator}",
                do=f'Write @jit.{decorator}("int64(int64)"), with what the function takes.',
            )


def name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
