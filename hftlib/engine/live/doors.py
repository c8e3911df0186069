"""The doors of the tick path: where each of its entries lies, written into a LIVE.

They are compiled once, each by itself, and called by address. Addresses belong to the process.
Worst case: two nanoseconds a call more than where all is one piece of code.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.engine import path
from hftlib.execution.ouch.asking import submit
from hftlib.execution.ouch.exchanging import exchange


@jit.compiled("void(int64, int64, int64)")
def market(base: int, event_address: int, received: int) -> None:
    """`path.market`, which is inlined elsewhere."""
    path.market(base, event_address, received)


def open_doors(header: Any) -> None:
    """Write them in."""
    doors = {
        "market": market,
        "by_feed": path.seen_by_feed,
        "answer": path.answer,
        "timer": path.timer,
        "look_around": path.look_around,
        "directed": path.directive,
        "start": path.start,
        "opened": path.opened,
        "submit": submit,
        "exchange": exchange,
    }
    for name, entry in doors.items():
        header[name] = jit.entry_address(entry)
