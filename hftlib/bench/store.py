"""`hft bench store`: what it costs to put a tape into the store, and to ask it.

The tape is a synthetic market of some four million events, mapped and warm. Putting it in ends when
every part and the JSON are on the disk; beside it stands the least that keeps such a tape, a copy
of its file, synced. Questions are asked of the store as another process finds it, beside pandas
over `tape.frame()`, which is how the same is had without a store.

Worst case of the method: a disk that others use, and fewer than two free cores; the folder is a
temporary one, so TMPDIR says which disk it is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from hftlib.bench.harness import Bench, require_all, require_compiled

SYMBOLS, SECONDS, RATE = 50, 1200, 50
BUDGET_NS = 200.0  # for an event: five million a second
VOLUMES = (
    "SELECT symbol, count(*) AS n, sum(quantity) AS volume FROM ticks "
    "WHERE kind IN ('EXECUTE', 'TRADE') GROUP BY symbol ORDER BY symbol"
)
_COPY_BYTES = 1 << 23


class Bed:
    """A tape, and stores of it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hft-bench-store-"))
        self._stores = 0

    def done(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def tape(self) -> Any:
        """The market, read into memory once."""
        import hftlib

        market = hftlib.synthetic(symbols=SYMBOLS, seconds=SECONDS, rate=RATE)
        tape = hftlib.to_tape(market, self.folder / "day.tape")
        tape.verify()
        return tape

    @property
    def symbol(self) -> str:
        """One of its stocks."""
        return str(self.tape.symbols[2])

    @cached_property
    def full(self) -> Any:
        """A store that has the tape."""
        store = self._empty()
        store.add(self.tape)
        return store

    def add(self) -> float:
        """ns an event, from the tape to the disk."""
        tape, store = self.tape, self._empty()
        begin = time.perf_counter_ns()
        store.add(tape)
        took = time.perf_counter_ns() - begin
        require_all("events", len(tape), store.entries[0].events)
        shutil.rmtree(store.where)
        return took / len(tape)

    def add_busy(self) -> float:
        """ns of processor time an event, of all threads, which a busy host hardly changes."""
        count, begin = len(self.tape), time.process_time_ns()
        self.add()
        return (time.process_time_ns() - begin) / count

    def copy(self) -> float:
        """The same for the tape's own bytes."""
        target = self.folder / "copy"
        begin = time.perf_counter_ns()
        with self.tape.path.open("rb") as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _COPY_BYTES)
            file.flush()
            os.fsync(file.fileno())
        took = time.perf_counter_ns() - begin
        target.unlink()
        return took / len(self.tape)

    def ask(self, work: Callable[[Any], Any]) -> float:
        """ms of a question to the store."""
        return _milliseconds(partial(work, self.full))

    def over_tape(self, work: Callable[[Any], Any]) -> float:
        """ms of the same in pandas, over all events of the tape."""
        tape = self.tape
        return _milliseconds(lambda: work(tape.frame()))

    def of_slice(self) -> float:
        """ms of the same from the tape's own index."""
        return _milliseconds(partial(_slice, self.tape, self.symbol))

    def trades(self, store: Any) -> Any:
        """Trades of one symbol, as a quant asks for them."""
        return store.ticks(self.symbol, kinds="TRADE", columns=["time", "price", "quantity"])

    def trades_of(self, frame: Any) -> Any:
        """The same in pandas."""
        chosen = frame[(frame["symbol"] == self.symbol) & (frame["kind"] == "TRADE")]
        return chosen[["time", "price", "quantity"]]

    def _empty(self) -> Any:
        import hftlib

        self._stores += 1
        return hftlib.store(self.folder / f"store{self._stores}")


def benches() -> list[Bench]:
    """All rows of `hft bench store`."""
    require_compiled("hft bench store")
    bed = Bed()
    atexit.register(bed.done)
    pandas_too = "pandas over tape.frame()"
    return [
        Bench(
            "a tape into the store, per event",
            bed.add,
            budget=BUDGET_NS,
            against="a copy of its file, synced",
            probe=bed.copy,
        ),
        Bench("likewise, processor time of all threads", bed.add_busy, budget=2 * BUDGET_NS),
        Bench(
            "trades and volume of each symbol, in SQL",
            lambda: bed.ask(lambda store: store.query(VOLUMES)),
            unit="ms",
            against=pandas_too,
            probe=lambda: bed.over_tape(_volumes),
        ),
        Bench(
            "all events of one symbol",
            lambda: bed.ask(lambda store: store.ticks(bed.symbol)),
            unit="ms",
            against="tape[symbol].frame()",
            probe=bed.of_slice,
        ),
        Bench(
            "trades of one symbol, price and quantity",
            lambda: bed.ask(bed.trades),
            unit="ms",
            against=pandas_too,
            probe=lambda: bed.over_tape(bed.trades_of),
        ),
    ]


def _volumes(frame: Any) -> Any:
    traded = frame[frame["kind"].isin(["EXECUTE", "TRADE"])]
    return traded.groupby("symbol", observed=True)["quantity"].agg(["size", "sum"])


def _slice(tape: Any, symbol: str) -> Any:
    return tape[symbol].frame()


def _milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begin) / 1e6
