"""`hft bench backtest`: what an event of a backtest costs, beside hftbacktest on the same feed.

    hft bench backtest                                   orders of a synthetic market, exact queues
    hft bench backtest --peer .peers/bin/python          and a level feed, in turns with the peer
    hft bench backtest FILE.npz --peer .peers/bin/python the same over a recording of its format

The strategies are `Watch` and `GridMaker`; the peer's, in `peers/strategies.py`, do the same to the
last order. Both sides have a latency of 1 ms each way, a risk-averse queue, whole fills and, ours,
all limits on. Costs are the thread's own time, so that what else runs on a shared host counts for
neither; compiling is left out. Every fill of one is looked for among the other's.

`make peers` installs the peer. Worst case: each turn of the peer compiles anew, some 10 s.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hftlib as hft
from hftlib.bench.grid_maker import GridMaker, Watch
from hftlib.bench.harness import Measurement, host, pinned, require_compiled
from hftlib.core.errors import HostError, InputError
from hftlib.engine.driving import Backtest
from hftlib.engine.log import HORIZONS_NS
from hftlib.feed.recorded_npz import HftBacktestSource
from hftlib.research.lineup import lineup
from hftlib.research.setting_up import first_room, settings_of
from hftlib.research.staging import prepared
from hftlib.research.tape import Tape, to_tape

PEERS = Path(__file__).parent / "peers"
FEED_EVENTS, EVENTS_A_LOOK = 1_000_000, 50
LATENCY = "1ms"
PEER_RUNS, PEER_SECONDS_MAX = 3, 900
BUDGET = 0.5  # of the peer, on the same feed
RULES = {"spread_ticks": 1, "gap_ticks": 1, "order_lots": 15, "skew_ticks": 1}
RULES |= {"position_max_lots": 150}
LIMITS = hft.Limits(position_lots=10**6, order_quantity_lots=10**5, open_orders=100, messages=10**6)
Advance = Callable[[int, str], None]


@dataclass
class Reading:
    """All rows of one `hft bench backtest`."""

    events: dict[str, int]
    measurements: list[Measurement]
    fills: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        from dataclasses import asdict

        rows = [asdict(row) for row in self.measurements]
        told = {"host": host(), "events": self.events, "measurements": rows}
        return told | ({"fills": self.fills} if self.fills else {})


def read(path: Path | None, runs: int, python: str | None, advance: Advance) -> Reading:
    """Measure; `python` is the peer's interpreter, `path` a recording in its format."""
    require_compiled("hft bench backtest")
    if path is not None and python is None:
        raise InputError(
            "A recording is for the comparison with the peer",
            where="hft bench backtest FILE",
            do="Add --peer .peers/bin/python; `make peers` installs it.",
        )
    with pinned(0):
        orders = to_tape(hft.synthetic(symbols=5, seconds=1_200, seed=7))
        advance(1, "order by order")
        reading = Reading({"orders": len(orders)}, _order_rows(orders, runs))
        if python is not None:
            with tempfile.TemporaryDirectory(prefix="hft-bench-") as folder:
                _compare(reading, path, Path(folder), runs, python, advance)
    return reading


