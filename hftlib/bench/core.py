"""`hft bench core`: what the plain-memory pieces cost, each against the least that would do.

Worst case of the method: the two-thread rows need two free cores; on a busy host their medians
rise together with that of the probe, which is why the ratio is the figure to quote.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from hftlib.bench.harness import Bench, beside, pinned, require_all, require_compiled
from hftlib.core import clock, histogram, jit, ring, seqlock
from hftlib.core.arena import Arena
from hftlib.core.layout import Layout
from hftlib.core.records import record

ITEM = record("bench item", 64, "0 words int64[8]")
LAPS = 1_000_000
HOPS = 200_000
SNAPSHOT_BYTES = 64 << 20
# At most some ten seconds: 1.4 to 1.7 ns a look, measured. A lost partner ends the bench.
SPINS_MAX = 6_000_000_000

_counts_at = jit.array_at(np.int64)
_call = jit.caller("int64(int64)")


@jit.compiled("float64(int64, int64, int64)")
def ring_laps(ring_address: int, item_address: int, laps: int) -> float:
    start = clock.monotonic_ns()
    for _ in range(laps):
        ring.push(ring_address, item_address)
        ring.pop(ring_address, item_address)
    return (clock.monotonic_ns() - start) / laps


@jit.compiled("float64(int64, int64, int64)")
def copy_laps(target: int, item_address: int, laps: int) -> float:
    """The least a ring does: the item goes in and comes out."""
    start = clock.monotonic_ns()
    for _ in range(laps):
        jit.copy_words(target, item_address, 64)
        jit.copy_words(item_address, target, 64)
    return (clock.monotonic_ns() - start) / laps


@jit.compiled("float64(int64, int64)")
def record_laps(histogram_address: int, laps: int) -> float:
    value = 1
    start = clock.monotonic_ns()
    for _ in range(laps):
        value = (value * 1103515245 + 12345) & 0xFFFF
        histogram.record_value(histogram_address, value)
    return (clock.monotonic_ns() - start) / laps


@jit.compiled("float64(int64, int64)")
def count_laps(counts_address: int, laps: int) -> float:
    """The least a histogram does: one count among many."""
    counts = _counts_at(counts_address, 4096)
    value = 1
    start = clock.monotonic_ns()
    for _ in range(laps):
        value = (value * 1103515245 + 12345) & 0xFFFF
        counts[value >> 4] += 1
    return (clock.monotonic_ns() - start) / laps


@jit.callback("int64(int64)")
def step(value: int) -> int:
    return (value ^ (value >> 7)) * 31 + 7


@jit.compiled()
def step_inside(value: int) -> int:
    return (value ^ (value >> 7)) * 31 + 7


@jit.compiled("float64(int64, int64, int64)")
def call_laps(address: int, out_address: int, laps: int) -> float:
    value = 1
    start = clock.monotonic_ns()
    for _ in range(laps):
        value = _call(address, value)
    elapsed = clock.monotonic_ns() - start
    jit.store_i64(out_address, value)
    return elapsed / laps


@jit.compiled("float64(int64, int64)")
def inside_laps(out_address: int, laps: int) -> float:
    value = 1
    start = clock.monotonic_ns()
    for _ in range(laps):
        value = step_inside(value)
    elapsed = clock.monotonic_ns() - start
    jit.store_i64(out_address, value)
    return elapsed / laps


@jit.compiled("float64(int64, int64, int64)")
def cell_laps(cell_address: int, value_address: int, laps: int) -> float:
    start = clock.monotonic_ns()
    for _ in range(laps):
        seqlock.write(cell_address, value_address, 64)
        seqlock.read(cell_address, value_address, 64, 1)
    return (clock.monotonic_ns() - start) / laps


@jit.compiled("float64(int64)")
def clock_laps(laps: int) -> float:
    start = clock.monotonic_ns()
    for _ in range(laps):
        clock.now_ns()
    return (clock.monotonic_ns() - start) / laps


@jit.compiled("int64(int64, int64, int64)")
def echo_items(inbound: int, outbound: int, hops: int) -> int:
    """Hand every item straight back; the number handed back before patience ran out."""
    for done in range(hops):
        slot = 0
        for _ in range(SPINS_MAX):
            slot = ring.peek(inbound)
            if slot != 0:
                break
        if slot == 0:
            return done
        ring.push(outbound, slot)
        ring.release(inbound)
    return hops


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def send_items(outbound: int, inbound: int, item: int, latencies: int, hops: int) -> int:
    """Send an item, wait for it to come back, record half the time it took."""
    before = clock.monotonic_ns()
    for done in range(hops):
        ring.push(outbound, item)
        for _ in range(SPINS_MAX):
            if ring.pop(inbound, item) == ring.DONE:
                break
        else:
            return done
        after = clock.monotonic_ns()
        histogram.record_value(latencies, (after - before) >> 1)
        before = after
    return hops


@jit.compiled("int64(int64, int64, int64)")
def bounce_word(mine: int, theirs: int, laps: int) -> int:
    """The least a hop does: one word changes, the other side sees it and changes its own."""
    for lap in range(1, laps + 1):
        for _ in range(SPINS_MAX):
            if jit.load_acquire(theirs) == lap:
                break
        else:
            return lap - 1
        jit.store_release(mine, lap)
    return laps


@jit.compiled("int64(int64, int64, int64, int64)")
def lead_word(mine: int, theirs: int, latencies: int, laps: int) -> int:
    before = clock.monotonic_ns()
    for lap in range(1, laps + 1):
        jit.store_release(mine, lap)
        for _ in range(SPINS_MAX):
            if jit.load_acquire(theirs) == lap:
                break
        else:
            return lap - 1
        after = clock.monotonic_ns()
        histogram.record_value(latencies, (after - before) >> 1)
        before = after
    return laps


class Bed:
    """All memory the benches use, laid out once."""

    def __init__(self) -> None:
        pair = ring.ring_dtype(ITEM, 1024)
        self.arena = Arena.create(
            Layout(
                there=pair,
                back=pair,
                item=ITEM,
                item_back=ITEM,
                cell=seqlock.cell_dtype(ITEM),
                latency=histogram.HISTOGRAM,
                counts=(np.int64, 4096),
                words=(np.int64, 64),
            )
        )
        self.there = ring.Ring(self.arena["there"]).address
        self.back = ring.Ring(self.arena["back"]).address

    def at(self, name: str) -> int:
        return self.arena.address_of(name)

    def hop(self) -> float:
        """Median ns for an item to reach the other thread."""
        echo = beside(lambda: echo_items(self.there, self.back, HOPS), core=1)
        return self._median(
            "items between two threads",
            lambda: send_items(self.there, self.back, self.at("item"), self.at("latency"), HOPS),
            echo,
        )

    def bounce(self) -> float:
        """Median ns for a bare word to reach the other thread."""
        words = self.arena["words"]
        words[:] = 0
        mine, theirs = self.at("words"), self.at("words") + 256
        echo = beside(lambda: bounce_word(theirs, mine, HOPS), core=1)
        lead = lambda: lead_word(mine, theirs, self.at("latency"), HOPS)  # noqa: E731
        return self._median("words between two threads", lead, echo)

    def _median(self, what: str, lead: Callable[[], int], echo: Future[int]) -> float:
        self.arena["latency"][:] = 0
        with pinned(0):
            led = lead()
        require_all(what, HOPS, led, echo.result())
        return float(histogram.Histogram(self.arena["latency"]).percentile(50))


def benches() -> list[Bench]:
    """All rows of `hft bench core`."""
    require_compiled("hft bench core")
    bed = Bed()
    large = Arena.create(Layout(state=(np.int64, SNAPSHOT_BYTES // 8)))
    copy = large.snapshot()
    plain = np.ones(SNAPSHOT_BYTES // 8, np.int64)
    plain_copy = plain.copy()

    def snapshot() -> float:
        start = time.perf_counter()
        large.snapshot(into=copy)
        return (time.perf_counter() - start) * 1e9

    def memcpy() -> float:
        start = time.perf_counter()
        np.copyto(plain_copy, plain)
        return (time.perf_counter() - start) * 1e9

    def python_clock() -> float:
        start = time.perf_counter_ns()
        for _ in range(LAPS // 10):
            time.time_ns()
        return (time.perf_counter_ns() - start) / (LAPS // 10)

    item, back = bed.at("item"), bed.at("item_back")
    copies = lambda: copy_laps(back, item, LAPS)  # noqa: E731  (named for two rows)
    return [
        Bench(
            "ring push + pop, 64 B",
            lambda: ring_laps(bed.there, item, LAPS),
            against="two bare copies",
            probe=copies,
        ),
        Bench(
            "ring hop between two threads, p50",
            bed.hop,
            budget=150,
            against="one word bounced",
            probe=bed.bounce,
        ),
        Bench(
            "cell write + read, 64 B",
            lambda: cell_laps(bed.at("cell"), item, LAPS),
            against="two bare copies",
            probe=copies,
        ),
        Bench(
            "histogram record",
            lambda: record_laps(bed.at("latency"), LAPS),
            budget=10,
            against="bare count",
            probe=lambda: count_laps(bed.at("counts"), LAPS),
        ),
        Bench(
            "function-pointer call",
            lambda: call_laps(step.address, bed.at("words"), LAPS),
            against="inlined",
            probe=lambda: inside_laps(bed.at("words"), LAPS),
        ),
        Bench(
            "clock.now_ns",
            lambda: clock_laps(LAPS),
            against="time.time_ns",
            probe=python_clock,
        ),
        Bench("arena snapshot, 64 MiB", snapshot, against="bare copy", probe=memcpy),
    ]
