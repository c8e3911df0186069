"""A backtest from Python: memory for the run, the loop around `advance`, and what it leaves.

    run = Backtest(session, exchanges, walk, latencies, routes)
    run.go(progress)             -> why it ended
    run.fills, run.orders, run.equity, run.markouts

The compiled loop returns every few milliseconds, so Ctrl-C is heard and progress shown; between
two calls nothing of it is in Python. Worst case: memory does not grow with the tape, and with
fills and orders only on disk (`recorder.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import LEVELS_FULL, ORDERS_FULL, PAGES_FULL
from hftlib.core.orders import DONE, FILL, ORDER
from hftlib.engine.backtest import FINISHED, LOGS_FULL, MORE, REPORTS_LOST, advance
from hftlib.engine.flight import FEED_CURSOR, FLIGHT_COMMAND, FLIGHT_REPORT, LANE, RUN
from hftlib.engine.log import EQUITY, HORIZONS_NS, MARKOUT
from hftlib.engine.memory import FOREVER
from hftlib.engine.recorder import Recorder, copied, room_for
from hftlib.engine.session import Session
from hftlib.engine.watching import WAITING, WAITS, WATCH
from hftlib.venue.exchange import Exchange
from hftlib.venue.latency import (
    CANCEL,
    CONSTANT,
    ENTRY,
    FEED,
    LATENCY,
    MEASURED,
    RECORDED,
    REPLACE,
    RESPONSE,
)

STEPS = 1 << 20
STILL_MAX = 1 << 17  # steps at one moment; a flood of all orders there are takes some ten thousand
STANDS_STILL = (
    f"Time stood still for more than {STILL_MAX:,} steps: it answers every report with another"
    " order, and the venue answers at once. Give latencies: hft.Venue(order_latency='250us')."
)
RING = 1 << 14
WAITING_MAX = 1 << 16
LOG_MAX = 1 << 16
FULL = {"orders": ORDERS_FULL, "levels": LEVELS_FULL, "pages": PAGES_FULL}


class Walk(Protocol):
    """What a tape's selection gives: the way through its events."""

    @property
    def walk_address(self) -> int:
        """Where its WALK lies."""

    def __len__(self) -> int: ...


