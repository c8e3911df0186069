"""`hft.wire_backtest`: a backtest in which every message and every order passes as bytes of the wire.

    result = hft.wire_backtest(QueueImbalance, tape, folder="day.journal",
                               feed_latency="50us", order_latency="100us",
                               limits=hft.Limits(position_lots=1_000))

The tape is played by our own exchange, whose matching engine has the tape's orders and ours in the
same queues. It says what happens as ITCH in MoldUDP64; the runner's `take`, the one that runs live,
answers with OUCH in SoupBinTCP. Both are in this process, in lockstep on the tape's time, with
latencies in between (`wire_steps.py`): no socket, no clock, the same bytes each time.

The folder holds the runner's journal: `hft replay`, `hft tca`, `hft.journal_result` read it as any
runner's. The strategy is laid out from its text in there, so what ran is what a replay runs.

Worst case: an answer, then the tape ends: what is on its way arrives, orders are taken back as at
the end of a live day.
"""

from __future__ import annotations

import base64
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hftlib import __version__
from hftlib.core import jit
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.instruments import Instruments
from hftlib.core.journal.kinds import CONNECTED
from hftlib.core.journal.writing import Journal
from hftlib.core.soup.server import ANSWER_BYTES
from hftlib.core.times import Duration, duration_ns
from hftlib.engine.live.laying import FeedPlan, LinkPlan
from hftlib.engine.live.making import laid
from hftlib.engine.live.memory import ENDED, FAULTS
from hftlib.engine.live.taking import due, take
from hftlib.engine.log import HORIZONS_NS
from hftlib.engine.seats import open_orders
from hftlib.research import wire_memory as m
from hftlib.research.journal_result import journal_result
from hftlib.research.limits_text import limits_text
from hftlib.research.lineup import is_by_name, lineup
from hftlib.research.result import Result
from hftlib.research.setting_up import horizons_of, limits_of, tape_of
from hftlib.research.strategy_text import strategy_text
from hftlib.research.tape import Tape
from hftlib.research.wire_exchange import LEAD_NS, USER, has_orders, opened
from hftlib.research.wire_steps import BEAT_NS, frame, go
from hftlib.terminal import patience
from hftlib.venue.floor import obeying, playing
from hftlib.venue.floor.exchange import Exchange

STEPS = 1 << 16  # between two looks at Ctrl-C
LATENCY_NS_MAX = 60 * 1_000_000_000
LEAVE_NS = 2_000_000_000  # for orders to be taken back at the end
PATIENCE_S, LOOK_S = 5.0, 0.0005
_WHERE = "hft.wire_backtest(strategy, tape, folder=...)"


def wire_backtest(
    strategy: Any,
    tape: Any,
    *,
    folder: Path | str,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    feed_latency: Duration = 0,
    order_latency: Duration = 0,
    limits: Any = None,
    horizons: Sequence[Duration] = HORIZONS_NS,
) -> Result:
    """Run it, write its journal, and read the journal: `feed_latency` is from the exchange,
    `order_latency` to it and, with answers, back."""
    horizons_of(horizons)
    place = Path(folder)
    require_new(place)
    about, recorded = described(
        strategy,
        tape,
        params=params,
        feed_ns=_latency(feed_latency, "feed_latency"),
        order_ns=_latency(order_latency, "order_latency"),
        limits=limits,
    )
    with opened(recorded) as exchange:
        run_on_wire(about, exchange, recorded, place)
    return journal_result(place, horizons=horizons)


def described(
    strategy: Any, tape: Any, *, params: Any, feed_ns: int, order_ns: int, limits: Any
) -> tuple[dict[str, Any], Tape]:
    """What the runner is made of, all but the exchange's part: plain values; and the tape."""
    strategies, recorded, held = lineup(strategy, params), tape_of(tape), limits_of(limits)
    for name, one in strategies.items():
        if name != one.name:
            raise InputError(
                f"A runner calls {one.name} by the name of its class, not {name}",
                where=_WHERE,
                do="Give the class, or a list of classes.",
            )
    held.require_symbols(recorded.symbols)
    held.require_strategies(list(strategies))
    if not recorded.orderly:
        warnings.warn(
            f"Times of {recorded.path.name} go back in places; there, the highest so far counts.",
            stacklevel=3,
        )
    return {
        "what": "runner",
        "mode": "wire",
        "hftlib": __version__,
        "strategies": [_told(one) for one in strategies.values()],
        "limits": "" if limits is None else limits_text(held),
        "tape": recorded.path.name,
        "tape_digest": recorded.digest,
        "tape_events": len(recorded),
        "feed_latency_ns": feed_ns,
        "order_latency_ns": order_ns,
    }, recorded


def _told(strategy: Any) -> dict[str, Any]:
    kind = type(strategy)
    values = {
        name: one.item() if hasattr(one, "item") else one
        for name, one in strategy.parameters.items()
    }
    named = {"named": f"{kind.__module__}:{kind.__name__}", "class": kind.__name__}
    text = "" if kind.__module__.startswith("hftlib.") else strategy_text(kind)
    return {**named, "params": values, "text": text}


