"""The memory of a wire backtest: bytes that are on their way, and what joins both sides.

    exchange ─▶ feed:    datagrams ─────────▶ runner      each piece: due, length, bytes
             ─▶ reports: bytes of a session ─▶
             ◀─ orders:  bytes of a session ─          a pipe each, `core/soup/pipes.py`

A pipe is first in, first out, as a cable is; a latency is the same for every piece, so the first is
always the next that is due. Worst case: a pipe whose room is full ends the run with a sentence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.records import field_offset, record
from hftlib.core.soup import pipes
from hftlib.core.soup.pipes import PIPE
from hftlib.core.soup.server import ANSWER_BYTES
from hftlib.feed.mold import packet as p

FOR_EVER = 1 << 62
ROOM_BYTES = 1 << 25  # of each pipe; touched only as far as something is on its way
PIECE_HEAD = 16
_PAYLOAD, _NAME = 1_408, 32
assert p.PAYLOAD_BYTES_MAX <= _PAYLOAD and ANSWER_BYTES <= _NAME

# How a call of `go` ended, and why a run ends.
STATUSES = (
    "",
    "",
    "",
    "the journal takes no more",
    "the runner had to stop",
    "more bytes are on their way than there is room for",
    "the session between runner and exchange broke",
    "the exchange has no room for what it has to say",
)
RUNS, OVER, WAITS, JOURNAL_FULL, FAULT, CROWDED, BROKEN, EXCHANGE_FULL = range(8)

WIRE = record(
    "wire backtest",
    2_560,
    """
    0    live        int64  address of the LIVE
    8    take        int64  address of `taking.take`, and
    16   due         int64  of `taking.due`
    24   journal     int64  address of the journal's writer
    32   floor       int64  address of the exchange's FLOOR
    40   tape        int64  address of the TAPE that it plays
    48   play        int64  address of `playing.play`,
    56   following   int64  of `obeying.following`,
    64   pass_time   int64  and of `obeying.pass_time`
    72   connection  int64  of the exchange's server; -1: none
    80   now         int64  time of the step at hand
    88   end         int64  no step is later
    96   status      int64  why it cannot go on, of STATUSES
    104  fault       int64  of the runner, if it had to stop
    112  feed_ns     int64  one way to the runner
    120  order_ns    int64  one way to the exchange
    128  report_ns   int64  and back
    136  next_tick   int64  when the runner is told that time passes
    144  next_beat   int64  when the exchange says that it is there
    152  dials       int64  of the link, seen so far, and
    160  hangs       int64  its ends
    168  connects    int64  when a connection that was asked for stands; FOR_EVER
    176  sequence    int64  messages of the feed so far
    184  told        int64  of them, when the exchange last said that it is there
    192  steps       int64  counts: of either side
    200  frames      int64  that came in or went out
    208  datagrams   int64
    216  segments    int64  pieces of sessions, both ways
    224  requests    int64  for messages that were lost: none ever is
    256  feed        pipe
    296  orders      pipe
    336  reports     pipe
    384  said        int64[2]  payload of a frame of ours
    400  session     uint8[10]  of the feed
    416  name        uint8[32]  how a login is answered
    448  datagram    uint8[1408]
    """,
    pipe=PIPE,
)
FEED, ORDERS = field_offset(WIRE, "feed"), field_offset(WIRE, "orders")
REPORTS, SAID = field_offset(WIRE, "reports"), field_offset(WIRE, "said")
SESSION, NAME = field_offset(WIRE, "session"), field_offset(WIRE, "name")
DATAGRAM = field_offset(WIRE, "datagram")

wire_at = jit.record_at(WIRE)


def wire_memory(room: int = ROOM_BYTES) -> np.ndarray[Any, Any]:
    """WIRE and the bytes of its three pipes, empty."""
    memory = np.zeros((WIRE.itemsize + 3 * room) // 8, np.int64).view(np.uint8)
    record = memory[: WIRE.itemsize].view(WIRE)
    for n, (name, at) in enumerate((("feed", FEED), ("orders", ORDERS), ("reports", REPORTS))):
        record[name] = (WIRE.itemsize + n * room - at, room, 0, 0, 0)
    record["connection"], record["connects"] = -1, FOR_EVER
    return memory


@jit.compiled()
def send(pipe: int, due: int, address: int, length: int) -> bool:
    """One piece on its way; False: there is no room."""
    size = PIECE_HEAD + ((length + 7) & -8)
    if pipes.space(pipe) < size:
        return False
    place = pipes.behind(pipe)
    jit.store_i64(place, due)
    jit.store_i64(place + 8, length)
    pipes.copy(place + PIECE_HEAD, address, length)
    pipes.filled(pipe, size)
    return True


@jit.inlined
def arrives(pipe: int) -> int:
    """When the first piece is there; FOR_EVER: there is none."""
    due = FOR_EVER
    if pipes.held(pipe) > 0:
        due = jit.load_i64(pipes.first(pipe))
    return due


@jit.inlined
def length_of(pipe: int) -> int:
    """Of the first piece, whose bytes lie PIECE_HEAD behind `pipes.first`."""
    return jit.load_i64(pipes.first(pipe) + 8)


@jit.inlined
def arrived(pipe: int) -> None:
    """The first piece is taken."""
    pipes.taken(pipe, PIECE_HEAD + ((length_of(pipe) + 7) & -8))
