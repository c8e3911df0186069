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

import numpy as np
from llvmlite import ir

from hftlib.core.errors import InputError
from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.memory import load_i64
from hftlib.core.jit.signatures import prototype

# Uncompiled callbacks have no machine code: `Callback.address` files the function here and hands
# out the key. Keys stay below the first page, where no real function can lie.
UNCOMPILED: dict[int, Callable[..., Any]] = {}
UNCOMPILED_MAX = 4096

_libc = ctypes.CDLL(None, use_errno=True)
# By name and signature, not in a closure: a pointer cannot be part of a cached function's key.
_foreign: dict[tuple[str, str], Any] = {}


def caller(signature: str) -> Callable[..., Any]:
    """A function `call(address, *arguments)` for addresses of functions of this C signature."""
    kinds = prototype(signature)
    function, count = ctypes.CFUNCTYPE(*kinds), len(kinds) - 1
    name = f"jit.caller({signature!r})"

    def call(address: int, *values: Any) -> Any:
        plain = _plain(name, values, count)
        if 0 < address < UNCOMPILED_MAX:
            return UNCOMPILED[int(address)](*plain)
        return function(int(address))(*plain)

    call.__name__ = name

    @lowers(call, lambda: _with_address(signature))
    def _(context: Any, builder: Any, address: Any, *values: Any) -> Any:
        kind = _function_type(context, signature)
        return builder.call(builder.inttoptr(address, kind.as_pointer()), values)

    return call


def caller_at(signature: str, place: int) -> Callable[..., Any]:
    """A function `call(base, ...)` for one whose address stands `place` bytes from `base`, which is
    its own first argument: what a record's memory offers, it is asked of."""
    through = caller(signature)

    def call(base: int, *values: Any) -> Any:
        return through(load_i64(base + place), base, *values)

    call.__name__ = f"jit.caller_at({signature!r}, {place})"

    @lowers(call, signature)
    def _(context: Any, builder: Any, base: Any, *values: Any) -> Any:
        kind = _function_type(context, signature)
        there = builder.add(base, ir.Constant(base.type, place))
        held = builder.load(builder.inttoptr(there, kind.as_pointer().as_pointer()), align=1)
        return builder.call(held, [base, *values])

    return call


def libc(name: str, signature: str) -> Callable[..., Any]:
    """The C library's function `name`, callable in both modes; `errno()` tells its last failure."""
    kinds = prototype(signature)
    symbol = getattr(_libc, name, None)
    if symbol is None:
        raise InputError(
            f"The C library has no function {name!r}",
            where=f"jit.libc({name!r}, {signature!r})",
            do="Correct the name; `man 2 NAME` and `man 3 NAME` list what there is.",
        )
    count = len(kinds) - 1
    address = ctypes.cast(symbol, ctypes.c_void_p).value or 0
    _foreign[name, signature] = ctypes.CFUNCTYPE(*kinds, use_errno=True)(address)

    def external(*values: Any) -> Any:
        return _call_foreign(name, signature, _plain(name, values, count))

    external.__name__ = name

    @lowers(external, signature)
    def _(context: Any, builder: Any, *values: Any) -> Any:
        kind = _function_type(context, signature)
        return builder.call(_declared(builder, kind, name), values)

    return external


def _call_foreign(name: str, signature: str, values: list[Any]) -> Any:
    return _foreign[name, signature](*values)


def errno() -> int:
    """The C library's error number after a call from `libc` returned a failure."""
    return ctypes.get_errno()


@lowers(errno, "int64()")
def _(_context: Any, builder: Any) -> Any:
    number = ir.IntType(32)
    kind = ir.FunctionType(number.as_pointer(), ())
    place = _declared(builder, kind, "__errno_location")
    return builder.sext(builder.load(builder.call(place, ())), ir.IntType(64))


def _declared(builder: Any, kind: ir.FunctionType, name: str) -> Any:
    """The function `name`, as one of this type even where another use has declared it otherwise."""
    from numba.core import cgutils

    function = cgutils.get_or_insert_function(builder.module, kind, name)
    if function.function_type == kind:
        return function
    return builder.bitcast(function, kind.as_pointer())


def _plain(name: str, values: tuple[Any, ...], wanted: int) -> list[Any]:
    """Arguments as ctypes takes them: it knows no numpy numbers, lets too many pass, and cuts off
    what is beyond 64 bits."""
    if len(values) != wanted:
        raise TypeError(f"{name} takes {wanted} arguments, not {len(values)}")
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for value in plain:
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            raise InputError(
                f"{value} does not fit 64 bits", where=name, do="Pass a number that does."
            )
    return plain


def _with_address(signature: str) -> Any:
    """numba's signature, with the address before the other arguments."""
    from numba.core import sigutils, types

    arguments, result = sigutils.normalize_signature(signature)
    return result(types.int64, *arguments)


def _function_type(context: Any, signature: str) -> ir.FunctionType:
    from numba.core import sigutils, types

    arguments, result = sigutils.normalize_signature(signature)
    returned = ir.VoidType() if result is types.void else context.get_value_type(result)
    return ir.FunctionType(returned, [context.get_value_type(kind) for kind in arguments])
