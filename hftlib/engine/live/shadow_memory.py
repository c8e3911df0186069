"""The memory of a shadow: what is under way to a venue's model and from it, one for each link.

    SHADOW ─ commands: head ─▶ ... ─▶ tail      each with the time it arrives there
           └ reports:  head ─▶ ... ─▶ tail      and here: the rings of `engine/flight.py`

Worst case: a ring that is full ends the day, as it ends a backtest.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import field_offset, record
from hftlib.engine.flight import WAY

SHADOW = record(
    "shadow",
    192,
    """
    0    exchange   int64  address of the venue's model
    8    obey       int64  address of `exchange_command`, and
    16   see        int64  of `exchange_event`
    24   order_ns   int64  one way there
    32   report_ns  int64  and back
    40   fills      int64  of the first: numbered so far, of all venues
    64   commands   way
    128  reports    way
    """,
    way=WAY,
)
SHADOW_BYTES = SHADOW.itemsize
COMMANDS_AT, REPORTS_AT = field_offset(SHADOW, "commands"), field_offset(SHADOW, "reports")

shadow_at = jit.record_at(SHADOW)
