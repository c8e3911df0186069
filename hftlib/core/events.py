"""The event: one record for all market data, order by order and level by level.

One cache line, so a tape of them streams at the speed of memory, and what an event does to a book
is found in one fetch. What the fields mean by kind (a dash: zero there):

    kind        reference        other             side   price            quantity
    ADD         the order        -                 yes    limit            size
    EXECUTE     the order        match number      -      0: the order's   executed
    CANCEL      the order        -                 -      -                taken off
    DELETE      the order        -                 -      -                -
    REPLACE     the order        its new number    -      new limit        new size
    TRADE       -                match number      aggressor or 0   price  size
    CROSS       cross type       match number      -      price            size
    BREAK       -                match number      -      -                -
    LEVEL       orders there, 0 unknown            yes    price            now there; 0: none
    QUOTE       -                -                 yes    best of its side now there; 0: none
    CLEAR       -                -                 0: both up to there    -
    STATUS      trading state    reason            -      -                -
    SESSION     its event code   -                 -      -                -
    IMBALANCE   imbalance        far, near price   yes    reference price  paired
    GAP         first number lost number after     -      -                -
    RECOVERED   -                -                 -      -                -
    NOTICE      message type     -                 -      -                -
    UNREADABLE  why              message type      -      its byte offset  its length

EXECUTE, CANCEL and DELETE may carry side, price and size where the feed states them: then books
can act on orders from before the recording. CLEAR with a side and a price takes the levels from
the best up to there, else all. UNREADABLE from a table has its row where others have the offset.

`far, near price` are two unsigned 32-bit prices, `far << 32 | near`. Codes of one or more letters
are their ASCII bytes, big-endian: `code("H1")`. Trading state: `HALTED` and the others below.

Who reads events one by one trusts none of these fields: a reference may be unknown, a size
larger than what is there. Books count such inputs by reason (`hftlib.book`). Worst case: a source
with more than 2**32 instruments or an int64 price beyond range is refused where it is read.
"""

from __future__ import annotations

from hftlib.core.records import record

EVENT = record(
    "event",
    64,
    """
    0   time        int64   when the venue says it happened: ns since the epoch, UTC
    8   received    int64   when it reached the recording host, likewise; 0 unknown
    16  sequence    int64   the number its feed gave it; 0 where the feed numbers nothing
    24  reference   int64   the order, or what the kind says
    32  other       int64   the second number of the kind
    40  price       int64   in the instrument's price units
    48  quantity    int64   in the instrument's lots
    56  instrument  uint32  row of the instruments table; ALL concerns every one
    60  kind        uint8   one of the kinds above
    61  side        uint8   0 none, 1 buy, 2 sell
    62  flags       uint16  bits, as named below
    """,
)
EVENT_BYTES = EVENT.itemsize

KINDS = (
    "",
    "ADD",
    "EXECUTE",
    "CANCEL",
    "DELETE",
    "REPLACE",
    "TRADE",
    "CROSS",
    "BREAK",
    "LEVEL",
    "QUOTE",
    "CLEAR",
    "STATUS",
    "SESSION",
    "IMBALANCE",
    "GAP",
    "RECOVERED",
    "NOTICE",
    "UNREADABLE",
)
ADD, EXECUTE, CANCEL, DELETE, REPLACE, TRADE, CROSS, BREAK = range(1, 9)
LEVEL, QUOTE, CLEAR, STATUS, SESSION, IMBALANCE = range(9, 15)
GAP, RECOVERED, NOTICE, UNREADABLE = range(15, 19)

ALL = 2**32 - 1  # as `instrument`: every one, of a whole feed

NO_SIDE, BUY, SELL = range(3)
SIDES = ("", "buy", "sell")

# Flags.
NOT_PRINTABLE = 1  # an execution that is left out of volume, because a cross prints it
ATTRIBUTED = 2  # the order shows whose it is
SNAPSHOT = 4  # from a snapshot, not from the flow
LAST = 8  # the last event of one message of the feed: the book is whole again after it
RECOVERED_LATE = 16  # arrived by re-request, after a gap

# Trading states, as `reference` of STATUS. A venue's other letters pass as they are.
TRADING, HALTED, PAUSED, QUOTATION_ONLY = (ord(letter) for letter in "THPQ")

# Why a message was UNREADABLE, as its `reference`.
REASONS = (
    "",
    "its type is unknown",
    "its length is not the one of its type",
    "it is cut off by the end of the input",
    "its side is neither buy nor sell",
    "its price is no price",
    "it does not parse",
    "its time is not of the day",
)
UNKNOWN_TYPE, WRONG_LENGTH, CUT_OFF, WRONG_SIDE, WRONG_PRICE, NO_PARSE = range(1, 7)
WRONG_TIME = 7


def code(letters: str) -> int:
    """A code of up to eight letters as events carry it."""
    return int.from_bytes(letters.encode("ascii"), "big")


def letters(number: int) -> str:
    """The letters of a code; bytes that are no ASCII text show as `?`."""
    width = max(1, (number.bit_length() + 7) // 8)
    return number.to_bytes(width, "big").decode("ascii", "replace").replace("\ufffd", "?")
