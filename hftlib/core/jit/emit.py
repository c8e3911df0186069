"""Emit a callback's machine code, so that a process without a compiler can load it.

numba's own C wrapper holds a branch that reports exceptions to Python, so its object code always
needs a Python to run in. Here the function gets a wrapper of ours instead:

    int64 hft.NAME(arguments):                     numba's function returns (status, result)
        if status != 0: call hft_may_raise         never defined anywhere
        return result

Everything is inlined into it and optimised. If the compiler can prove that the function never
raises, the call disappears, and with it the symbol; if not, the symbol is left undefined and the
code is refused. So the list of undefined symbols *proves* what the source only promises: no
exception, no allocation (`NRT_*`), no Python object (`Py*`). Names of numba's making disappear
too, so the same sources give the same bytes in every process (recursion excepted: numba compiles
it differently when it meets it from outside and from within).
Worst case: a refused function, with the symbol and what it usually comes from.
"""

from __future__ import annotations

import hashlib
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba.core import types

from hftlib.core.errors import CompileError
from hftlib.core.jit.cache import cpu_identity, source_digest
from hftlib.core.jit.functions import BOUNDS_CHECKED, COMPILED, OPTIONS, Callback
from hftlib.core.object_code import MAY_RAISE, ObjectCode, check_symbols


def emit(callback: Callback) -> ObjectCode:
    """The callback's object code with everything a loader must check before it may run it."""
    if not COMPILED or BOUNDS_CHECKED:
        raise CompileError(
            "Object code is emitted from plainly compiled code only",
            where=callback.name,
            do="Unset NUMBA_DISABLE_JIT and NUMBA_BOUNDSCHECK and run again.",
        )
    # Compiled anew: what the cache holds is finished machine code, no longer open to inlining.
    inner = numba.cfunc(callback.signature, **OPTIONS)(callback.function)
    # A symbol is ASCII; a Python name need not be.
    symbol = "hft." + callback.name.encode("ascii", "backslashreplace").decode()
    elf = _object(inner, symbol)
    name, features = cpu_identity()
    made = ObjectCode(
        name=callback.name,
        symbol=symbol,
        signature=callback.signature,
        cpu=name,
        features=tuple(features.split(",")),
        compiler=f"numba {numba.__version__}",
        sources=source_digest(callback.function.__module__),
        sha256=hashlib.sha256(elf).hexdigest(),
        elf=elf,
    )
    check_symbols(made)
    return made


def _object(inner: Any, symbol: str) -> bytes:
    native = inner.native_name.removeprefix("cfunc.")
    module = llvm.parse_assembly(inner.inspect_llvm())
    module.link_in(llvm.parse_assembly(_wrapper(inner._sig, native, symbol)))
    for function in module.functions:
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
        if function.name == native:
            function.add_function_attribute("alwaysinline")
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
    module.name = symbol
    module.verify()
    machine = _machine()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
    # What was not inlined still bears numba's names, which count the compilations of the process.
    for number, item in enumerate([*module.functions, *module.global_variables]):
        if not item.is_declaration and item.name != symbol:
            item.name = f"hft.inner.{number}"
    return bytes(machine.emit_object(module))


def _wrapper(signature: Any, native: str, symbol: str) -> str:
    """The C function around numba's own, which returns a status and writes its result aside."""
    context = numba.core.registry.cpu_target.target_context
    arguments = [context.get_value_type(kind) for kind in signature.args]
    void = signature.return_type is types.void
    slot = ir.IntType(8).as_pointer() if void else context.get_value_type(signature.return_type)
    failure = ir.IntType(8).as_pointer()
    module = ir.Module(name=symbol)
    module.triple = llvm.get_process_triple()
    status_kind = ir.FunctionType(
        ir.IntType(32), [slot.as_pointer(), failure.as_pointer(), *arguments]
    )
    inner = ir.Function(module, status_kind, native)
    may_raise = ir.Function(module, ir.FunctionType(ir.VoidType(), ()), MAY_RAISE)
    outer_kind = ir.FunctionType(ir.VoidType() if void else slot, arguments)
    outer = ir.Function(module, outer_kind, symbol)
    builder = ir.IRBuilder(outer.append_basic_block())
    result, excuse = builder.alloca(slot), builder.alloca(failure)
    status = builder.call(inner, [result, excuse, *outer.args])
    with builder.if_then(builder.icmp_signed("!=", status, ir.Constant(ir.IntType(32), 0))):
        builder.call(may_raise, ())
    if void:
        builder.ret_void()
    else:
        builder.ret(builder.load(result))
    return str(module)


def _machine() -> Any:
    name, features = cpu_identity()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, reloc="pic", codemodel="small"
    )
