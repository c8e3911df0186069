"""Recording as compiled loops, and a process to record in while another one looks on."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from processes import SIGKILL, kill_myself, other_end

from hftlib.core import jit
from hftlib.core.histogram import VALUE_MAX, Histogram, record_value

# One turn of the recorder: a flood of slow values, then one of fast values twice as large, so that
# percentiles taken at different moments of it do not fit together.
SLOW, FAST = 1_000, 2_000

_words_at = jit.array_at(np.int64)


@jit.compiled("void(int64, int64, int64)")
def record_all(histogram_address: int, values_address: int, count: int) -> None:
    values = _words_at(values_address, count)
    for n in range(count):
        record_value(histogram_address, values[n])


@jit.compiled("void(int64, int64, int64)")
def record_turns(histogram_address: int, turns: int, deadly: int) -> None:
    """Record values of all sizes, turn after turn, and if `deadly` be killed in the end."""
    state = 1
    for _ in range(turns):
        for n in range(SLOW + FAST):
            state = (state * 1103515245 + 12345) & 0x7FFF_FFFF
            value = 1_000_000 + state if n < SLOW else state & 0xFFF
            if state & 0x3FF00 == 0:
                value = -value if state & 0x40000 else VALUE_MAX + value + 1
            record_value(histogram_address, value)
    if deadly:
        kill_myself(SIGKILL)


def recorded(values: Any) -> Histogram:
    """A histogram of these values, recorded by compiled code."""
    made, array = Histogram(), np.ascontiguousarray(values, np.int64)
    record_all(made.address, array.ctypes.data, len(array))
    return made


def main() -> None:
    task, path, turns = sys.argv[1], sys.argv[2], int(sys.argv[3])
    arena = other_end(path)
    record_turns(arena.address_of("latency"), turns, task == "die")
