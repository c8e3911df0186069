"""Functions that are called by their address: callbacks, and entries as they are.

    @jit.callback("int64(int64, int64)")     a C function; `.address` goes into plain memory
    jit.entry_address(entry)                 where an entry of `jit.compiled` lies
    jit.python_address(function, signature)  a plain Python function, for who only looks on

Where nothing is compiled a number stands for the address, and `jit.caller` knows whose it is.
Worst case: UNCOMPILED_MAX such numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from hftlib.core.errors import CompileError
from hftlib.core.jit.calls import UNCOMPILED, UNCOMPILED_MAX
from hftlib.core.jit.functions import Entry, name_of, register_entry, require_text
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.native import Native, standing_alone
from hftlib.core.jit.options import OPTIONS
from hftlib.core.jit.settings import COMPILED
from hftlib.core.jit.signatures import prototype

_looking_on: dict[tuple[Callable[..., Any], str], Any] = {}


def callback(signature: str) -> Callable[[Callable[..., Any]], Callback]:
    """Make the decorated function a C function of this signature, callable through its address.

    As in C, what it returns becomes the declared type: a float returned for an int64 is cut off.
    """
    require_text("callback", signature)

    def decorate(function: Callable[..., Any]) -> Callback:
        made = Callback(function, signature)
        if COMPILED:
            register_entry(
                Entry(name_of(function), signature, lambda: made.address, lambda: made.cache_hits)
            )
        return made

    return decorate


class Callback:
    """A function with an address. Calling it from Python runs the plain Python function."""

    def __init__(self, function: Callable[..., Any], signature: str) -> None:
        self.function = function
        self.signature = signature
        self.name = name_of(function)
        self._native: Native | None = standing_alone(function, signature, OPTIONS, True)
        self._machine_code: Any = None

    @property
    def address(self) -> int:
        """Where the machine code lies; compiled at the first asking."""
        if not COMPILED:
            return _filed(self.function)
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

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __repr__(self) -> str:
        return f"<callback {self.name} {self.signature}>"


def entry_address(entry: Any) -> int:
    """Where an entry of one signature lies, for `caller`.

    A function that calls another has all of that one's code compiled into it once more. Where that
    is a whole tick path, and a call may cost two nanoseconds, it is called by its address.
    """
    if not COMPILED:
        return _filed(entry)
    (native,) = entry._natives.values()
    if not native.address:
        raise CompileError(
            "This entry's code cannot stand alone: it allocates, or touches Python",
            where=entry.__qualname__,
            do="Call it by its name.",
        )
    return int(native.address)


def python_address(function: Callable[..., Any], signature: str) -> int:
    """Where compiled code may call plain Python, which takes the GIL and some microseconds.

    Nothing may be raised there: ctypes would print it and go on. Never for a tick path that trades.
    """
    if not COMPILED:
        return _filed(function)
    key = function, signature
    if key not in _looking_on:  # kept for as long as the process: somebody may hold the address
        _looking_on[key] = ctypes.CFUNCTYPE(*prototype(signature))(function)
    return int(ctypes.cast(_looking_on[key], ctypes.c_void_p).value or 0)


def _filed(function: Callable[..., Any]) -> int:
    """The number that stands for the address of a function that is not compiled."""
    for key, known in UNCOMPILED.items():
        if known is function:
            return key
    if len(UNCOMPILED) + 1 >= UNCOMPILED_MAX:
        raise CompileError(
            f"More than {UNCOMPILED_MAX} uncompiled callbacks were made",
            where=name_of(function),
            do="Make callbacks once, at module level, not inside a loop.",
        )
    UNCOMPILED[len(UNCOMPILED) + 1] = function
    return len(UNCOMPILED)
