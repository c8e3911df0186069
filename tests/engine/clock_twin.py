"""The backtest's clock once more, slowly: one list of happenings, sorted at each step.

It drives the same venue and the same tick path; what it checks is when what is called, with which
times, and that nothing is lost on the way. When each feed tells of which event is worked out for
the whole tape beforehand, and sorted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.events import ALL, EVENT
from hftlib.core.numbers import EACH
from hftlib.core.orders import CANCEL, COMMAND, FILLED, NEW, ORDER, OVER, TAKER
from hftlib.engine import path
from hftlib.engine.memory import FOREVER, RUNNING, STOPPED_ITSELF, TAPE_OVER
from hftlib.engine.seating import Seat
from hftlib.engine.session import Session
from hftlib.feed.tape_index import tells_time
from hftlib.venue.exchange import Exchange
from hftlib.venue.latency import (
    CONSTANT,
    DRAWN,
    ENTRY,
    FEED,
    LATENCY,
    LATENCY_BYTES,
    RESPONSE,
    feed_latency_at,
    latency_at,
    quantile_at,
)
from tests.engine.market_step import feed_step, market_step

VENUE, FLIGHT, LOCAL, ALARM = range(4)


class ClockTwin:
    """One run; `go` to its end, then look at `fills` and `ended`."""

    def __init__(
        self,
        session: Session,
        exchanges: list[Exchange],
        tape: np.ndarray[Any, Any],
        latencies: list[np.ndarray[Any, Any]],
        routes: np.ndarray[Any, Any],
    ) -> None:
        self.session, self.exchanges, self.latencies = session, exchanges, latencies
        self.routes, self.tape, self.base = routes, tape, session.address
        self.flights: list[tuple[int, int, int, int, Any]] = []
        self.latest: dict[tuple[int, int], int] = {}
        self.numbered = self.filled = 0
        self.fills: list[np.void] = []
        self.asked: dict[int, int] = {}  # of each order, what we asked last
        self.ended: list[np.void] = []
        self.venue_times = self._venue_times()
        self.feeds = self._feeds()
        self.feed_routes = np.array([self.feeds[lane] for lane in routes], np.int64)
        self.heard = sorted(one for feed in set(self.feeds) for one in self._hearing(feed))

    def go(self) -> None:
        seats = self.session.seats
        venue, local = 0, 0
        first = min(self.venue_times[0] + self._least(feed) for feed in set(self.feeds))
        path.start(self.base, first if self._several() else self.heard[0][0], self.venue_times[0])
        self._take()
        while True:
            if local == len(self.heard):
                break
            if all(seat["context"]["stopped"][0] != RUNNING for seat in seats):
                break
            due = [
                (self.venue_times[venue] if venue < len(self.tape) else FOREVER, VENUE),
                (min((f[0] for f in self.flights), default=FOREVER), FLIGHT),
                (self.heard[local][0], LOCAL),
                (min(int(seat["session"]["next_timer"][0]) for seat in seats), ALARM),
            ]
            time, what = min(due)
            if what == VENUE:
                self._venue(venue, time)
                venue += 1
            elif what == FLIGHT:
                self._arrive()
            elif what == LOCAL:
                self._hear(*self.heard[local])
                local += 1
            else:
                path.timer(self.base)
            self._take()
        for seat in seats:
            assert seat["context"]["stopped"][0] in (RUNNING, STOPPED_ITSELF)
            path.finish(seat.address, int(seat["session"]["time"][0]))
            seat["context"]["stopped"] = TAPE_OVER
        self._take()
        while venue < len(self.tape) or self.flights:
            next_venue = self.venue_times[venue] if venue < len(self.tape) else FOREVER
            if next_venue <= min((f[0] for f in self.flights), default=FOREVER):
                self._venue(venue, next_venue)
                venue += 1
            else:
                self._arrive()
            self._take()

    def orders(self) -> np.ndarray[Any, Any]:
        table = np.concatenate([seat["own_orders"] for seat in self.session.seats])
        still = table[(table["state"] != 0) & (table["state"] < OVER)]
        made = np.array([*self.ended, *still], ORDER)
        return made[np.argsort(made["id"], kind="stable")]

    def _venue_times(self) -> list[int]:
        made, latest = [], 0
        for event in self.tape:
            if tells_time(event["kind"]):
                latest = max(latest, int(event["time"]))
            made.append(latest)
        return made

    def _feeds(self) -> list[int]:
        """The feed of each lane, named after its first lane, then counted from 0."""
        rows = [legs.view(np.uint8)[: LATENCY.itemsize].view(LATENCY)[0] for legs in self.latencies]
        same = [
            (0, row["constant"]) if row["kind"] == CONSTANT else (1, n)
            for n, row in enumerate(rows)
        ]
        firsts = [same.index(one) for one in same]
        return [sorted(set(firsts)).index(first) for first in firsts]

    def _several(self) -> bool:
        return len(set(self.feeds)) > 1

    def _least(self, feed: int) -> int:
        """What the feed takes at least; of one alone nothing hangs on it."""
        legs = self.latencies[self.feeds.index(feed)]
        row = legs.view(np.uint8)[: LATENCY.itemsize].view(LATENCY)[0]
        if not self._several() or row["kind"] not in (CONSTANT, DRAWN):
            return 0
        if row["kind"] == CONSTANT:
            return int(row["constant"])
        return quantile_at(legs.ctypes.data + int(row["table_at"]), 0)

    def _hearing(self, feed: int) -> list[tuple[int, int, int]]:
        """When this feed tells of each of its events: time, place on the tape, feed."""
        made, last = [], 0
        for n, event in enumerate(self.tape):
            instrument = int(event["instrument"])
            theirs = 0
            if instrument < len(self.routes):
                theirs = self.feeds[self._lane(instrument)]
            if theirs != feed and instrument != ALL:
                continue
            last = max(last, self.venue_times[n] + self._least(feed))
            if tells_time(event["kind"]):
                lane = self.feeds.index(feed) if self._several() else self._lane(instrument)
                late = feed_latency_at(
                    self._leg(lane, FEED),
                    int(event["time"]),
                    int(event["received"]),
                    int(event["sequence"]),
                )
                last = max(last, int(event["time"]) + late)
            made.append((last, n, feed))
        return made

    def _hear(self, time: int, n: int, feed: int) -> None:
        event = self.tape[n : n + 1].ctypes.data
        if self._several() and self.tape["instrument"][n] >= len(self.routes):
            feed_step(self.base, event, time, self.feed_routes.ctypes.data, feed)
        else:
            market_step(self.base, event, time)

    def _lane(self, instrument: int) -> int:
        return int(self.routes[instrument]) if instrument < len(self.routes) else 0

    def _venue(self, n: int, time: int) -> None:
        instrument = int(self.tape["instrument"][n])
        lanes = range(len(self.exchanges))
        for lane in lanes if instrument >= len(self.routes) else [self._lane(instrument)]:
            self._answered(lane, self.exchanges[lane].event(self.tape[n : n + 1]), time)

    def _answered(self, lane: int, reports: np.ndarray[Any, Any], time: int) -> None:
        for report in reports:
            event = np.array([report["event"]], EVENT)
            if event["kind"][0] == FILLED:
                self.filled += 1
                event["sequence"] = self.filled
            event["time"] = time
            key = 64 * int(event["reference"][0]) + int(event["kind"][0])
            late = latency_at(self._leg(lane, RESPONSE), time, key)
            self._depart(lane, 1, time + late, (event, report.copy()))

    def _take(self) -> None:
        """What the event made us send goes under way; logs are emptied."""
        for seat in self.session.seats:
            self._take_of(seat)

    def _take_of(self, arena: Seat) -> None:
        execution = arena["execution"]
        for n in range(int(execution["commands"][0])):
            command = np.array([arena["commands"][n]], COMMAND)
            lane = self._lane(int(command["instrument"][0]))
            leg = self._leg(lane, ENTRY + int(command["what"][0]) - NEW)
            key = 4 * int(command["order"][0]) + int(command["what"][0])
            time = int(command["time"][0])
            if command["what"][0] != NEW:
                sign = 1 if command["what"][0] == CANCEL else -1
                self.asked[int(command["order"][0])] = sign * time
            self._depart(lane, 0, time + latency_at(leg, time, key), command)
        self.fills += [row.copy() for row in arena["fills"][: int(execution["fills"][0])]]
        self.ended += [row.copy() for row in arena["ended"][: int(execution["ended"][0])]]
        for name in ("commands", "fills", "ended"):
            execution[name] = 0
        for name in ("refusals", "refusals_told"):
            arena["session"][name] = 0

    def _leg(self, lane: int, leg: int) -> int:
        return int(self.latencies[lane].ctypes.data) + leg * LATENCY_BYTES

    def _depart(self, lane: int, way: int, arrives: int, what: Any) -> None:
        arrives = max(arrives, self.latest.get((lane, way), 0))
        self.latest[lane, way] = arrives
        self.numbered += 1
        self.flights.append((arrives, lane, way, self.numbered, what))

    def _arrive(self) -> None:
        first = min(self.flights, key=lambda flight: flight[:4])
        self.flights.remove(first)
        arrives, lane, way, _, what = first
        if way == 0:
            self._answered(lane, self.exchanges[lane].command(what, arrives), arrives)
        else:
            event, report = what
            event["received"] = arrives
            number = int(event["reference"][0])
            seat = self.session.seats[number // EACH]
            table = seat["own_orders"]
            open_ones = table[(table["id"] == number) & (table["done"] == 0)]
            pending = len(open_ones) and open_ones["pending"][0]
            log, n = seat["fills"], int(seat["execution"]["fills"][0])
            path.answer(self.base, event.ctypes.data, int(report["entered"]))
            if event["kind"][0] == FILLED:
                log["ahead"][n] = 0 if event["flags"][0] & TAKER else report["ahead"]
                log["asked"][n] = self.asked[number] if pending else 0
