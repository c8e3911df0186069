"""Make an entry or a callback into object code of its own. Imports numba.

    result hft.NAME(arguments):                     numba's function returns (status, account)
        if status != 0: call NOTE(account); return 0
        return result

numba's function is finished by the time it comes here; around it only the wrapper is folded in.
Worst case: code that needs numba or Python at run time is given back as None.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import registry, sigutils
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock

from hftlib.core.errors import CompileError
from hftlib.core.jit.cache import cpu_identity
from hftlib.core.jit.emit import machine, shut
from hftlib.core.jit.native import IGNORED, RAISED, Native
from hftlib.core.jit.reporting import Bare
from hftlib.core.object_code import ALLOWED_SYMBOLS, ObjectCode, undefined_symbols

# What belongs to numba's run time, or to Python, can be called by numba's own code only.
_THEIRS = ("NRT_", "Py", "_Py", "numba", "_numba", "MKL", "__kmpc", "omp_")
_process = ctypes.CDLL(None)


def native_code(native: Native) -> tuple[ObjectCode | None, bool]:
    """The code, None where it cannot stand alone, and whether another process may use it."""
    made = _compiled(native)
    symbol = "hft." + native.name.encode("ascii", "backslashreplace").decode()
    inner = made.fndesc.llvm_func_name
    module = llvm.parse_assembly(made.library.get_llvm_str())
    module.link_in(llvm.parse_assembly(_wrapper(made, inner, symbol, native.is_callback)))
    shut(module, inner, symbol)
    target = machine()
    _fold(module, target)
    cpu, features = cpu_identity()
    code = ObjectCode(
        name=native.name,
        symbol=symbol,
        signature=native.signature,
        cpu=cpu,
        features=tuple(features.split(",")),
        compiler=f"numba {numba.__version__}",
        sources="",
        sha256="",
        elf=bytes(target.emit_object(module)),
    )
    if not all(map(_can_be_called, undefined_symbols(code))):
        return None, True
    return replace(code, sha256=code.digest()), not made.library.has_dynamic_globals


@global_compiler_lock
def _compiled(native: Native) -> Any:
    arguments, result = sigutils.normalize_signature(native.signature)
    compiler = Bare(native.function, registry.cpu_target, dict(native.options), {}, Compiler)
    # As in C, what a callback returns becomes the declared type; an entry's must be it.
    made = compiler.compile(arguments, result if native.is_callback else None)
    refuse_result(made.signature.return_type, result, native.name, native.signature)
    return made


def refuse_result(given: Any, declared: Any, name: str, signature: str) -> None:
    """Refuse an entry that returns something else than its signature says."""
    if declared is not None and types.unliteral(given) != declared:
        raise CompileError(
            f"The function returns {given}, its signature says {declared}",
            where=f"{name}, @jit.compiled({signature!r})",
            do="Correct the signature, or convert what the function returns.",
        )


def _wrapper(made: Any, inner: str, symbol: str, is_callback: bool) -> str:
    context, signature = made.target_context, made.signature
    arguments = [context.get_value_type(kind) for kind in signature.args]
    void = signature.return_type is types.void
    byte = ir.IntType(8).as_pointer()
    slot = byte if void else context.get_value_type(signature.return_type)
    module = ir.Module(name=symbol)
    module.triple = llvm.get_process_triple()
    status = ir.FunctionType(ir.IntType(32), [slot.as_pointer(), byte.as_pointer(), *arguments])
    function = ir.Function(module, status, inner)
    note_kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
    note = ir.Function(module, note_kind, IGNORED if is_callback else RAISED)
    returned = ir.VoidType() if void else slot
    outer = ir.Function(module, ir.FunctionType(returned, arguments), symbol)
    builder = ir.IRBuilder(outer.append_basic_block())
    result, account = builder.alloca(slot), builder.alloca(byte)
    builder.store(ir.Constant(slot, None), result)
    answer = builder.call(function, [result, account, *outer.args])
    failed = builder.icmp_signed("!=", answer, ir.Constant(ir.IntType(32), 0))
    with builder.if_then(failed, likely=False):
        builder.call(note, [builder.ptrtoint(builder.load(account), ir.IntType(64))])
    if void:
        builder.ret_void()
    else:
        builder.ret(builder.load(result))
    return str(module)


def _fold(module: Any, target: Any) -> None:
    """Put the function into its wrapper and drop the rest: it has been optimised already."""
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=3))
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_sroa_pass()
    passes.add_ipsccp_pass()
    passes.add_simplify_cfg_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)


def _can_be_called(symbol: str) -> bool:
    if symbol in ALLOWED_SYMBOLS or symbol in (RAISED, IGNORED):
        return True
    return not symbol.startswith(_THEIRS) and hasattr(_process, symbol)