class Backtest:
    """One run over one walk through a tape."""

    def __init__(
        self,
        session: Session,
        exchanges: Sequence[Exchange],
        walk: Walk,
        latencies: Sequence[np.ndarray[Any, Any]],
        routes: np.ndarray[Any, Any],
        *,
        every_ns: int,
        horizons: Sequence[int] = HORIZONS_NS,
    ) -> None:
        self.session, self.exchanges = session, exchanges
        self._held: list[Any] = [walk, latencies, routes]
        self._moment, self._since = (-1, -1), 0
        self._logs = {
            "fills": Recorder(FILL),
            "ended": Recorder(ORDER),
            "equity": Recorder(EQUITY),
            "markouts": Recorder(MARKOUT),
        }
        feeds = feeds_of(latencies)
        self._run = np.zeros(1, RUN)
        self._watch = self._watching(every_ns, len(session.instruments))
        self._waits = self._waiting((0, *horizons), max(feeds) + 1)
        self.commands: list[np.ndarray[Any, Any]] = []  # the ring of each lane, for who looks on
        run = self._run[0]
        run["session"] = session.address
        run["walk"], run["watch"] = walk.walk_address, self._watch.ctypes.data
        run["routes"], run["lane_count"] = routes.ctypes.data, len(latencies)
        run["entry_least"] = min(least(legs, (ENTRY, CANCEL, REPLACE)) for legs in latencies)
        run["response_least"] = min(least(legs, (RESPONSE,)) for legs in latencies)
        run["lanes"] = self._lanes(latencies)
        self._listen(feeds, latencies, routes)
        self.count = len(walk)

    def go(self, progress: Callable[[float, str], None], steps: int = STEPS) -> str:
        """Run to the end: "" at the end of the tape, else a sentence."""
        while True:
            status = advance(self._run.ctypes.data, steps)
            self._take_logs()
            progress(self.seen / max(1, 2 * self.count), "running the tape")
            if status == FINISHED:
                return ""
            if self.short_of_room:
                return "the books had too little room"
            if status == REPORTS_LOST:
                return "more commands or reports were under way than there is room for"
            if self._stands_still():
                return STANDS_STILL
            assert status in (MORE, LOGS_FULL)

    def _stands_still(self) -> bool:
        """Whether each answer makes the strategy send more, and none of it takes any time.

        It is noticed after two calls of the compiled loop.
        """
        moment = int(self.session.arena["session"]["time"][0]), self.seen
        if moment != self._moment:
            self._moment, self._since = moment, self.steps
        return self.steps - self._since > STILL_MAX

    @property
    def short_of_room(self) -> list[str]:
        """Which arrays of the books ran full: nothing after that is right."""
        books = [self.session.books, *(one.books for one in self.exchanges)]
        return [
            name
            for name, reason in FULL.items()
            if any(one.header["impossible"][reason] for one in books)
        ]

    @property
    def fills(self) -> np.ndarray[Any, Any]:
        """Every fill, with the middle of the book just before it where the tape still knew it."""
        fills = copied(self._logs["fills"].rows())
        marks = self._logs["markouts"].rows()
        before = marks[marks["horizon"] == 0]
        middles = np.full(int(self._run["fills"][0]) + 1, NO_PRICE)
        middles[before["fill"]] = before["twice_mid"]
        fills["twice_mid"] = middles[fills["number"]]
        return fills

    @property
    def markouts(self) -> np.ndarray[Any, Any]:
        """The middle of the book after fills; horizons counted from 0."""
        rows = self._logs["markouts"].rows()
        after = copied(rows, rows["horizon"] > 0)
        after["horizon"] -= 1
        return after

    @property
    def orders(self) -> np.ndarray[Any, Any]:
        """Every order at its end, then those still open."""
        table = self.session.arena["own_orders"]
        still = table[(table["state"] != DONE) & (table["state"] != 0)]
        ended = self._logs["ended"].rows()
        made = room_for(len(ended) + len(still), ORDER)
        made[: len(ended)], made[len(ended) :] = ended, still
        return copied(made, np.argsort(made["id"], kind="stable"))

    @property
    def equity(self) -> np.ndarray[Any, Any]:
        return self._logs["equity"].rows()

    @property
    def seen(self) -> int:
        """Events that the venue has seen and events that we have seen, together."""
        ours = self.session.arena["session"]["events"][0]
        return int(self._run["venue_next"][0]) + int(ours)

    @property
    def steps(self) -> int:
        return int(self._run["steps"][0])

    @property
    def dropped(self) -> int:
        """Markouts that were left out because too many fills waited for theirs."""
        return int(self._waits["horizon"]["dropped"].sum())

    def _take_logs(self) -> None:
        execution, watch = self.session.arena["execution"][0], self._watch[0]
        for name in ("fills", "ended"):
            self._logs[name].take(self.session.arena[name][: int(execution[name])])
            execution[name] = 0
        for name in ("equity", "markouts"):
            self._logs[name].take(self._rows[name][: int(watch[f"{name}_used"])])
            watch[f"{name}_used"] = 0

    def _watching(self, every_ns: int, instruments: int) -> np.ndarray[Any, Any]:
        self._rows = {
            "equity": np.zeros(LOG_MAX + 2 * instruments, EQUITY),
            "markouts": np.zeros(LOG_MAX, MARKOUT),
        }
        made = np.zeros(1, WATCH)
        watch = made[0]
        watch["every"], watch["next_sample"], watch["next_due"] = every_ns, FOREVER, FOREVER
        for name, rows in self._rows.items():
            watch[name], watch[f"{name}_max"] = rows.ctypes.data, len(rows)
        return made

    def _waiting(self, horizons: Sequence[int], feeds: int) -> np.ndarray[Any, Any]:
        """For each feed a ring of the fills that wait for each horizon."""
        made = np.zeros(feeds, WAITS)
        made["next_due"] = FOREVER
        rings = np.zeros((feeds, len(horizons), WAITING_MAX), WAITING)
        self._held.append(rings)
        for place, row in zip(made["horizon"], rings, strict=True):
            place["after"][: len(horizons)], place["mask"] = horizons, WAITING_MAX - 1
            place["items"][: len(horizons)] = [ring.ctypes.data for ring in row]
        watch = self._watch[0]
        watch["horizons"], watch["feeds"], watch["waits"] = len(horizons), feeds, made.ctypes.data
        return made

    def _listen(
        self,
        feeds: Sequence[int],
        latencies: Sequence[np.ndarray[Any, Any]],
        routes: np.ndarray[Any, Any],
    ) -> None:
        """A cursor for each feed, and which feed tells of which instrument."""
        self._feeds = np.zeros(max(feeds) + 1, FEED_CURSOR)
        self._feed_routes = np.array(feeds, np.int64)[routes]
        for lane in reversed(range(len(feeds))):
            feed = self._feeds[feeds[lane]]
            feed["least"] = least_of_feed(latencies[lane])
            feed["lane"] = self.lanes[lane : lane + 1].ctypes.data
        run = self._run[0]
        run["feeds"], run["feed_count"] = self._feeds.ctypes.data, len(self._feeds)
        run["feed_routes"] = self._feed_routes.ctypes.data

    def _lanes(self, latencies: Sequence[np.ndarray[Any, Any]]) -> int:
        self.lanes = lanes = np.zeros(len(latencies), LANE)
        for lane, legs, exchange in zip(lanes, latencies, self.exchanges, strict=True):
            for name, dtype in (("commands", FLIGHT_COMMAND), ("reports", FLIGHT_REPORT)):
                ring = np.zeros(RING, dtype)
                self._held.append(ring)
                if name == "commands":
                    self.commands.append(ring)
                way = lane[name]
                way["items"], way["mask"], way["due"] = ring.ctypes.data, RING - 1, FOREVER
                way["stride"], way["latest"] = dtype.itemsize, -FOREVER
            lane["venue"] = exchange.address
            lane["latencies"] = legs.ctypes.data
            lane["feed_constant"] = _constant(legs)
        return int(lanes.ctypes.data)


