"""What compiled code emits for the arithmetic of `checked.py`, and the types it takes.

Worst case: a type that the arithmetic is not made for is refused when compiling.
"""

from __future__ import annotations

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

from hftlib.core.jit.checked import (
    BY_ZERO,
    FLOAT_FOR_INT,
    NO_INT,
    OUTSIDE,
    divisor,
    square,
    to_int,
    whole,
    within,
)

_INTRINSICS = ("llvm.trunc", "llvm.floor", "llvm.ceil", "llvm.rint")
_WORD = ir.IntType(64)


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
    raise TypingError(f"{FLOAT_FOR_INT}: {types.unliteral(given[0])}")


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
        _raise(context, builder, ValueError, NO_INT, line)
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
        _raise(context, builder, IndexError, OUTSIDE, line)
    return values[0]


@lower_builtin(divisor, types.Any, types.Any)
def _(context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
    kind, line = signature.args
    compare = builder.fcmp_ordered if isinstance(kind, types.Float) else builder.icmp_signed
    with cgutils.if_unlikely(builder, compare("==", values[0], ir.Constant(values[0].type, 0))):
        _raise(context, builder, ZeroDivisionError, BY_ZERO, line)
    return values[0]


def _raise(context: Any, builder: Any, kind: type, text: str, line: Any) -> None:
    name = context.fndesc.qualname
    place = numba_ir.Loc(f"<hft {name.partition('.')[0]}>", line.literal_value)
    context.call_conv.return_user_exc(builder, kind, (text,), place, name)
