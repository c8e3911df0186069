"""Gate 10: is it quick and small enough to trade? Events a second, time to an order, memory.

The first day is run for its pace, then on the wire, and the datagrams of that journal go through
the live path one by one, each timed: from a datagram in memory to an order's bytes in memory,
journal and all. On a host that is busy with other things the figures are worse than the strategy.

Worst case: four passes over the day.
"""

from __future__ import annotations

import resource
from pathlib import Path

from hftlib.bench.live import NOTHING, ORDER, through
from hftlib.promote.gates.subject import Subject
from hftlib.research import charts
from hftlib.research.tape import Tape
from hftlib.research.validation.verdict import Verdict

NAME = "Throughput, latency and memory"
RUNS = 3
WIRE = "50us"  # one way; without any, a strategy may answer itself for ever
_MB = 1 << 10  # the kernel counts in kilobytes


def judge(
    subject: Subject,
    day: Tape,
    place: str,
    *,
    events_max: int,
    events_a_second_min: int,
    order_p50_ns_max: int,
    order_p99_ns_max: int,
    memory_mb_max: int,
) -> Verdict:
    """Whether it keeps pace, answers in time and stays within its memory."""
    part = day[:events_max] if len(day) > events_max else day
    results = [subject.backtest(part) for _ in range(RUNS)]
    quickest = min(float(one.about["seconds"]) for one in results)
    pace = len(part) / max(quickest, 1e-9)
    journal = Path(place) / "budget.journal"
    subject.on_the_wire(part, journal, WIRE)
    found = through(journal)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB
    orders = int(found[ORDER].count)
    if not orders:
        return Verdict(NAME, None, "It sent no order on the wire, so no time to one is known.")
    halves = {q: float(found[ORDER].percentile(q)) for q in (50, 90, 99)}
    figures = {
        "events a second": round(pace),
        "datagrams with an order": orders,
        "ns to an order, half": halves[50],
        "ns to an order, 99 of 100": halves[99],
        "ns without an order, half": float(found[NOTHING].percentile(50)),
        "MB of memory at most": round(memory),
    }
    reasons = []
    if pace < events_a_second_min:
        reasons.append(f"it takes {pace:,.0f} events a second, not {events_a_second_min:,}")
    for q, most in ((50, order_p50_ns_max), (99, order_p99_ns_max)):
        if halves[q] > most:
            reasons.append(f"{q} of 100 orders leave within {halves[q]:,.0f} ns, not {most:,}")
    if memory > memory_mb_max:
        reasons.append(f"it took {memory:,.0f} MB of memory, not {memory_mb_max:,}")
    picture = charts.bars(
        [f"{q} %" for q in halves], list(halves.values()), title="From a datagram to an order, ns"
    )
    if reasons:
        return Verdict(NAME, False, f"{'; '.join(reasons).capitalize()}.", figures, picture)
    sentence = (
        f"{pace:,.0f} events a second; half of all orders leave within {halves[50]:,.0f} ns of"
        f" their datagram, 99 of 100 within {halves[99]:,.0f} ns; {memory:,.0f} MB of memory."
    )
    return Verdict(NAME, True, sentence, figures, picture)
