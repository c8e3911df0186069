"""Real processes for tests: bounded in time, killed rather than waited for, nothing left behind.

A child runs `main()` of a module beside this file. Parent and child meet in one arena in shared
memory, and every loop that waits for the other side gives up at a deadline.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core import clock, jit
from hftlib.core.arena import Arena, shared_memory
from hftlib.core.layout import Layout

PATIENCE_S = 60
SIGKILL = 9

_sched_yield = jit.libc("sched_yield", "int32()")
kill_myself = jit.libc("raise", "int32(int32)")


@jit.compiled()
def patience_is_over(spins: int, deadline_ns: int) -> bool:
    """Wait a moment for the other process: by spinning, then by leaving it the core."""
    jit.pause()
    if spins & 2047 < 2047:
        return False
    _sched_yield()
    return clock.monotonic_ns() > deadline_ns


def patience_ends_ns() -> int:
    return time.monotonic_ns() + PATIENCE_S * 10**9


@contextmanager
def shared_arena(layout: Layout) -> Iterator[Arena]:
    """An arena in shared memory, gone when the story is told."""
    path = shared_memory(f"test-{os.getpid()}-{time.monotonic_ns()}")
    try:
        with Arena.create(layout, path) as arena:
            yield arena
    finally:
        path.unlink(missing_ok=True)


def other_end(path: str) -> Arena:
    """The same arena in the child, which writes beside the parent."""
    return Arena.open(path, writable=True, exclusive=False)


@contextmanager
def started(module: str, task: str, *arguments: Any) -> Iterator[subprocess.Popen[str]]:
    """A child process running `main()` of the module, killed at the latest when the block ends."""
    here = Path(__file__).parent
    places = [str(here), str(here.parent.parent), os.environ.get("PYTHONPATH", "")]
    child = subprocess.Popen(
        [sys.executable, "-c", f"import {module}; {module}.main()", task, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=subprocess.PIPE,
        text=True,
    )
    cores = sorted(os.sched_getaffinity(0))
    try:
        if len(cores) > 1:  # on cores of their own, or the kernel may have them take turns on one
            os.sched_setaffinity(child.pid, cores[1:])
            os.sched_setaffinity(0, cores[:1])
        yield child
    finally:
        os.sched_setaffinity(0, cores)
        child.kill()
        child.communicate()


def answer_of(child: subprocess.Popen[str]) -> str:
    """What the child printed; fails the test when it ends badly or not at all."""
    printed, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, f"the child process ended with {child.returncode}"
    return printed.strip()
