"""The memory of execution: orders, positions, what goes out, and the log of what is over.

    execution ─ header
      orders[id & mask]     every open order; slot 0 stays empty for ever and stands for none
      positions[instrument] with one spare row behind the last
      commands[...]         what this event made us send; the driver takes it away after each
      fills[...]            logs: the driver takes them away before they are full
      ended[...]            orders at their end
      booked[n & mask]      the last trades that were counted, a ring: number n takes the place of
                            number n - mask - 1
      chains[place]         the number of the newest trade whose order and match fall there; from
                            it the trades lead back, each to the one `before` it in its chain

    chains  0 7 0 9 0 …            a chain ends at 0, or at a number that the ring has
               │   └─ 9 ─▶ 4 ─▶ 0  written over: so nothing is ever taken out of a chain
               └───── 7 ─▶ 0

An order's slot is its number's low bits. A number whose slot is taken by an older order that still
lives is passed over, so numbers rise and slots never collide.

Worst case: as many open orders as there are slots; the next is refused (NO_ROOM). A trade is known
again while it is among the last `booked_mask + 1`; a walk is as long as the trades of one chain.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.orders import COMMAND, FILL, FREE, ORDER, OVER
from hftlib.core.positions import POSITION
from hftlib.core.records import record

EXECUTION = record(
    "execution",
    256,
    """
    0    instruments   int64  how many
    8    orders_at     int64  bytes from this header to each array
    16   positions_at  int64
    24   fees_at       int64
    32   commands_at   int64
    40   fills_at      int64
    48   ended_at      int64
    56   order_mask    int64  slots of orders, less one
    64   commands_max  int64
    72   fills_max     int64
    80   ended_max     int64
    88   commands      int64  waiting to be taken away
    96   fills         int64  in the log
    104  ended         int64  in the log
    112  last_order    int64  the highest number given
    120  open_orders   int64  of all instruments
    128  sent          int64  commands ever
    136  reports       int64  ever
    144  impossible    int64  reports that fit no state of their order
    152  filled        int64  fills ever
    160  order_latency int64  from sending to hearing, of the last order accepted
    168  strategy      int64  whose orders these are
    176  repeated      int64  reports told before
    184  late          int64  reports that something else overtook; fills among them are counted
    192  broken        int64  fills taken back ever
    200  unmatched     int64  broken trades that were not known: told too early, or too old
    208  unknown       int64  open orders of which nobody knows what became of them
    216  booked_at     int64
    224  booked_mask   int64  trades remembered, less one; a power of two less one
    232  chains_at     int64
    240  booked        int64  trades ever remembered: the number of the newest
    248  parents_at    int64  to the header of the parent orders
    """,
)
BOOKED = record(
    "booked trade",
    64,
    """
    0   order       int64   our number of the order
    8   match       int64   the venue's number of the trade
    16  price       int64
    24  quantity    int64
    32  fee         int64   as it was counted
    40  before      int64   number of the trade before it in its chain; 0 none
    48  instrument  uint32
    52  side        uint8
    53  taker       uint8
    54  what        uint8   COUNTED, TAKEN_BACK, AWAITED
    """,
)
COUNTED, TAKEN_BACK = 1, 2
AWAITED = 3  # its break was told, itself not yet

execution_at = jit.record_at(EXECUTION)
# In slot 0 is the empty order; behind the positions a spare one for a number that is none.
order_of, order_address = jit.rows(execution_at, ORDER, "orders_at", "order_mask", 1)
position_of, position_address = jit.rows(execution_at, POSITION, "positions_at", "instruments", 1)
command_of, command_address = jit.rows(execution_at, COMMAND, "commands_at", "commands_max")
fill_of, fill_address = jit.rows(execution_at, FILL, "fills_at", "fills_max")
booked_of, _ = jit.rows(execution_at, BOOKED, "booked_at", "booked_mask", 1)
_, ended_address = jit.rows(execution_at, ORDER, "ended_at", "ended_max")


@jit.inlined
def slot_of(base: int, number: int) -> int:
    """The slot of an order that lives; of one that is unknown, the empty one."""
    slot = number & execution_at(base).order_mask
    return slot if order_of(base, slot).id == number else 0


@jit.inlined
def is_open(state: int) -> bool:
    """Whether an order of this state counts as open: held, under way, at the venue, or unknown."""
    return FREE < state < OVER


@jit.inlined
def is_over(state: int) -> bool:
    """Whether an order of this state has ended."""
    return state >= OVER
