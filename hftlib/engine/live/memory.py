"""The memory of a runner: what joins feeds, the session and the links to venues.

    LIVE ─ FEED × feeds ─ LINK × links ─ routes ─ symbols ─ rows of each feed ─ bytes out

    datagram ─▶ FEED: sequencer ─▶ translator ─▶ its row ─▶ the session's row ─▶ the tick path
    commands ─▶ LINK: gateway ─▶ client ─▶ bytes out ─▶ the driver, who journals and sends them

All that a decision can hang on is here, in the session's arena and in the pieces named in LIVE by
their addresses; those belong to the process, and are written in again wherever a copy is to run.
What is outside of it (sockets, clocks, passwords, what waits to be sent) belongs to the driver.

Worst case: half a megabyte for each feed, for the rows of 65,536 instruments it could name.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.core.records import field_offset, record
from hftlib.feed.itch.tables import LOCATES
from hftlib.feed.mold.packet import HEADER_BYTES
from hftlib.risk.directives import DIRECTIVE

FEEDS_MAX, LINKS_MAX = 16, 16
LINES_EACH = 4  # sources of a feed: line A, line B, recovery, and none
OUT_BYTES = 1 << 18  # two of the largest pipes
SHADOW_OUT_BYTES = 1 << 21  # some 26,000 commands and answers of one frame
NOT_LOOKED, STRANGER = -2, -1  # of a feed's row: not known yet; not an instrument of ours
ALARMS_MAX = 1 << 12  # that go off before one frame
ROUNDS_MAX = 2  # of commands after one frame; what comes of their refusals waits for the next
LOG_SPARE = 1 << 10

# What a CONNECTED frame says, int64, and why, int64; of CARRIED there is more (`taking_over.py`).
BEGUN, LOST, ENDED, RESUMED, CARRIED = range(1, 6)

# Why a runner must not go on.
FAULTS = (
    "",
    "reports of a venue found no room",
    "bytes for a venue found no room",
    "a frame says something that no driver writes",
)
REPORTS_LOST, OUT_FULL, NO_SUCH_FRAME = range(1, 4)

FEED = record(
    "live feed",
    256,
    """
    0    sequencer      int64      address of its sequencer
    8    translator     int64      address of its translator
    16   rows_at        int64      bytes from LIVE to the session's row of each of its rows, int64
    24   datagrams      int64      counts: taken
    32   messages       int64
    40   strangers      int64      about instruments that are not ours
    48   notices        int64      gaps, recoveries, ends
    56   empty          int64      messages without anything in them
    64   request_bytes  int64      of a request to be sent; 0: none
    72   request        uint8[20]
    128  event          event      the one at hand
    """,
    event=EVENT,
)
LINK = record(
    "live link",
    192,
    """
    0    gateway    int64      address of its gateway
    8    client     int64      address of its session
    16   out_at     int64      bytes from LIVE to the bytes that go out
    24   out_bytes  int64      of them, since the driver took them away
    32   dials      int64      how often a connection was asked for, and
    40   hangs      int64      an end of it, ever: the driver compares
    48   is_up      int64      1: a connection stands
    56   commands   int64      counts: handed to the gateway
    64   reports    int64      heard
    72   segments   int64      pieces of the stream that came in
    80   rejected   int64      reports that refuse an order, a replace or a cancel
    88   is_open    int64      1: risk was told that it takes orders
    128  login      uint8[56]  a frame without its password, which is the driver's
    """,
)
LIVE = record(
    "live",
    576,
    """
    0    session      int64  address of the first strategy's seat
    8    feeds        int64
    16   links        int64
    24   feeds_at     int64  bytes from here to each array
    32   links_at     int64
    40   feed_of_at   int64  the feed of each instrument, int64
    48   link_of_at   int64  its link, int64; -1: it is not traded
    56   symbols_at   int64  its symbol, eight letters as in ITCH
    64   instruments  int64
    72   now          int64  the highest time of any frame
    80   frames       int64  counts: taken
    88   timers       int64  of them, in which only time passed
    96   directives   int64
    104  alarms       int64  timers and looks around that went off
    112  put_off      int64  times that more were due than may go off before one frame
    120  rounds_most  int64  of answers and new commands after one frame
    128  emptied      int64  times that a log of a strategy was emptied
    136  fault        int64  of the list FAULTS
    144  touched      int64  bit n: link n has been given something
    152  begun        int64  1: strategies were started; 2: and what another held was taken over
    160  ended        int64  1: and will not be called again
    168  market       int64  address of each entry of the tick path: see `doors`
    176  by_feed      int64
    184  answer       int64
    192  timer        int64
    200  look_around  int64
    208  directed     int64
    216  start        int64
    224  submit       int64
    232  exchange     int64
    240  shadow       int64  address of a SHADOW for each link's venue; 0: orders leave
    248  out_kind     int64  kind of the frames of what links have to say
    256  directive    directive  the one at hand
    512  opened       int64  address of another entry
    """,
    directive=DIRECTIVE,
)
assert HEADER_BYTES == 20
FEED_BYTES, LINK_BYTES = FEED.itemsize, LINK.itemsize
EVENT_AT, REQUEST_AT = field_offset(FEED, "event"), field_offset(FEED, "request")
LOGIN_AT, DIRECTIVE_AT = field_offset(LINK, "login"), field_offset(LIVE, "directive")
DIRECTIVES_AT = field_offset(LIVE, "directives")

live_at = jit.record_at(LIVE)
# By address: compiled into each of us once more, the tick path would take minutes to compile.
call_2 = jit.caller("void(int64, int64)")
call_1 = jit.caller("void(int64)")
call_3 = jit.caller("void(int64, int64, int64)")
call_4 = jit.caller("void(int64, int64, int64, int64)")
call_5 = jit.caller("int64(int64, int64, int64, int64, int64)")
feed_of, feed_address = jit.rows(live_at, FEED, "feeds_at", "feeds")
link_of, link_address = jit.rows(live_at, LINK, "links_at", "links")


@jit.inlined
def row_address(live: int, rows_at: int, row: int) -> int:
    """Where it stands which row of the session a feed's row is."""
    return jit.nth(live + rows_at, row, LOCATES, 8)


@jit.inlined
def number_of(live: int, at: int, instrument: int) -> int:
    """The feed or the link of an instrument."""
    return jit.load_i64(jit.nth(live + at, instrument, live_at(live).instruments, 8))
