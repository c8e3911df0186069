"""What compiled code emits for `address_of` and `out_of_steps`: see `kind_steps.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.core.typing.templates import signature as typed
from numba.extending import lower_builtin

from hftlib.core.jit.kind_steps import address_of, out_of_steps
from hftlib.core.jit.kinds_code import Kind


def _over_any_kind(function: Callable[..., Any], result: Any) -> None:
    def generic(_self: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if len(given) == 1 and isinstance(given[0], Kind) and not keywords:
            return typed(result, given[0])
        return None

    body = {"key": function, "generic": generic}
    template = type(f"{function.__name__}_type", (AbstractTemplate,), body)
    infer_global(function, types.Function(template))


_over_any_kind(address_of, types.int64)
_over_any_kind(out_of_steps, types.boolean)
_WORD = ir.IntType(64)


@lower_builtin(address_of, Kind)
def _(_context: Any, builder: Any, _signature: Any, values: tuple[Any, ...]) -> Any:
    return builder.ptrtoint(values[0], _WORD)


@lower_builtin(out_of_steps, Kind)
def _(_context: Any, builder: Any, signature: Any, values: tuple[Any, ...]) -> Any:
    kind, zero, one = signature.args[0], ir.Constant(_WORD, 0), ir.Constant(_WORD, 1)
    address = builder.ptrtoint(values[0], _WORD)
    if "steps_left" in kind.fields:
        place = builder.add(address, ir.Constant(_WORD, kind.offset("steps_left")))
        place = builder.inttoptr(place, _WORD.as_pointer())
    else:
        home_at = builder.add(address, ir.Constant(_WORD, kind.offset("home")))
        home = builder.load(builder.inttoptr(home_at, _WORD.as_pointer()))
        unbound = cgutils.alloca_once_value(builder, one)
        builder.store(one, unbound)
        there = builder.inttoptr(builder.add(address, home), _WORD.as_pointer())
        place = builder.select(builder.icmp_signed("==", home, zero), unbound, there)
    left = builder.load(place)
    builder.store(builder.sub(left, one), place)
    return builder.icmp_signed("<=", left, zero)
