"""What a runner shows of each instrument, each strategy and each scope: records of its page.

    VIEW × instruments      ladder, our place in it, what risk counts of it
    WORKING × room × instruments    orders that are open there, the newest first
    TRAIL × strategies      fills, the newest TRAIL_FILLS of them
    COUNTS × scopes         how often something happened in the window of its limit

A view and its orders are of one moment: `moments[n]` is odd while they are written. How far a log
of fills was gone through (TRAILED) lies beside the page: no address comes from what others may
write to.

Worst case: a kibibyte for each instrument, and 64 bytes for each order that finds room.
"""

from __future__ import annotations

from hftlib.core.orders import FILL
from hftlib.core.records import field_offset, record

LEVELS, TRAIL_FILLS, RINGS = 10, 64, 6
UNKNOWN = -1  # of what is ahead: the book does not know the order, or its queue is too long to walk
WORKING_ROOM, WORKING_LEAST, WORKING_MOST = 1024, 4, 64  # rows: of all together, of an instrument

RUNG = record(
    "page rung",
    40,
    """
    0   price     int64
    8   quantity  int64
    16  orders    int64  0 where the feed does not say
    24  own       int64  of our orders that the venue has, as we count them
    32  ahead     int64  before the first of them in the queue; UNKNOWN
    """,
)
VIEW = record(
    "page view",
    1024,
    """
    0    time        int64     ours, as of which all this is so
    8    bids        int64     rungs, LEVELS at most
    16   asks        int64
    24   open        int64     orders of ours that are open, of all strategies
    32   rows        int64     of them, those that found room
    40   stale       int64     0, or why the book may be wrong
    48   state       int64     of trading, as last told
    56   mark        int64     twice the price that risk values it at; 0: none yet
    64   gross       int64     what the firm holds of it, as risk counts it, in money
    72   capital     int64
    80   long        int64
    88   short       int64
    96   profit      int64
    104  venue_time  int64     of the last event that concerned it
    112  skew        int64     how far the venue's clock and ours lay apart then, ns
    120  counts      int64[6]  in the windows of the limits of its scope
    168  bid         rung[10]  best first
    568  ask         rung[10]
    """,
    rung=RUNG,
)
WORKING = record(
    "page order",
    64,
    """
    0   id        int64
    8   price     int64   limit as last acknowledged
    16  quantity  int64   all it asks for
    24  filled    int64
    32  sent      int64   0 not yet
    40  ahead     int64   quantity before it in the queue of its price; UNKNOWN
    48  strategy  uint16
    50  side      uint8
    51  state     uint8
    52  kind      uint8
    """,
)
TRAIL = record(
    "page trail",
    8256,
    """
    0   count  int64     copied ever: number n lies at n % TRAIL_FILLS
    64  fills  fill[64]
    """,
    fill=FILL,
)
TRAILED = record(
    "fills trailed",
    24,
    """
    0   taken     int64  rows of the strategy's log that were gone through
    8   received  int64  of the last that was copied
    16  count     int64  copied ever
    """,
)
COUNTS = record(
    "page counts",
    64,
    """
    0  time    int64     as of which they are so
    8  counts  int64[6]  of each ring
    """,
)
VIEW_BYTES, RUNG_BYTES, WORKING_BYTES = VIEW.itemsize, RUNG.itemsize, WORKING.itemsize
TRAIL_BYTES, COUNTS_BYTES, TRAILED_BYTES = TRAIL.itemsize, COUNTS.itemsize, TRAILED.itemsize
BID_AT, ASK_AT = field_offset(VIEW, "bid"), field_offset(VIEW, "ask")
TRAIL_AT = field_offset(TRAIL, "fills")
assert ASK_AT - BID_AT == LEVELS * RUNG_BYTES


def room_each(instruments: int) -> int:
    """Rows for the open orders of one instrument."""
    return min(WORKING_MOST, max(WORKING_LEAST, WORKING_ROOM // instruments))
