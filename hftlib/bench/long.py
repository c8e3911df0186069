"""`python -m hftlib.bench.long`: does the memory of backtests grow, with the tape or their number?

    --events 100_000_000    one tape of so many events: a synthetic day, over and over
    --backtests 10_000      so many backtests of its first seconds, one after the other

What is told is memory of the process's own, in MiB: the mapped tape and logs in files are the
system's to forget. Of a long tape the most that was seen ten times a second, then what is left.
Worst case: the tape takes 64 bytes an event on disk, in a temporary folder (TMPDIR).
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.feed.synthetic.market import synthetic
from hftlib.research.backtest import backtest
from hftlib.research.tape import Tape, to_tape
from hftlib.risk.limits import Limits
from hftlib.strategy.library import QueueImbalance
from hftlib.terminal import counted
from hftlib.venue.venue import Venue

PAUSE_NS = 1_000_000_000
SETTINGS: dict[str, Any] = {
    "venue": Venue(feed_latency="50us", order_latency="100us"),
    "limits": Limits(position_lots=1000),
}


class Again:
    """A tape as a source, over and over; each time begins with empty books."""

    name, is_one_stream, share_done = "a day again and again", False, 0.0

    def __init__(self, tape: Tape, count: int) -> None:
        self._tape, self._count = tape, count
        self.instruments = tape.instruments
        self.counts: dict[str, int] = {}

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        day = self._tape.end - self._tape.begin + PAUSE_NS
        given, number = 0, 0
        while given < self._count:
            clear = np.zeros(1, EVENT)
            clear["kind"], clear["instrument"] = events.CLEAR, events.ALL
            clear["time"] = clear["received"] = self._tape.begin + number * day
            yield clear
            for chunk in self._tape.chunks():
                later = chunk.copy()
                for name in ("time", "received"):
                    later[name] += number * day
                yield later
                given += len(later)
                self.share_done = min(1.0, given / self._count)
            number += 1


def own_mib() -> float:
    """Memory that is this process's own and nobody else's, files that are mapped left out."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the kernel does not tell")


class Most:
    """The most memory of our own while inside."""

    def __enter__(self) -> Most:
        self.mib, self._over = own_mib(), threading.Event()
        self._looks = threading.Thread(target=self._look, daemon=True)
        self._looks.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.mib = max(self.mib, own_mib())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looks.join()


def one_long(day: Tape, count: int) -> None:
    """Ever longer parts of one tape; the memory after each."""
    with tempfile.TemporaryDirectory(prefix="hft-long-") as folder:
        tape = to_tape(Again(day, count), Path(folder) / "long.tape")
        for share in (0.001, 0.01, 0.1, 1.0):
            part = tape[: int(len(tape) * share)]
            began = time.perf_counter()
            with Most() as most:
                result = backtest(QueueImbalance, part, **SETTINGS)
                cost = (time.perf_counter() - began) / len(part) * 1e9
                wrong = result.check()
                fills = f"{result.stats['fills']:>9,} fills"
            assert not wrong, wrong
            grown = f"{most.mib:6.0f} MiB at most, {own_mib():6.0f} left"
            print(f"{len(part):>13,} events  {fills}  {cost:5.0f} ns an event  {grown}", flush=True)


def many_short(day: Tape, count: int) -> None:
    """The same backtest again and again; the memory now and then."""
    part = day[:2000]
    with counted("backtests", count) as advance:
        for number in range(1, count + 1):
            backtest(QueueImbalance, part, **SETTINGS)
            advance(number, "")
            if number in (100, 1000) or number == count:
                print(f"{number:>13,} backtests  {own_mib():6.0f} MiB", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m hftlib.bench.long", description=__doc__)
    asked.add_argument("--events", type=int, default=0)
    asked.add_argument("--backtests", type=int, default=0)
    given = asked.parse_args()
    day = to_tape(synthetic(symbols=4, seconds=3600))
    if given.backtests:
        many_short(day, given.backtests)
    if given.events:
        one_long(day, given.events)


if __name__ == "__main__":
    main()
