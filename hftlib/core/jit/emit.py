"""Emit a callback's machine code, so that a process without numba can load it.

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

What no symbol shows is an address: `STEP = step.address` at module level is a plain number, and
numba refers to arrays over 1 MB by where they lie. Elsewhere such code is a crash. So the optimised
code is searched for pointers made of a constant, for numbers that are addresses of this process
right now, and for those in tables that are read by whole words. An address that is computed by
other means than adding (shifted, its bytes swapped) gets through.
Worst case: a refused function, with the symbol or address and what it usually comes from.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from hftlib.core.errors import CompileError
from hftlib.core.jit.cache import cpu_identity, source_digest
from hftlib.core.jit.callbacks import Callback
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.options import OPTIONS
from hftlib.core.jit.settings import BOUNDS_CHECKED, COMPILED
from hftlib.core.object_code import MAY_RAISE, ObjectCode, check_symbols

# What lies below the first page is null with an offset; below 4 GiB a number is rarely an address.
_PAGE_BYTES, _ADDRESS_MIN, _ADDRESS_MAX = 1 << 12, 1 << 32, 1 << 47
# numba copies arrays up to this size into the code, and refers to larger ones by their address.
_ARRAY_BYTES_MAX = 1_000_000
_POINTERS = re.compile(r"inttoptr \(?i64 (-?\d+) to")
_NUMBERS = re.compile(r"(?<![\w.%@!-])\d{10,15}\b")
_BYTES = re.compile(rb'c"([^"]*)"')
_ESCAPED = re.compile(rb"\\(\\|[0-9A-Fa-f]{2})")


def emit(callback: Callback) -> ObjectCode:
    """The callback's object code with everything a loader must check before it may run it."""
    if not COMPILED or BOUNDS_CHECKED:
        raise CompileError(
            "Object code is emitted from plainly compiled code only",
            where=callback.name,
            do="Unset NUMBA_DISABLE_JIT and NUMBA_BOUNDSCHECK and run again.",
        )
    wake()
    import numba

    # Compiled anew: what the cache holds is finished machine code, no longer open to inlining.
    inner = numba.cfunc(callback.signature, **OPTIONS)(callback.function)
    # A symbol is ASCII; a Python name need not be.
    symbol = "hft." + callback.name.encode("ascii", "backslashreplace").decode()
    native = inner.native_name.removeprefix("cfunc.")
    wrapper = _wrapper(inner._sig, native, symbol)
    module, target = sealed(inner.inspect_llvm(), wrapper, native, symbol)
    address = frozen_address(module)
    elf = bytes(target.emit_object(module))
    name, features = cpu_identity()
    made = ObjectCode(
        name=callback.name,
        symbol=symbol,
        signature=callback.signature,
        cpu=name,
        features=tuple(features.split(",")),
        compiler=f"numba {numba.__version__}",
        sources=source_digest(callback.function.__module__),
        sha256="",
        elf=elf,
    )
    check_symbols(made)
    if address is not None:
        raise frozen_in(address, callback.function, callback.name)
    return replace(made, sha256=made.digest())


def sealed(code: str, wrapper: str, native: str, symbol: str) -> tuple[Any, Any]:
    """The module with nothing but `symbol` to be seen from outside, and the machine it is for."""
    module = llvm.parse_assembly(code)
    module.link_in(llvm.parse_assembly(wrapper))
    shut(module, native, symbol)
    target = machine()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(target, tuning)
    builder.getModulePassManager().run(module, builder)
    # What was not inlined still bears numba's names, which count the compilations of the process.
    for number, item in enumerate([*module.functions, *module.global_variables]):
        if not item.is_declaration and item.name != symbol:
            item.name = f"hft.inner.{number}"
    return module, target


def shut(module: Any, native: str, symbol: str) -> None:
    """Hide all but `symbol`, and have numba's own function inlined."""
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


def _wrapper(signature: Any, native: str, symbol: str) -> str:
    """The C function around numba's own, which returns a status and writes its result aside."""
    from numba.core import registry, types

    context = registry.cpu_target.target_context
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


