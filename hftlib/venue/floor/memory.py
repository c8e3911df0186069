"""The memory of the floor: what lies between sessions, engine and feed.

    FLOOR ─ addresses, counts, one message of each kind on its way       4,096 bytes
    MEMBER × (members + 1)    a session of the engine: whose, which streams, its defaults
    FIRM_NAME × (firms + 1)   four letters each
    LISTED × symbols          eight letters, reference price
    KEPT × KEPT_MAX           an execution of which its owner hears late
    hash                      from eight letters to the row of a symbol, plus 1; 0: free

Sessions, engine and feed are pieces of memory of their own; FLOOR holds their addresses, set when
the process starts, for nothing here outlives it. Session n of the engine is MEMBER n; 0 is the
exchange itself.

Worst case: everything is taken at start; a stream or a feed that is full refuses, and is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.ouch.messages import RECORD_BYTES_MAX
from hftlib.core.ouch.options import OPTIONS
from hftlib.core.records import field_offset, record
from hftlib.venue.matching.records import COMMAND

FLOOR = record(
    "floor",
    4096,
    """
    0    engine        int64  address of the matching engine's books
    8    entry         int64  address of the order entry's SERVER
    16   copies        int64  address of the drop copies' SERVER
    24   blocks        int64  address of the feed's messages: u16 length, message
    32   offsets       int64  address of where each of them begins, and the last one ends
    40   blocks_max    int64  bytes there
    48   messages_max  int64
    56   messages      int64  of the feed, so far
    64   midnight      int64  ns since the epoch; times on the wire count from there
    72   now           int64  time of what is done at present
    80   members       int64
    88   firms         int64
    96   symbols       int64
    104  members_at    int64  bytes from here to each array
    112  firms_at      int64
    120  symbols_at    int64
    128  hash_at       int64
    136  hash_mask     int64
    144  echo          int64  1: the message at hand came by a session, and its options are echoed
    152  heard         int64  counts: messages of sessions
    160  unreadable    int64  those that were none
    168  commands      int64  obeyed, of anybody
    176  reports       int64
    184  executions    int64  told to owners: two a trade
    192  said          int64  messages stored for sessions
    200  copied        int64  messages stored for drop copies
    208  unsaid        int64  of either, refused by a stream that is full
    216  unpublished   int64  refused by the feed, likewise
    224  refused       int64  commands of the exchange itself that the engine refused
    232  why           int64  the last one's reason
    240  misses        int64  executions yet to be kept from their owners: a fault, asked for
    248  late          int64  whose executions wait for the end of the order: 0 nobody's, a session
    256  late_chance   int64  in parts of a million
    264  rejects       int64  orders and replaces that are refused, likewise
    272  draws         int64[4]  state of chance
    304  kept_at       int64  executions that wait
    312  kept_max      int64
    320  kept          int64
    328  overtaken     int64  said behind the end of their order
    336  stormed       int64  orders and replaces refused by chance
    344  journal       int64  address of the journal's writer; 0: there is none
    352  unkept        int64  messages that it did not take
    512  command       command
    640  options       options     of the message at hand
    976  marked        options     of a drop copy
    1312 wire          uint8[128]  one OUCH message as a record
    1440 public        uint8[128]  one ITCH message as a record
    1568 message       uint8[512]  bytes on their way out
    """,
    command=COMMAND,
    options=OPTIONS,
)
MEMBER = record(
    "floor member",
    32,
    """
    0   stream      int64   of the order entry; -1: nobody listens
    8   copy        int64   stream of its firm's drop copy; -1: there is none
    16  firm        uint16
    18  group       uint16  unless the order says another
    20  prevention  uint8   likewise
    21  mark        uint8   which of its firm's sessions for orders it is, from 1; 0: none
    22  purges      uint8   1: what it cancels and disables is its firm's, and it enters nothing
    """,
)
KEPT = record(
    "floor kept",
    128,
    """
    0   session  int64
    8   urn      int64
    16  size     int64
    24  message  uint8[104]
    """,
)
FIRM_NAME = record(
    "floor firm",
    8,
    """
    0   letters  uint32  four, as they lie in a message
    4   locked   uint32  1: a session that purges disabled it, and only such a one enables it
    """,
)
LISTED = record(
    "floor symbol",
    16,
    """
    0   letters    int64  eight, as they lie in a message
    8   reference  int64  price it began with
    """,
)
assert RECORD_BYTES_MAX <= 128

COMMAND_AT, OPTIONS_AT = field_offset(FLOOR, "command"), field_offset(FLOOR, "options")
MARKED_AT, WIRE_AT = field_offset(FLOOR, "marked"), field_offset(FLOOR, "wire")
PUBLIC_AT, MESSAGE_AT = field_offset(FLOOR, "public"), field_offset(FLOOR, "message")
DRAWS_AT = field_offset(FLOOR, "draws")
ROOM = 512
KEPT_MAX = 1_024
EVERYBODY = -1
NOBODY = -1

floor_at = jit.record_at(FLOOR)
command_at = jit.record_at(COMMAND)
member_of, _ = jit.rows(floor_at, MEMBER, "members_at", "members", 1)
firm_of, firm_address = jit.rows(floor_at, FIRM_NAME, "firms_at", "firms", 1)
listed_of, listed_address = jit.rows(floor_at, LISTED, "symbols_at", "symbols")
kept_of, kept_address = jit.rows(floor_at, KEPT, "kept_at", "kept_max")

_MASK_63 = (1 << 63) - 1


@jit.inlined
def hashed(letters: int, mask: int) -> int:
    """Where the search for eight letters begins; the same in any mode."""
    low, high = letters & 0xFFFF_FFFF, (letters >> 32) & 0xFFFF_FFFF
    mixed = (low * 0x85EB_CA6B + high * 0xC2B2_AE35) & _MASK_63
    return (mixed ^ (mixed >> 29)) & mask


@jit.compiled()
def symbol_row(floor: int, letters: int) -> int:
    """The row of the symbol of these eight letters, or -1."""
    f = floor_at(floor)
    place = hashed(letters, f.hash_mask)
    while True:
        entry = jit.load_i64(jit.nth(floor + f.hash_at, place, f.hash_mask + 1, 8))
        if entry == 0:
            return -1
        if listed_of(floor, entry - 1).letters == letters:
            return entry - 1
        place = (place + 1) & f.hash_mask


def laid_out(symbols: list[str], firms: list[str], members: int) -> np.ndarray[Any, Any]:
    """The floor's memory: FLOOR first, then its arrays; `firms` without the one of nobody."""
    mask = (1 << (2 * len(symbols)).bit_length()) - 1
    sizes = {
        "members": (members + 1) * MEMBER.itemsize,
        "firms": (len(firms) + 1) * FIRM_NAME.itemsize,
        "symbols": len(symbols) * LISTED.itemsize,
        "hash": (mask + 1) * 8,
        "kept": KEPT_MAX * KEPT.itemsize,
    }
    memory = np.zeros((FLOOR.itemsize + sum(sizes.values())) // 8, np.int64).view(np.uint8)
    floor = memory[: FLOOR.itemsize].view(FLOOR)
    floor["members"], floor["firms"], floor["symbols"] = members, len(firms), len(symbols)
    floor["hash_mask"], floor["kept_max"] = mask, KEPT_MAX
    begin = FLOOR.itemsize
    for name, size in sizes.items():
        floor[f"{name}_at"] = begin
        begin += size
    listed = part(memory, "symbols", LISTED, len(symbols))
    places = memory[int(floor["hash_at"][0]) :].view(np.int64)
    for row, symbol in enumerate(symbols):
        letters = int.from_bytes(symbol.ljust(8).encode("ascii"), "little", signed=True)
        listed["letters"][row] = letters
        place = _hashed(letters, mask)
        while places[place]:
            place = (place + 1) & mask
        places[place] = row + 1
    names = part(memory, "firms", FIRM_NAME, len(firms) + 1)
    names["letters"] = [int.from_bytes(n.ljust(4).encode("ascii"), "little") for n in ["", *firms]]
    rows = part(memory, "members", MEMBER, members + 1)
    rows["stream"] = rows["copy"] = NOBODY
    return memory


def part(
    memory: np.ndarray[Any, Any], name: str, dtype: np.dtype[Any], count: int
) -> np.ndarray[Any, Any]:
    """One of the floor's arrays, as numpy sees it."""
    begin = int(memory[: FLOOR.itemsize].view(FLOOR)[f"{name}_at"][0])
    return memory[begin : begin + count * dtype.itemsize].view(dtype)


def _hashed(letters: int, mask: int) -> int:
    """As `hashed`, in whole numbers that never wrap."""
    low, high = letters & 0xFFFF_FFFF, (letters >> 32) & 0xFFFF_FFFF
    mixed = (low * 0x85EB_CA6B + high * 0xC2B2_AE35) & _MASK_63
    return (mixed ^ (mixed >> 29)) & mask
