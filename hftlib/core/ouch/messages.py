"""The messages of OUCH 5.0, drawn: those to the venue, and those from it.

One letter can be two messages, one each way: `U` asks for a replace and tells of it. Prices have
four decimals, times are nanoseconds since midnight in New York. A message is known by its user
reference (`urn`), which whoever sends it counts up from 1, for the day.

Where a drawing ends with `appendage`, that is the length of what follows: optional fields
(`hftlib.core.ouch.options`). The other types may be followed by the same, with a length of its own,
since newer editions of OUCH put one behind every message; captured ones have none there.

Worst case: nothing is checked here but that a drawing covers each byte once.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.jit import WireMessage

_STAMP = """
    0   type       char
    1   timestamp  u64      ns since midnight in New York
"""
_REPLY = _STAMP + "9 urn u32 user reference\n"
_ORDER = """
    13  side       char     B buy, S sell, T sell short, E sell short, exempt
    14  quantity   u32
    18  symbol     text[8]
    26  price      u64.4
    34  tif        char     0 day, 3 at once or never, 5 GTX, 6 until a time, E after hours
    35  display    char     Y visible, N hidden, A attributed
    36  reference  u64      the venue's number of the order
    44  capacity   char     A agency, P principal, R riskless, O other
    45  iso        char     Y: an intermarket sweep order
    46  cross      char     N none, O opening, C closing, H halt or IPO, S supplemental
    47  state      char     L live, D dead
    48  client_id  text[14]
    62  appendage  u16      bytes of optional fields
"""
_TO_VENUE = {
    ("O", "enter", 47): """
        0   type       char
        1   urn        u32
        5   side       char     B buy, S sell, T sell short, E sell short, exempt
        6   quantity   u32      below 1,000,000
        10  symbol     text[8]
        18  price      u64.4    at most 0x7735939C; 0x7FFFFFFF: at the market
        26  tif        char     0 day, 3 at once or never, 5 GTX, 6 until a time, E after hours
        27  display    char     Y visible, N hidden, A attributed
        28  capacity   char     A agency, P principal, R riskless, O other
        29  iso        char     Y: an intermarket sweep order
        30  cross      char     N none, O opening, C closing, H halt or IPO, S supplemental
        31  client_id  text[14]
        45  appendage  u16      bytes of optional fields
    """,
    ("U", "replace", 40): """
        0   type       char
        1   original   u32      user reference of the order that is there
        5   urn        u32      that of the one that takes its place
        9   quantity   u32      all it asks for, what is filled included
        13  price      u64.4
        21  tif        char
        22  display    char
        23  iso        char
        24  client_id  text[14]
        38  appendage  u16
    """,
    ("X", "cancel", 9): """
        0   type       char
        1   urn        u32
        5   quantity   u32      all it may come to, what is filled included; 0: nothing more
    """,
    ("M", "modify", 10): """
        0   type       char
        1   urn        u32
        5   side       char     another kind of sale
        6   quantity   u32      all it may come to, what is filled included
    """,
    ("C", "mass cancel", 19): """
        0   type       char
        1   urn        u32
        5   firm       text[4]
        9   symbol     text[8]  blank: all
        17  appendage  u16
    """,
    ("D", "disable entry", 11): "0 type char\n1 urn u32\n5 firm text[4]\n9 appendage u16",
    ("E", "enable entry", 11): "0 type char\n1 urn u32\n5 firm text[4]\n9 appendage u16",
    ("Q", "account query", 1): "0 type char",
}


def _later(drawing: str, by: int) -> str:
    """The rows of a drawing, so many bytes further on."""
    rows = [row.split(None, 1) for row in filter(None, map(str.strip, drawing.splitlines()))]
    return "\n".join(f"{int(at) + by} {rest}" for at, rest in rows)


_FROM_VENUE = {
    ("S", "system event", 10): _STAMP + "9 event char S start of day, E end of day",
    ("A", "accepted", 64): _REPLY + _ORDER,
    ("U", "replaced", 68): _STAMP
    + "9 original u32 user reference of the order that went\n13 urn u32\n"
    + _later(_ORDER, 4),
    ("C", "cancelled", 18): _REPLY + "13 quantity u32 taken off now\n17 reason char",
    ("D", "cancelled by AIQ", 32): _REPLY
    + """
        13  quantity   u32      taken off now
        17  reason     char     Q
        18  prevented  u32      shares that would have met an order of our own
        22  price      u64.4    at which they would have
        30  liquidity  char
        31  strategy   char     of AIQ
    """,
    ("E", "executed", 36): _REPLY
    + """
        13  quantity   u32
        17  price      u64.4
        25  liquidity  char     A added, R removed, ...
        26  match      u64
        34  appendage  u16
    """,
    ("B", "broken", 36): _REPLY + "13 match u64\n21 reason char\n22 client_id text[14]",
    ("J", "rejected", 29): _REPLY + "13 reason u16\n15 client_id text[14]",
    ("P", "cancel pending", 13): _REPLY,
    ("I", "cancel rejected", 13): _REPLY,
    ("T", "priority update", 30): _REPLY + "13 price u64.4\n21 display char\n22 reference u64",
    ("M", "modified", 18): _REPLY + "13 side char\n14 quantity u32 open now",
    ("R", "restated", 16): _REPLY + "13 reason char\n14 appendage u16",
    ("X", "mass cancelled", 27): _REPLY + "13 firm text[4]\n17 symbol text[8]\n25 appendage u16",
    ("G", "entry disabled", 19): _REPLY + "13 firm text[4]\n17 appendage u16",
    ("K", "entry enabled", 19): _REPLY + "13 firm text[4]\n17 appendage u16",
    ("Q", "account", 13): _STAMP + "9 next_urn u32 the next user reference it would take",
}

INBOUND: dict[str, WireMessage] = {
    letter: jit.wire_message(f"ouch to venue {letter} {name}", size, body)
    for (letter, name, size), body in _TO_VENUE.items()
}
OUTBOUND: dict[str, WireMessage] = {
    letter: jit.wire_message(f"ouch {letter} {name}", size, body)
    for (letter, name, size), body in _FROM_VENUE.items()
}
INBOUND_CODEC = jit.wire_codec(INBOUND)
OUTBOUND_CODEC = jit.wire_codec(OUTBOUND)
RECORD_BYTES_MAX = max(INBOUND_CODEC.record_bytes_max, OUTBOUND_CODEC.record_bytes_max)

PRICE_MAX = 0x7735939C
PRICE_MARKET = 0x7FFFFFFF
QUANTITY_END = 1_000_000  # every quantity is below it
URN_MAX = 0xFFFF_FFFF
