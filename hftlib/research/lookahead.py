"""`hft.check_lookahead`: does any decision of the past hang on the future? It is tried out.

    report = hft.check_lookahead(QueueImbalance, tape)
    report.ok, report.findings

At several times the tape is given another future (`futures.py`): once changed all over, once none.
Whatever the strategy sent, and whatever it heard, before that time must be the same to the last
field. Before the first cut the run is repeated as it was: one that is not the same twice proves
nothing.

A strategy cannot see the future through its context; research around it can. Signals computed over
a whole tape are caught where they are made anew for each future: pass `make`, a function of the
tape that returns the strategy.

    report = hft.check_lookahead(lambda tape: with_signal(tape), tape)

A Tape that a strategy holds as a global stands for the other future while that is run. Tables of
numbers it holds cannot be changed from here: they are a finding unless a function makes them.

Worst case: two runs for each cut, and a copy of the tape on disk at a time. Take a slice.
"""

from __future__ import annotations

import html
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import is_whole, shown
from hftlib.feed.source import Source
from hftlib.feed.tape_file import write_tape
from hftlib.research.backtest import ran
from hftlib.research.clocks import clock_text
from hftlib.research.decisions import STEPS, Decisions, Watching
from hftlib.research.futures import FUTURES, Future, time_before
from hftlib.research.lineup import lineup
from hftlib.research.looking_outside import outside_sight
from hftlib.research.setting_up import (
    Settings,
    limits_of,
    settings_of,
    tape_of,
)
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.tape import Tape, open_tape
from hftlib.risk.limits import Limits
from hftlib.terminal import counted

REPEATED = "repeated"
NEVER = 2**63 - 1
CUTS_MAX = 1_000


@dataclass(frozen=True)
class Finding:
    """A decision that is another with another future, or a reason why that cannot be told."""

    what: str  # command, acceptance, end of an order, fill, early end, held from outside
    future: str  # what was done to it: changed, ended, or repeated where nothing was
    cut: int  # from when on the future was another, ns
    time: int  # of the decision, ns
    symbol: str
    before: str
    after: str

    def sentence(self, zone: str) -> str:
        if not self.time:
            return f"{self.before}: {self.after}"
        when = f"{clock_text(self.time, zone)} {self.symbol}".rstrip()
        why = f"with the future {self.future} from {clock_text(self.cut, zone)} on"
        if self.future == REPEATED:
            why = "when the same was run again"
        return f"{when}: the {self.what} was [{self.before}], and [{self.after}] {why}"


@dataclass(frozen=True, repr=False)
class LookAhead(Shown):
    """What came of it. `ok`: with every other future tried, the past was the same."""

    strategy: str
    tape: str
    zone: str
    cuts: tuple[int, ...]
    runs: int
    compared: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        return {"ok": self.ok, **asdict(self)}

    @property
    def verdict(self) -> str:
        if self.findings:
            return f"{self.strategy} on {self.tape}: the past does not stand by itself"
        if not self.compared:
            return f"{self.strategy} on {self.tape}: it sent nothing, so nothing could change"
        return (
            f"{self.strategy} on {self.tape}: {self.compared:,} decisions and answers before"
            f" {len(self.cuts)} cuts are the same with every other future, in {self.runs} runs"
        )

    def sheets(self) -> list[Sheet]:
        heads = ("when", "instrument", "what", "as it was", "and then", "future", "from")
        rows = [
            (
                clock_text(one.time, self.zone) if one.time else "",
                one.symbol,
                one.what,
                one.before,
                one.after,
                one.future,
                clock_text(one.cut, self.zone) if one.cut else "",
            )
            for one in self.findings
        ]
        return [Sheet(self.verdict, heads, rows)]

    def __str__(self) -> str:
        told = [self.verdict, *(one.sentence(self.zone) for one in self.findings)]
        return "\n".join(told)

    def _repr_html_(self) -> str:
        return super()._repr_html_() if self.findings else f"<p>{html.escape(self.verdict)}</p>"


