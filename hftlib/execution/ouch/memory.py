"""The memory of an OUCH gateway: one piece, every part a number of bytes from its header.

    GATEWAY ─ settings, state, counts
      routes[instrument]      what the venue calls it, and its price units
      working[order & mask]   what we know of each order that may be at the venue
      entries[urn & mask]     what each user reference stood for: the command it was sent for
      urgent, others          commands that wait until they may be sent: cancels; all else
      stamps[n % window]      when the last messages were sent
      trades[n & mask]        the last fills
      reports[...]            what the venue answered; the driver takes them away after each call

    our order 7 ──▶ working ──▶ user reference 41 ─ replaced by ─▶ 44 ─ replaced by ─▶ 52
                                entries: 41, 44 and 52 all lead back to order 7

    SHUT ─ session live ─▶ ASKING ─ the venue's next number ─▶ RESENDING ─ all sent ─▶ OPEN

Worst case: an answer about an order that is over, and whose entry was written over since, is
counted as a stranger's. The entry of an open order is never written over.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.core.orders import COMMAND
from hftlib.core.ouch.messages import RECORD_BYTES_MAX
from hftlib.core.ouch.options import OPTIONS
from hftlib.core.records import field_offset, record

STATES = ("SHUT", "ASKING", "RESENDING", "OPEN")
SHUT, ASKING, RESENDING, OPEN = range(4)

# Of an order: nothing, waiting to be sent, sent and not answered, at the venue.
FREE, WAITING, OUT, STANDS = range(4)
# Its cancel: none, waiting, one of two sent, sent.
NO_CANCEL, CANCEL_WAITS, CANCEL_HALF, CANCEL_OUT = range(4)
# What a user reference was used for.
ENTER, REPLACE, CONTROL = range(1, 4)

ROUTE = record(
    "ouch route",
    24,
    """
    0   symbol  uint8[8]  as the venue writes it, spaces behind it
    8   units   int64     our price units in one of the venue's (0.0001)
    16  known   int64     1: it can be traded there
    """,
)
WORKING = record(
    "ouch working order",
    128,
    """
    0   order      int64   our number
    8   urn        int64   its user reference at the venue
    16  asked_urn  int64   that of a replace not answered yet; 0 none
    24  asked      int64   all it asks for at the venue, in shares
    32  filled     int64   as far as heard
    40  price      int64   at the venue, in its units; 0 at the market
    48  reference  int64   the venue's number of it
    56  reduce     int64   all it is to ask for, if a cancel in part is not answered; 0 none
    64  instrument uint32
    68  side       uint8   as in events
    69  state      uint8   FREE, WAITING, OUT, STANDS
    70  cancel     uint8   NO_CANCEL, CANCEL_WAITS, CANCEL_HALF, CANCEL_OUT
    71  replaces   uint8   1: a replace waits to be sent
    72  doubt      uint8   1: messages about it may be lost
    73  quiet      uint8   1: its cancel was sent again; execution no longer waits for that
    """,
)
ENTRY = record(
    "ouch entry",
    128,
    """
    0   urn       int64      the user reference
    8   sent      int64      when it was sent first
    16  original  int64      of a replace: the user reference it replaces
    24  answered  int64      1: the venue said what became of it
    32  what      int64      ENTER, REPLACE, CONTROL
    64  command   uint8[64]  the COMMAND
    """,
)
TRADE = record(
    "ouch trade",
    24,
    """
    0   match     int64  the venue's number
    8   order     int64  our number of the order
    16  quantity  int64
    """,
)
GATEWAY = record(
    "ouch gateway",
    1152,
    """
    0    instruments     int64     how many
    8    order_mask      int64     working orders, less one
    16   entry_mask      int64     entries, less one
    24   queue_mask      int64     commands in each queue, less one
    32   routes_at       int64     bytes from here to each array
    40   working_at      int64
    48   entries_at      int64
    56   urgent_at       int64
    64   others_at       int64
    72   reports_at      int64
    80   stamps_at       int64
    88   reports_max     int64
    96   reports         int64     to be taken away
    104  state           int64     SHUT, ASKING, RESENDING, OPEN
    112  last_urn        int64     the highest user reference used
    120  urgent_begin    int64     commands taken from each queue, and put there
    128  urgent_end      int64
    136  others_begin    int64
    144  others_end      int64
    152  window_ns       int64     the venue's limit: no more than
    160  window_max      int64     so many messages in this time
    168  window_reserve  int64     of them kept for cancels
    176  stamps          int64     messages sent ever
    184  resend_ns       int64     what is older when the session is back is not sent again
    192  query_ns        int64     patience for the venue's next number
    200  asked_at        int64     when it was asked for
    208  resend_urn      int64     the next user reference to look at while RESENDING
    216  resend_end      int64     the one behind the last to look at
    224  arrived         int64     user references below it reached the venue; 0 unknown
    232  day_start       int64     midnight of the venue's times: ns since the epoch
    240  drops_orders    int64     1: a lost session cancels all, by us if the venue does not
    248  reduces         int64     1: less at the same price keeps the order's place
    256  capacity        uint8     letter of each order
    257  firm            uint8[4]  for mass cancels
    264  entered         int64     counts: messages sent by kind
    272  replaced        int64
    280  cancelled       int64
    288  controls        int64
    296  resent          int64
    304  held_up         int64     times that the window was full
    312  heard           int64     messages of the venue
    320  unreadable      int64     of them with something wrong inside
    328  strangers       int64     about a user reference that is none of ours, or forgotten
    336  repeated        int64     answers that were given before
    344  late            int64     about an order that is over, or a reference that was replaced
    352  unexplained     int64     sent, arrived, and never answered
    360  notices         int64     that change nothing
    368  refused         int64     commands that never left
    376  reports_lost    int64     found no room: the driver must not go on
    384  stranger        int64     the last user reference that was none of ours
    392  day_over        int64     1: the venue said so
    400  controls_heard  int64     answers to mass cancels and to entry disabled or enabled
    408  trades_at       int64     the last fills, for one that is broken
    416  trade_mask      int64
    424  trades          int64     ever
    432  restarts        int64     sessions that took the place of ours, with numbers of their own
    440  time            int64     what reports of our own bear: ns since the epoch
    448  queries         int64     ever sent
    456  queries_heard   int64     their answers
    464  queries_due     int64     answers still to be heard until one is surely of this connection
    512  record          uint8[128]  one message, read or to be written
    640  options         uint8[328]
    968  message         uint8[128]
    """,
)
assert RECORD_BYTES_MAX <= 128
RECORD_AT, MESSAGE_AT = field_offset(GATEWAY, "record"), field_offset(GATEWAY, "message")
OPTIONS_AT, ROOM = field_offset(GATEWAY, "options"), 128
COMMAND_AT = field_offset(ENTRY, "command")
assert OPTIONS.itemsize <= 328

gateway_at = jit.record_at(GATEWAY)
command_at = jit.record_at(COMMAND)
_working, working_address = jit.rows(gateway_at, WORKING, "working_at", "order_mask", 1)
_entry, entry_address = jit.rows(gateway_at, ENTRY, "entries_at", "entry_mask", 1)
route_of, route_address = jit.rows(gateway_at, ROUTE, "routes_at", "instruments")
_, urgent_address = jit.rows(gateway_at, COMMAND, "urgent_at", "queue_mask", 1)
_, others_address = jit.rows(gateway_at, COMMAND, "others_at", "queue_mask", 1)
_trade, _ = jit.rows(gateway_at, TRADE, "trades_at", "trade_mask", 1)
report_of, report_address = jit.rows(gateway_at, EVENT, "reports_at", "reports_max")


@jit.inlined
def working_of(base: int, order: int) -> Any:
    """The slot of an order; whether it is this order's, its `order` says."""
    return _working(base, order & gateway_at(base).order_mask)


@jit.inlined
def entry_of(base: int, urn: int) -> Any:
    """The entry of a user reference; whether it is this one's, its `urn` says."""
    return _entry(base, urn & gateway_at(base).entry_mask)


@jit.inlined
def trade_of(base: int, number: int) -> Any:
    """The fill of this number, while it is among the last."""
    return _trade(base, number & gateway_at(base).trade_mask)


@jit.inlined
def is_crowded(base: int) -> bool:
    """Whether the reports must be taken away before more is heard: a lost session tells of all."""
    gateway = gateway_at(base)
    return gateway.reports > gateway.reports_max // 2
