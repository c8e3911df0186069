"""What goes into the matching engine and what comes out: one record each way.

    COMMAND ─▶ engine ─▶ REPORT, REPORT, ...      in order, numbered, none without a command

A report is what an owner hears, what the public hears, or both at once: `kind` says the first (in
OUCH 5.0's words), `public` the second, as the letter of the ITCH 5.0 message that it makes. What
a report only echoes (minimum, expiry, offset) stands in the command it names.

    kind            owner   quantity      open    shown      other         extra        public
    ACCEPTED        A       entered       all     in book    -             display      A or none
    REJECTED        J       -             -       -          -             -            -
    REPLACED        U       now in all    all     in book    old number    display      U X D A
    CANCELLED       C       taken off     left    taken off  -             -            X D
    PREVENTED       D       taken off     left    taken off  -             prevented    X D
    EXECUTED        E       executed      left    executed   match         -            E C P
    BROKEN          B       executed      -       -          match         -            B, on one
    PRIORITY        T       -             all     in book    old number    -            A or none
    MODIFIED        M       taken off     left    taken off  -             -            X
    CANCEL_REJECTED I       -             -       -          -             -            -
    MASS_CANCELLED  X       orders        -       -          -             -            -
    DISABLED        G       -             -       -          -             -            -
    ENABLED         K       -             -       -          -             -            -
    ACCOUNT         Q       next URN      -       -          -             -            -
    ADDED           nobody  -             all     in book    -             -            A
    CROSSED         nobody  crossed       -       -          match         -            Q
    IMBALANCE       nobody  paired        far     -          near          imbalance    I
    STATE           nobody  -             -       -          -             why          H
    BANDS           nobody  upper         lower   -          -             bps          J
    SYSTEM          nobody  -             -       -          -             letter       S

A market order's price is MARKET. `E` is at the price the public knows; `C` has its own, and is not
to be printed where `printed` is 0; `P` is a trade with an order that nobody sees. A REPLACED with
`D` takes the old number off (what then stands is ADDED), with `U` it puts the new in its place.

Worst case: none, nothing is done here.
"""

from __future__ import annotations

from hftlib.core.records import record

COMMAND = record(
    "matching command",
    128,
    """
    0    time        int64   ns; one that is earlier than the last counts as that
    8    price       int64   limit, four decimals; MARKET: none; CROSS, SET_BANDS: the reference
    16   trigger     int64   of a stop: the trade that wakes it
    24   expire      int64   of GTT: the time from which it is over
    32   quantity    int64   shares in all; CANCEL: what may be executed in all, 0: no more
    40   display     int64   of a reserve order: how much shows at a time; 0: all
    48   minimum     int64   what must be executed at once; 0: nothing
    56   offset      int64   of a peg, added to what it follows
    64   match       int64   BREAK: which trade
    72   client_low  int64   sixteen bytes of the owner's, given back as they came
    80   client_high int64
    88   urn         uint32  the owner's number; of a cancel, the order's
    92   original    uint32  REPLACE: the number it has so far; MEET: of the order that traded
    96   session     uint32  who asks; 0: the exchange itself
    100  symbol      uint32  row of the symbols; ALL: of every one
    104  reason      uint32  SET_STATE: four letters, big-endian
    108  firm        uint16  0: of every one
    110  group       uint16  orders of one firm and group do not meet
    112  kind        uint8   ENTER and the others below
    113  side        uint8   BUY, SELL, SHORT, EXEMPT
    114  style       uint8   PLAIN, STOP, PEG_SAME, PEG_OTHER, PEG_MID
    115  lasts       uint8   DAY, IOC, GTT, GTX
    116  shows       uint8   SHOWN, HIDDEN, ATTRIBUTED
    117  capacity    uint8   a letter, given back
    118  sweep       uint8   likewise: of an intermarket sweep
    119  cross       uint8   CONTINUOUS, OPENING, CLOSING, REOPENING
    120  prevention  uint8   NONE, NEWEST, OLDEST, BOTH, DECREMENT
    121  flags       uint8   POST_ONLY; MEET: UNSEEN, UNPRINTED; SET_BANDS: TELL; else OF_ALL
    122  state       uint8   SET_STATE, CROSS: what it then is
    123  letter      uint8   SYSTEM: the event
    124  bps         uint32  SET_BANDS: how wide, in hundredths of a percent; 0: no bands
    """,
)
REPORT = record(
    "matching report",
    128,
    """
    0    sequence    int64   from 1, without holes
    8    time        int64
    16   command     int64   number of the command that led to it
    24   order       int64   the engine's number of the order
    32   other       int64   by kind, as above
    40   price       int64   the order's, or the trade's
    48   quantity    int64
    56   open        int64
    64   shown       int64   the quantity that the public hears of
    72   extra       int64
    80   client_low  int64   ACCEPTED, REJECTED, REPLACED: as the command had it
    88   client_high int64
    96   urn         uint32
    100  session     uint32  whom it is for
    104  symbol      uint32
    108  firm        uint16
    110  kind        uint8
    111  reason      uint8   one of REASONS
    112  side        uint8
    113  style       uint8
    114  lasts       uint8
    115  shows       uint8
    116  capacity    uint8
    117  sweep       uint8
    118  cross       uint8
    119  prevention  uint8
    120  original    uint32  REPLACED: the number before
    124  public      uint8   the ITCH message's letter; 0: the public hears nothing
    125  liquidity   uint8   a letter: A added, R removed, H added unseen, C in a cross
    126  state       uint8   STATE; IMBALANCE: which side it is on, 0: none
    127  printed     uint8   0: volume that another message counts
    """,
)
COMMAND_BYTES, REPORT_BYTES = COMMAND.itemsize, REPORT.itemsize

