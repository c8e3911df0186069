"""The orders of a tape that stand on the exchange: from the tape's reference to what we know.

    TAPE ─ where the events are, whose orders they are, counts         256 bytes
    TAPE_ROW × instruments    which symbol of ours, how its prices count
    FOLLOWED × (mask + 1)     a hash with its rows in it, at most half full

    desired open on the exchange = open on the tape - what participants took
    said to the engine in all    = open + met       (an owner says how much may execute in all)

`met` is what the order executed here because the tape said so; all else it executed, participants
took. So however the two markets part, one number says to the engine what is left of an order.

Worst case: references chosen by an enemy pile up in the hash, and a search is as long as the pile,
and right. Forgetting a whole symbol walks the table once.
"""

from __future__ import annotations

from hftlib.book.references import tag_of
from hftlib.core import jit
from hftlib.core.records import record

COUNTS = (
    *("orders", "passed", "strange", "unknown", "double", "full", "refused", "gone"),
    *("yielded", "excess", "odd", "gathered", "rounds"),
)

TAPE = record(
    "floor tape",
    256,
    """
    0    events       int64  address of the tape's events
    8    count        int64
    16   next         int64  the next one
    24   begin        int64  this time on the tape ...
    32   first        int64  ... is this one on the exchange
    40   time         int64  of the event at hand, on the exchange
    48   session      int64  whose orders they are
    56   firm         int64
    64   urn          int64  the last number used
    72   rows_at      int64  bytes from here to each array
    80   rows         int64
    88   followed_at  int64
    96   mask         int64
    104  followed_max int64
    112  followed     int64  orders that stand on the tape, as far as we know them
    120  at_end       int64  STAY, LOOP, END
    128  orders       int64  counts: orders entered
    136  passed       int64  events that say nothing to an exchange
    144  strange      int64  of instruments that are none of our symbols
    152  unknown      int64  about orders from before the tape
    160  double       int64  orders whose reference stands already
    168  full         int64  orders for which there was no room here
    176  refused      int64  what the engine would not do
    184  gone         int64  about orders that participants had taken by then
    192  yielded      int64  shares that went to participants who stood in front
    200  excess       int64  events that take off more than was there
    208  odd          int64  events with fields that cannot be
    216  gathered     int64  orders in a halt: so orders gather
    224  rounds       int64  times it began anew
    """,
)
TAPE_ROW = record(
    "floor tape instrument",
    24,
    """
    0   symbol  int64  row of ours; -1: none
    8   scale   int64  our price units in one of the tape's
    16  state   int64  the last that the tape gave it here; -1: none yet
    """,
)
FOLLOWED = record(
    "floor tape order",
    48,
    """
    0   reference  int64   the tape's
    8   urn        int64   ours; 0: this place is free
    16  open       int64   on the tape
    24  met        int64   executed here as the tape said
    32  price      int64   in our units
    40  symbol     uint32
    44  side       uint8
    """,
)
STAY, LOOP, END = range(3)
NONE = -1
_LEVEL_BIT, _SYMBOL_SHIFT, _SIDE_SHIFT = 1 << 62, 33, 32
_WORDS = FOLLOWED.itemsize // 8

tape_at = jit.record_at(TAPE)
row_of, _ = jit.rows(tape_at, TAPE_ROW, "rows_at", "rows")
followed_of, _followed_address = jit.rows(tape_at, FOLLOWED, "followed_at", "mask", 1)


@jit.inlined
def find(tape: int, reference: int) -> int:
    """The place of an order, or NONE."""
    mask = tape_at(tape).mask
    place = tag_of(reference) & mask
    while True:
        one = followed_of(tape, place)
        if one.urn == 0:
            return NONE
        if one.reference == reference:
            return place
        place = (place + 1) & mask


@jit.inlined
def enter(tape: int, reference: int) -> int:
    """The place of a new order, which is not there and for which there is room."""
    t = tape_at(tape)
    place = tag_of(reference) & t.mask
    while followed_of(tape, place).urn != 0:
        place = (place + 1) & t.mask
    t.followed += 1
    followed_of(tape, place).reference = reference
    return place


@jit.compiled("void(int64, int64)")
def leave(tape: int, hole: int) -> None:
    """Free a place; those behind move up as far as they belong."""
    t = tape_at(tape)
    t.followed -= 1
    place = (hole + 1) & t.mask
    while followed_of(tape, place).urn != 0:
        home = tag_of(followed_of(tape, place).reference) & t.mask
        if ((place - home) & t.mask) >= ((place - hole) & t.mask):
            _copy(tape, hole, place)
            hole = place
        place = (place + 1) & t.mask
    followed_of(tape, hole).urn = 0


@jit.inlined
def _copy(tape: int, into: int, source: int) -> None:
    for n in range(_WORDS):
        word = jit.load_i64(_followed_address(tape, source) + 8 * n)
        jit.store_i64(_followed_address(tape, into) + 8 * n, word)


@jit.compiled("void(int64, int64)")
def forget(tape: int, symbol: int) -> None:
    """No order of a symbol is followed any more; NONE: of no symbol."""
    t = tape_at(tape)
    place = 0
    while place <= t.mask:
        one = followed_of(tape, place)
        if one.urn != 0 and (symbol == NONE or one.symbol == symbol):
            leave(tape, place)  # another may stand here now
        else:
            place += 1


@jit.inlined
def level_reference(symbol: int, side: int, price: int) -> int:
    """The name of the order that stands for all that is unnamed at a price."""
    return _LEVEL_BIT | symbol << _SYMBOL_SHIFT | side << _SIDE_SHIFT | price
