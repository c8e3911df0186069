"""Hearing: which event reaches us next, where the feeds of a backtest are not equally late.

    tape    a1  b1  a2  b2  a3      feed A takes 1 ms, feed B 5 ms
    A       a1      a2      a3      each feed has a cursor of its own over the tape,
    B           b1      b2          and skips what is another's
    we hear a1  a2  a3  b1  b2      by time of arrival, then by place on the tape

Lanes whose feeds always take the same time are one feed, and a single feed needs none of this:
`advance` then reads the tape from end to end. Events of one feed never overtake each other. What
concerns all is told by each feed, at its own time, to its own instruments. Where times of a tape
go back the highest so far counts: nothing reaches us before that and what its feed takes at least.

A cursor looks for its next event among those that the venue has seen, and no further: what comes
behind reaches us no earlier than the venue's next event and the least its feed takes. Until then
the feed has nothing to say (`found` is 0); then it looks again. So no look is longer than what the
venue was ahead, a feed that says nothing never reads on to the end of the tape, and the cursors lie
no further apart than the slowest feed is late.

Worst case: each feed looks at each event, so hearing costs feeds times events
(`python -m hftlib.bench.feeds`).
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import ALL, EVENT
from hftlib.engine.carrying import feed_of
from hftlib.engine.flight import FEED_BYTES, feed_at, lane_at, run_at
from hftlib.engine.memory import FOREVER
from hftlib.feed.tape_index import tells_time
from hftlib.feed.walk import event_address, walk_at
from hftlib.venue.latency import FEED, LATENCY_BYTES, feed_latency_at

_event_at = jit.record_at(EVENT)


@jit.inlined
def venue_time(address: int, last: int) -> int:
    """When an event is due at its venue, after one that was due at `last`."""
    event = _event_at(address)
    return max(last, event.time) if tells_time(event.kind) else last


@jit.inlined
def feed_latency(lane_address: int, event: Any) -> int:
    """How long an event takes from its venue to us."""
    lane = lane_at(lane_address)
    latency = lane.feed_constant
    if latency < 0:
        legs = lane.latencies + FEED * LATENCY_BYTES
        latency = feed_latency_at(legs, event.time, event.received, event.sequence)
    return latency


@jit.compiled("void(int64)")
def begin_hearing(run_address: int) -> None:
    """No feed has found its first event; the venue's first is known."""
    run = run_at(run_address)
    for number in range(run.feed_count):
        look_on(run, number)
    take_turns(run)


@jit.compiled("void(int64)")
def look_again(run_address: int) -> None:
    """Whoever has found nothing looks on."""
    run = run_at(run_address)
    for number in range(run.feed_count):
        if feed_at(run.feeds + number * FEED_BYTES).found == 0:
            look_on(run, number)
    take_turns(run)


@jit.compiled("void(int64)")
def heard(run_address: int) -> None:
    """The event of the feed whose turn it is has been seen: on to its next."""
    run = run_at(run_address)
    feed = feed_at(run.feeds + run.turn * FEED_BYTES)
    feed.next += 1
    feed.last = feed.due
    look_on(run, run.turn)
    if run.venue_due == FOREVER:  # all events are known, and so is which is the last to be heard
        look_again(run_address)
    else:
        take_turns(run)


@jit.compiled()
def look_on(run: Any, number: int) -> None:
    """A feed looks for its next event, from `next` up to what the venue has seen."""
    feed = feed_at(run.feeds + number * FEED_BYTES)
    walk = walk_at(run.walk)
    clock = feed.clock
    for n in range(feed.next, run.venue_next):
        address = event_address(walk, n)
        event = _event_at(address)
        clock = venue_time(address, clock)
        if feed_of(run, event.instrument) == number or event.instrument == ALL:
            feed.next, feed.clock, feed.found = n, clock, 1
            feed.due = max(feed.last, clock + feed.least)
            if tells_time(event.kind):
                feed.due = max(feed.due, event.time + feed_latency(feed.lane, event))
            return
    feed.next, feed.clock, feed.found = max(feed.next, run.venue_next), clock, 0
    feed.due = FOREVER
    if run.venue_due < FOREVER:
        feed.due = max(feed.last, run.venue_due + feed.least)


@jit.compiled()
def take_turns(run: Any) -> None:
    """Whose event is first: by time, then by place on the tape."""
    turn, due, place = 0, FOREVER, FOREVER
    for number in range(run.feed_count):
        feed = feed_at(run.feeds + number * FEED_BYTES)
        if feed.due < due or (feed.due == due and feed.next < place):
            turn, due, place = number, feed.due, feed.next
    run.turn, run.local_next, run.local_due = turn, place, due
    run.found = feed_at(run.feeds + turn * FEED_BYTES).found
