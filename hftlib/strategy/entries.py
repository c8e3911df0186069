"""One address for each mode: a strategy's machine code, or its methods behind a C function.

Compiled: a switch over `what` becomes object code (`core/jit/reporting.py`), kept under a digest
of all it is made of: the class's lines and those of its blocks, what its globals mean, hftlib's
sources, the compiler and the processor. A second process loads it without compiling.

Uncompiled: the same methods run as Python on views of the same memory, so breakpoints and `print`
work. An exception waits in `exception`, and the entry answers 1.

Of the state's header an entry writes `steps_left` and `calls`; what to make of an answer that is
not 0 (`faults`, `fault`, `faulty_call`) is the driver's. Globals are those of the moment at which
the class was made.

Worst case: a strategy of usual size compiles in a third of a second, in a fresh process in one to
two; a kept file that is damaged is made again.
"""

from __future__ import annotations

import ctypes
import hashlib
from contextlib import suppress
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import HftError
from hftlib.core.jit.cache import kept_objects
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.meaning import meaning
from hftlib.core.jit.released import note, served
from hftlib.core.object_code import link, read
from hftlib.strategy import abi
from hftlib.strategy.context import CONTEXT, FILLS, ORDERS, TRADES
from hftlib.strategy.plans import Laid
from hftlib.strategy.telling import told_by_account, told_by_compiler, told_by_exception

_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)
_ARGUMENTS = {
    "on_start": "",
    "on_book": "instrument",
    "on_trade": "instrument, trade_at(argument)",
    "on_order": "instrument, order_at(argument)",
    "on_fill": "instrument, fill_at(argument)",
    "on_timer": "argument",
    "on_halt": "instrument",
    "on_stop": "",
}
_PLACES = {
    "context_at": CONTEXT.at,
    "trade_at": TRADES.at,
    "order_at": ORDERS.at,
    "fill_at": FILLS.at,
}


class Entries:
    """Both entries of a strategy's class, made when first asked for."""

    def __init__(self, laid: Laid) -> None:
        self.laid = laid
        self.exception: BaseException | None = None  # the last; and by where a state lies
        self.exceptions: dict[int, BaseException] = {}
        self.was_kept = False
        self._compiled = self._uncompiled = 0
        self._function: Any = None

    def address(self, compiled: bool) -> int:
        if compiled and jit.COMPILED:
            self._compiled = self._compiled or self._machine_code()
            return self._compiled
        self._uncompiled = self._uncompiled or self._python()
        self.exceptions.clear()
        return self._uncompiled

    def digest(self) -> str:
        """Of all that decides what the strategy does, but its parameters."""
        digest = hashlib.sha256(f"{abi.ABI}\0{self.laid.plan.tree_text()}".encode())
        for laid in _with_parts(self.laid):
            digest.update(f"\0{np.lib.format.dtype_to_descr(laid.dtype)}".encode())
            for name, function in laid.functions.items():
                digest.update(f"\0{name} {meaning(function)}".encode())
        return digest.hexdigest()

    def explain(self, code: int, state: int = 0) -> str:
        if code == 0:
            return "Nothing is wrong."
        if code == 1 or not jit.COMPILED:
            return told_by_exception(self.exceptions.get(state, self.exception), self.laid)
        from hftlib.core.jit.reporting import account_at

        return told_by_account(*account_at(code), self.laid)

    def _machine_code(self) -> int:
        for laid in _with_parts(self.laid):
            if laid.plan.only_uncompiled is not None:
                raise laid.plan.only_uncompiled
        own, name = self.digest(), self.laid.plan.name
        in_release = f"{name[:50]}.{own[:32]}.o"
        if (code := served(in_release, name)) is not None:
            self.was_kept = True
            return link(code, abi.ENTRY)
        digest = hashlib.sha256(f"{jit.source_digest()}{own}".encode()).hexdigest()
        path = kept_objects() / f"{name}.{digest[:32]}.o"
        if path.exists():
            with suppress(HftError):
                code = read(path)
                address = link(code, abi.ENTRY, checked=True)
                note(in_release, code)
                self.was_kept = True
                return address
        wake()
        from hftlib.core.jit.reporting import compile_reporting

        try:
            code = compile_reporting(self._switch(), abi.ENTRY, name)
        except Exception as error:
            if not isinstance(error, HftError) and "numba" not in type(error).__module__:
                raise
            raise told_by_compiler(error, self.laid) from None
        with suppress(HftError):
            code.save(path)
        note(in_release, code)
        return link(code, abi.ENTRY)

    def _switch(self) -> Any:
        """The entry as a Python function, the same in both modes."""
        methods = self.laid.plan.methods
        lines = [
            "def entry(what, state, context, instrument, argument):",
            "    self, ctx = self_at(state), context_at(context)",
            "    self.steps_left = self.steps_max",
            "    self.calls += 1",
        ]
        for number, name in enumerate(abi.CALLBACKS):
            if name in methods:
                lines.append(f"    {'el' * (len(lines) > 4)}if what == {number}:")
                lines.append(f"        self.{name}(ctx, {_ARGUMENTS[name]})")
        lines.append("    return 0")
        namespace: dict[str, Any] = {**_PLACES, "self_at": self.laid.shape.at}
        exec(compile("\n".join(lines), "<the switch of an entry>", "exec"), namespace)
        return namespace["entry"]

    def _python(self) -> int:
        run = self._switch()

        def entry(*arguments: int) -> int:
            try:
                return int(run(*arguments))
            # Whatever ends the call, a debugger's end included, has to wait for the driver.
            except BaseException as error:
                self.exception = self.exceptions[arguments[1]] = error
                return 1

        self._function = _PROTOTYPE(entry)
        return ctypes.cast(self._function, ctypes.c_void_p).value or 0


def _with_parts(laid: Laid) -> list[Laid]:
    return [laid, *(inner for part in laid.parts.values() for inner in _with_parts(part))]
