"""What a runner asks of its host: memory that stays, and a processor that it has before others.

    host = asked_host(cpu)          what it got, in words, by name
    asked_priority()                of the thread that calls it, likewise
    prompt_sleep()
    host_given_back()

Nothing of it is needed to run; what is missing is said, with what would grant it.
Worst case: locking takes the time to find every page that was touched.
"""

from __future__ import annotations

import ctypes
import os

PRIORITY = 50
# MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT: what is only reserved costs nothing.
_LOCK_WHAT_IS_TOUCHED = 7
_SET_TIMER_SLACK = 29  # PR_SET_TIMERSLACK


def asked_host(cpu: int | None) -> dict[str, str]:
    """Memory that is not swapped out, and which processor it will be."""
    locked = ctypes.CDLL(None).mlockall(_LOCK_WHAT_IS_TOUCHED) == 0
    shared = f"number {cpu}, shared with whatever else runs there"
    return {
        "memory": "locked" if locked else "may be swapped out: raise `ulimit -l`",
        "processor": "any: no --cpu was given" if cpu is None else shared,
        "priority": "as anybody's: no --cpu was given",
    }


def asked_priority() -> str:
    """Before whatever else runs on its processor; the kernel keeps a part for others."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return "as anybody's: raise `ulimit -r`"
    return f"first in, first out, {PRIORITY}"


def host_given_back() -> None:
    """Whatever else this process does is as it was before."""
    ctypes.CDLL(None).munlockall()


def prompt_sleep() -> None:
    """Of the thread that calls it: short sleeps end when they should, not some 50 us later."""
    ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, ctypes.c_ulong(1_000), 0, 0, 0)