def _order_rows(tape: Tape, runs: int) -> list[Measurement]:
    """Order by order, with exact queue positions, beside the books alone.

    A look every fifty events, as on the level feed: a synthetic market is quieter than that feed.
    """
    step = {"step_ns": tape.duration * EVENTS_A_LOOK // len(tape)}
    rules = step | {"spread_ticks": 1, "order_lots": 100, "position_max_lots": 1_000}
    named: tuple[tuple[str, Any, Any], ...] = (
        ("orders, watch", Watch, step),
        ("orders, quote: exact queue", GridMaker, rules),
        ("orders, two that watch", {"one": Watch, "two": Watch}, [step, step]),
        ("orders, two that quote", {"one": GridMaker, "two": GridMaker}, [rules, rules]),
    )
    books = [_books_alone(tape) for _ in range(runs + 1)][1:]
    rows = []
    for name, strategy, params in named:
        costs = [_run(strategy, tape, params, "auto")[0] for _ in range(runs + 1)][1:]
        rows.append(_row(name, costs, "the books alone, once", statistics.median(books)))
    return rows


def _compare(
    reading: Reading, path: Path | None, folder: Path, runs: int, python: str, advance: Advance
) -> None:
    feed = path or folder / "made.npz"
    if path is None:
        _peer(python, "level_feed.py", str(feed), "--events", str(FEED_EVENTS), "--seed", "1")
    tape = _level_tape(feed)
    reading.events["levels"] = len(tape)
    for n, (name, strategy, params) in enumerate(
        (("watch", Watch, {}), ("quote", GridMaker, RULES))
    ):
        advance(2 + n, f"levels, {name}, in turns with the peer")
        ours, theirs, run, said = [], [], None, {}
        _run(strategy, tape, params, "risk-averse")  # compiles
        for _ in range(max(1, runs // PEER_RUNS)):
            for _ in range(PEER_RUNS):
                cost, run = _run(strategy, tape, params, "risk-averse")
                ours.append(cost)
            said = json.loads(
                _peer(
                    python, "run_hftbacktest.py", str(feed), "--strategy", name,
                    "--runs", str(PEER_RUNS),
                )
            )  # fmt: skip
            theirs.append(float(said["own_ns_per_event"]))
        row = _row(f"levels, {name}", ours, "", None)
        peer = statistics.median(theirs)
        reading.measurements.append(
            Measurement(
                row.name, "ns", row.median, row.best, row.runs, BUDGET * peer,
                said["peer"], peer, row.median / peer,
            )
        )  # fmt: skip
        if name == "quote":
            reading.fills = _agreement(run, tape, said["fills"])


def _agreement(run: Any, tape: Tape, theirs: list[list[int]]) -> dict[str, Any]:
    """Which fills only one of the two has; orders are numbered anew, each in order of sending."""
    tick = tape.instruments[0].tick
    numbers = {int(number): n + 1 for n, number in enumerate(run.orders["id"])}
    ours = {
        (
            numbers[int(fill["order"])],
            1 if fill["side"] == 1 else -1,
            int(fill["price"]) // tick,
            int(fill["quantity"]),
            int(fill["time"]),
            int(fill["received"]),
        )
        for fill in run.fills
    }
    other = {tuple(int(value) for value in fill) for fill in theirs}
    return {
        "ours": len(ours),
        "peer": len(other),
        "equal": len(ours & other),
        "only ours": sorted(ours - other)[:10],
        "only the peer": sorted(other - ours)[:10],
    }


def _run(strategy: Any, tape: Tape, params: Any, queue: str) -> tuple[float, Backtest]:
    """One backtest: ns of this thread per event, and the run."""
    one = lineup(strategy, params)
    venue = hft.Venue(
        feed_latency="recorded" if queue != "auto" else "500us",
        order_latency=LATENCY,
        queue=queue,
        partial_fills=queue == "auto",
    )
    run = prepared(one, tape, settings_of(venue, tape), LIMITS, first_room(tape), None, HORIZONS_NS)
    run.session.connect()
    begun = time.thread_time_ns()
    ended = run.go(lambda _share, _what: None)
    cost = (time.thread_time_ns() - begun) / len(tape)
    assert not ended, ended
    return cost, run


def _books_alone(tape: Tape) -> float:
    books = hft.Books(tape.instruments, capacity=first_room(tape))
    begun = time.thread_time_ns()
    for chunk in tape.chunks():
        books.apply(chunk)
    return (time.thread_time_ns() - begun) / len(tape)


def _row(name: str, costs: list[float], against: str, probe: float | None) -> Measurement:
    median = statistics.median(costs)
    ratio = median / probe if probe else None
    return Measurement(name, "ns", median, min(costs), len(costs), None, against, probe, ratio)


def _level_tape(feed: Path) -> Tape:
    """Our tape of the same file, with the units its maker used."""
    return to_tape(HftBacktestSource(feed, symbol="MADE", tick_size="0.1", lot_size="0.001"))


def _peer(python: str, script: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [python, str(PEERS / script), *arguments],
            capture_output=True,
            text=True,
            timeout=PEER_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(
            f"The peer's Python {python!r} did not run {script}: {error}",
            where="hft bench backtest --peer",
            do="Run `make peers` and give .peers/bin/python.",
        ) from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing was said"]
        raise HostError(
            f"The peer's {script} ended with {done.returncode}: {last[0]}",
            where="hft bench backtest --peer",
            do="Run `make peers` again, or look at hftlib/bench/peers/README.md.",
        )
    return done.stdout


def table(reading: Reading) -> Any:
    """The rows, and whether the fills agree."""
    from rich.console import Group

    from hftlib.bench.harness import table as measured_table

    made = measured_table(reading.measurements, "backtest, a thread's own ns per event")
    if not reading.fills:
        return made
    fills = reading.fills
    told = f"fills: {fills['ours']:,} ours, {fills['peer']:,} the peer's, {fills['equal']:,} equal"
    return Group(made, told)
