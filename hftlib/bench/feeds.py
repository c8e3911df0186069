"""`python -m hftlib.bench.feeds`: what it costs that feeds are not equally late.

Five stocks of a synthetic market, each at a venue of its own. With one latency for all they are one
feed; with two and with five different ones each feed has a cursor that looks at every event. All in
turns in one run; a thread's own ns per event, watching only. Worst case: half a minute.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import hftlib as hft
from hftlib.bench.backtest import EVENTS_A_LOOK, LIMITS
from hftlib.bench.grid_maker import Watch
from hftlib.bench.harness import pinned, require_compiled
from hftlib.core.instruments import Instruments
from hftlib.engine.log import HORIZONS_NS
from hftlib.research.setting_up import first_room, settings_of, strategy_of
from hftlib.research.staging import prepared
from hftlib.research.tape import Tape, to_tape

STOCKS, SECONDS, TURNS = 5, 1_200, 5
FEEDS = (1, 2, 5)


class Apart:
    """A tape as a source, each of its stocks at a venue of its own."""

    name, is_one_stream, share_done = "five venues", False, 0.0

    def __init__(self, tape: Tape) -> None:
        self.counts: dict[str, int] = {}
        self.instruments = Instruments()
        for n, one in enumerate(tape.instruments):
            self.instruments.add(one.symbol, venue=f"V{n}", tick=one.tick, round_lot=one.round_lot)
        self._tape = tape

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        yield from self._tape.chunks()


def cost(tape: Tape, feeds: int) -> float:
    """ns of this thread per event, with so many different latencies."""
    venues = {
        f"V{n}": hft.Venue(feed_latency=500_000 + 1_000 * (n % feeds), order_latency="1ms")
        for n in range(STOCKS)
    }
    step = tape.duration * EVENTS_A_LOOK // len(tape)
    one, room = strategy_of(Watch, {"step_ns": step}), first_room(tape)
    run = prepared(one, tape, settings_of(venues, tape), LIMITS, room, None, HORIZONS_NS)
    run.session.connect()
    begun = time.thread_time_ns()
    assert run.go(lambda _share, _what: None) == ""
    return (time.thread_time_ns() - begun) / len(tape)


def main() -> None:
    require_compiled("python -m hftlib.bench.feeds")
    with pinned(0):
        market = to_tape(hft.synthetic(symbols=STOCKS, seconds=SECONDS, seed=7))
        tape = to_tape(Apart(market))
        rows = [[cost(tape, feeds) for feeds in FEEDS] for _ in range(TURNS + 1)][1:]
    for feeds, costs in zip(FEEDS, zip(*rows, strict=True), strict=True):
        print(f"{feeds} feeds  {statistics.median(costs):6.1f} ns an event, best {min(costs):.1f}")


if __name__ == "__main__":
    main()