def feeds_of(latencies: Sequence[np.ndarray[Any, Any]]) -> list[int]:
    """The feed of each lane: those that always take the same time are one."""
    known: list[object] = []
    made = []
    for lane, legs in enumerate(latencies):
        constant = _constant(legs)
        one = constant if constant >= 0 else ("its own", lane)
        if one not in known:
            known.append(one)
        made.append(known.index(one))
    return made


def least_of_feed(legs: np.ndarray[Any, Any]) -> int:
    """What no event of a feed falls below."""
    feed = _leg(legs, FEED)
    if feed["kind"] == CONSTANT:
        return int(feed["constant"])
    if feed["kind"] == RECORDED:
        return 0
    count = int(feed["count"])
    table = legs[FEED * LATENCY.itemsize // 8 + int(feed["table_at"]) // 8 :]
    values = table[count : 2 * count] if feed["kind"] == MEASURED else table[:count]
    return int(values.min())


def _constant(legs: np.ndarray[Any, Any]) -> int:
    """The feed's latency where it never changes; -1 otherwise."""
    feed = _leg(legs, FEED)
    return int(feed["constant"]) if feed["kind"] == CONSTANT else -1


def least(legs: np.ndarray[Any, Any], which: Sequence[int]) -> int:
    """What these legs take at least, where they never change; 0 otherwise."""
    rows = [_leg(legs, leg) for leg in which]
    constant = all(row["kind"] == CONSTANT for row in rows)
    return min(int(row["constant"]) for row in rows) if constant else 0


def _leg(legs: np.ndarray[Any, Any], leg: int) -> Any:
    return legs.view(np.uint8)[leg * LATENCY.itemsize :][: LATENCY.itemsize].view(LATENCY)[0]
