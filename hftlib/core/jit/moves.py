"""Fields between packed big-endian bytes and an aligned record, as loops and as machine code.

A plan has one move for each field. In Python it is a loop over the moves; where compiled code
calls for it, every move becomes a load, a byte swap and a store. Both move the same bytes.

Worst case: addresses are trusted, as in `memory.py`.
"""

from __future__ import annotations

import ctypes
from typing import Any, TypeAlias

from llvmlite import ir

Move: TypeAlias = tuple[int, int, int, int]
"""Place and bytes on the wire, place and bytes in the record (0 bytes there: text, as it is)."""
Plan: TypeAlias = tuple[Move, ...]

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)


def decode_by(plan: Plan, message: int, record: int) -> None:
    for at, size, record_at, record_size in plan:
        raw = ctypes.string_at(int(message) + at, size)
        # Only 48 bits are widened, and they have no sign.
        native = raw[::-1].ljust(record_size, b"\0") if record_size else raw
        ctypes.memmove(int(record) + record_at, native, len(native))


def encode_by(plan: Plan, record: int, message: int) -> None:
    for at, size, record_at, record_size in plan:
        native = ctypes.string_at(int(record) + record_at, size)
        ctypes.memmove(int(message) + at, native[::-1] if record_size else native, size)


def emit_decode(builder: Any, plan: Plan, message: Any, record: Any) -> None:
    for at, size, record_at, record_size in plan:
        if not record_size:
            _emit_copy(builder, message, at, record, record_at, size)
            continue
        wire, native = ir.IntType(8 * size), ir.IntType(8 * record_size)
        value = _swapped(builder, builder.load(place(builder, message, at, wire), align=1))
        value = value if wire == native else builder.zext(value, native)
        builder.store(value, place(builder, record, record_at, native), align=1)


def emit_encode(builder: Any, plan: Plan, record: Any, message: Any) -> None:
    for at, size, record_at, record_size in plan:
        if not record_size:
            _emit_copy(builder, record, record_at, message, at, size)
            continue
        wire, native = ir.IntType(8 * size), ir.IntType(8 * record_size)
        value = builder.load(place(builder, record, record_at, native), align=1)
        value = value if wire == native else builder.trunc(value, wire)
        builder.store(_swapped(builder, value), place(builder, message, at, wire), align=1)


def place(builder: Any, address: Any, offset: int, kind: Any) -> Any:
    """A pointer to a `kind`, `offset` bytes behind an address."""
    there = builder.add(address, ir.Constant(_WORD, offset)) if offset else address
    return builder.inttoptr(there, kind.as_pointer())


def _emit_copy(
    builder: Any, source: Any, source_at: int, target: Any, target_at: int, size: int
) -> None:
    from numba.core import cgutils

    taken = place(builder, source, source_at, _BYTE)
    count = ir.Constant(_WORD, size)
    cgutils.raw_memcpy(builder, place(builder, target, target_at, _BYTE), taken, count, 1)


def _swapped(builder: Any, value: Any) -> Any:
    return value if value.type == _BYTE else builder.bswap(value)
