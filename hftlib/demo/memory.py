"""The demo on plain memory: two processes, a kill, and machine code without a compiler.

    feed process ──ticks──▶ ring in shared memory ──▶ this process, a compiled loop

It compiles, passes twenty million ticks between two processes, kills one of them, and loads
machine code where there is no numba. Worst case: a step that fails says which and why.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from hftlib.core import clock, histogram, jit, ring
from hftlib.core.arena import Arena, shared_memory
from hftlib.core.errors import StateError
from hftlib.core.histogram import HISTOGRAM, Histogram
from hftlib.core.layout import Layout
from hftlib.core.records import record
from hftlib.core.ring import Ring, ring_dtype
from hftlib.demo.saying import say

TICK = record(
    "demo tick",
    64,
    """
    0   sequence     int64
    8   sent_ns      int64  monotonic
    16  price_units  int64
    24  check        int64  says whether the tick arrived whole
    """,
)
TAKEN = record(
    "demo taken",
    64,
    """
    0   ticks        int64
    8   wrong        int64  lost, doubled, out of order, or torn
    16  price_units  int64
    24  high_units   int64
    32  low_units    int64
    """,
)
LAYOUT = Layout(ticks=ring_dtype(TICK, 1 << 14), taken=TAKEN, latency=HISTOGRAM)
FAST_TICKS, PACED_TICKS, PACE_NS, BATCH = 20_000_000, 100_000, 5_000, 100_000
WAIT_SPINS = 20_000
SILENCE_SECONDS = 20
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_tick_at = jit.record_at(TICK)
_taken_at = jit.record_at(TAKEN)
_yield = jit.libc("sched_yield", "int32()")


@jit.compiled("void(int64, int64, int64, int64)")
def send_ticks(ring_address: int, first: int, count: int, pace_ns: int) -> None:
    """A random walk, as fast as the ring takes it or one tick every `pace_ns`."""
    price, chance, due = 1_000_000, 88172645463325252, clock.monotonic_ns()
    for sequence in range(first, first + count):
        chance ^= chance << 13
        chance ^= (chance >> 7) & 0x1FFFFFFFFFFFFFF
        chance ^= chance << 17
        price += (chance & 2) - 1
        slot = ring.reserve(ring_address)
        while slot == 0:
            _yield()
            slot = ring.reserve(ring_address)
        if pace_ns > 0:
            due += pace_ns
            while clock.monotonic_ns() < due:
                jit.pause()
        tick = _tick_at(slot)
        tick.sequence = sequence
        tick.price_units = price
        tick.check = sequence ^ price
        tick.sent_ns = clock.monotonic_ns() if pace_ns > 0 else 0
        ring.publish(ring_address)


@jit.compiled("int64(int64, int64, int64, int64)")
def take_ticks(ring_address: int, taken_address: int, latency_address: int, limit: int) -> int:
    """Take and judge up to `limit` ticks; returns how many came before the feed fell silent."""
    taken = _taken_at(taken_address)
    for done in range(limit):
        slot = ring.peek(ring_address)
        spins = 0
        while slot == 0:
            if spins >= WAIT_SPINS:
                return done
            spins += 1
            jit.pause()
            slot = ring.peek(ring_address)
        tick = _tick_at(slot)
        if tick.sent_ns > 0:
            histogram.record_value(latency_address, clock.monotonic_ns() - tick.sent_ns)
        if tick.sequence != taken.ticks or tick.check != tick.sequence ^ tick.price_units:
            taken.wrong += 1
        taken.ticks += 1
        taken.price_units = tick.price_units
        taken.high_units = max(taken.high_units, tick.price_units)
        taken.low_units = min(taken.low_units, tick.price_units)
        ring.release(ring_address)
    return limit


@jit.callback("int64(int64, int64)")
def mix(seed: int, rounds: int) -> int:
    """Some arithmetic whose result shows whether two pieces of machine code are the same."""
    for number in range(rounds):
        seed = (seed ^ (seed << 5)) + number * 31
    return seed


def feed(parent: int, path: str, first: int, count: int, pace_ns: int) -> None:
    """What the feed process runs, for as long as its parent lives."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        return
    # Ctrl-C is for the parent, which kills us; the other signals were held for it, not for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    arena = Arena.open(path, LAYOUT, writable=True, exclusive=False)
    send_ticks(Ring(arena["ticks"]).address, first, count, pace_ns)


def show(console: Console, bar: Progress) -> None:
    """The steps on plain memory, one after another."""
    path = shared_memory(f"demo-{os.getpid()}")
    try:
        with Arena.create(LAYOUT, path) as arena:
            _compile(console, bar)
            _pass_ticks(console, bar, arena)
            _time_ticks(console, bar, arena)
            _kill_feed(console, bar, arena)
            _load_without_compiler(console, bar)
    finally:
        path.unlink(missing_ok=True)


def _compile(console: Console, bar: Progress) -> None:
    task = bar.add_task("compiling", total=jit.registered())
    done = jit.warm(lambda count, _total, _name: bar.update(task, completed=count))
    bar.remove_task(task)
    fresh = sum(not entry.from_cache for entry in done)
    seconds = sum(entry.seconds for entry in done)
    text = f"{len(done)} functions ready in {seconds:.1f} s, {fresh} of them new"
    say(console, "compiled", text)


