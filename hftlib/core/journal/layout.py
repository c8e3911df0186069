"""How a journal lies on disk and in memory; every number in it is little-endian.

    NAME.journal/
      000000.segment   header page │ frame │ frame │ ... │ end │ zeros      pre-allocated, mapped
      000001.segment   ...                                                  the next, made ahead
      chain            one record for each sealed block, then zeros         hash chain and index
      writer           what the writer says of itself, and its lock         no part of the journal

    frame     ┌──────────┬──────┬────────┬──────┬────────┬─────┬──────┬───────────────┬─────────┐
              │ sequence │ time │ length │ kind │ source │ crc │ zero │ payload ...   │ zeros   │
              └──────────┴──────┴────────┴──────┴────────┴─────┴──────┴───────────────┴─────────┘
              0          8      16       20     22       24    28     32              to 8 bytes

    block     frames side by side, BLOCK_BYTES or the few more that the last one needs; the first of
              a segment begins with its header page, the last of one ends with its end

The sequence of a frame is written last, so a reader sees a whole frame or none. An *end* is a head
alone, whose sequence is the next one, negative: the journal goes on in the next segment. The CRC
is CRC-32C of the session's 16 bytes, the first 24 bytes of the frame, and the payload with its
zeros; a frame that was copied here from another journal has another session in it.

Every byte is accounted for: a head's zero word, padding, the rest of a segment and of the chain are
zeros and are verified to be. Worst case: what lies behind a journal's last frame costs a look at
as many bytes as a segment has, when it is opened to go on.
"""

from __future__ import annotations

import numpy as np

from hftlib.core.records import record, rounded_up

SEGMENT_MAGIC, WRITER_MAGIC = b"HFTJRNL\n", b"HFTJWRTR"
VERSION = 1
PAGE_BYTES = 4096
FRAME_BYTES = 32
BLOCK_BYTES = 1 << 20
SEGMENT_BYTES = 64 << 20
SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX = 1 << 14, 1 << 32
LAST_WORDS_SHARE = 1024  # of each segment so small a share, a page at least, is kept for them
SEGMENTS_MAX = 1_000_000
CHAIN_NAME, WRITER_NAME, REPAIR_NAME = "chain", "writer", "repair"
PROCESS, POWER, REPLICATED = range(1, 4)
SEALED, ENDS_SEGMENT = 1, 2
# Of `failure`, where it is no errno.
CLOSED, FORKED, OVERWRITTEN, UNEXPECTED, STANDBY = range(-1, -6, -1)
DURABILITIES = {"process": PROCESS, "power": POWER, "replicated": REPLICATED}

SEGMENT_HEADER = record(
    "journal segment header",
    128,
    """
    0    magic          S8        HFTJRNL and a line feed
    8    version        int64     of this layout
    16   session        uint8[16] chance; the same in all segments of a journal, and in every CRC
    32   number         int64     of the segment, from 0
    40   segment_bytes  int64     of each segment, this page included
    48   block_bytes    int64     when a block is full
    56   durability     int64     1 process, 2 power, 3 replicated
    64   keyed          int64     1 where the chain is made with a key
    72   created_ns     int64     when the journal was made: UTC
    120  crc            int64     CRC-32C of the 120 bytes before; the rest of the page is zeros
    """,
)
FRAME_HEAD = record(
    "journal frame head",
    FRAME_BYTES,
    """
    0    sequence  int64   counted from 1, written last; of an end: the next one, negative
    8    time      int64   ns since the epoch, UTC, as the caller said
    16   length    uint32  bytes of the payload
    20   kind      uint16  as in `kinds.py`
    22   source    uint16  which line, session or client; the OPENED frame may name them
    24   crc       uint32  CRC-32C of session, the 24 bytes before, payload and padding
    28   zero      uint32
    """,
)
BLOCK = record(
    "journal block",
    128,
    """
    0    number          int64     of the block, from 0
    8    segment         int64     where it lies
    16   begin           int64     its first byte there; 0 where the segment's header belongs to it
    24   end             int64     behind its last byte
    32   first           int64     sequence of its first frame
    40   frames          int64     how many
    48   first_time      int64     of its first frame
    56   time_max        int64     the latest time of all frames up to its end
    64   sealed          int64     1, or 2 where it ends its segment; 0: there is no record here
    72   hash            uint8[32] BLAKE2b of the hash before, segment, begin, end, and its bytes
    120  crc             int64     CRC-32C of the 120 bytes before
    """,
)
WRITER = record(
    "journal writer",
    256,
    """
    0    segment       int64  address of the segment in use
    8    position      int64  where in it the next frame begins
    16   limit         int64  no frame ends behind it
    24   sequence      int64  of the last frame
    32   failure       int64  0; else an errno or a code: nothing more is taken
    40   seed          int64  the CRC after the session's 16 bytes
    48   refused       int64  frames not taken, whatever the reason
    56   number        int64  of the segment in use
    64   next_segment  int64  address of the one made ahead, 0: none yet
    72   next_limit    int64  of that one
    80   last_limit    int64  the limit for last words, behind which only an end has room
    128  durable       int64  the last sequence that is where the mode promises; not in `process`
    136  mode          int64  1 process, 2 power, 3 replicated; of a copy what its standby keeps
    144  trouble       int64  0; else the errno why the next segment is not made yet
    """,
)
PROGRESS = record(
    "journal progress",
    512,
    """
    0    magic       S8     HFTJWRTR
    8    version     int64
    16   writer_pid  int64
    24   mode        int64  1 process, 2 power, 3 replicated
    32   sequence    int64  of the last frame, as the helper thread saw it last
    40   durable     int64  the last sequence that is where the mode promises
    48   sealed      int64  the last sequence in the chain
    56   failure     int64  as in the writer's record
    64   trouble     int64  likewise
    72   refused     int64  likewise
    128  why         S256   failure or trouble in words
    """,
)
SCAN = record(
    "journal scan",
    128,
    """
    0    segment   int64  address of the segment
    8    position  int64  where the next frame begins
    16   end       int64  of the segment
    24   sequence  int64  the one expected next
    32   seed      int64  the CRC after the session's 16 bytes
    40   full      int64  stop where a frame ends at or behind this place
    48   time_max  int64  the latest time so far
    56   stop      int64  why the last step ended
    64   found     int64  frames of the last step
    """,
)
TIME_MIN = int(np.iinfo(np.int64).min)


def frame_bytes(length: int) -> int:
    """What a payload of this length takes."""
    return FRAME_BYTES + rounded_up(length, 8)


def last_words_bytes(segment_bytes: int) -> int:
    """What is kept in each segment for saying why the journal ends, and for the last cancels."""
    return max(PAGE_BYTES, rounded_up(segment_bytes // LAST_WORDS_SHARE, PAGE_BYTES))


def limit_of(segment_bytes: int) -> int:
    """Where frames end at the latest: an end, and last words, always have room behind."""
    return segment_bytes - last_words_bytes(segment_bytes) - FRAME_BYTES


def length_max(segment_bytes: int) -> int:
    """The longest payload that an empty segment takes."""
    return limit_of(segment_bytes) - PAGE_BYTES - FRAME_BYTES
