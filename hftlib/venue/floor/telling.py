"""What an exchange is told while it runs: a doing of its day or a fault, now or at a time.

    tell(exchange, {"do": "halt", "symbols": ["AAA"], "reason": "T1"})
    tell(exchange, {"do": "drop", "line": "a", "chance": 0.1, "for_seconds": 10})
    tell(exchange, {"do": "drop", "over": True})

It is kept in the journal, takes its place among all that is to be done, and is done by a turn, as
what the configuration says. What nobody can understand is refused with a sentence.

Worst case: as many things to do as somebody tells; each is looked at once, when it is due.
"""

from __future__ import annotations

from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.venue.floor import doings
from hftlib.venue.floor.doings import FaultTable
from hftlib.venue.floor.faults import AT_ONCE

TOLD_MAX = 10_000
WHERE = "what the exchange is told"


def tell(exchange: Any, said: dict[str, Any]) -> list[str]:
    """What could not be done of it, if its time is now; nothing if all is well."""
    one = _understood(exchange, said)
    if exchange.is_over:
        raise StateError("The day is over", where=WHERE, do="Start another exchange.")
    if exchange.told >= TOLD_MAX:
        do = "Start another exchange."
        raise StateError(f"It was told {TOLD_MAX:,} things, and takes no more", where=WHERE, do=do)
    exchange.set_time()
    exchange.keeping.told(int(exchange.record["now"][0]), doings.as_said(one))
    hear(exchange, said)
    before = len(exchange.notes)
    exchange.passes(max(exchange.clock.now(), int(exchange.record["now"][0])))
    return list(exchange.notes[before:])


def hear(exchange: Any, said: dict[str, Any]) -> None:
    """It takes its place, at the time at which it was told."""
    one, now = _understood(exchange, said), int(exchange.record["now"][0])
    exchange.told += 1
    to_be_done = exchange.faults if isinstance(one, FaultTable) else exchange.schedule
    to_be_done.add(one, now, exchange.midnight)


def _understood(exchange: Any, said: dict[str, Any]) -> doings.DoingTable | FaultTable:
    one = doings.told(said, WHERE)
    users = [login.user for login in exchange.parts.entry.logins]
    doings.require_known(one, WHERE, exchange.parts.symbols, users)
    if isinstance(one, FaultTable) and one.over and one.do in AT_ONCE:
        do = "Tell the exchange only what lasts that it is over, such as drop."
        raise InputError(f"{one.do!r} is done at once and has no end", where=WHERE, do=do)
    return one
