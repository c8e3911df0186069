"""Calls out of compiled code: to an address held in plain memory, and to the C library.

A strategy, a risk check or a venue model is an address: an int64 in a record. The engine is
compiled once against the *signature* and calls whatever address the record holds, so editing a
strategy compiles the strategy and nothing else.

    run = jit.caller("int64(int64, int64)")       # in both modes
    result = run(address, state_address, event_address)

Worst case: a wrong address is a crash, as in C. Addresses come from `Callback.address` or from
`object_code.link`, never from data.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, sigutils, types
from numba.core.typing.ctypes_utils import to_ctypes
from numba.core.typing.templates import signature as typed

from hftlib.core.jit.lowering import lowers

# Uncompiled callbacks have no machine code: `Callback.address` files the function here and hands
# out the key. Keys stay below the first page, where no real function can lie.
UNCOMPILED: dict[int, Callable[..., Any]] = {}
UNCOMPILED_MAX = 4096

_libc = ctypes.CDLL(None, use_errno=True)


def caller(signature: str) -> Callable[..., Any]:
    """A function `call(address, *arguments)` for addresses of functions of this C signature."""
    arguments, result = sigutils.normalize_signature(signature)
    prototype = ctypes.CFUNCTYPE(_ctype(result), *map(_ctype, arguments))

    def call(address: int, *values: Any) -> Any:
        if 0 < address < UNCOMPILED_MAX:
            return UNCOMPILED[address](*values)
        return prototype(address)(*values)

    call.__name__ = f"jit.caller({signature!r})"

    @lowers(call, typed(result, types.int64, *arguments))
    def _(context: Any, builder: Any, address: Any, *values: Any) -> Any:
        kind = _function_type(context, result, arguments)
        return builder.call(builder.inttoptr(address, kind.as_pointer()), values)

    return call


def libc(name: str, signature: str) -> Callable[..., Any]:
    """The C library's function `name`, callable in both modes; `errno()` tells its last failure."""
    arguments, result = sigutils.normalize_signature(signature)
    symbol = getattr(_libc, name)
    foreign = ctypes.CFUNCTYPE(_ctype(result), *map(_ctype, arguments), use_errno=True)(
        ctypes.cast(symbol, ctypes.c_void_p).value or 0
    )

    def external(*values: Any) -> Any:
        return foreign(*values)

    external.__name__ = name

    @lowers(external, typed(result, *arguments))
    def _(context: Any, builder: Any, *values: Any) -> Any:
        kind = _function_type(context, result, arguments)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)

    return external


def errno() -> int:
    """The C library's error number after a call from `libc` returned a failure."""
    return ctypes.get_errno()


@lowers(errno, "int64()")
def _(_context: Any, builder: Any) -> Any:
    number = ir.IntType(32)
    kind = ir.FunctionType(number.as_pointer(), ())
    place = cgutils.get_or_insert_function(builder.module, kind, "__errno_location")
    return builder.sext(builder.load(builder.call(place, ())), ir.IntType(64))


def _function_type(context: Any, result: Any, arguments: tuple[Any, ...]) -> ir.FunctionType:
    returned = ir.VoidType() if result is types.void else context.get_value_type(result)
    return ir.FunctionType(returned, [context.get_value_type(kind) for kind in arguments])


def _ctype(kind: Any) -> Any:
    return None if kind is types.void else to_ctypes(kind)
