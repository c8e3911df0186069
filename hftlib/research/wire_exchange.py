"""Our own exchange, opened for a tape and left without sockets: the other side of a wire backtest.

    exchange = opened(tape)          as `hft exchange --tape` would play it, with one account
    exchange.places                  what a runner has to know of it
    exchange.flow                    the tape, at its own times

Its clock begins LEAD_NS before the tape, so that a session stands when the first event comes. What
`venue/floor` opens to listen is closed again before anything happens: bytes go through memory.

Worst case: the memory of an exchange, which is bounded by its settings and not by the tape.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hftlib.core.errors import InputError
from hftlib.research.clocks import date_of
from hftlib.research.tape import Tape
from hftlib.venue.floor.configuration import AccountTable, ClockTable, Configuration
from hftlib.venue.floor.exchange import Exchange
from hftlib.venue.floor.keeping import Keeping
from hftlib.venue.floor.tape_demo import of_tape
from hftlib.venue.floor.tape_opening import TapeFlow

LEAD_NS = 1_000_000_000
USER, PASSWORD = "frm1a", "none"
_WHERE = "hft.wire_backtest(strategy, tape)"


@contextmanager
def opened(tape: Tape) -> Iterator[Exchange]:
    """The exchange that plays this tape; closed afterwards."""
    require_playable(tape)
    with TemporaryDirectory(prefix="hft-wire-") as folder:
        path = tape.path
        if not tape.selection.is_whole:
            path = Path(folder) / "part.tape"
            tape.save(path)
        given = _configuration(str(path), tape)
        exchange = Exchange(given, tape.begin - LEAD_NS, kept=Keeping(given))
        exchange.parts.close()  # nobody comes by a socket
        assert isinstance(exchange.flow, TapeFlow)
        exchange.flow.record["begin"] = exchange.flow.record["first"]  # the tape's own times
        try:
            yield exchange
        finally:
            for name in ("before", "time"):  # or it refers to itself, and its memory stays
                vars(exchange.parts.entry).pop(name, None)


def require_playable(tape: Tape) -> None:
    """Refuse what one exchange in one day of its clock cannot be."""
    venues = sorted({tape.instruments[row].venue for row in tape.rows})
    if len(venues) > 1:
        raise InputError(
            f"The tape is of {len(venues)} venues, {', '.join(venues[:4])}",
            where=_WHERE,
            do="One exchange plays it: take the instruments of one venue by tape.only(...).",
        )
    first, last = (date_of(ns, tape.zone) for ns in (tape.begin - LEAD_NS, tape.end))
    if first != last:
        raise InputError(
            f"The tape goes from {first} to {last}, and a session is one day",
            where=_WHERE,
            do=f"Take one day of it, by the clock of {tape.zone}: tape[begin:end].",
        )


def _configuration(path: str, tape: Tape) -> Configuration:
    """As `of_tape` has it, with a clock in lockstep and one account that nobody else has."""
    given = of_tape(path)
    exchange = given.exchange.model_copy(
        update={
            "connections_max": 1,
            # All that is said at one moment: then it is on its way, and forgotten.
            "feed_messages_max": 1 << 20,
            "feed_store_bytes_max": 1 << 26,
            "session_messages_max": 1 << 17,
            "session_store_bytes_max": 1 << 23,
        }
    )
    clock = ClockTable(pace="lockstep", date=date_of(tape.begin, tape.zone), zone=tape.zone)
    account = AccountTable(user=USER, password=PASSWORD, firm=given.firms[0].name)
    update = {"exchange": exchange, "clock": clock, "accounts": [account]}
    return given.model_copy(update=update)
