"""A shadow's memory laid out: for each link a venue's model of backtests, the ways there and back.

    shadow = Shadow(session, [ShadowPlan(order_ns=50_000, report_ns=50_000)], ["XNAS"], ["XNAS"])

Plans are plain values, which a journal's first frame keeps: a replay lays out the same memory.
Worst case: a feed whose venue has no link, or the other way round, is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """How far away a model is, one way each, and how it counts places in a queue."""

    order_ns: int
    report_ns: int
    queue: str = "auto"


class Shadow:
    """Models of venues, in which our orders stand: one for each link, which sees its own feed."""

    def __init__(
        self,
        session: Session,
        plans: Sequence[ShadowPlan],
        feeds: Sequence[str],
        links: Sequence[str],
    ) -> None:
        """`feeds` and `links` by their venues."""
        _require(plans, feeds, links)
        self.plans = list(plans)
        capacity = Capacity(instruments=max(64, len(session.instruments)))
        shares = 1 << (len(session.seats) - 1).bit_length()
        self._memory = np.zeros(len(plans), SHADOW)
        self.address = int(self._memory.ctypes.data)
        self.exchanges: list[Exchange] = []
        self._rings: list[dict[str, np.ndarray[Any, Any]]] = []
        for record, plan in zip(self._memory, plans, strict=True):
            settings = Venue(queue=plan.queue)
            more: dict[str, Any] = {"capacity": capacity, "strategies": len(session.seats)}
            self.exchanges.append(Exchange(session.instruments, settings, **more))
            record["order_ns"], record["report_ns"] = plan.order_ns, plan.report_ns
            self._rings.append({})
            for name, dtype in zip(_WAYS, (FLIGHT_COMMAND, FLIGHT_REPORT), strict=True):
                ring = self._rings[-1][name] = np.zeros(RING * shares, dtype)
                way: Any = record[name]
                way["mask"], way["stride"] = len(ring) - 1, ring.itemsize
                way["due"], way["latest"] = FOREVER, -FOREVER
        self.join()

    def join(self) -> None:
        """Where everything lies: addresses, which hold in this process."""
        for record, exchange, rings in self._each():
            exchange.connect()
            record["exchange"] = exchange.address
            record["obey"] = jit.entry_address(exchange_command)
            record["see"] = jit.entry_address(exchange_event)
            for name, ring in rings.items():
                record[name]["items"] = ring.ctypes.data

    def pieces(self) -> dict[str, np.ndarray[Any, Any]]:
        """All memory of it, as bytes."""
        found = {"shadow": self._memory.view(np.uint8)}
        for n, (_record, exchange, rings) in enumerate(self._each()):
            found[f"exchange {n}"] = exchange.arena.state
            found |= {f"{name} {n}": ring.view(np.uint8) for name, ring in rings.items()}
        return found

    def _each(self) -> Iterator[tuple[Any, Exchange, dict[str, np.ndarray[Any, Any]]]]:
        return zip(self._memory, self.exchanges, self._rings, strict=True)


def _require(plans: Sequence[ShadowPlan], feeds: Sequence[str], links: Sequence[str]) -> None:
    if list(feeds) != list(links) or len(plans) != len(links):
        raise InputError(
            f"A shadow has a feed, a link and a model for each venue, not {len(feeds)},"
            f" {len(links)} and {len(plans)} of them",
            where="hft live --mode shadow",
            do=f"The feeds are of {_named(feeds)}, the links of {_named(links)}: give the same.",
        )
    for plan in plans:
        for ns in (plan.order_ns, plan.report_ns):
            if not LATENCY_NS_MIN <= ns <= LATENCY_NS_MAX:
                raise InputError(
                    f"A latency of {ns / 1_000:,.15g} us is none of a shadow",
                    where="hft live --latency-us",
                    do=f"Give {LATENCY_NS_MIN // 1_000} to {LATENCY_NS_MAX // 1_000:,}, one way.",
                )


def _named(venues: Sequence[str]) -> str:
    return ", ".join(venues) or "nobody"
