"""A shadow's memory laid out: the venue's model of backtests, and the ways to it and back.

    shadow = Shadow(session, ShadowPlan(order_ns=50_000, report_ns=50_000), feeds=1, links=1)

A plan is plain values, which a journal's first frame keeps: a replay lays out the same memory.
Worst case: of several feeds or links none could say whose model it is; refused with a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.engine.flight import FLIGHT_COMMAND, FLIGHT_REPORT
from hftlib.engine.live.shadow_memory import SHADOW
from hftlib.engine.memory import FOREVER
from hftlib.engine.session import Session
from hftlib.venue.exchange import Exchange, exchange_command, exchange_event
from hftlib.venue.venue import Venue

RING = 1 << 14
_WAYS = ("commands", "reports")
LATENCY_NS_MIN, LATENCY_NS_MAX = 1_000, 10_000_000_000


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """How far away the model is, one way each, and how it counts places in a queue."""

    order_ns: int
    report_ns: int
    queue: str = "auto"


class Shadow:
    """One model of a venue, in which our orders stand."""

    def __init__(self, session: Session, plan: ShadowPlan, feeds: int, links: int) -> None:
        _require(plan, feeds, links)
        self.plan = plan
        capacity = Capacity(instruments=max(64, len(session.instruments)))
        settings = Venue(queue=plan.queue)
        self.exchange = Exchange(
            session.instruments, settings, capacity=capacity, strategies=len(session.seats)
        )
        self._memory = np.zeros(1, SHADOW)
        self.address = int(self._memory.ctypes.data)
        record = self._memory[0]
        record["order_ns"], record["report_ns"] = plan.order_ns, plan.report_ns
        shares = 1 << (len(session.seats) - 1).bit_length()
        self._rings = []
        for name, dtype in zip(_WAYS, (FLIGHT_COMMAND, FLIGHT_REPORT), strict=True):
            ring = np.zeros(RING * shares, dtype)
            self._rings.append(ring)
            way: Any = record[name]
            way["mask"], way["stride"] = len(ring) - 1, ring.itemsize
            way["due"], way["latest"] = FOREVER, -FOREVER
        self.join()

    def join(self) -> None:
        """Where everything lies: addresses, which hold in this process."""
        self.exchange.connect()
        record = self._memory[0]
        record["exchange"] = self.exchange.address
        record["obey"] = jit.entry_address(exchange_command)
        record["see"] = jit.entry_address(exchange_event)
        for name, ring in zip(_WAYS, self._rings, strict=True):
            record[name]["items"] = ring.ctypes.data

    def pieces(self) -> dict[str, np.ndarray[Any, Any]]:
        """All memory of it, as bytes."""
        found = {"shadow": self._memory.view(np.uint8), "exchange": self.exchange.arena.state}
        return found | {
            name: ring.view(np.uint8) for name, ring in zip(_WAYS, self._rings, strict=True)
        }


def _require(plan: ShadowPlan, feeds: int, links: int) -> None:
    if (feeds, links) != (1, 1):
        raise InputError(
            f"A shadow is of one feed and one link, not of {feeds} and {links}",
            where="hft live --mode shadow",
            do="Run one shadow for each venue.",
        )
    for ns in (plan.order_ns, plan.report_ns):
        if not LATENCY_NS_MIN <= ns <= LATENCY_NS_MAX:
            raise InputError(
                f"A latency of {ns / 1_000:,.15g} us is none of a shadow",
                where="hft live --latency-us",
                do=f"Give {LATENCY_NS_MIN // 1_000} to {LATENCY_NS_MAX // 1_000:,}, one way.",
            )
