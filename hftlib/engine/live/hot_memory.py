"""The hot loop's own memory: sockets, what waits to be sent, passwords. No decision hangs on it.

    HOT ─ LANE × links: connection, outbox ─ INTAKE × sources ─ rings: desk, clock, notes ─ a buffer
      └ COPYING: what of all this is shown to other processes (`publishing.py`)

Worst case: an outbox holds what a venue does not read; one that is full ends the loop.
"""

from __future__ import annotations

from hftlib.core.records import field_offset, record
from hftlib.core.soup.pipes import PIPE
from hftlib.engine import laps
from hftlib.feed.mold import sockets as lines

TURN_DATAGRAMS = 64
# What is measured, in the order of a frame's way. Of one frame in MEASURED_EACH: how long the
# kernel had the datagram, how long it took to journal and to decide, for two more readings of the
# clock cost some fifty nanoseconds. Of one datagram in LAPS_EACH, by its laps, what deciding was.
# Of each frame from which something left, how long until the kernel had that.
STAGES = ("receive", "journal", "decide", *laps.STAGES, "frame to wire")
RECEIVE, JOURNAL, DECIDE, LAPS, TO_WIRE = 0, 1, 2, 3, len(STAGES) - 1
MEASURED_EACH, LAPS_EACH = 16, 64
TICK_NS = 1_000_000
WAIT_MS = 1
NONE = -(2**62)  # no descriptor is given
LOGIN_PASSWORD, PASSWORD_BYTES = 9, 10
# Why the loop ended, beside the faults of `memory.py`.
JOURNAL_FULL, OUTBOX_FULL = -1, -2

LANE = record(
    "hot lane",
    192,
    """
    0    descriptor  int64      of the connection; -1: none
    8    given       int64      one that was just made, -1 could not be made; NONE
    16   hangs       int64      ends of the link's that were seen
    24   sent        int64      bytes
    32   outbox      pipe       what the kernel has not taken yet
    96   password    uint8[16]  of logins
    112  ready       int64      bytes of the outbox that may go
    120  marked      int64      bytes behind them that may, once
    128  awaited     int64      this frame is durable
    136  last        int64      the frame of the last that is in it
    """,
    pipe=PIPE,
)
NOTE = record(
    "hot note",
    256,
    """
    0   length  int64  bytes of the text
    8   text    S248   what this process says of itself, UTF-8: a frame NOTE
    """,
)
HOT = record(
    "hot",
    320,
    """
    0    live        int64  address of the LIVE
    8    journal     int64  address of its journal's writer
    16   stop        int64  1: somebody wants it to end
    24   status      int64  why it ended by itself; 0
    32   offset      int64  from the monotonic clock to UTC
    40   next_tick   int64
    48   sleeps      int64  1: it sleeps in the kernel while nothing comes, 0: it looks again
    56   intakes     int64  address of an INTAKE for each source
    64   lanes       int64  address of a LANE for each link
    72   polls       int64  address of what `poll` is asked, 8 bytes for each socket
    80   poll_count  int64
    88   desk        int64  address of the ring of directives
    96   buffer      int64  address of room for one read
    104  room        int64  bytes there
    112  now         int64  of the last frame
    120  waits       int64  counts: sleeps
    128  unsent      int64  requests that the kernel did not take
    136  turns       int64
    144  payload     int64[2]  of a frame of ours
    160  take        int64  address of `taking.take`, and
    168  due         int64  of `taking.due`
    176  latencies   int64  address of a HISTOGRAM for each of STAGES
    184  frames      int64
    192  clocks      int64  address of the ring of looks at the clock; 0: there is none
    200  datagrams   int64  that were measured
    208  laps        laps   of a frame
    272  stamped     int64  when the kernel received the datagram at hand; 0: it does not say
    280  notes       int64  address of the ring of notes; 0: there is none
    288  copying     int64  address of a COPYING; 0: nothing is shown to others
    """,
    laps=laps.LAPS,
)
PIECE = record(
    "piece of a page",
    24,
    """
    0   to      int64  address in the page
    8   source  int64  address of what is copied there
    16  length  int64  bytes, a multiple of eight
    """,
)
COPYING = record(
    "copying",
    192,
    """
    0    changes     int64  address of the count that is odd while somebody writes into the page
    8    pieces      int64  address of a PIECE for each
    16   count       int64
    24   next        int64  where it goes on
    32   quotes      int64  address of best bid and ask of each instrument, int64; NO_PRICE: none
    40   begin       int64  the instrument whose are next
    48   show        int64  address of `page_books.show`; 0: books are not shown
    56   trail       int64  of `page_trail.trail`
    64   moments     int64  address of a count for each instrument, odd while its view is written
    72   views       int64  address of a VIEW for each
    80   working     int64  address of WORKING orders, and
    88   each        int64  rows of them for each instrument
    96   showing     int64  the instrument whose turn is next
    104  is_shadow   int64  1: our orders are not in the book
    112  trails      int64  address of a TRAIL for each strategy
    120  strategies  int64  how many, and
    128  strategy    int64  whose turn is next
    136  counts      int64  address of COUNTS for each scope above instruments
    144  scopes      int64
    152  scope       int64
    160  trailed     int64  address of a TRAILED for each strategy
    """,
)
LANE_BYTES, INTAKE_BYTES = LANE.itemsize, lines.INTAKE.itemsize
OUTBOX_AT, PASSWORD_AT = field_offset(LANE, "outbox"), field_offset(LANE, "password")
PAYLOAD_AT, LAPS_AT = field_offset(HOT, "payload"), field_offset(HOT, "laps")
TEXT_AT, NOTE_TEXT_BYTES = field_offset(NOTE, "text"), 248
