"""Parent orders as every room sees them: one wish of a strategy, worked by many small orders.

    DRAFT  ─ what a strategy asks for ─▶ PARENT ─ children ─▶ orders (`hftlib.core.orders`)
                                            ▲ fills, ends ──────┘

A child bears its parent's number, its low sixteen bits, in `parent` of ORDER. What a parent may
still ask for is its quantity, less what is filled, less all that its children may yet come to: a
child counts until its end is known, and where an end does not add up (it took less off than there
was, so a fill must have been lost) what is missing counts on, as `unknown`. So a report that is
lost or late can only make a parent ask for less. Whatever would go beyond is refused
(ABOVE_PARENT), and the parent is halted.

    RUNNING ─ pause ─▶ PAUSED ─ resume ─▶ RUNNING
       └──────┴── cancel, time over ─▶ ENDING ─ no child open ─▶ DONE
       └──────┴── asked for more than it may ─▶ HALTED: children are taken back, for good

Worst case: PARENTS_MAX - 1 parents at once, LEGS_MAX open children each; more are refused.
"""

from __future__ import annotations

from hftlib.core.records import record

PARENTS_MAX = 64
PARENT_BITS = 0xFFFF  # of a parent's number, by which its children name it
LEGS_MAX = 8
FOREVER = 2**62
NO_LIMIT = -(2**60)  # as a limit price: none
ONE = 10**9  # shares are counted in billionths
QUANTITY_MAX = 2**53
SLICES_MAX = 4096

ALGORITHMS = (
    ("", ""),
    ("TWAP", "the same share in each slice of the time"),
    ("VWAP_CURVE", "each slice what the curve of volume says"),
    ("POV", "a share of what the market prints"),
    ("ICEBERG", "rests at its limit and shows `display` of it at a time"),
    ("PEG", "stands at the market's price and moves with it"),
    ("IS", "more at the beginning: Almgren and Chriss' trajectory (implementation shortfall)"),
    ("SWEEP", "takes at every venue what is cheapest, fees counted, so that it arrives together"),
    ("SPLIT", "stands at every venue, as much as is likely to be filled there"),
    ("POST", "stands at the one venue where standing is worth most"),
    ("MANUAL", "the strategy sends the children: `ctx.child`"),
)
TWAP, VWAP_CURVE, POV, ICEBERG, PEG, IS, SWEEP, SPLIT, POST, MANUAL = range(1, 11)
PRIMARY, MID, OPPOSITE = range(1, 4)  # what a peg stands at: our side's best, the middle, theirs
FINISH, SHOWN_BY_VENUE = 1, 2  # flags of a draft

FREE, RUNNING, PAUSED, ENDING, HALTED, DONE = range(6)
STATES = ("free", "running", "paused", "ending", "halted", "done")
# What a strategy may tell a parent.
STOP_PARENT, PAUSE_PARENT, RESUME_PARENT = range(1, 4)

