"""Reports of an OUCH gateway: EVENTs as `hftlib/execution/life.py` takes them in.

They wait in the order in which they were made until the driver takes them and sets `reports` to 0,
after each call. Worst case: there is room for sixteen reports of every order; what finds none is
counted in `reports_lost`, and the driver must then refuse to go on.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import ALL, NO_SIDE
from hftlib.execution.ouch.memory import FREE, gateway_at, report_of, route_of


@jit.compiled()
def tell(
    base: int,
    kind: int,
    of: Any,
    other: int,
    price: int,
    quantity: int,
    flags: int,
    sequence: int,
    time: int,
    received: int,
) -> None:
    """A report about the order of a WORKING or a COMMAND; `price` is the venue's, told in ours."""
    event = _next(base)
    units = route_of(base, of.instrument).units
    event.time, event.received, event.sequence = time, received, sequence
    event.reference, event.other = of.order, other
    event.price, event.quantity = price * units, quantity
    event.instrument, event.side = of.instrument, of.side
    event.kind, event.flags = kind, flags


@jit.compiled()
def refuse(base: int, command: Any, kind: int, reason: int, quantity: int) -> None:
    """A command that does not leave, or whose order never did: no venue has a say in it."""
    event = _next(base)
    event.time = event.received = gateway_at(base).time
    event.sequence = 0
    event.reference, event.other = command.order, reason
    event.price, event.quantity = 0, quantity
    event.instrument, event.side = command.instrument, command.side
    event.kind, event.flags = kind, 0
    gateway_at(base).refused += 1


@jit.compiled()
def cut_off(base: int) -> None:
    """Nobody knows what becomes of the orders there."""
    event = _next(base)
    event.time = event.received = gateway_at(base).time
    event.sequence = 0
    event.reference = event.other = event.price = event.quantity = 0
    event.instrument, event.side = ALL, NO_SIDE
    event.kind, event.flags = orders.DISCONNECTED, 0


@jit.compiled()
def end_replace(base: int, working: Any, number: int, time: int, received: int) -> None:
    """An order is over, or as good as over: a replace of it that is not answered never will be."""
    if working.asked_urn != 0 or working.replaces != 0 or working.reduce != 0:
        working.asked_urn, working.replaces, working.reduce = 0, 0, 0
        kind = orders.REPLACE_REJECTED
        tell(base, kind, working, orders.NO_ORDER, 0, 0, 0, number, time, received)


@jit.inlined
def open_of(working: Any) -> int:
    """What is still to be filled."""
    return max(0, working.asked - working.filled)


@jit.inlined
def is_over(working: Any) -> bool:
    return working.filled >= working.asked


@jit.inlined
def forget(working: Any) -> None:
    """The order is over; what is told of it now is late."""
    working.state = FREE


@jit.inlined
def _next(base: int) -> Any:
    """Room for one report; the last is written over when there is none."""
    gateway = gateway_at(base)
    if gateway.reports == gateway.reports_max:
        gateway.reports_lost += 1
        gateway.reports -= 1
    gateway.reports += 1
    return report_of(base, gateway.reports - 1)
