"""What is on a tape, at a glance: counts by kind and by instrument, spans, rates.

One compiled pass over the events. Worst case: 160 bytes for each instrument of the table, and the
speed of memory: a quarter of a second for ten million events.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.records import record
from hftlib.core.times import duration_text
from hftlib.feed.walk import event_address, event_at, walk_at
from hftlib.research.clocks import clock_text
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.tape import Tape
from hftlib.terminal import patience

KINDS = 20  # the known ones, and one for all others
STEP_EVENTS = 1 << 20
_OTHER = KINDS - 1
_NO_ROW = ("(every instrument)", "(no instrument)")

SPANS = record(
    "tape spans",
    48,
    """
    0   sequence_least  int64  of those that are not 0; 0 without any
    8   sequence_most   int64
    16  received        int64  events that say when they were received
    24  untimed         int64  events without a time
    32  back            int64  events with a time lower than that of the event before
    40  latest          int64  time of the last event
    """,
)
_spans_at = jit.record_at(SPANS)
_counts_at = jit.array_at(np.int64)


@jit.compiled("void(int64, int64, int64, int64, int64, int64)")
def _tally(
    walk_address: int, first: int, last: int, spans_address: int, counts_address: int, rows: int
) -> None:
    """Count some of the walk's events by instrument and kind; two rows more for the others."""
    walk = walk_at(walk_address)
    spans = _spans_at(spans_address)
    counts = _counts_at(counts_address, (rows + 2) * KINDS)
    for n in range(first, last):
        event = event_at(event_address(walk, n))
        row = event.instrument
        if row >= rows:
            row = rows if row == events.ALL else rows + 1
        counts[row * KINDS + min(event.kind, _OTHER)] += 1
        if event.sequence != 0:
            if event.sequence < spans.sequence_least or spans.sequence_least == 0:
                spans.sequence_least = event.sequence
            spans.sequence_most = max(spans.sequence_most, event.sequence)
        spans.received += event.received != 0
        spans.untimed += event.time == 0
        spans.back += n > 0 and event.time < spans.latest
        spans.latest = event.time


@dataclass(frozen=True, repr=False)
class Summary(Shown):
    """What is on a tape. `as_json()` has all of it, the sheets the top instruments."""

    tape: str
    source: str
    digest: str
    zone: str
    events: int
    instruments: int
    begin: int
    end: int
    sequence: tuple[int, int]
    received: int
    times_back: int
    untimed: int
    kinds: dict[str, int]
    by_instrument: dict[str, dict[str, int]]
    met: dict[str, int]
    top: int

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        made = asdict(self)
        del made["top"]
        return made

    @property
    def per_second(self) -> float:
        """Events in a second, on average."""
        span = self.end - self.begin
        return self.events * 1e9 / span if span > 0 else float(self.events)

    def sheets(self) -> list[Sheet]:
        low, high = self.sequence
        facts: list[tuple[Any, ...]] = [
            ("source", self.source),
            ("events", f"{self.events:,}, {self.per_second:,.0f} a second"),
            (
                "instruments",
                f"{self.instruments:,}, {len(self.by_instrument.keys() - _NO_ROW):,} with events",
            ),
            ("from", clock_text(self.begin, self.zone) if self.events else "-"),
            ("to", clock_text(self.end, self.zone) if self.events else "-"),
            ("lasts", duration_text(max(0, self.end - self.begin))),
            ("sequence", f"{low:,} to {high:,}" if high else "none"),
            ("receive times", f"{self.received:,} events have one"),
            ("times going back", f"{self.times_back:,} events"),
            ("without a time", f"{self.untimed:,} events"),
            ("digest", self.digest),
        ]
        made = [Sheet(f"Tape {self.tape}", ("", ""), facts)]
        total = max(1, self.events)
        kinds = [(k, n, f"{n / total:.2%}") for k, n in self.kinds.items()]
        met = [(name, count) for name, count in self.met.items() if len(name) > 1]
        if met:  # beside messages by their letter: what was cut off, garbled or passed over
            made.append(Sheet("Met while it was read", ("what", "times"), met))
        made.append(Sheet("By kind", ("kind", "events", "share"), kinds))
        ranked = sorted(self.by_instrument.items(), key=lambda row: -sum(row[1].values()))
        rows = [_ranked(symbol, kinds, total) for symbol, kinds in ranked[: self.top]]
        if rest := ranked[self.top :]:
            events = sum(sum(kinds.values()) for _, kinds in rest)
            rows.append((f"{len(rest):,} others", events, f"{events / total:.2%}", "", ""))
        heads = ("instrument", "events", "share", "orders added", "trades")
        return [*made, Sheet("By instrument", heads, rows)]


def _ranked(symbol: str, kinds: dict[str, int], total: int) -> tuple[Any, ...]:
    events = sum(kinds.values())
    traded = sum(kinds.get(kind, 0) for kind in ("EXECUTE", "TRADE", "CROSS"))
    return symbol, events, f"{events / total:.2%}", kinds.get("ADD", 0), traded


def summarised(tape: Tape, top: int = 10) -> Summary:
    """Read the tape once and say what is on it."""
    rows, spans = len(tape.instruments), np.zeros(1, SPANS)
    counts = np.zeros((rows + 2, KINDS), np.int64)
    with patience() as advance:
        for first in range(0, len(tape), STEP_EVENTS):
            last = min(first + STEP_EVENTS, len(tape))
            places = (spans.ctypes.data, counts.ctypes.data, rows)
            _tally(tape.selection.walk_address, first, last, *places)
            advance(last / len(tape), "counting")
    found, names = spans[0], [*tape.instruments.symbols, *_NO_ROW]
    return Summary(
        tape=tape.path.name,
        source=tape.name,
        digest=tape.digest,
        zone=tape.zone,
        events=len(tape),
        instruments=len(tape.rows),
        begin=tape.begin,
        end=tape.end,
        sequence=(int(found["sequence_least"]), int(found["sequence_most"])),
        received=int(found["received"]),
        times_back=int(found["back"]),
        untimed=int(found["untimed"]),
        kinds=_named(counts.sum(axis=0)),
        by_instrument={
            names[row]: _named(counts[row]) for row in np.flatnonzero(counts.any(axis=1)).tolist()
        },
        met=tape.counts,
        top=top,
    )


def _named(counts: np.ndarray[Any, Any]) -> dict[str, int]:
    names = (*events.KINDS, "unknown kind")
    return {names[kind] or "no kind": int(counts[kind]) for kind in np.flatnonzero(counts).tolist()}
