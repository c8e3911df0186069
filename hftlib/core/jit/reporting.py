"""Machine code that may raise, and says what it raised: object code with an account of exceptions.

`emit` refuses code that can raise. A strategy may: dividing by zero or leaving an array must end
the call and be told. So its entry gets another wrapper:

    int64 hft.NAME(arguments):             numba's function returns (status, account)
        return account's address if status != 0 else 0

The account is a constant of numba's in the object code itself: which exception, its arguments, the
line. `account_at` reads it in Python, long after the call.

Nothing here allocates (`_nrt` off), and the list of undefined symbols is checked as for `emit`.
Compiling follows Python's rules for division by zero and checks indexes.
Worst case: an account read after its code was unloaded; code stays until the process ends.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import registry, serialize, sigutils
from numba.core.ccallback import _CFuncCompiler  # type: ignore[attr-defined]
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock

from hftlib.core.jit.cache import cpu_identity
from hftlib.core.jit.emit import frozen_address, frozen_in, sealed
from hftlib.core.jit.options import REPORTING
from hftlib.core.object_code import ObjectCode, check_symbols


class Bare(_CFuncCompiler):
    """numba's function and nothing around it."""

    def _customize_flags(self, flags: Any) -> Any:
        flags.no_cpython_wrapper = True
        flags.no_cfunc_wrapper = True
        flags.enable_pyobject = False
        flags.force_pyobject = False
        return flags


@global_compiler_lock
def compile_reporting(function: Callable[..., Any], signature: str, name: str) -> ObjectCode:
    """Object code of the function, whose result is 0 or the address of an account."""
    arguments, result = sigutils.normalize_signature(signature)
    compiler = Bare(function, registry.cpu_target, dict(REPORTING), {}, Compiler)
    made = compiler.compile(arguments, result)
    symbol = "hft." + name.encode("ascii", "backslashreplace").decode()
    native = made.fndesc.llvm_func_name
    wrapper = _wrapper(made.target_context, arguments, native, symbol)
    module, target = sealed(made.library.get_llvm_str(), wrapper, native, symbol)
    address = frozen_address(module)
    cpu, features = cpu_identity()
    code = ObjectCode(
        name=name,
        symbol=symbol,
        signature=signature,
        cpu=cpu,
        features=tuple(features.split(",")),
        compiler="numba",
        sources="",
        sha256="",
        elf=bytes(target.emit_object(module)),
    )
    check_symbols(code)
    if address is not None:
        raise frozen_in(address, function, name)
    return replace(code, sha256=code.digest())


def account_at(address: int) -> tuple[str, str, str, int]:
    """Exception, text, file and line (0 unknown) of the account that such code returned."""
    kind, arguments, place = _unpacked(address)
    text = " ".join(map(str, arguments or ()))
    return kind.__name__, text, str(place[1]) if place else "", int(place[2]) if place else 0


def raised_at(address: int) -> BaseException:
    """The exception of such an account, as it would have been raised."""
    kind, arguments, _ = _unpacked(address)
    return kind(*(arguments or ()))


def _unpacked(address: int) -> Any:
    pickled = ctypes.c_void_p.from_address(address).value or 0
    size = ctypes.c_int32.from_address(address + 8).value
    # What was pickled is part of machine code that this process already runs.
    return serialize.loads(ctypes.string_at(pickled, size))


def _wrapper(context: Any, arguments: Any, native: str, symbol: str) -> str:
    word, byte = ir.IntType(64), ir.IntType(8).as_pointer()
    kinds = [context.get_value_type(kind) for kind in arguments]
    module = ir.Module(name=symbol)
    module.triple = llvm.get_process_triple()
    status = ir.FunctionType(ir.IntType(32), [word.as_pointer(), byte.as_pointer(), *kinds])
    inner = ir.Function(module, status, native)
    outer = ir.Function(module, ir.FunctionType(word, kinds), symbol)
    builder = ir.IRBuilder(outer.append_basic_block())
    result, account = builder.alloca(word), builder.alloca(byte)
    failed = builder.icmp_signed(
        "!=", builder.call(inner, [result, account, *outer.args]), ir.Constant(ir.IntType(32), 0)
    )
    with builder.if_then(failed, likely=False):
        builder.ret(builder.ptrtoint(builder.load(account), word))
    builder.ret(builder.load(result))
    return str(module)