def check_lookahead(
    strategy: Any,
    tape: Tape | Source | Path | str,
    *,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    venue: Settings = None,
    limits: Limits | None = None,
    cuts: int = 8,
    seed: int = 0,
    compiled: bool = True,
) -> LookAhead:
    """Run the strategy, several, or what a function of the tape makes, with other futures."""
    if not is_whole(cuts) or not 1 <= cuts <= CUTS_MAX:
        what = f"{shown(cuts)} is no number of times to cut at"
        raise InputError(what, where="check_lookahead(cuts=...)", do="Give 8, or some more.")
    recorded = tape_of(tape)
    held = tape if isinstance(tape, Tape) else None
    trial = _Trial(strategy, params, venue, limits_of(limits), compiled)
    if len(recorded) < 2:
        raise InputError(
            "A tape of one event has no future to be changed",
            where="hft.check_lookahead(strategy, tape)",
            do="Take a longer slice.",
        )
    places = _places(len(recorded), cuts, seed)
    times = time_before(recorded, places)
    base, name = trial.decisions(recorded)
    findings = []
    if not trial.is_made:
        findings = [one for each in trial.last.values() for one in _held_from_outside(each, held)]
    found = base.differences(trial.decisions(recorded)[0], NEVER, recorded.instruments)
    findings += _findings(found, recorded, REPEATED, 0)
    if not findings:
        futures = [(p, t, kind) for p, t in zip(places, times, strict=True) for kind in FUTURES]
        with counted("other futures", len(futures)) as advance:
            for done, (place, time, kind) in enumerate(futures):
                advance(done, kind)
                with _other_future(Future(recorded, place, kind, time, seed), held) as other:
                    theirs, _ = trial.decisions(other)
                found = base.differences(theirs, time, recorded.instruments)
                findings += _findings(found, recorded, kind, time)
    return LookAhead(
        strategy=name,
        tape=recorded.path.name,
        zone=recorded.zone,
        cuts=tuple(times),
        runs=2 + len(places) * len(FUTURES) if not findings or findings[0].cut else 2,
        compared=base.count(times[-1]),
        findings=tuple(sorted(findings, key=lambda one: (one.cut, one.time))),
    )


class _Trial:
    """The strategy as it is to be run, over any tape."""

    def __init__(
        self, strategy: Any, params: Any, venue: Settings, limits: Limits, compiled: bool
    ) -> None:
        self._strategy, self._params, self._venue = strategy, params, venue
        self._limits, self._compiled = limits, compiled
        self.is_made = callable(strategy) and not hasattr(strategy, "state_dtype")
        self.last: Any = None

    def decisions(self, tape: Tape) -> tuple[Decisions, str]:
        """All that one run decided, and the strategy's name."""
        made = self._strategy(tape) if self.is_made else self._strategy
        self.last = lineup(made, self._params)
        watching = Watching()
        run, ended = ran(
            self.last, tape, settings_of(self._venue, tape), self._limits,
            compiled=self._compiled, every="1s", horizons=(), steps=STEPS, watched=watching,
        )  # fmt: skip
        return Decisions(run, watching, ended), ", ".join(self.last)


def _places(count: int, cuts: int, seed: int) -> list[int]:
    """Where the future begins: all over the tape, not at regular events."""
    chance = np.random.default_rng(seed)
    width = count / (cuts + 1)
    middles = width * np.arange(1, cuts + 1)
    made = middles + width * chance.uniform(-0.5, 0.5, cuts)
    return sorted({int(place) for place in np.clip(made, 1, max(1, count - 1))})


def _held_from_outside(strategy: Any, tape: Tape | None) -> Iterator[Finding]:
    for name, what in outside_sight(strategy, tape):
        do = "pass a function that makes the strategy of a tape, so that it is made anew"
        yield Finding("held from outside", REPEATED, 0, 0, "", f"it uses {name!r}, {what}", do)


def _findings(found: Any, tape: Tape, future: str, cut: int) -> list[Finding]:
    return [
        Finding(
            one.what,
            future,
            cut,
            one.time,
            tape.instruments[one.row].symbol if one.row >= 0 else "",
            one.before,
            one.after,
        )
        for one in found
    ]


@contextmanager
def _other_future(future: Future, held: Tape | None) -> Iterator[Tape]:
    """The tape with that future; whoever holds the tape itself sees this one meanwhile."""
    with tempfile.TemporaryDirectory(prefix="hft-tape-") as folder:
        path = Path(folder) / "other.tape"
        write_tape(path, future)
        other = tape_of(open_tape(path))
        if held is None:
            yield other
            return
        kept = dict(vars(held))
        try:
            vars(held).clear()
            vars(held).update(vars(other))
            yield other
        finally:
            vars(held).clear()
            vars(held).update(kept)
