"""Teach compiled code what a plain Python function means, in one step and without a second compile.

`lowers(twin, "int64(int64)")` says: where compiled code calls `twin`, emit what `build` emits.
Python code goes on calling `twin` itself, so both modes have one name and one meaning.

numba's `@overload` would do the same by compiling an implementation for every use in every
process; emitting directly keeps the edit-and-run loop of a strategy short.
Worst case: an argument that is not of the stated kind is refused at compile time, never converted
from float to integer behind one's back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import sigutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.core.typing.templates import signature as typed
from numba.extending import lower_builtin

Build = Callable[..., Any]


def lowers(twin: Callable[..., Any], signature: Any) -> Callable[[Build], Build]:
    """Decorate `build(context, builder, *values)`; `signature` is text or a numba signature."""
    arguments, result = sigutils.normalize_signature(signature)
    name = twin.__name__

    def generic(_self: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        fits = len(given) == len(arguments) and all(map(_fits, given, arguments))
        if keywords or not fits:
            wanted = ", ".join(map(str, arguments))
            raise TypingError(f"{name} takes ({wanted}), by position and without a fraction")
        return typed(result, *arguments)

    template = type(f"{name}_type", (AbstractTemplate,), {"key": twin, "generic": generic})
    infer_global(twin, types.Function(template))

    def decorate(build: Build) -> Build:
        def lower(context: Any, builder: Any, _signature: Any, values: tuple[Any, ...]) -> Any:
            value = build(context, builder, *values)
            return context.get_dummy_value() if value is None else value

        lower_builtin(twin, *arguments)(lower)
        if global_compiler_lock.is_locked():
            # `hft.clock` in a cell imports its module in the middle of a compilation, which has
            # already looked for new meanings and must look again.
            cpu_target.typing_context.refresh()
            cpu_target.target_context.refresh()
        return build

    return decorate


def _fits(given: Any, wanted: Any) -> bool:
    if isinstance(given, types.Omitted):
        return False
    if isinstance(wanted, types.Float):
        return isinstance(given, types.Number) and not isinstance(given, types.Complex)
    if isinstance(wanted, types.Integer):
        return isinstance(given, types.Integer | types.Boolean)
    return bool(given == wanted)
