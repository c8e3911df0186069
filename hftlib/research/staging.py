"""Memory for runs, made of what a backtest is set up from: books as they stand, seats, venues.

    run = prepared(strategies, tape, settings, limits, room, every, horizons)
    stage = staged(...same...); stage.begin()         a run over it as it stands

A stage outlives its run: whoever sets its memory back (`sweep/reruns.py`) begins another over it.
Worst case: the memory of two sets of books, ours and the venue's, and a third for each further
venue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.engine.driving import Backtest
from hftlib.engine.legs import least
from hftlib.engine.session import Session
from hftlib.execution.curves import VolumeCurve
from hftlib.research.clocks import moment
from hftlib.research.opening import opening_events
from hftlib.research.risk_watch import RiskWatch
from hftlib.research.selection import Selection
from hftlib.research.setting_up import every_of, opening_of
from hftlib.research.tape import Tape
from hftlib.risk.limits import Limits
from hftlib.risk.people import Directive, in_order
from hftlib.venue.exchange import Exchange
from hftlib.venue.latency import ENTRY
from hftlib.venue.venue import Venue

_FIRST_EVENTS = 1 << 16


@dataclass(frozen=True)
class Stage:
    """Memory for runs, one after another; `begin` is a run over it as it stands."""

    session: Session
    exchanges: Sequence[Exchange]
    begin: Callable[[], Backtest]


def prepared(*given: Any, **named: Any) -> Backtest:
    """One run over memory of its own: what `staged` takes."""
    return staged(*given, **named).begin()


def staged(
    strategies: Any,
    tape: Tape,
    settings: Mapping[str, Venue],
    limits: Limits,
    room: Capacity,
    every: Any,
    horizons: Sequence[int],
    directives: Sequence[Directive] = (),
    risk_watch: RiskWatch | None = None,
    curves: Mapping[str, VolumeCurve] | None = None,
) -> Stage:
    """Memory for a run, with the books as they stand when the tape begins.

    `strategies` is one, or several by name.
    """
    # Venues that share their settings are one exchange: nothing would tell them apart.
    distinct: list[Venue] = []
    for one in settings.values():
        if not any(one is other for other in distinct):
            distinct.append(one)
    lanes = {
        name: next(n for n, other in enumerate(distinct) if other is one)
        for name, one in settings.items()
    }
    table = list(tape.instruments)
    fees = [settings[one.venue].fees for one in table]
    session = Session(
        tape.instruments,
        strategies,
        limits=limits,
        fees=fees,
        capacity=room,
        curves=curves,
        begin=tape.begin,
    )
    for each in table:
        legs = settings[each.venue].latencies()  # what a route believes until it has measured
        for seat in session.seats:
            seat["venue_places"]["latency"][each.row] = least(legs, (ENTRY,)) or -1
    count = len(session.seats)
    exchanges = [
        Exchange(tape.instruments, one, capacity=room, strategies=count) for one in distinct
    ]
    _stand(session, exchanges, tape)

    def begin() -> Backtest:
        return Backtest(
            session,
            exchanges,
            tape.selection,
            [one.latencies() for one in distinct],
            np.array([lanes[one.venue] for one in table], np.int64),
            every_ns=every_of(every, tape),
            horizons=horizons,
            directives=_directives(session, tape, directives, risk_watch),
            answer=None if risk_watch is None else risk_watch.answer,
        )

    return Stage(session, exchanges, begin)


def _stand(session: Session, exchanges: Sequence[Exchange], tape: Tape) -> None:
    """Bring all books to where they stand when the tape begins."""
    for chunk in opening_events(tape):
        session.books.apply(chunk)
        for exchange in exchanges:
            exchange.books.apply(chunk)
    # Some venues' sources say where a message ends. Then a book is whole only there.
    file = tape.selection.file
    begin = opening_of(Tape(Selection(file, 0, len(file.events))))
    first = file.events[begin : begin + _FIRST_EVENTS]
    ends = set(first["instrument"][first["flags"] & events.LAST != 0].tolist())
    table = list(tape.instruments)
    marking = {each.venue for each in table if each.row in ends}
    for seat in session.seats:
        seat["markets"]["marked"][: len(table)] = [each.venue in marking for each in table]


def _directives(
    session: Session, tape: Tape, given: Sequence[Directive], watch: RiskWatch | None
) -> np.ndarray[Any, Any]:
    """What risk is told on the way, in order of time; clock times are of the tape's first day."""
    rows = []
    for one in given:
        if not isinstance(one, Directive):
            raise InputError(
                f"{shown(one)} tells risk nothing",
                where="hft.backtest(directives=[...])",
                do="Use hft.halt, hft.reduce, hft.lift or hft.set_limit.",
            )
        rows.append(one.row(session.risk, moment(one.at, tape.zone, tape.begin, tape.end, "at")))
    if watch is not None:
        rows.append(watch.rows(session.risk, tape.begin, tape.end))
    return in_order(rows)
