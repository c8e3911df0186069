"""Reports: what the venue answers, written where its driver finds them.

A report is an EVENT of a report kind, with the venue's view beside it. They wait in the order in
which they were made until the driver takes them and sets `reports_used` to 0.

Worst case: one event or command makes more reports than there is room for. What does not fit is
counted in `reports_lost`, and the driver must then refuse to go on.
"""

from __future__ import annotations

from typing import Any

from hftlib.book import reading
from hftlib.core import jit
from hftlib.core.orders import ACCEPTED, CANCELED, FILLED, REPLACED, TAKER
from hftlib.venue.tables import REPORT_BYTES, event_at, report_at, venue_at


@jit.compiled()
def report(
    address: int, own: Any, kind: int, time: int, other: int, price: int, quantity: int, flags: int
) -> None:
    """A report about an order of ours that is there."""
    made = _make(address, kind, time, own.instrument)
    event = event_at(made)
    event.reference = own.id
    event.other = other
    event.side = own.side
    event.price = price
    event.quantity = quantity
    event.flags = flags
    beside = report_at(made)
    beside.entered = own.entered
    beside.ahead = own.placed
    beside.strategy = own.strategy


@jit.compiled()
def refuse(address: int, command: Any, kind: int, time: int, reason: int) -> None:
    """A refusal, which needs no order to be there."""
    made = _make(address, kind, time, command.instrument)
    event = event_at(made)
    event.reference = command.order
    event.other = reason
    event.side = command.side
    event.price = 0
    event.quantity = command.quantity
    event.flags = 0
    beside = report_at(made)
    beside.entered = 0
    beside.ahead = 0
    beside.strategy = command.strategy


@jit.inlined
def accepted(address: int, own: Any, time: int) -> None:
    report(address, own, ACCEPTED, time, own.number, own.price, own.quantity - own.filled, 0)


@jit.inlined
def replaced(address: int, own: Any, time: int) -> None:
    report(address, own, REPLACED, time, own.number, own.price, own.quantity - own.filled, 0)


@jit.inlined
def canceled(address: int, own: Any, time: int, reason: int) -> None:
    ended(address, own, CANCELED, time, reason)


@jit.inlined
def ended(address: int, own: Any, kind: int, time: int, reason: int) -> None:
    """CANCELED, or EXPIRED where its time in force says so."""
    report(address, own, kind, time, reason, 0, own.quantity - own.filled, 0)


@jit.inlined
def filled(address: int, own: Any, time: int, price: int, quantity: int, taker: int) -> None:
    venue = venue_at(address)
    venue.match += 1
    report(address, own, FILLED, time, venue.match, price, quantity, TAKER if taker != 0 else 0)


@jit.compiled()
def _make(address: int, kind: int, time: int, instrument: int) -> int:
    """The address of a new report; the last one is written over when there is no room."""
    venue = venue_at(address)
    venue.reports += 1
    if venue.reports_used == venue.reports_max:
        venue.reports_lost += 1
        venue.reports_used -= 1
    made = address + venue.reports_at
    made = jit.nth(made, venue.reports_used, venue.reports_max, REPORT_BYTES)
    venue.reports_used += 1
    event = event_at(made)
    event.time = time
    event.received = 0
    event.sequence = venue.reports
    event.instrument = instrument
    event.kind = kind
    twice_mid = reading.NO_PRICE
    if instrument < venue.instruments:
        twice_mid = reading.twice_mid(address + venue.books_at, instrument)
    report_at(made).twice_mid = twice_mid
    return made
