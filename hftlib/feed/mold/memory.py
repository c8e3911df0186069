"""The sequencer's memory: one piece, formatted, that an arena can hold.

    0           768             1792           2304       6400
    ┌───────────┬───────────────┬──────────────┬──────────┬───────────────────┬────────────────┐
    │ SEQUENCER │ LINE × 4      │ CHANGE × 16  │ ASK × 64 │ numbers           │ slots          │
    │ settings, │ A, B,         │ the last     │ requests │ int64 × capacity  │ received, late │
    │ state     │ recovery, ... │ transitions  │          │ 0, or who is held │ length, data   │
    └───────────┴───────────────┴──────────────┴──────────┴───────────────────┴────────────────┘

Message number n is held in slot n mod capacity, so what can be held is the window of `capacity`
numbers from the next one wanted. The numbers lie apart from the slots, eight to a cache line:
looking for the end of a gap reads them one by one, 64 KB for each 8,192 of capacity.

    state      what it means                                            books
    WAITING    nothing heard yet                                        empty, and told nothing
    LIVE       every message up to the newest known one is out          good
    GAP        one is missing; what follows it is held                  stale
    LOST       a range was given up, or the feed was joined late;       stale until repaired
               what follows goes out
    SILENT     nothing heard for `silence_ns`, not even a heartbeat     stale
    ENDED      the session ended and all of it is out                   as before

That no book is told anything before the first packet is no harm: `Sequencer.stale` is true then.

Worst case: all memory is taken at start: capacity × (slot_bytes + 8) and 6,400 bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.records import items, record, rounded_up
from hftlib.core.units import is_whole, shown

STATES = ("WAITING", "LIVE", "GAP", "LOST", "SILENT", "ENDED")
WAITING, LIVE, GAP, LOST, SILENT, ENDED = range(6)

REASONS = (
    "start",
    "the first packet",
    "messages are missing",
    "the gap is filled",
    "the recovery server did not answer",
    "nobody to ask, and no line brought them",
    "no room to hold more, and no answer to hope for",
    "another session took over",
    "the end of the session",
    "silence",
    "packets again",
    "a snapshot repaired the books",
    "joined after the first message",
    "the session goes on after its end",
)
START, FIRST_PACKET, MISSING, FILLED, UNANSWERED, NOBODY_TO_ASK, NO_ROOM = range(7)
NEW_SESSION, END_OF_SESSION, SILENCE, HEARD_AGAIN, REPAIRED = range(7, 12)
JOINED_LATE, GOES_ON = range(12, 14)

# Kinds of what comes out.
DELIVERIES = ("", "MESSAGES", "GAP", "LOST", "RECOVERED", "SILENT", "ENDED", "SESSION")
OUT_MESSAGES, OUT_GAP, OUT_LOST, OUT_RECOVERED, OUT_SILENT, OUT_ENDED, OUT_SESSION = range(1, 8)

LINES_MAX = 4
LINE_A, LINE_B, LINE_RECOVERY, LINE_OTHER = range(LINES_MAX)
LINE_NAMES = ("A", "B", "recovery", "other")
CHANGES_KEPT = 16
ASKS_MAX = 64  # as many answers of 1,400 bytes fit into the smallest usual buffer of a socket

DELIVERY = record(
    "mold delivery",
    64,
    """
    0   kind      int64  of the list DELIVERIES
    8   first     int64  number of the first message, also of a missing or lost one
    16  after     int64  the number after the last
    24  address   int64  of {u16 length, message} blocks; good until the next call
    32  length    int64  bytes of all blocks
    40  received  int64  when they arrived: ns since the epoch
    48  late      int64  1: by way of the recovery server
    56  reason    int64  why a range was lost, of the list REASONS
    """,
)
LINE = record(
    "mold line",
    256,
    """
    0    packets     int64      datagrams taken from it
    8    first       int64      messages that came first by this line
    16   again       int64      messages that were out, held or given up already
    24   not_held    int64      messages that were beyond the window, or larger than a slot
    32   heard       int64      time of its last good packet of this session
    40   before      int64      messages before the first that was waited for
    64   verdicts    int64[15]  datagrams by verdict
    """,
)
CHANGE = record(
    "mold change",
    32,
    """
    0   at        int64  time of the change, as it was given
    8   expected  int64  next number wanted at that moment
    16  state     int64  the new state
    24  reason    int64  why
    """,
)
ASK = record(
    "mold ask",
    64,
    """
    0   first   int64  number of the first message asked for
    8   after   int64  the number after the last; 0: no request
    16  at      int64  when it was asked for
    24  until   int64  no answer by then: it is lost
    32  serial  int64  requests before it
    40  again   int64  1: its first message was asked for before
    """,
)
SEQUENCER = record(
    "mold sequencer",
    768,
    """
    0    capacity        int64      messages that can be held, a power of two
    8    slot_bytes      int64      size of a slot, a multiple of 8
    16   numbers         int64      offset of the numbers from here
    24   slots           int64      offset of the slots from here
    32   patience_ns     int64      how long a gap may fill by itself before anybody is asked
    40   repeat_ns       int64      a request is repeated after this
    48   tries_max       int64      times `repeat_ns` without progress; 0: there is nobody to ask
    56   silence_ns      int64      a feed not heard for this long is SILENT
    64   session_fixed   int64      1: packets of no other session are ever taken
    72   state           int64      of the list STATES
    80   reason          int64      of its last change
    88   since           int64      time of its last change
    96   now             int64      the latest time that was given
    104  heard           int64      time of the last good packet on any line
    112  drained         int64      1: `following` has said that there is nothing more
    120  expected        int64      the next number to go out; 0: begin with the first heard
    128  known_end       int64      the number after the newest known to exist
    136  gap_end         int64      a gap has been told of up to here
    144  held            int64      messages held in slots
    152  end             int64      the number after the last of the session; 0 unknown
    160  silent          int64      1: nothing was heard for too long
    168  unrepaired      int64      lost messages that no snapshot has made good
    176  lost_first      int64      a range given up that is still to be told:
    184  lost_after      int64      its end; 0: none
    192  session_new     int64      1: a new session is still to be told; 2: that books are whole
    200  current         int64      address of the blocks at hand, in the caller's datagram
    208  current_bytes   int64      their length
    216  current_end     int64      the number after their last
    224  current_line    int64      the line that brought them
    232  received        int64      when they arrived
    240  asked_at        int64      when the next number was first asked for; -1: it was not yet
    248  request_at      int64      nobody is asked before
    256  request_first   int64      what to ask for:
    264  request_count   int64      so many; 0: nothing to ask for now
    272  answered        int64      0: the last range asked for was given up unanswered
    280  far_ahead       int64      the last number refused as too far ahead
    288  candidate_seen  int64      1: the last good packet was of the candidate's session
    296  changes         int64      state changes so far
    304  session         uint8[16]  ten letters, zeros before the first packet
    320  previous        uint8[16]  the session before, which never comes back
    336  candidate       uint8[16]  another session that was heard
    352  began           int64      the first number of this session that was waited for
    360  told_stale      int64      1: books were told of a gap and not yet that they are whole
    384  messages        int64      messages that went out
    392  late            int64      of these, by way of the recovery server
    400  gaps            int64      gaps told of
    408  lost            int64      messages given up
    416  requests        int64      requests handed out
    424  sessions        int64      sessions begun
    432  silences        int64      times of silence
    440  undrained       int64      calls refused because `following` was not called to its end
    448  held_most       int64      the most messages ever held
    456  reopened        int64      ends taken back, since the session went on
    512  delivery        uint8[64]  what `following` gave last
    576  cursor          int64      where looking for what to ask goes on
    584  asked_top       int64      the number after the highest ever asked for
    592  fit             int64      sixteenths of messages that an answer holds; 0 unknown
    600  window          int64      requests that may be under way
    608  threshold       int64      up to here it grows with each answer
    616  credit          int64      answers since it last grew
    624  wait_ns         int64      a request without an answer for so long is lost
    632  round_ns        int64      how long answers take; 0 unknown
    640  serial          int64      the next request's
    648  mended          int64      losses of requests before this one have narrowed the window
    656  ripe            int64      numbers before it have been known for `patience_ns`
    664  ripe_next       int64      and those before this one will be
    672  ripe_at         int64      then
    680  unanswered      int64      requests that had no answer in time
    688  cut_short       int64      answers that held less than was asked for
    """,
)
SLOT_HEADER_BYTES = 16  # received and late: int64 each; then the block: length, message
SLOT_LATE_OFFSET = 8
LINE_BYTES, CHANGE_BYTES, ASK_BYTES = LINE.itemsize, CHANGE.itemsize, ASK.itemsize
LINES_OFFSET = SEQUENCER.itemsize
CHANGES_OFFSET = LINES_OFFSET + LINES_MAX * LINE_BYTES
ASKS_OFFSET = CHANGES_OFFSET + CHANGES_KEPT * CHANGE_BYTES
NUMBERS_OFFSET = ASKS_OFFSET + ASKS_MAX * ASK_BYTES
CAPACITY_MAX = 1 << 24


def slot_bytes_for(message_bytes_max: int) -> int:
    return rounded_up(SLOT_HEADER_BYTES + 2 + message_bytes_max, 8)


def sequencer_dtype(capacity: int, message_bytes_max: int) -> np.dtype[Any]:
    """The dtype of a sequencer that holds `capacity` messages, for an arena's layout."""
    where = "sequencer_dtype(capacity, message_bytes_max)"
    if not is_whole(capacity) or not 1 <= capacity <= CAPACITY_MAX or capacity & (capacity - 1):
        raise InputError(
            f"A sequencer holds a power of two of messages, not {shown(capacity)}",
            where=where,
            do=f"Give a power of two from 1 to {CAPACITY_MAX:,}.",
        )
    if not is_whole(message_bytes_max) or not 0 <= message_bytes_max <= 0xFFFF:
        raise InputError(
            f"{shown(message_bytes_max)} is no largest size of a message",
            where=where,
            do="Give a number of bytes from 0 to 65,535.",
        )
    slots = NUMBERS_OFFSET + 8 * int(capacity)
    slot = slot_bytes_for(int(message_bytes_max))
    size = slots + slot * int(capacity)
    if size > (1 << 31) - 1:
        raise InputError(
            f"{capacity:,} slots of {slot:,} bytes are more than one array can measure",
            where=where,
            do="Hold fewer messages, or smaller ones.",
        )
    parts: list[tuple[str, Any, int]] = [
        ("state", SEQUENCER, 0),
        ("lines", items(LINE, LINES_MAX), LINES_OFFSET),
        ("changes", items(CHANGE, CHANGES_KEPT), CHANGES_OFFSET),
        ("asks", items(ASK, ASKS_MAX), ASKS_OFFSET),
        ("numbers", np.dtype((np.int64, (int(capacity),))), NUMBERS_OFFSET),
        ("slots", np.dtype((np.uint8, (slot * int(capacity),))), slots),
    ]
    names, formats, offsets = zip(*parts, strict=True)
    layout: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    return np.dtype(layout)