def machine() -> Any:
    """LLVM for this very processor, for code that may lie anywhere."""
    name, features = cpu_identity()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, reloc="pic", codemodel="small"
    )


def frozen_address(module: Any) -> int | None:
    """An address that holds in this process only and is part of the code, if there is one."""
    text = str(module)
    for number in map(int, _POINTERS.findall(text)):
        if abs(number) >= _PAGE_BYTES:
            return number % (1 << 64)
    for number in _mapped(map(int, _NUMBERS.findall(text))):
        return number
    tables = ((variable.name, next(_mapped(_words(variable)), 0)) for variable in _data(module))
    suspects = {name: address for name, address in tables if address}
    # Narrower items side by side look like anything, addresses included: how are they read?
    return suspects[min(found)] if suspects and (found := suspects.keys() & _read(module)) else None


def _data(module: Any) -> list[Any]:
    return [variable for variable in module.global_variables if not variable.is_declaration]


def _words(variable: Any) -> Iterator[int]:
    """What a table of numba's, which is written as text of bytes, holds in words of eight."""
    for found in _BYTES.findall(str(variable).encode()):
        data = _ESCAPED.sub(_unescaped, found)
        yield from memoryview(data[: len(data) // 8 * 8]).cast("Q")


def _unescaped(found: re.Match[bytes]) -> bytes:
    return b"\\" if found[1] == b"\\" else bytes.fromhex(found[1].decode())


def _mapped(numbers: Iterable[int]) -> Iterator[int]:
    """Those of the numbers that are addresses of memory which this process has now."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    ranges = [line.split(maxsplit=1)[0].split("-") for line in lines]
    starts, ends = ([int(pair[side], 16) for pair in ranges] for side in (0, 1))
    for number in numbers:
        if _ADDRESS_MIN <= number < _ADDRESS_MAX:
            # The ranges are in order and apart: only the last to begin before it can hold it.
            place = bisect_right(starts, number) - 1
            if place >= 0 and number < ends[place]:
                yield number


def _read(module: Any) -> set[str]:
    """The names of the tables out of which whole words are read."""
    names: set[str] = set()
    for function in module.functions:
        body = [line for block in function.blocks for line in block.instructions]
        # As an operand an instruction is opaque, and not all have names: its text finds it again.
        known = {str(instruction): instruction for instruction in body}
        for instruction in body:
            if instruction.opcode == "load" and re.search("i64|ptr", str(instruction.type)):
                names |= _bases(instruction, known, set())
    return names


def _bases(instruction: Any, known: dict[str, Any], seen: set[str]) -> set[str]:
    """The global variables that the pointer of a load may be derived from."""
    found: set[str] = set()
    for operand in instruction.operands:
        if operand.value_kind == llvm.ValueKind.global_variable:
            found.add(operand.name)
        elif operand.is_constant:
            found.update(re.findall(r"@([\w.]+)", str(operand)))
        # A pointer that was itself loaded leads elsewhere, and that load is looked at as well.
        elif (text := str(operand)) in known and text not in seen and known[text].opcode != "load":
            seen.add(text)
            found |= _bases(known[text], known, seen)
    return found


def frozen_in(address: int, function: Callable[..., Any], name: str) -> CompileError:
    """The refusal of code that holds an address."""
    return CompileError(
        f"An address of this process is part of the code: {_told(address, function)}",
        where=name,
        do="Pass it in through the state; an array over 1 MB is such an address as well.",
    )


def _told(address: int, function: Callable[..., Any]) -> str:
    """The address, with the name of the global variable that it comes from where one is found."""
    for name, value in function.__globals__.items():
        array = isinstance(value, np.ndarray) and value.nbytes > _ARRAY_BYTES_MAX
        whole = isinstance(value, (int, np.integer))
        if (value.ctypes.data if array else int(value) if whole else None) == address:
            return f"{name} = {address:#x}"
    return f"{address:#x}"
