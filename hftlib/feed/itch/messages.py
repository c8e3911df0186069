"""The 23 messages of ITCH 5.0, drawn; their codec; and a message as a person reads it.

    message = parse(data)                   <itch A add order locate=13 ... price=185.0100>
    message.stock, message.price            'AAPL', Decimal('185.0100')
    bytes(build("D", reference=7))          a message of our own
    MESSAGES["A"].decode(message, record)   in compiled code: one type, straight-line
    decode(message, length, record)         in compiled code and from Python: any type

`LENGTHS` has the length of each type by its byte, 0 where there is no such type. Times are
nanoseconds since midnight in New York, prices have four decimals, the levels of `V` eight.

Worst case: `decode` and `encode` write nothing for an unknown type or a message too short for its
type; a record must have room for `RECORD_BYTES_MAX`.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.jit import WireMessage
from hftlib.core.message import Message
from hftlib.core.units import shown

_HEADER = """
    0   type       char
    1   locate     u16      the day's number of the stock; 0 for the whole market
    3   tracking   u16      Nasdaq's own
    5   timestamp  u48      ns since midnight in New York
"""
_ADD = """
    11  reference  u64      of the order
    19  side       char     B buy, S sell
    20  shares     u32
    24  stock      text[8]
    32  price      u32.4
"""
_DRAWINGS = {
    ("S", "system event", 12): "11 event char O S Q M E C: the hours of the day's messages",
    ("R", "stock directory", 39): """
        11  stock             text[8]
        19  market_category   char     Q G S Nasdaq tiers, N NYSE, A American, P Arca, Z BATS, V IEX
        20  financial_status  char     N normal, D deficient, E delinquent, Q bankrupt, ...
        21  round_lot         u32      shares
        25  round_lots_only   char     Y or N
        26  classification    char     of the issue
        27  subtype           text[2]  of the issue
        29  authenticity      char     P production, T test
        30  short_sale        char     Y: under the threshold rule
        31  ipo               char
        32  luld_tier         char     1 or 2
        33  etp               char     Y: an exchange traded product
        34  etp_leverage      u32
        38  inverse           char     Y: an inverse product
    """,
    ("H", "stock trading action", 25): """
        11  stock             text[8]
        19  state             char     H halted, P paused, Q quotation only, T trading
        20  reserved          char
        21  reason            text[4]
    """,
    ("Y", "short sale restriction", 20): """
        11  stock             text[8]
        19  action            char     0 none, 1 in effect by a fall today, 2 remains in effect
    """,
    ("L", "market participant position", 26): """
        11  mpid              text[4]
        15  stock             text[8]
        23  primary           char     Y: a primary market maker
        24  mode              char     N normal, P passive, S syndicate, R pre-syndicate, L penalty
        25  state             char     A active, E excused, W withdrawn, S suspended, D deleted
    """,
    ("V", "circuit breaker levels", 35): """
        11  level_1           u64.8
        19  level_2           u64.8
        27  level_3           u64.8
    """,
    ("W", "circuit breaker status", 12): "11 level char 1 2 3, the one that was breached",
    ("K", "quoting period update", 28): """
        11  stock             text[8]
        19  release_time      u32      seconds since midnight
        23  qualifier         char     A anticipated, C cancelled
        24  price             u32.4    of the offering
    """,
    ("J", "auction collar", 35): """
        11  stock             text[8]
        19  reference_price   u32.4
        23  upper             u32.4
        27  lower             u32.4
        31  extension         u32      how often it was extended
    """,
    ("h", "operational halt", 21): """
        11  stock             text[8]
        19  market            char     Q Nasdaq, B BX, X PSX
        20  action            char     H halted, T trading again
    """,
    ("A", "add order", 36): _ADD,
    ("F", "add order, attributed", 40): _ADD + "36 mpid text[4] whose it is",
    ("E", "order executed", 31): """
        11  reference         u64      of the order
        19  shares            u32
        23  match             u64
    """,
    ("C", "order executed with price", 36): """
        11  reference         u64      of the order
        19  shares            u32
        23  match             u64
        31  printable         char     N: left out of volume, because a cross prints it
        32  price             u32.4
    """,
    ("X", "order cancel", 23): """
        11  reference         u64      of the order
        19  shares            u32      taken off
    """,
    ("D", "order delete", 19): "11 reference u64 of the order",
    ("U", "order replace", 35): """
        11  reference         u64      of the order that goes
        19  new_reference     u64      of the order that comes
        27  shares            u32
        31  price             u32.4
    """,
    ("P", "trade", 44): _ADD + "36 match u64 of an order that was never shown",
    ("Q", "cross trade", 40): """
        11  shares            u64
        19  stock             text[8]
        27  price             u32.4
        31  match             u64
        39  cross             char     O opening, C closing, H halt or IPO
    """,
    ("B", "broken trade", 19): "11 match u64 of the trade that never was",
    ("I", "net order imbalance", 50): """
        11  paired            u64      shares
        19  imbalance         u64      shares
        27  direction         char     B buy, S sell, N none, O too few orders, P paused
        28  stock             text[8]
        36  far_price         u32.4
        40  near_price        u32.4
        44  reference_price   u32.4
        48  cross             char     O opening, C closing, H halt or IPO, A extended close
        49  variation         char     how far the near price is from the reference
    """,
    ("N", "retail interest", 20): """
        11  stock             text[8]
        19  interest          char     B buy, S sell, A both, N none
    """,
    ("O", "direct listing", 48): """
        11  stock             text[8]
        19  open_eligible     char     Y or N
        20  price_min         u32.4
        24  price_max         u32.4
        28  near_price        u32.4
        32  near_time         u64      ns since midnight
        40  lower             u32.4
        44  upper             u32.4
    """,
}

MESSAGES: dict[str, WireMessage] = {
    letter: jit.wire_message(f"itch {letter} {name}", size, _HEADER + body)
    for (letter, name, size), body in _DRAWINGS.items()
}
CODEC = jit.wire_codec(MESSAGES)
LENGTHS = CODEC.lengths
RECORD_BYTES_MAX = CODEC.record_bytes_max
LENGTH_MAX = int(LENGTHS.max())

_decode, _encode = CODEC.decode, CODEC.encode


@jit.compiled("int64(int64, int64, int64)")
def decode(message: int, length_bytes: int, record: int) -> int:
    """Read the message there into the record there; the length its type has, 0 for no type."""
    return _decode(message, length_bytes, record)


@jit.compiled("int64(int64, int64, int64)")
def encode(record: int, room_bytes: int, message: int) -> int:
    """Write the record there as a message there; the length its type has, 0 for no type."""
    return _encode(record, room_bytes, message)


def parse(data: bytes) -> Message:
    """The message in these bytes, without its length prefix, or a refusal."""
    if not data:
        raise InputError(
            "There is no message in no bytes",
            where="the bytes given to parse",
            do="Leave out frames of length zero: they end a session.",
        )
    return Message.read(_drawing(chr(data[0])), bytes(data))


def build(letter: str, **values: object) -> Message:
    """A message of this type with these fields; the others are 0 or blank."""
    return Message.of(_drawing(letter), type=letter, **values)


def _drawing(letter: str) -> WireMessage:
    if letter not in MESSAGES:
        raise InputError(
            f"ITCH 5.0 has no message of type {shown(letter)}",
            where="the first byte of the message",
            do=f"The types are {' '.join(MESSAGES)}; check where the message begins.",
        )
    return MESSAGES[letter]