ALL = 0xFFFF_FFFF
PRICE_MAX = 0x7735_939C
MARKET = 0x7FFF_FFFF
QUANTITY_MAX = 1_000_000  # orders are smaller

# Commands. The first five are anybody's, the others but MEET of the exchange alone: session 0.
KINDS = (
    *("", "enter", "replace", "cancel", "modify", "account", "mass cancel", "disable", "enable"),
    *("disconnect", "set state", "set bands", "cross", "indicate", "break", "system", "pass time"),
    "meet",
)
ENTER, REPLACE, CANCEL, MODIFY, ACCOUNT, MASS_CANCEL, DISABLE, ENABLE = range(1, 9)
DISCONNECT, SET_STATE, SET_BANDS, CROSS, INDICATE, BREAK, SYSTEM, PASS_TIME = range(9, 17)
MEET = 17  # a session's: what a recorded market did
SIDES = ("", "buy", "sell", "sell short", "sell short exempt")
BUY, SELL, SHORT, EXEMPT = range(1, 5)  # OUCH: B S T E
STYLES = ("", "plain", "stop", "peg to its own side", "peg to the other side", "peg to the middle")
PLAIN, STOP, PEG_SAME, PEG_OTHER, PEG_MID = range(1, 6)  # OUCH says: - - R P M
LASTING = ("", "day", "immediate or cancel", "good till time", "extended hours")
DAY, IOC, GTT, GTX = range(1, 5)  # OUCH: 0 3 6 5
SHOWING = ("", "shown", "hidden", "shown with the firm's name")
SHOWN, HIDDEN, ATTRIBUTED = range(1, 4)  # OUCH: Y N A
CROSSES = ("continuous", "opening", "closing", "reopening")
CONTINUOUS, OPENING, CLOSING, REOPENING = range(4)  # OUCH: N O C H
PREVENTIONS = ("none", "cancel newest", "cancel oldest", "cancel both", "decrement both")
NONE, NEWEST, OLDEST, BOTH, DECREMENT = range(5)
POST_ONLY, UNSEEN, UNPRINTED, TELL = 1, 2, 4, 8
OF_ALL = 16  # MASS_CANCEL: orders of the firm, by whichever session they came
STATES = ("closed", "auction", "trading", "halted", "paused")
CLOSED, AUCTION, TRADING, HALTED, PAUSED = range(5)  # ITCH H: - Q T H P

REPORTS = (
    *("", "accepted", "rejected", "replaced", "cancelled", "prevented", "executed", "broken"),
    *("priority", "modified", "cancel rejected", "mass cancelled", "disabled", "enabled"),
    *("account", "added", "crossed", "imbalance", "state", "bands", "system"),
)
ACCEPTED, REJECTED, REPLACED, CANCELLED, PREVENTED, EXECUTED, BROKEN, PRIORITY = range(1, 9)
MODIFIED, CANCEL_REJECTED, MASS_CANCELLED, DISABLED, ENABLED, ACCOUNTED = range(9, 15)
ADDED, CROSSED, IMBALANCE, STATE, BANDS, SYSTEM_TOLD = range(15, 21)
ADD, EXECUTE, EXECUTE_AT, REDUCE, DELETE, CHANGE = map(ord, "AECXDU")
TRADE, CROSS_TRADE, INDICATION, HALT, COLLAR, BREAKING, EVENT_TOLD = map(ord, "PQIHJBS")
ADDS, REMOVES, ADDS_UNSEEN, IN_CROSS = map(ord, "ARHC")
