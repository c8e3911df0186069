"""Both sides of a wire backtest joined, and let run: the Python around `wire_steps.go`.

    done = run_on_wire(about, exchange, tape, folder)      a whole day into a journal: its counts

`about` becomes the journal's first frame, and the runner is laid out from it as a replay does. The
last frame says what came of the tape on the exchange.

Worst case: the journal's next segment is not made in PATIENCE_S; that ends the run with a sentence.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.instruments import Instruments
from hftlib.core.journal.kinds import CONNECTED
from hftlib.core.journal.writing import Journal
from hftlib.core.soup.server import ANSWER_BYTES
from hftlib.engine.driving import FULL
from hftlib.engine.live.laying import FeedPlan, LinkPlan
from hftlib.engine.live.making import laid
from hftlib.engine.live.memory import ENDED, FAULTS
from hftlib.engine.live.taking import due, take
from hftlib.engine.seats import open_orders
from hftlib.research import wire_memory as m
from hftlib.research.tape import Tape
from hftlib.research.wire_exchange import USER
from hftlib.research.wire_steps import frame, go
from hftlib.terminal import patience
from hftlib.venue.floor import obeying, playing
from hftlib.venue.floor.exchange import Exchange

STEPS = 1 << 16  # between two looks at Ctrl-C
STILL_MAX = 2  # times so many, at one moment
LEAVE_NS = 2_000_000_000  # for orders to be taken back at the end
PATIENCE_S, LOOK_S = 5.0, 0.0005
Array = np.ndarray[Any, Any]


def run_on_wire(
    about: Mapping[str, Any],
    exchange: Exchange,
    tape: Tape,
    folder: Path,
    **settings: Any,
) -> dict[str, int]:
    """The whole day; counts of what was done. `settings` are the journal's."""
    session, first = exchange.parts.feed.session.decode().strip(), exchange.clock.first
    table = instruments_of(exchange, tape)
    venue, midnight = table[0].venue, exchange.midnight
    said = {
        **about,
        "instruments": base64.b64encode(table.table.tobytes()).decode(),
        "feeds": [asdict(FeedPlan(venue, midnight, has_recovery=False, session=session))],
        "links": [asdict(LinkPlan(venue, USER, midnight))],
    }
    wire, span = Wire(said, exchange), max(1, tape.end - first)
    with Journal.create(folder, said, time=first, **settings) as journal, patience() as advance:
        wire.writes(journal)

        def turn() -> None:
            advance(min(1.0, (wire.now - first) / span), "on the wire")
            wire.require_room()

        wire.until(tape.end + int(wire.record["feed_ns"]), turn)
        wire.ends()
        wire.require_room()
        journal.close({"why": wire.why, "exchange": wire.counts}, time=wire.now)
    if wire.why:
        raise HostError(
            f"The runner stopped: {wire.why}",
            where=str(folder),
            do="Look at what it did until then: `hft journal show`, `hft replay`.",
        )
    return wire.counts


