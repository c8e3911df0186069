"""Arithmetic of strategies that is the same in both modes, and that raises where C would not.

    whole(value)                 the value for an int field: a float is refused when compiling
    to_int(value, how, line)     int(), floor(), ceil(), round(); raises for what is no int64
    within(index, count, line)   the index, if an array of `count` items has it
    divisor(value, line)         the value, unless it is zero
    power(value, exponent)       the C library's pow, always a float
    square(value)                the value times itself

`how`, `count` and `line` are written into the code by whoever rewrites a strategy: numba's own
checks do not say in which line they failed. Worst case: uncompiled integers do not wrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core import ir as numba_ir
from numba.core.errors import TypingError
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.core.typing.templates import signature as typed
from numba.extending import lower_builtin

from hftlib.core.jit.lowering import lowers

TRUNCATED, FLOOR, CEIL, ROUNDED = range(4)
_ROUNDINGS: tuple[Callable[[float], int], ...] = (int, math.floor, math.ceil, round)
_INTRINSICS = ("llvm.trunc", "llvm.floor", "llvm.ceil", "llvm.rint")
_NO_INT = "a number that is no whole number of 64 bits, or not a number at all, became an int"
_OUTSIDE = "the index is outside of the array"
_BY_ZERO = "division by zero"
_FLOAT_FOR_INT = "a float is put where a whole number belongs"
_WORD = ir.IntType(64)


def whole(value: int) -> int:
    if isinstance(value, float):
        raise TypeError(_FLOAT_FOR_INT)
    return int(value)


def to_int(value: float, how: int, line: int) -> int:
    """The number as an int: by the rounding `how`."""
    del line
    if isinstance(value, float) and not -(2.0**63) <= value < 2.0**63:
        raise ValueError(_NO_INT)
    return int(_ROUNDINGS[how](value))


def within(index: int, count: int, line: int) -> int:
    del line
    if isinstance(index, float):
        raise TypeError("an index is a whole number")
    if not -count <= index < count:
        raise IndexError(_OUTSIDE)
    return index


def divisor(value: float, line: int) -> float:
    del line
    if value == 0:
        raise ZeroDivisionError(_BY_ZERO)
    return value


def power(value: float, exponent: float) -> float:
    try:
        return math.pow(value, exponent)
    except (OverflowError, ValueError):
        # Python refuses what is infinite, or no real number.
        if value < 0 and not float(exponent).is_integer():
            return math.nan
        odd = float(exponent).is_integer() and int(exponent) % 2 == 1
        return math.copysign(math.inf, value) if odd else math.inf


@lowers(power, "float64(float64, float64)")
def _(_context: Any, builder: Any, value: Any, exponent: Any) -> Any:
    kind = ir.FunctionType(value.type, (value.type, value.type))
    run = cgutils.get_or_insert_function(builder.module, kind, "pow")
    # Known for what it is, it would become exp2, sqrt or a division wherever one of the two is a
    # constant, and those round otherwise.
    run.attributes.add("nobuiltin")
    return builder.call(run, [value, exponent])


def square(value: float) -> float:
    return value * value


def _types(function: Callable[..., Any], generic: Callable[..., Any]) -> None:
    body = {"key": function, "generic": generic, "prefer_literal": True}
    template = type(f"{function.__name__}_type", (AbstractTemplate,), body)
    infer_global(function, types.Function(template))


def _type_square(_self: Any, given: tuple[Any, ...], _keywords: dict[str, Any]) -> Any:
    kind = types.unliteral(given[0])
    if isinstance(kind, types.Number) and not isinstance(kind, types.Complex):
        kind = types.float64 if isinstance(kind, types.Float) else types.int64
        return typed(kind, kind)
    raise TypingError("only a number has a square")


def _type_whole(_self: Any, given: tuple[Any, ...], _keywords: dict[str, Any]) -> Any:
    if isinstance(types.unliteral(given[0]), types.Integer | types.Boolean):
        return typed(types.int64, types.int64)
    raise TypingError(f"{_FLOAT_FOR_INT}: {types.unliteral(given[0])}")


def _type_to_int(_self: Any, given: tuple[Any, ...], _keywords: dict[str, Any]) -> Any:
    kind = types.unliteral(given[0])
    if isinstance(kind, types.Integer | types.Boolean):
        return typed(types.int64, types.int64, *given[1:])
    if isinstance(kind, types.Float):
        return typed(types.int64, types.float64, *given[1:])
    raise TypingError(f"only a number can become an int, not {kind}")


def _type_within(_self: Any, given: tuple[Any, ...], _keywords: dict[str, Any]) -> Any:
    if isinstance(types.unliteral(given[0]), types.Integer | types.Boolean):
        return typed(types.int64, types.int64, *given[1:])
    raise TypingError(f"an index is a whole number, not {types.unliteral(given[0])}")


def _type_divisor(_self: Any, given: tuple[Any, ...], _keywords: dict[str, Any]) -> Any:
    kind = types.unliteral(given[0])
    if isinstance(kind, types.Integer | types.Boolean):
        return typed(types.int64, types.int64, *given[1:])
    if isinstance(kind, types.Float):
        return typed(types.float64, types.float64, *given[1:])
    raise TypingError(f"only a number can divide, not {kind}")


for _function, _generic in (
    (divisor, _type_divisor),
    (square, _type_square),
    (whole, _type_whole),
    (to_int, _type_to_int),
    (within, _type_within),
):
    _types(_function, _generic)


@lower_builtin(square, types.Number)
def _(_context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
    multiply = builder.fmul if isinstance(signature.args[0], types.Float) else builder.mul
    return multiply(values[0], values[0])


@lower_builtin(whole, types.Integer)
def _(_context: Any, _builder: Any, _signature: Any, values: tuple[Any, ...]) -> Any:
    return values[0]


@lower_builtin(to_int, types.Any, types.Any, types.Any)
def _(context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
    kind, how, line = signature.args
    if isinstance(kind, types.Integer):
        return values[0]
    value = values[0]
    edge = 2.0**63
    above = builder.fcmp_ordered(">=", value, ir.Constant(value.type, -edge))
    below = builder.fcmp_ordered("<", value, ir.Constant(value.type, edge))
    with cgutils.if_unlikely(builder, builder.not_(builder.and_(above, below))):
        _raise(context, builder, ValueError, _NO_INT, line)
    name = _INTRINSICS[how.literal_value]
    rounded = builder.call(builder.module.declare_intrinsic(name, [value.type]), [value])
    return builder.fptosi(rounded, _WORD)


@lower_builtin(within, types.Integer, types.Any, types.Any)
def _(context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
    _, count, line = signature.args
    low, high = (ir.Constant(_WORD, sign * count.literal_value) for sign in (-1, 1))
    above = builder.icmp_signed(">=", values[0], low)
    below = builder.icmp_signed("<", values[0], high)
    with cgutils.if_unlikely(builder, builder.not_(builder.and_(above, below))):
        _raise(context, builder, IndexError, _OUTSIDE, line)
    return values[0]


@lower_builtin(divisor, types.Any, types.Any)
def _(context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
    kind, line = signature.args
    compare = builder.fcmp_ordered if isinstance(kind, types.Float) else builder.icmp_signed
    with cgutils.if_unlikely(builder, compare("==", values[0], ir.Constant(values[0].type, 0))):
        _raise(context, builder, ZeroDivisionError, _BY_ZERO, line)
    return values[0]


def _raise(context: Any, builder: Any, kind: type, text: str, line: Any) -> None:
    name = context.fndesc.qualname
    place = numba_ir.Loc(f"<hft {name.partition('.')[0]}>", line.literal_value)
    context.call_conv.return_user_exc(builder, kind, (text,), place, name)
