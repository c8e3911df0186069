"""What a runner says: into the journal, and on its way once the journal's mode has it.

    send_out    bytes of a link: journaled, then in its outbox
    flush       of the outbox what may go, to the kernel
    hang_up     the connection is over, and with it what waited
    ask         a request for what a feed is missing

No byte of a link leaves before the frame that caused it is durable (`docs/journal.md`): in mode
`process` it is so when it is appended, in mode `power` after the sync of its group. Frames are
durable in their order, so it is enough to wait for what goes out itself. A request for what a feed
is missing commits to nothing, and waits for no disk.

Worst case: an outbox that a venue does not read, or that waits for a disk, ends the loop when full.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal import kinds
from hftlib.core.journal.appending import append, is_durable
from hftlib.core.soup import memory as soup
from hftlib.core.soup import pipes, sockets
from hftlib.engine.live.hot_memory import (
    HOT,
    INTAKE_BYTES,
    JOURNAL_FULL,
    LANE,
    LANE_BYTES,
    LOGIN_PASSWORD,
    OUTBOX_AT,
    OUTBOX_FULL,
    PASSWORD_AT,
    PASSWORD_BYTES,
)
from hftlib.engine.live.memory import (
    LINES_EACH,
    REQUEST_AT,
    feed_address,
    feed_of,
    link_of,
    live_at,
)
from hftlib.feed.mold import memory as mold
from hftlib.feed.mold import sockets as lines

DONTWAIT = 0x40
hot_at = jit.record_at(HOT)
lane_at = jit.record_at(LANE)
intake_at = jit.record_at(lines.INTAKE)
_send = jit.libc("send", "int64(int32, int64, int64, int32)")
_close = jit.libc("close", "int32(int32)")


@jit.compiled()
def send_out(hot: int, n: int) -> None:
    """What a link has to say: into the journal, then on its way."""
    h, link = hot_at(hot), link_of(hot_at(hot).live, n)
    lane = h.lanes + n * LANE_BYTES
    begin, count = h.live + link.out_at, link.out_bytes
    link.out_bytes = 0
    sequence = append(h.journal, live_at(h.live).out_kind, n, h.now, begin, count)
    if sequence < 0:
        h.status = JOURNAL_FULL
        return
    lane_at(lane).last = sequence
    if lane_at(lane).descriptor < 0:  # in shadow there never is one
        return
    pipes.space(lane + OUTBOX_AT)
    place = pipes.behind(lane + OUTBOX_AT)
    if not pipes.put_bytes(lane + OUTBOX_AT, begin, count):
        h.status = OUTBOX_FULL
        return
    if count >= soup.LOGIN_BYTES and jit.load_u8(place + 2) == ord("L"):
        pipes.copy(place + LOGIN_PASSWORD, lane + PASSWORD_AT, PASSWORD_BYTES)
    flush(hot, n)


@jit.compiled()
def flush(hot: int, n: int) -> None:
    """What may go, as far as the kernel takes it; what it says shows when we read."""
    place = hot_at(hot).lanes + n * LANE_BYTES
    lane = lane_at(place)
    _clear(hot_at(hot).journal, place)
    gone = sockets.give_some(place + OUTBOX_AT, lane.descriptor, lane.ready)
    while gone > 0:
        pipes.wipe(pipes.first(place + OUTBOX_AT), gone)  # perhaps a password
        pipes.taken(place + OUTBOX_AT, gone)
        lane.sent += gone
        lane.ready -= gone
        gone = sockets.give_some(place + OUTBOX_AT, lane.descriptor, lane.ready)


@jit.inlined
def _clear(journal: int, place: int) -> None:
    """What is where the journal's mode promises it to be may go; what came meanwhile waits on.

    In mode `process` that is all of it, at once. In mode `power` a group waits for its sync, and
    what is decided meanwhile is the next group.
    """
    lane = lane_at(place)
    if lane.marked != 0 and is_durable(journal, lane.awaited) != 0:
        lane.ready, lane.marked = lane.ready + lane.marked, 0
    if lane.marked == 0:
        lane.marked, lane.awaited = pipes.held(place + OUTBOX_AT) - lane.ready, lane.last
        if lane.marked != 0 and is_durable(journal, lane.awaited) != 0:
            lane.ready, lane.marked = lane.ready + lane.marked, 0


@jit.compiled()
def hang_up(hot: int, n: int) -> None:
    """The session says that its connection is over."""
    h, link = hot_at(hot), link_of(hot_at(hot).live, n)
    place = h.lanes + n * LANE_BYTES
    lane = lane_at(place)
    if lane.hangs == link.hangs:
        return
    lane.hangs = link.hangs
    if lane.descriptor >= 0:
        _close(lane.descriptor)
        lane.descriptor = -1
    pipes.wipe(pipes.first(place + OUTBOX_AT), pipes.held(place + OUTBOX_AT))
    pipes.empty(place + OUTBOX_AT)
    lane.ready, lane.marked = 0, 0


@jit.compiled()
def ask(hot: int, n: int) -> None:
    """A request for what a feed is missing."""
    h, feed = hot_at(hot), feed_of(hot_at(hot).live, n)
    place, count = feed_address(h.live, n) + REQUEST_AT, feed.request_bytes
    feed.request_bytes = 0
    if append(h.journal, kinds.DATAGRAM_OUT, n, h.now, place, count) < 0:
        h.status = JOURNAL_FULL
        return
    source = n * LINES_EACH + mold.LINE_RECOVERY
    to = intake_at(h.intakes + source * INTAKE_BYTES).descriptor
    if to < 0 or _send(to, place, count, DONTWAIT) != count:
        h.unsent += 1
