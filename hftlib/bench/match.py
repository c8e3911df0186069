"""`hft bench match`: what the matching engine needs for an order, from command to report.

    add      a limit order rests, in a hot book of one symbol
    cancel   it leaves again
    match    an order takes one that stands, whole: two reports more, and a trade kept
    mixed    all three by turns, as other engines are measured
    cut off  one command that cancels 10,000 orders, as when a session is lost

Commands lie ready in memory, and reports are taken (their count set back) every so often, as a
process does that polls its sockets. Nothing is left out: numbers are checked and looked up, every
report is written in full. The yardstick is the least that any engine must do: read each command,
write a record.

Worst case of the method: a hot book of one symbol is in the cache; a thousand symbols are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.bench.harness import Bench, require_all, require_compiled
from hftlib.core import clock, jit
from hftlib.venue.matching.engine import MatchingEngine, Size
from hftlib.venue.matching.records import (
    BUY,
    CANCEL,
    COMMAND,
    COMMAND_BYTES,
    DAY,
    DISCONNECT,
    ENTER,
    IOC,
    PLAIN,
    REPORT_BYTES,
    SELL,
    SET_STATE,
    SHOWN,
    TRADING,
)
from hftlib.venue.matching.running import run
from hftlib.venue.matching.tables import engine_of

ORDERS = 1_024  # standing at once, half on each side
LEVELS = 32
LAPS = 20
CHUNK = 64  # commands between two takings of reports
MANY = 10_000
BUDGET_NS, BUDGET_CUT_MS = 70.0, 10.0
MIDDLE, TICK = 1_000_000, 100


@jit.compiled("float64(int64, int64, int64)")
def timed(base: int, commands: int, count: int) -> float:
    """Nanoseconds for all of the commands; -1.0 when one was not obeyed."""
    engine = engine_of(base)
    engine.reports_used = 0
    done = 0
    start = clock.monotonic_ns()
    while done < count:
        part = min(CHUNK, count - done)
        if run(base, commands + done * COMMAND_BYTES, part) != part:
            return -1.0
        engine.reports_used = 0
        done += part
    return float(clock.monotonic_ns() - start)


@jit.compiled("float64(int64, int64, int64)")
def copied(commands: int, into: int, count: int) -> float:
    """Nanoseconds to read each command and write a record of a report's size."""
    start = clock.monotonic_ns()
    for n in range(count):
        place = into + (n % CHUNK) * REPORT_BYTES
        jit.copy_words(place, commands + n * COMMAND_BYTES, REPORT_BYTES)
    return float(clock.monotonic_ns() - start)


class Hot:
    """An engine of one symbol and the commands of one lap; each lap leaves it as it was."""

    def __init__(self, orders: int = ORDERS) -> None:
        room = {"levels": 4096, "pages": 1024, "trades": 4096}
        size = Size(orders=orders + 64, sessions=2, firms=2, **room)
        self.engine = MatchingEngine(["AAA"], size=size)
        opening = np.zeros(1, COMMAND)
        opening["kind"], opening["state"] = SET_STATE, TRADING
        self.engine.obey(opening)
        self.adds = self._entered(1, orders)
        self.cancels = np.zeros(orders, COMMAND)
        self.cancels["kind"], self.cancels["session"] = CANCEL, 1
        # In no order of theirs, as owners cancel; the same one in every run.
        self.order = np.random.default_rng(7).permutation(orders)
        self.takes = self._entered(2, orders)
        self.takes["lasts"] = IOC
        self.takes["side"] = np.where(self.adds["side"] == BUY, SELL, BUY)
        self.takes["price"] = np.where(self.takes["side"] == BUY, MIDDLE * 2, TICK * 100)
        self.urns = 0

    def _entered(self, session: int, count: int) -> Any:
        made = np.zeros(count, COMMAND)
        n = np.arange(count)
        made["kind"], made["session"], made["firm"] = ENTER, session, session
        made["style"], made["lasts"], made["shows"] = PLAIN, DAY, SHOWN
        made["side"] = BUY + n % 2
        away = 1 + np.random.default_rng(session).geometric(0.2, count) % LEVELS
        made["price"] = MIDDLE + np.where(made["side"] == BUY, -away, away) * TICK
        made["quantity"] = 100
        return made

    def lap(self) -> tuple[float, float, float, float]:
        """Nanoseconds of adds, cancels, adds again and takes."""
        orders = len(self.adds)
        numbers = self.urns + 1 + np.arange(2 * orders)
        self.urns += 2 * orders
        self.adds["urn"] = numbers[:orders]
        self.cancels["urn"] = numbers[:orders][self.order]
        first = self._timed(self.adds), self._timed(self.cancels)
        self.adds["urn"] = numbers[orders:]
        self.takes["urn"] = numbers[:orders]
        second = self._timed(self.adds), self._timed(self.takes)
        require_all("orders", 0, int(self.engine.header["live"]))
        return *first, *second

    def cut_off(self) -> float:
        """Milliseconds from one command to the last of as many cancels as orders stand."""
        self.adds["urn"] = self.urns + 1 + np.arange(len(self.adds))
        self.urns += len(self.adds)
        self._timed(self.adds)
        require_all("orders", len(self.adds), int(self.engine.header["live"]))
        cut = np.zeros(1, COMMAND)
        cut["kind"], cut["session"] = DISCONNECT, 1
        cost = self._timed(cut) / 1e6
        require_all("orders", 0, int(self.engine.header["live"]))
        return cost

    def _timed(self, commands: Any) -> float:
        return timed(self.engine.address, commands.ctypes.data, len(commands)) / len(commands)

    def costs(self) -> dict[str, float]:
        """Mean nanoseconds an operation over some laps."""
        laps = np.array([self.lap() for _ in range(LAPS)])
        require_all("commands", 1, int((laps > 0).all()))
        added, cancelled, again, taken = laps.mean(0).tolist()
        every = (added + cancelled + again + taken) / 4
        return {"add": (added + again) / 2, "cancel": cancelled, "match": taken, "mixed": every}


def benches() -> list[Bench]:
    """Each beside the least that any engine must do."""
    require_compiled("hft bench match")
    hot, large = Hot(), Hot(MANY)
    into = np.zeros(CHUNK * REPORT_BYTES, np.uint8)

    def least() -> float:
        taken = [
            copied(hot.adds.ctypes.data, into.ctypes.data, ORDERS) / ORDERS for _ in range(LAPS)
        ]
        return float(np.mean(taken))

    def one(name: str) -> Bench:
        return Bench(
            name,
            lambda: hot.costs()[name.split()[0]],
            budget=BUDGET_NS,
            against="read a command, write a record",
            probe=least,
        )

    return [
        one("add an order"),
        one("cancel one"),
        one("match one with one that stands"),
        one("mixed two adds, a cancel, a match"),
        Bench(f"cut off, {MANY:,} orders", large.cut_off, unit="ms", budget=BUDGET_CUT_MS),
    ]
