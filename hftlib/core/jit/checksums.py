"""CRC-32C (Castagnoli), eight bytes at a step: the processor's instruction, or a table.

    crc = 0xFFFFFFFF                      before the first word
    crc = jit.crc_word(crc, word)         for each, in the machine's order
    crc ^ 0xFFFFFFFF                      what is written down

x86 has an instruction for this polynomial since SSE4.2: three cycles a word, and another word may
begin each cycle. What it is compiled to is decided where it is compiled; object code names the CPU
features it needs, so code with the instruction never runs on a host without it. Worst case: a host
without it pays eight dependent loads a word, some ten times as much, for the same values.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from hftlib.core.jit.cache import cpu_identity
from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.memory import _whole

_POLYNOMIAL = 0x82F63B78  # reflected
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


TABLE = tuple(map(_entry, range(256)))


def crc_word(crc: int, word: int) -> int:
    """The state after eight more bytes."""
    left = _whole(crc) & 0xFFFF_FFFF ^ _whole(word) & 0xFFFF_FFFF_FFFF_FFFF
    for _ in range(8):
        left = left >> 8 ^ TABLE[left & 0xFF]
    return left


def crc_word_by_table(crc: int, word: int) -> int:
    """The same, never by the instruction: for hosts without it, and for tests of that."""
    return crc_word(crc, word)


def has_instruction() -> bool:
    return "+sse4.2" in cpu_identity()[1].split(",")


@lowers(crc_word, "int64(int64, int64)")
def _(context: Any, builder: Any, crc: Any, word: Any) -> Any:
    if not has_instruction():
        return _by_table(context, builder, crc, word)
    kind = ir.FunctionType(_I64, [_I64, _I64])
    step = builder.module.declare_intrinsic("llvm.x86.sse42.crc32.64.64", (), kind)
    return builder.call(step, [crc, word])


@lowers(crc_word_by_table, "int64(int64, int64)")
def _by_table(_context: Any, builder: Any, crc: Any, word: Any) -> Any:
    table = _table(builder.module)
    left = builder.xor(builder.and_(crc, ir.Constant(_I64, 0xFFFF_FFFF)), word)
    for _ in range(8):
        place = [ir.Constant(_I64, 0), builder.and_(left, ir.Constant(_I64, 0xFF))]
        entry = builder.zext(builder.load(builder.gep(table, place)), _I64)
        left = builder.xor(builder.lshr(left, ir.Constant(_I64, 8)), entry)
    return left


def _table(module: Any) -> Any:
    name = "hft.crc32c"
    if name in module.globals:
        return module.globals[name]
    kind = ir.ArrayType(_I32, 256)
    table = ir.GlobalVariable(module, kind, name)
    table.linkage, table.global_constant = "internal", True
    table.initializer = ir.Constant(kind, list(TABLE))
    return table
