"""What is under way between us and the venues: a lane for each venue, a ring for each direction.

    run  ─ what a backtest knows of its two sides, of its lanes and of their feeds
    lane ─ commands: head ─▶ ... ─▶ tail      to the venue, each with the time it arrives
         └ reports:  head ─▶ ... ─▶ tail      from the venue
    feed ─ which event of its lanes reaches us next (`hearing.py`)

A session to a venue keeps its order: nothing overtakes what was sent before it, however the drawn
latencies fall. So each ring is sorted by itself, and the next arrival of all is the least of the
heads.

Worst case: a full ring. A command that finds no room never left (the driver says so in its
status); a report is never lost: the run ends with a sentence.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.core.numbers import place_of
from hftlib.core.orders import COMMAND
from hftlib.core.records import record
from hftlib.engine.memory import FOREVER

FLIGHT_COMMAND = record(
    "command under way",
    72,
    """
    0   arrives  int64
    8   command  command
    """,
    command=COMMAND,
)
FLIGHT_REPORT = record(
    "report under way",
    88,
    """
    0   arrives  int64
    8   event    event
    72  entered  int64  when the order got its place in the queue
    80  ahead    int64  quantity ahead when it got it
    """,
    event=EVENT,
)
ASK = record(
    "last ask",
    16,
    """
    0   order  int64  our number of it, which says its place
    8   asked  int64  when we asked to cancel it last; minus that: to replace it
    """,
)
WAY = record(
    "way",
    64,
    """
    0   items    int64  address of the ring
    8   mask     int64  its length, less one
    16  stride   int64  bytes of an item
    24  head     int64  the next to arrive
    32  tail     int64  the next to be sent
    40  due      int64  when the head arrives; FOREVER: nothing is under way
    48  latest   int64  when the last sent arrives
    """,
)
LANE = record(
    "lane",
    192,
    """
    0    commands   way
    64   reports    way
    128  latencies  int64  address of the five legs of `hftlib.venue.latency`
    136  feed_constant int64  ns, where the feed's latency is always the same; -1 otherwise
    144  venue      int64  address of the exchange at its end
    """,
    way=WAY,
)
FEED_CURSOR = record(
    "feed cursor",
    64,
    """
    0    next    int64  its next event; where none is found yet, how far it has looked
    8    due     int64  when that reaches us, or not before; FOREVER behind the last
    16   found   int64  1: `next` is an event of this feed
    24   last    int64  when the one before reached us
    32   clock   int64  the highest time of the tape up to where it has looked
    40   least   int64  ns, no event takes less
    48   lane    int64  address of a lane with its latency
    """,
)
RUN = record(
    "run",
    256,
    """
    0    session      int64  addresses, of this process
    8    ask_each     int64  of `asks`: places for one strategy
    16   walk         int64
    24   watch        int64  one for each strategy and one for all; see `watching.py`
    32   lanes        int64
    40   routes       int64  the lane of each instrument, and one more for all
    48   lane_count   int64
    56   venue_next   int64  the event that is next on each side
    64   local_next   int64  of the feed whose turn it is
    72   venue_due    int64  when it is; FOREVER behind the last
    80   local_due    int64
    88   commands_due int64  when the next command arrives at a venue
    96   phase        int64  BEGIN, RUNS, ENDS
    104  fills        int64  numbered so far
    112  reports_due  int64  when the next report arrives here
    120  steps        int64  of this loop, ever
    128  lost_reports int64  the run must not go on
    152  entry_least  int64  no command takes less, ns; 0 where that is not known
    160  response_least int64  no report takes less
    168  feeds        int64  address
    176  feed_routes  int64  the feed of each instrument: address
    184  feed_count   int64
    192  turn         int64  the feed that is next
    200  found        int64  1: `local_next` is an event of it
    208  directives   int64  what people and processes tell risk: address, in order of time
    216  directive_count int64
    224  directive_next  int64
    232  directive_due   int64  when it is; FOREVER behind the last
    240  asks         int64  address: what we asked of each order last
    248  ask_mask     int64  their number, less one
    """,
)
ASK_BYTES, LANE_BYTES = ASK.itemsize, LANE.itemsize
FEED_BYTES = FEED_CURSOR.itemsize
COMMANDS_AT, REPORTS_AT = 0, 64

way_at = jit.record_at(WAY)
lane_at = jit.record_at(LANE)
feed_at = jit.record_at(FEED_CURSOR)
run_at = jit.record_at(RUN)
ask_at = jit.record_at(ASK)
flight_command_at = jit.record_at(FLIGHT_COMMAND)
flight_report_at = jit.record_at(FLIGHT_REPORT)


@jit.inlined
def ask_of(run: Any, order: int) -> Any:
    """What we asked of an order last, if it still bears its number."""
    place = place_of(order, run.ask_each, run.ask_mask)
    return ask_at(jit.nth(run.asks, place, run.ask_mask + 1, ASK_BYTES))


@jit.inlined
def is_full(way: Any) -> bool:
    return way.tail - way.head > way.mask


@jit.inlined
def sent(way: Any, arrives: int) -> int:
    """Take the next place of the ring: its address. What is there already arrives no later."""
    arrives = max(arrives, way.latest)
    way.latest = arrives
    if way.head == way.tail:
        way.due = arrives
    place = jit.nth(way.items, way.tail & way.mask, way.mask + 1, way.stride)
    jit.store_i64(place, arrives)
    way.tail += 1
    return place


@jit.inlined
def arrived(way: Any) -> int:
    """Take out the head: its address, good until the ring has gone round."""
    place = jit.nth(way.items, way.head & way.mask, way.mask + 1, way.stride)
    way.head += 1
    way.due = FOREVER
    if way.head != way.tail:
        way.due = jit.load_i64(jit.nth(way.items, way.head & way.mask, way.mask + 1, way.stride))
    return place