def run_on_wire(about: dict[str, Any], exchange: Exchange, tape: Tape, folder: Path) -> dict:
    """The whole day, into a journal; counts of what was done."""
    session, first = exchange.parts.feed.session.decode().strip(), int(exchange.record["now"][0])
    table = _instruments(exchange, tape)
    venue, midnight = table[0].venue, exchange.midnight
    about |= {
        "instruments": base64.b64encode(table.table.tobytes()).decode(),
        "feeds": [asdict(FeedPlan(venue, midnight, False, session))],
        "links": [asdict(LinkPlan(venue, USER, midnight))],
    }
    wire = _Wire(about, exchange, first)
    with Journal.create(folder, about, time=first) as journal, patience() as advance:
        wire.record["journal"] = journal.address
        wire.journal = journal
        span = max(1, tape.end - first)
        wire.until(
            tape.end + int(wire.record["feed_ns"]),
            lambda: advance(min(1.0, (wire.now - first) / span), "on the wire"),
        )
        wire.ends()
        journal.close({"why": wire.why}, time=wire.now)
    if wire.why:
        raise HostError(f"The runner stopped: {wire.why}", where=str(folder), do=_do(wire.why))
    return wire.counts


class _Wire:
    """Both sides, joined; `until` lets them run."""

    def __init__(self, about: Mapping[str, Any], exchange: Exchange, first: int) -> None:
        self.live, self.exchange = laid(about), exchange
        self.journal: Journal | None = None
        self.memory = m.wire_memory()
        self.address = int(self.memory.ctypes.data)
        self.record = self.memory[: m.WIRE.itemsize].view(m.WIRE)[0]
        record, flow = self.record, exchange.flow
        assert flow is not None
        record["live"], record["floor"] = self.live.address, exchange.floor
        record["tape"] = flow.address  # type: ignore[attr-defined]
        for name, entry in (
            *(("take", take), ("due", due), ("play", playing.play)),
            *(("following", obeying.following), ("pass_time", obeying.pass_time)),
        ):
            record[name] = jit.entry_address(entry)
        record["feed_ns"] = about["feed_latency_ns"]
        record["order_ns"] = record["report_ns"] = about["order_latency_ns"]
        record["now"] = record["next_tick"] = first
        record["next_beat"] = first + BEAT_NS
        feed = exchange.parts.feed.session
        record["session"] = np.frombuffer(feed.ljust(10)[:10], np.uint8)
        (stream,) = exchange.parts.entry.streams
        name = stream.encode("ascii").rjust(10).ljust(ANSWER_BYTES)
        record["name"][:ANSWER_BYTES] = np.frombuffer(name, np.uint8)

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
        names = ("steps", "frames", "datagrams", "segments")
        return {name: int(self.record[name]) for name in names}

    def until(self, end: int, turn: Callable[[], Any] = lambda: None) -> None:
        """All that is due by this time, or as far as it can go."""
        self.record["end"] = end
        said = int(go(self.address, STEPS))
        while said in (m.RUNS, m.WAITS):
            if said == m.WAITS:
                self._wait()
            turn()
            said = int(go(self.address, STEPS))

    def ends(self) -> None:
        """The strategies' last word; what they have standing is taken back."""
        said = np.array([ENDED, 0], np.int64)
        if not self.why:
            frame(self.address, CONNECTED, 0, said.ctypes.data, said.nbytes)
        last = self.now + LEAVE_NS
        while not self.why and self.now < last and open_orders(self.live.session.address):
            self.until(self.now + LEAVE_NS // 100)

    def _wait(self) -> None:
        """For the journal's next segment, which another thread makes."""
        assert self.journal is not None
        until = time.monotonic() + PATIENCE_S
        sequence = self.journal.sequence
        while not self._has_segment() and time.monotonic() < until and not self.journal.why:
            time.sleep(LOOK_S)
        if not self._has_segment():
            raise HostError(
                f"The journal takes nothing more: {self.journal.why or 'no segment is made'}",
                where=f"{self.journal.folder}, behind frame {sequence:,}",
                do="Give the disk room, and run it again in another folder.",
            )

    def _has_segment(self) -> bool:
        assert self.journal is not None
        return bool(self.journal._record["next_segment"])


def _instruments(exchange: Exchange, tape: Tape) -> Instruments:
    """What is traded, in the tape's order, in the units of the wire: 0.0001 and shares."""
    parts, table = exchange.parts, Instruments()
    ticks = dict(zip(parts.symbols, parts.ticks, strict=True))
    for row in tape.rows:
        one = tape.instruments[row]
        if one.symbol in ticks and (one.symbol, one.venue) not in table._index:
            table.add(
                one.symbol,
                venue=one.venue,
                currency=one.currency,
                calendar=one.calendar,
                tick=int(ticks[one.symbol]),
                round_lot=one.round_lot,
            )
    return table


def _latency(given: Any, name: str) -> int:
    ns = duration_ns(given, field=name)
    if not 0 <= ns <= LATENCY_NS_MAX:
        raise InputError(
            f"{given!r} is no latency of a wire",
            where=f"hft.wire_backtest({name}=...)",
            do="Give 0 to a minute, one way, such as '50us'.",
        )
    return ns


def require_new(folder: Path) -> None:
    """Refuse before the run what could not be written."""
    if folder.exists():
        raise StateError(
            "There is something already",
            where=str(folder),
            do="A journal is never written twice: name another folder, or remove this one.",
        )
    if not folder.absolute().parent.is_dir():
        raise InputError(
            f"There is no folder {str(folder.parent)!r}",
            where=_WHERE,
            do="Make it first, or name another.",
        )


def _do(_why: str) -> str:
    return "Look at what it did: hft journal show, hft replay."


_ = (LEAD_NS, has_orders, is_by_name)
