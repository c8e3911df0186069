"""A picture of an arena that belongs together, taken by a reader beside a writer who never waits.

The reader reads, and throws the answer away when `changes` moved meanwhile or was odd; so what it
keeps must be its own, or the next change would paint over it.

Worst case: a busy writer starves the reader, who gives up after a stated number of attempts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from hftlib.core.errors import StateError

Answer = TypeVar("Answer")


def taken(
    read: Callable[[], Answer],
    changes: Callable[[], int],
    memory: np.ndarray[Any, Any],
    attempts: int,
    where: str,
) -> Answer:
    """What `read` returns when no change happened while it ran, apart from the memory it read."""
    for _ in range(attempts):
        before = changes()
        if not before & 1:
            try:
                answer = apart(read(), memory)
            except Exception:
                # Half an event can trip any reader up; only a failure at rest is its own.
                if changes() == before:
                    raise
            else:
                if changes() == before:
                    return answer
        time.sleep(0)
    state = "is or died within a change" if changes() & 1 else "is changing it all the time"
    raise StateError(
        f"No consistent picture in {attempts} attempts: the writer {state}",
        where=where,
        do="Read less at once, or restore the last snapshot and replay the journal.",
    )


def apart(answer: Any, memory: np.ndarray[Any, Any]) -> Any:
    """The answer with its arrays and records in this memory copied out of it."""
    if isinstance(answer, np.ndarray | np.void):
        return answer.copy() if np.may_share_memory(answer, memory) else answer
    if type(answer) in (tuple, list):
        return type(answer)(apart(item, memory) for item in answer)
    if type(answer) is dict:
        return {name: apart(item, memory) for name, item in answer.items()}
    return answer
