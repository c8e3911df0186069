"""The two clocks, in compiled and in plain Python, as int64 nanoseconds.

`now_ns` is UTC since the epoch, for stamping events; it may step when the host's clock is set.
`monotonic_ns` only ever goes forward, for measuring durations; its zero means nothing.

Only drivers call these. Everything on the tick path takes its time from the event it handles.
Worst case: 20 to 50 ns through the kernel's vDSO; a host whose clock source is not the processor's
counter pays a system call, which `hft doctor` reports.
"""

from __future__ import annotations

import time
from typing import Any

from llvmlite import ir

from hftlib.core import jit


def now_ns() -> int:
    """UTC, in nanoseconds since 1970."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def monotonic_ns() -> int:
    """Nanoseconds that never go back."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def _read(builder: Any, clock: int) -> Any:
    """Call clock_gettime with a timespec on the stack: no memory of ours, nothing to share."""
    number, word = ir.IntType(32), ir.IntType(64)
    kind = ir.FunctionType(number, [number, word.as_pointer()])
    call = builder.module.globals.get("clock_gettime") or ir.Function(
        builder.module, kind, "clock_gettime"
    )
    if call.function_type != kind:  # a jit.libc("clock_gettime", ...) got here first
        call = builder.bitcast(call, kind.as_pointer())
    with builder.goto_entry_block():
        timespec = builder.alloca(word, size=2)
    builder.call(call, [ir.Constant(number, clock), timespec])
    seconds = builder.load(timespec)
    nanoseconds = builder.load(builder.gep(timespec, [ir.Constant(number, 1)]))
    return builder.add(builder.mul(seconds, ir.Constant(word, 1_000_000_000)), nanoseconds)


@jit.lowers(now_ns, "int64()")
def _(_context: Any, builder: Any) -> Any:
    return _read(builder, time.CLOCK_REALTIME)


@jit.lowers(monotonic_ns, "int64()")
def _(_context: Any, builder: Any) -> Any:
    return _read(builder, time.CLOCK_MONOTONIC)
