"""The memory of execution: orders, positions, what goes out, and the log of what is over.

    execution ─ header
      orders[id & mask]     every open order; slot 0 stays empty for ever and stands for none
      positions[instrument] with one spare row behind the last
      commands[...]         what this event made us send; the driver takes it away after each
      fills[...]            logs: the driver takes them away before they are full
      ended[...]            orders at their end

An order's slot is its number's low bits. A number whose slot is taken by an older order that still
lives is passed over, so numbers rise and slots never collide.

Worst case: as many open orders as there are slots; the next is refused (NO_ROOM).
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.orders import COMMAND, FILL, ORDER
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
    """,
)

execution_at = jit.record_at(EXECUTION)
# In slot 0 is the empty order; behind the positions a spare one for a number that is none.
order_of, order_address = jit.rows(execution_at, ORDER, "orders_at", "order_mask", 1)
position_of, position_address = jit.rows(execution_at, POSITION, "positions_at", "instruments", 1)
command_of, command_address = jit.rows(execution_at, COMMAND, "commands_at", "commands_max")
fill_of, fill_address = jit.rows(execution_at, FILL, "fills_at", "fills_max")
_, ended_address = jit.rows(execution_at, ORDER, "ended_at", "ended_max")


@jit.inlined
def slot_of(base: int, number: int) -> int:
    """The slot of an order that lives; of one that is unknown, the empty one."""
    slot = number & execution_at(base).order_mask
    return slot if order_of(base, slot).id == number else 0
