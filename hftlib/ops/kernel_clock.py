"""What the kernel says of its own clock: `adjtimex`, asked without changing anything.

    status_bits, error_us_estimate, error_us_max, is_synchronised = kernel_clock()     or None

Worst case: None where the kernel refuses the call.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

STA_UNSYNC, TIME_ERROR = 0x40, 5


class KernelClock(NamedTuple):
    status_bits: int
    error_us_estimate: int
    error_us_max: int
    is_synchronised: bool


class _Timex(ctypes.Structure):
    """The head of the kernel's struct timex; the tail is room for what it also writes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("error_us_max", ctypes.c_long),
        ("error_us_estimate", ctypes.c_long),
        ("status_bits", ctypes.c_int),
        ("tail", ctypes.c_byte * 256),
    )


_libc: list[ctypes.CDLL] = []


def kernel_clock() -> KernelClock | None:
    """As it is now."""
    if not _libc:
        _libc.append(ctypes.CDLL(None))
    timex = _Timex()  # modes stays 0: it reads, which needs no privilege
    state = int(_libc[0].adjtimex(ctypes.byref(timex)))
    if state < 0:
        return None
    bits = int(timex.status_bits)
    is_synchronised = state != TIME_ERROR and not bits & STA_UNSYNC
    errors = int(timex.error_us_estimate), int(timex.error_us_max)
    return KernelClock(bits, *errors, is_synchronised)
