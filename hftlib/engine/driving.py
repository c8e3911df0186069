"""A backtest from Python: memory for the run, the loop around `advance`, and what it leaves.

    run = Backtest(session, exchanges, walk, latencies, routes)
    run.go(progress)             -> why it ended
    run.fills, run.orders, run.equity, run.markouts         of all strategies together
    run.parts[0].fills, ...                                 of each

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
from hftlib.engine.backtest import ASKED, FINISHED, LOGS_FULL, MORE, REPORTS_LOST, advance
from hftlib.engine.flight import ASK, FEED_CURSOR, FLIGHT_COMMAND, FLIGHT_REPORT, LANE, RUN
from hftlib.engine.keeping import Keeping
from hftlib.engine.legs import constant, feeds_of, least, least_of_feed
from hftlib.engine.log import HORIZONS_NS
from hftlib.engine.memory import FOREVER
from hftlib.engine.recorder import copied
from hftlib.engine.session import Session
from hftlib.engine.watching import WAITING, WAITS
from hftlib.risk.directives import DIRECTIVE
from hftlib.venue.exchange import Exchange
from hftlib.venue.latency import CANCEL, ENTRY, REPLACE, RESPONSE

STEPS = 1 << 20
STILL_MAX = 1 << 17  # steps at one moment; a flood of all orders there are takes some ten thousand
STANDS_STILL = (
    f"Time stood still for more than {STILL_MAX:,} steps: it answers every report with another"
    " order, and the venue answers at once. Give latencies: hft.Venue(order_latency='250us')."
)
RING = 1 << 14
WAITING_MAX = 1 << 16
FULL = {"orders": ORDERS_FULL, "levels": LEVELS_FULL, "pages": PAGES_FULL}


class Walk(Protocol):
    """What a tape's selection gives: the way through its events."""

    @property
    def walk_address(self) -> int:
        """Where its WALK lies."""

    def __len__(self) -> int: ...


class Backtest(Keeping):
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
        directives: np.ndarray[Any, Any] | None = None,
        answer: Callable[[Session, np.ndarray[Any, Any]], None] | None = None,
    ) -> None:
        super().__init__(session, every_ns)
        self.exchanges = exchanges
        self._held: list[Any] = [walk, latencies, routes]
        self._moment, self._since = (-1, -1), 0
        feeds, shares = feeds_of(latencies), 1 << (len(session.seats) - 1).bit_length()
        self._run = np.zeros(1, RUN)
        self._waits = self._waiting((0, *horizons), max(feeds) + 1)
        self.commands: list[np.ndarray[Any, Any]] = []  # the ring of each lane, for who looks on
        run = self._run[0]
        run["session"] = session.address
        run["walk"], run["watch"] = walk.walk_address, self._watch.ctypes.data
        run["routes"], run["lane_count"] = routes.ctypes.data, len(latencies)
        run["entry_least"] = min(least(legs, (ENTRY, CANCEL, REPLACE)) for legs in latencies)
        run["response_least"] = min(least(legs, (RESPONSE,)) for legs in latencies)
        run["lanes"] = self._lanes(latencies, RING * shares)
        self.directives = np.zeros(0, DIRECTIVE) if directives is None else directives
        run["directives"], run["directive_count"] = (
            self.directives.ctypes.data,
            len(self.directives),
        )
        run["directive_due"] = self.directives["time"][0] if len(self.directives) else FOREVER
        self._answer = answer
        run["ask_each"] = session.seats[0].slots
        self._asks = np.zeros(session.seats[0].slots * shares, ASK)
        run["asks"], run["ask_mask"] = self._asks.ctypes.data, len(self._asks) - 1
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
            assert status in (MORE, LOGS_FULL, ASKED)
            if status == ASKED and self._answer is not None:
                # Whoever computes risk writes it into the directive that will tell it.
                self._answer(self.session, self.directives[int(self._run["directive_next"][0]) :])

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

    def with_middles(self, fills: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The same with the middle of the book just before, where the tape still knew it."""
        fills = copied(fills)
        marks = self._marks.rows()
        before = marks[marks["horizon"] == 0]
        middles = np.full(int(self._run["fills"][0]) + 1, NO_PRICE)
        middles[before["fill"]] = before["twice_mid"]
        fills["twice_mid"] = middles[fills["number"]]
        return fills

    @property
    def markouts(self) -> np.ndarray[Any, Any]:
        """The middle of the book after fills; horizons counted from 0."""
        rows = self._marks.rows()
        after = copied(rows, rows["horizon"] > 0)
        after["horizon"] -= 1
        return after

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

    def _waiting(self, horizons: Sequence[int], feeds: int) -> np.ndarray[Any, Any]:
        """For each feed a ring of the fills that wait for each horizon."""
        made = np.zeros(feeds, WAITS)
        made["next_due"] = FOREVER
        made["horizon"]["due"] = FOREVER
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

    def _lanes(self, latencies: Sequence[np.ndarray[Any, Any]], length: int) -> int:
        self.lanes = lanes = np.zeros(len(latencies), LANE)
        for lane, legs, exchange in zip(lanes, latencies, self.exchanges, strict=True):
            for name, dtype in (("commands", FLIGHT_COMMAND), ("reports", FLIGHT_REPORT)):
                ring = np.zeros(length, dtype)
                self._held.append(ring)
                if name == "commands":
                    self.commands.append(ring)
                way = lane[name]
                way["items"], way["mask"], way["due"] = ring.ctypes.data, length - 1, FOREVER
                way["stride"], way["latest"] = dtype.itemsize, -FOREVER
            lane["venue"] = exchange.address
            lane["latencies"] = legs.ctypes.data
            lane["feed_constant"] = constant(legs)
        return int(lanes.ctypes.data)