DRAFT = record(
    "draft",
    192,
    """
    0    algo        int64    one of the algorithms below
    8    side        int64    BUY or SELL
    16   quantity    int64    lots
    24   limit       float64  price no child goes beyond; NO_LIMIT: none
    32   seconds     float64  how long it may work; 0: until it is filled or cancelled
    40   delay       float64  seconds until it begins
    48   slices      int64    parts of its time; 0: twenty
    56   jitter      float64  share of a slice by which each begins later, drawn from `seed`
    64   patience    float64  seconds behind until it takes; below 0: half a slice, or 1
    72   rate        float64  its share of all volume, its own counted
    80   urgency     float64  how front-loaded, as `hft.urgency` computes it; 0 is a TWAP
    88   display     int64    lots that show at a time; 0: all
    96   peg         int64    PRIMARY our side's best, MID the middle, OPPOSITE theirs
    104  offset      int64    ticks from there, towards the other side
    112  clip        int64    lots that the smallest child has; 0: the round lot
    120  gap         float64  seconds at least between two moves of its children
    128  flags       int64    1: finish, beyond the end if need be; 2: the venue shows `display`
    136  seed        int64    of its jitter
    """,
)
LEG = record(
    "leg",
    64,
    """
    0   order       int64  our number of the child; 0 none, or not sent yet
    8   instrument  int64
    16  price       int64  it shall have
    24  quantity    int64  planned, while it is not sent
    32  due         int64  when it shall be sent; FOREVER: it was
    40  asked       int64  the most the child ever asked for; only the gate lets it rise
    48  takes       int64  1: for the moment only
    """,
)
PARENT = record(
    "parent",
    1024,
    """
    0    id          int64   counted up from 1; its slot is id & mask
    8    algo        int64   as in ALGORITHMS
    16   instrument  int64
    24   side        int64   BUY or SELL
    32   quantity    int64   all it asks for, in lots
    40   limit       int64   price no child goes beyond; NO_LIMIT none
    48   begin       int64   ns
    56   end         int64   FOREVER: none
    64   state       int64   1 running, 2 paused, 3 ending, 4 halted, 5 done
    72   reason      int64   why it was halted, paused or refused; 0 otherwise
    80   filled      int64   of all its children
    88   value       int64   sum of fill price times fill quantity
    96   fees        int64   money paid, rebates negative
    104  twice_mid   int64   best bid plus best ask when it began; NO_PRICE unknown
    112  volume_from int64   lots the market had printed when it began
    120  next        int64   when to look at it again
    128  seed        int64
    136  slices      int64
    144  jitter      int64   billionths of a slice
    152  rate        int64   billionths of the volume
    160  display     int64
    168  peg         int64
    176  offset      int64   ticks
    184  flags       int64   FINISH, SHOWN_BY_VENUE
    192  urgency     float64
    200  patience    int64   ns
    208  gap         int64   ns
    216  clip        int64
    224  moved       int64   when its children were last moved
    232  refusals    int64   of children, in a row
    240  retry       int64   no child before this
    248  older       int64   the highest order number when it began: its children have higher ones
    256  children    int64   sent so far
    264  behind      int64   since when it is behind its schedule; FOREVER: it is not
    272  due         int64   lots that its schedule wants by now
    280  done        int64   when it ended, 0 not yet
    288  worked      int64   1: it looks for venues; 0: at its own instrument only
    296  tries       int64   plans of a route that brought nothing, in a row
    304  strategy    int64
    312  unknown     int64   lots of children that ended or are cut off, of which no word came
    512  legs        leg[8]
    """,
    leg=LEG,
)
PARENT_BYTES, LEG_BYTES = PARENT.itemsize, LEG.itemsize
LEGS_AT = 512

PLACE = record(
    "place",
    256,
    """
    0    peer        int64  the next row of the same symbol; itself where there is no other
    8    latency     int64  ns from sending to the venue, a mean of late; -1 unknown
    16   bid         int64  best prices when last looked
    24   ask         int64
    32   bid_since   int64  when they became so
    40   ask_since   int64
    48   bid_life    int64  ns that a best price stands, a mean of late; 0 unknown
    56   ask_life    int64
    64   printed     int64  lots printed here since it is watched
    72   hidden      int64  of these, what was not shown
    80   watched     int64  since when; 0 not yet
    88   down_until  int64  the venue is left out until then
    96   downs       int64  how often in a row
    104  tried_price int64[2]  of the bids, of the asks: the best price when we last took there
    120  tried       int64[2]  lots we sent to take since it is the best
    136  tried_time  int64[2]
    152  curve_at    int64  its first point in the array of points; -1 no curve
    160  curve_count int64  points, the last is the whole day's
    168  curve_step  int64  ns between points
    176  curve_from  int64  a midnight where its venue is, ns
    184  rejected    int64  of our routed orders, ever
    192  answered    int64  when it last answered
    """,
)
PLACE_BYTES = PLACE.itemsize

PARENTS = record(
    "parents",
    1024,
    """
    0    parents_at  int64  bytes from this header to each array
    8    places_at   int64
    16   points_at   int64
    24   mask        int64  slots, less one
    32   instruments int64
    40   last        int64  the highest number given
    48   next        int64  when the first of them wants to be looked at; FOREVER
    56   active      int64  how many are not done
    72   grouped     int64  1: a symbol trades at several venues
    80   own_prints  int64  1: our fills are in the volume the market prints; in a backtest not
    88   started     int64  ever
    96   halted      int64  ever
    104  ended       int64  ever
    112  points      int64  of all curves
    120  offers_at   int64
    128  log_at      int64  parents at their end; the driver takes them away
    136  log_max     int64
    144  logged      int64
    152  unlogged    int64  that found no room there
    256  slots       int64[64]  of those that are not done
    768  draft       draft
    """,
    draft=DRAFT,
)
DRAFT_AT = 768
