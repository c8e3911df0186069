"""What a look at the host's clock found: a frame of a journal that decides nothing.

A runner's time is the monotonic clock plus what lay between it and UTC when it began, so it never
steps, and drifts away from a clock that is steered or set. How far apart they are, and how well the
kernel believes its own clock to be, is journaled here (`ops/clock_watch.py` looks). A replay leaves
it out.

Worst case: none, it is 64 bytes.
"""

from __future__ import annotations

from hftlib.core.records import record

# Why it was written down.
LOOKS = ("first", "stepped", "drifted", "synchronised", "not synchronised", "error changed")
FIRST, STEPPED, DRIFTED, SYNCHRONISED, UNSYNCHRONISED, ERROR_CHANGED = range(6)
UNKNOWN = -1

CLOCK_LOOK = record(
    "clock look",
    64,
    """
    0   offset_ns        int64  UTC of the host minus the runner's time
    8   step_ns          int64  how far UTC went since the look before, beyond what time passed
    16  error_ns         int64  the kernel's estimate of its clock's error; -1: unknown
    24  error_ns_max     int64  and its bound
    32  is_synchronised  int64  1: the kernel says that its clock is
    40  why              int64  one of LOOKS
    """,
)
CLOCK_LOOK_BYTES = CLOCK_LOOK.itemsize
