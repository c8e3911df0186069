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

from typing import Any

from hftlib.core import jit
from hftlib.core.orders import COMMAND, COMMAND_BYTES, FILL, FILL_BYTES, ORDER, ORDER_BYTES
from hftlib.core.positions import POSITION, POSITION_BYTES
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
_order_at = jit.record_at(ORDER)
_position_at = jit.record_at(POSITION)
_command_at = jit.record_at(COMMAND)
_fill_at = jit.record_at(FILL)


@jit.inlined
def order_of(base: int, slot: int) -> Any:
    """The order in a slot; in slot 0 is the empty one."""
    return _order_at(order_address(base, slot))


@jit.inlined
def order_address(base: int, slot: int) -> int:
    execution = execution_at(base)
    return jit.nth(base + execution.orders_at, slot, execution.order_mask + 1, ORDER_BYTES)


@jit.inlined
def slot_of(base: int, number: int) -> int:
    """The slot of an order that lives; of one that is unknown, the empty one."""
    slot = number & execution_at(base).order_mask
    return slot if order_of(base, slot).id == number else 0


@jit.inlined
def position_of(base: int, instrument: int) -> Any:
    return _position_at(position_address(base, instrument))


@jit.inlined
def position_address(base: int, instrument: int) -> int:
    execution = execution_at(base)
    count = execution.instruments + 1
    return jit.nth(base + execution.positions_at, instrument, count, POSITION_BYTES)


@jit.inlined
def command_of(base: int, n: int) -> Any:
    return _command_at(command_address(base, n))


@jit.inlined
def command_address(base: int, n: int) -> int:
    execution = execution_at(base)
    return jit.nth(base + execution.commands_at, n, execution.commands_max, COMMAND_BYTES)


@jit.inlined
def fill_of(base: int, n: int) -> Any:
    return _fill_at(fill_address(base, n))


@jit.inlined
def fill_address(base: int, n: int) -> int:
    execution = execution_at(base)
    return jit.nth(base + execution.fills_at, n, execution.fills_max, FILL_BYTES)


@jit.inlined
def ended_address(base: int, n: int) -> int:
    execution = execution_at(base)
    return jit.nth(base + execution.ended_at, n, execution.ended_max, ORDER_BYTES)