def _pass_ticks(console: Console, bar: Progress, arena: Arena) -> None:
    arena["taken"]["low_units"] = arena["taken"]["high_units"] = 1_000_000
    with _feeding(arena, FAST_TICKS, 0) as process:
        start = _take(bar, arena, process, FAST_TICKS, "ticks between two processes")
    rate = FAST_TICKS / (time.perf_counter() - start) / 1e6
    wrong = int(arena["taken"]["wrong"][0])
    text = f"{FAST_TICKS:,} ticks through shared memory, {rate:.1f} million a second, {wrong} wrong"
    say(console, "two processes", text)


def _time_ticks(console: Console, bar: Progress, arena: Arena) -> None:
    with _feeding(arena, PACED_TICKS, PACE_NS) as process:
        _take(bar, arena, process, PACED_TICKS, "timing single ticks")
    latency = Histogram(arena["latency"], "process to process")
    say(console, "latency", str(latency))
    rows = latency.picture(width=40)
    most = max((count for _, _, count in rows), default=0)
    more = sum(latency.outside)
    for text, picture, count in rows:
        if count * 1000 >= most:
            console.print(f"    {text:>20} {picture} {count:,}", style="dim")
        else:
            more += count
    if more:
        console.print(f"    {'…':>20} {more:,} more values", style="dim")


def _kill_feed(console: Console, bar: Progress, arena: Arena) -> None:
    sent_before, (ticks_before, wrong_before) = _sent(arena), _judged(arena)
    with _feeding(arena, FAST_TICKS, 0) as process:
        _take(bar, arena, process, FAST_TICKS // 10, "killing the feed at work")
        process.send_signal(signal.SIGKILL)
        process.wait()
        while _taken(arena, BATCH):
            pass
    onlooker = Arena.open(arena.path or "", LAYOUT)
    sent, (ticks, wrong) = _sent(onlooker) - sent_before, _judged(onlooker)
    arrived, wrong = ticks - ticks_before, wrong - wrong_before
    if arrived != sent:
        raise StateError(
            f"The killed feed had sent {sent:,} ticks, of which {arrived:,} arrived",
            where="hft demo, killing the feed at work",
            do="Report this with the output of `hft doctor`.",
        )
    text = f"the feed died at work; all {sent:,} ticks it had sent arrived, {wrong} of them wrong"
    say(console, "kill -9", text)


def _load_without_compiler(console: Console, bar: Progress) -> None:
    task = bar.add_task("object code", total=None)
    code = jit.emit(mix)
    with tempfile.TemporaryDirectory() as folder:
        file = code.save(Path(folder) / "mix.o")
        program = (
            "import ctypes, json, sys; from hftlib.core import object_code as o; "
            f"a = o.link(o.read({str(file)!r})); "
            "f = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(a); "
            "print(json.dumps([f(7, 1000), 'numba' in sys.modules]))"
        )
        out = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
    there, compiler_loaded = json.loads(out.stdout)
    here = jit.caller(mix.signature)(mix.address, 7, 1000)
    if there != here or compiler_loaded:
        raise StateError(
            f"The loaded code gave {there}, the compiled one {here}",
            where="hft demo, object code",
            do="Report this with the output of `hft doctor`.",
        )
    bar.remove_task(task)
    digest = hashlib.sha256(code.elf).hexdigest()[:12]
    text = f"{len(code.elf)} bytes of machine code ({digest}…), run in a process without numba"
    say(console, "same bytes", f"{text}: same result")


@contextmanager
def _feeding(arena: Arena, count: int, pace_ns: int) -> Iterator[subprocess.Popen[bytes]]:
    arguments = (os.getpid(), str(arena.path), _sent(arena), count, pace_ns)
    call = f"from hftlib.demo.memory import feed; feed(*{arguments!r})"
    # Held until we know whom to kill. The feed is born with them held, so that no Ctrl-C finds it
    # half imported.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    process = subprocess.Popen([sys.executable, "-c", call])
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        yield process
    finally:
        process.kill()
        process.wait()


def _sent(arena: Arena) -> int:
    return int(arena["ticks"]["header"]["head"][0])


def _judged(arena: Arena) -> tuple[int, int]:
    """How many ticks were taken so far, and how many of them were wrong."""
    return int(arena["taken"]["ticks"][0]), int(arena["taken"]["wrong"][0])


def _take(
    bar: Progress, arena: Arena, process: subprocess.Popen[bytes], count: int, what: str
) -> float:
    """Take `count` ticks; returns when the first one came."""
    task = bar.add_task(what, total=count)
    done, start, heard = 0, 0.0, time.perf_counter()
    while done < count:
        taken = _taken(arena, min(BATCH, count - done))
        if taken:
            heard = time.perf_counter()
            start = start or heard
        elif process.poll() not in (None, 0) or time.perf_counter() - heard > SILENCE_SECONDS:
            raise StateError(
                f"The feed process sent {done:,} of {count:,} ticks and then nothing",
                where="hft demo, " + what,
                do="Look for its message above, and check that /dev/shm has room.",
            )
        done += taken
        bar.update(task, completed=done)
    bar.remove_task(task)
    return start


def _taken(arena: Arena, limit: int) -> int:
    places: tuple[Any, ...] = tuple(map(arena.address_of, ("ticks", "taken", "latency")))
    return int(take_ticks(*places, limit))
