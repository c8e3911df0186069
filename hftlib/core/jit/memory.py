"""Plain memory at an address: records, arrays, byte order, and ordering between processes.

Nothing here allocates, counts references or raises; each function becomes one to three machine
instructions. In Python the same functions work through ctypes, slowly and with the same results.

    state_at = jit.record_at(STATE)              # once, at module level
    state = state_at(address)                    # in both modes: state.field reads and writes

Unsigned 64-bit fields arrive as int64: everything hftlib counts fits 63 bits, so a negative
value is a sign of garbage, and there is one integer type to think about.

Ordering: `store_release` publishes all earlier writes to whoever sees its value through
`load_acquire`. In uncompiled mode the ordering is that of the processor, which on x86-64 is enough.
Worst case: a wrong address is a crash, as in C. Only `array_at` is ever bounds-checked.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np
from llvmlite import ir

from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.views import viewed

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))


def record_at(dtype: np.dtype[Any]) -> Callable[[int], Any]:
    """A function `at(address)` giving the record of this dtype that lies at the address."""

    def at(address: int) -> Any:
        return viewed(_placed(dtype, address, 1)[0])

    def signature() -> Any:
        return _numba().from_dtype(dtype)(_numba().int64)

    @lowers(at, signature)
    def _(context: Any, builder: Any, address: Any) -> Any:
        return builder.inttoptr(address, context.get_value_type(signature().return_type))

    return at


def array_at(dtype: np.dtype[Any] | type) -> Callable[[int, int], Any]:
    """A function `at(address, count)` giving the array of `count` items that lies there."""
    dtype = np.dtype(dtype)

    def at(address: int, count: int) -> Any:
        return viewed(_placed(dtype, address, count))

    def signature() -> Any:
        kind = _numba().types.Array(_numba().from_dtype(dtype), 1, "C")
        return kind(_numba().int64, _numba().int64)

    @lowers(at, signature)
    def _(context: Any, builder: Any, address: Any, count: Any) -> Any:
        kind = signature().return_type
        array = context.make_array(kind)(context, builder)
        step = ir.Constant(_I64, dtype.itemsize)
        pointer = builder.inttoptr(address, context.get_data_type(kind.dtype).as_pointer())
        # No meminfo and no parent: nobody owns this memory here, so nobody counts references.
        _numba().np.arrayobj.populate_array(array, pointer, [count], [step], step, None)
        return array._getvalue()

    return at


def _numba() -> Any:
    import numba

    return numba


def _placed(dtype: np.dtype[Any], address: int, count: int) -> np.ndarray[Any, Any]:
    if count == 0:
        return np.empty(0, dtype)
    place: Any = (ctypes.c_char * (dtype.itemsize * _whole(count))).from_address(_whole(address))
    return np.ndarray((count,), dtype, buffer=place)


def _pointer(builder: Any, address: Any, kind: ir.IntType) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _whole(value: Any) -> int:
    """A number of Python or numpy as an int; like the compiler, refuse one with a fraction."""
    return index(value.item() if isinstance(value, np.generic) else value)


def _read(address: int, count: int) -> int:
    return int.from_bytes(ctypes.string_at(_whole(address), count), "big")


def _write(address: int, count: int, value: int) -> None:
    masked = _whole(value) & ((1 << 8 * count) - 1)
    ctypes.memmove(_whole(address), masked.to_bytes(count, "big"), count)


# One byte, and eight in the machine's own order.


def load_u8(address: int) -> int:
    return _read(address, 1)


@lowers(load_u8, "int64(int64)")
def _(_context: Any, builder: Any, address: Any) -> Any:
    return builder.zext(builder.load(_pointer(builder, address, _I8)), _I64)


def store_u8(address: int, value: int) -> None:
    _write(address, 1, value)


@lowers(store_u8, "void(int64, int64)")
def _(_context: Any, builder: Any, address: Any, value: Any) -> None:
    builder.store(builder.trunc(value, _I8), _pointer(builder, address, _I8))


def load_i64(address: int) -> int:
    return ctypes.c_int64.from_address(_whole(address)).value


@lowers(load_i64, "int64(int64)")
def _(_context: Any, builder: Any, address: Any) -> Any:
    return builder.load(_pointer(builder, address, _I64), align=1)


def store_i64(address: int, value: int) -> None:
    ctypes.c_int64.from_address(_whole(address)).value = _whole(value)


@lowers(store_i64, "void(int64, int64)")
def _(_context: Any, builder: Any, address: Any, value: Any) -> None:
    builder.store(value, _pointer(builder, address, _I64), align=1)


# Big-endian fields of exchange protocols, at any alignment.


def load_be_u16(address: int) -> int:
    return _read(address, 2)


def load_be_u32(address: int) -> int:
    return _read(address, 4)


def load_be_u48(address: int) -> int:
    return _read(address, 6)


def load_be_i64(address: int) -> int:
    value = _read(address, 8)
    return value - (1 << 64) if value >> 63 else value


def store_be_u16(address: int, value: int) -> None:
    _write(address, 2, value)


def store_be_u32(address: int, value: int) -> None:
    _write(address, 4, value)


def store_be_u48(address: int, value: int) -> None:
    _write(address, 6, value)


def store_be_i64(address: int, value: int) -> None:
    _write(address, 8, value)


def _load_be(builder: Any, address: Any, kind: ir.IntType) -> Any:
    value = builder.bswap(builder.load(_pointer(builder, address, kind), align=1))
    return value if kind is _I64 else builder.zext(value, _I64)


def _store_be(builder: Any, address: Any, value: Any, kind: ir.IntType) -> None:
    narrow = value if kind is _I64 else builder.trunc(value, kind)
    builder.store(builder.bswap(narrow), _pointer(builder, address, kind), align=1)


def _lower_byte_order(load: Callable[..., Any], store: Callable[..., Any], kind: Any) -> None:
    @lowers(load, "int64(int64)")
    def _(_context: Any, builder: Any, address: Any) -> Any:
        return _load_be(builder, address, kind)

    @lowers(store, "void(int64, int64)")
    def _(_context: Any, builder: Any, address: Any, value: Any) -> None:
        _store_be(builder, address, value, kind)


_lower_byte_order(load_be_u16, store_be_u16, _I16)
_lower_byte_order(load_be_u32, store_be_u32, _I32)
_lower_byte_order(load_be_i64, store_be_i64, _I64)


@lowers(load_be_u48, "int64(int64)")
def _(_context: Any, builder: Any, address: Any) -> Any:
    high = _load_be(builder, address, _I16)
    low = _load_be(builder, builder.add(address, ir.Constant(_I64, 2)), _I32)
    return builder.or_(builder.shl(high, ir.Constant(_I64, 32)), low)


@lowers(store_be_u48, "void(int64, int64)")
def _(_context: Any, builder: Any, address: Any, value: Any) -> None:
    _store_be(builder, address, builder.lshr(value, ir.Constant(_I64, 32)), _I16)
    _store_be(builder, builder.add(address, ir.Constant(_I64, 2)), value, _I32)


# Ordering between threads and processes, and hints to the processor.


def load_acquire(address: int) -> int:
    return load_i64(address)


@lowers(load_acquire, "int64(int64)")
def _(_context: Any, builder: Any, address: Any) -> Any:
    return builder.load_atomic(_pointer(builder, address, _I64), "acquire", 8)


def store_release(address: int, value: int) -> None:
    store_i64(address, value)


@lowers(store_release, "void(int64, int64)")
def _(_context: Any, builder: Any, address: Any, value: Any) -> None:
    builder.store_atomic(value, _pointer(builder, address, _I64), "release", 8)


def fence() -> None:
    """Loads and stores keep their order across this point, as acquire and release order them.

    One pair may still change places, a store before and a load after; no protocol here needs it.
    """


@lowers(fence, "void()")
def _(_context: Any, builder: Any) -> None:
    builder.fence("acq_rel")


def prefetch(address: int) -> None:
    """Ask for the cache line at the address; costs nothing when the guess was wrong."""


@lowers(prefetch, "void(int64)")
def _(_context: Any, builder: Any, address: Any) -> None:
    place = _pointer(builder, address, _I8)
    kind = ir.FunctionType(ir.VoidType(), [place.type, _I32, _I32, _I32])
    hint = builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind)
    read, keep, data = (ir.Constant(_I32, n) for n in (0, 3, 1))
    builder.call(hint, [place, read, keep, data])


def pause() -> None:
    """Tell the processor that this is a spin loop, so that it spares its neighbour and power."""


@lowers(pause, "void()")
def _(_context: Any, builder: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [])
    builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), ())


def leading_zeros(value: int) -> int:
    """How many of the 64 bits above the highest set one are zero; 64 for zero."""
    return 64 - (_whole(value) & 0xFFFF_FFFF_FFFF_FFFF).bit_length()


@lowers(leading_zeros, "int64(int64)")
def _(_context: Any, builder: Any, value: Any) -> Any:
    return builder.ctlz(value, ir.Constant(ir.IntType(1), 0))


def copy_words(target: int, source: int, count_bytes: int) -> None:
    """Copy a multiple of eight bytes by words, so that no aligned word is ever seen half."""
    for offset in range(0, count_bytes // 8 * 8, 8):
        store_i64(target + offset, load_i64(source + offset))


@lowers(copy_words, "void(int64, int64, int64)")
def _(_context: Any, builder: Any, target: Any, source: Any, count_bytes: Any) -> None:
    eight = ir.Constant(_I64, 8)
    with _numba().core.cgutils.for_range(builder, builder.sdiv(count_bytes, eight)) as loop:
        offset = builder.mul(loop.index, eight)
        # Relaxed atomics: the words may move past each other, but none of them in halves.
        word = builder.load_atomic(
            _pointer(builder, builder.add(source, offset), _I64), "monotonic", 8
        )
        builder.store_atomic(
            word, _pointer(builder, builder.add(target, offset), _I64), "monotonic", 8
        )
