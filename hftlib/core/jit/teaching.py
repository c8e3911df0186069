"""numba's side of the door: what it learns of ours once something must be compiled.

Imported by `lowering.wake` only; whoever imports it imports numba.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import sigutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.core.typing.templates import signature as typed
from numba.extending import lower_builtin, typeof_impl

from hftlib.core.jit import checked_code, kinds_code, steps_code
from hftlib.core.jit.functions import Compiled
from hftlib.core.jit.lowering import WAITING, Build

__all__ = ["READY", "checked_code", "kinds_code", "steps_code", "teach"]


@typeof_impl.register(Compiled)
def _(function: Any, _context: Any) -> Any:
    return types.Dispatcher(function.as_it_means_now())


def teach() -> None:
    """Register whatever waits; in the middle of a compilation, let it be seen at once."""
    new = bool(WAITING)
    while WAITING:
        _teach(*WAITING.pop(0))
    if new and global_compiler_lock.is_locked():
        # The compilation has already looked for new meanings and must look again.
        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()


def _teach(twin: Any, signature: Any, build: Build) -> None:
    arguments, result = sigutils.normalize_signature(
        signature() if callable(signature) else signature
    )
    name = twin.__name__

    def generic(_self: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        fits = len(given) == len(arguments) and all(map(_fits, given, arguments))
        if keywords or not fits:
            wanted = ", ".join(map(str, arguments))
            raise TypingError(f"{name} takes ({wanted}), by position and without a fraction")
        return typed(result, *arguments)

    template = type(f"{name}_type", (AbstractTemplate,), {"key": twin, "generic": generic})
    infer_global(twin, types.Function(template))

    def lower(context: Any, builder: Any, _signature: Any, values: tuple[Any, ...]) -> Any:
        value = build(context, builder, *values)
        return context.get_dummy_value() if value is None else value

    lower_builtin(twin, *arguments)(lower)


def _fits(given: Any, wanted: Any) -> bool:
    if isinstance(given, types.Omitted):
        return False
    if isinstance(wanted, types.Float):
        return isinstance(given, types.Number) and not isinstance(given, types.Complex)
    if isinstance(wanted, types.Integer):
        return isinstance(given, types.Integer | types.Boolean)
    return bool(given == wanted)


READY = True