class Wire:
    """Runner and exchange, and what is on its way between them."""

    def __init__(self, about: Mapping[str, Any], exchange: Exchange) -> None:
        self.live, self.exchange = laid(about), exchange
        self.journal: Journal | None = None
        self.memory = m.wire_memory()
        self.address = int(self.memory.ctypes.data)
        record, flow = self.record, exchange.flow
        assert flow is not None
        record["live"], record["floor"] = self.live.address, exchange.floor
        record["tape"] = flow.address  # type: ignore[attr-defined]
        for what, entry in (
            *(("take", take), ("due", due), ("play", playing.play)),
            *(("following", obeying.following), ("pass_time", obeying.pass_time)),
        ):
            record[what] = jit.entry_address(entry)
        record["feed_ns"] = about["feed_latency_ns"]
        record["order_ns"] = record["report_ns"] = about["order_latency_ns"]
        for what in ("now", "next_tick", "next_beat"):
            record[what] = exchange.clock.first
        record["session"] = np.frombuffer(exchange.parts.feed.session.ljust(10)[:10], np.uint8)
        (stream,) = exchange.parts.entry.streams
        name = stream.encode("ascii").rjust(10).ljust(ANSWER_BYTES)
        record["name"][:ANSWER_BYTES] = np.frombuffer(name, np.uint8)

    @property
    def record(self) -> Any:
        """The WIRE record."""
        return self.memory[: m.WIRE.itemsize].view(m.WIRE)[0]

    @property
    def now(self) -> int:
        return int(self.record["now"])

    @property
    def why(self) -> str:
        """Why it could not go on; empty: it could."""
        status = int(self.record["status"])
        if status == m.FAULT:
            return FAULTS[int(self.record["fault"])]
        if status == m.JOURNAL_FULL and self.journal is not None:
            return f"{m.STATUSES[status]}: {self.journal.why or 'no room'}"
        return m.STATUSES[status]

    @property
    def counts(self) -> dict[str, int]:
        """What was done, and what came of the tape, by name."""
        names = ("steps", "frames", "datagrams", "segments")
        flow = self.exchange.flow
        found = {name: int(self.record[name]) for name in names}
        pipes = ("feed", "orders", "reports")
        found["bytes_on_way_max"] = max(int(self.record[name]["most"]) for name in pipes)
        return found | (flow.counts if flow is not None else {})

    def writes(self, journal: Journal) -> None:
        """Everything goes there from now on."""
        self.journal, self.record["journal"] = journal, journal.address

    def until(self, end: int, turn: Callable[[], None] = lambda: None) -> None:
        """All that is due by this time, or as far as it can go."""
        self.record["end"] = end
        waited, still, before = 0.0, 0, self.now
        while (said := int(go(self.address, STEPS))) in (m.RUNS, m.WAITS):
            if said == m.WAITS:  # for a segment, which another thread makes
                waited += LOOK_S
                self._require_patience(waited)
                time.sleep(LOOK_S)
            else:
                still = still + 1 if self.now == before else 0
                waited, before = 0.0, self.now
                _require_time(still)
                turn()

    def ends(self) -> None:
        """The strategies' last word; what they have standing is taken back."""
        said = np.array([ENDED, 0], np.int64)
        if not self.why:
            frame(self.address, CONNECTED, 0, said.ctypes.data, said.nbytes)
        last = self.now + LEAVE_NS
        while not self.why and self.now < last and open_orders(self.live.session.address):
            self.until(self.now + LEAVE_NS // 100)

    def require_room(self) -> None:
        """Neither the runner's books nor the exchange had to leave out an order."""
        impossible = self.live.session.books.header["impossible"]
        short = [name for name, reason in FULL.items() if impossible[reason]]
        if self.counts.get("tape_full"):
            short.append("orders of the exchange")
        if short:
            raise StateError(
                f"The tape has more than there is room for: {', '.join(short)}",
                where="hft.wire_backtest(strategy, tape)",
                do="Take fewer instruments at once: tape.only(...).",
            )

    def _require_patience(self, waited: float) -> None:
        assert self.journal is not None
        if waited > PATIENCE_S or self.journal.why:
            raise HostError(
                f"The journal takes nothing more: {self.journal.why or 'no segment is made'}",
                where=str(self.journal.folder),
                do="Give the disk room, and run it again into another folder.",
            )


def _require_time(still: int) -> None:
    """Whole turns at one moment: nothing that is done takes any time."""
    if still > STILL_MAX:
        raise StateError(
            f"Time stood still for more than {STILL_MAX * STEPS:,} steps: each message makes the"
            " strategy send another, and none of it takes any time",
            where="hft.wire_backtest(...)",
            do='Give latencies: feed_latency="50us", order_latency="100us".',
        )


def instruments_of(exchange: Exchange, tape: Tape) -> Instruments:
    """What is traded, in the tape's order, in the units of the wire: 0.0001 and shares."""
    parts, table = exchange.parts, Instruments()
    ticks = dict(zip(parts.symbols, parts.ticks, strict=True))
    for row in tape.rows:
        one = tape.instruments[row]
        if one.symbol in ticks:
            table.add(
                one.symbol,
                venue=one.venue,
                currency=one.currency,
                calendar=one.calendar,
                tick=int(ticks.pop(one.symbol)),
                round_lot=one.round_lot,
            )
    if not len(table):
        raise InputError(
            "The exchange lists none of the tape's instruments",
            where=repr(tape),
            do="Name a tape of shares, with symbols of at most eight letters.",
        )
    return table
