"""`hft bench live --wire`: from a datagram by UDP to order bytes by TCP, on real sockets.

    this thread, core 0                                     a hot thread, core 1
    clock ─▶ send UDP ────────── loopback ─────────▶ hot loop: journal, book, strategy, risk, OUCH
    clock ◀─ first order's bytes ◀─ loopback, TCP ◀────────┘      or the echo: nothing in between

One clock, in the thread that sends and hears. The yardstick is an echo, compiled as well: the same
kinds of sockets, a datagram of the same size in, as many bytes out as the runner's first order had.
The two take turns, round for round; a ratio is that of two rounds side by side, then the median.
Both modes of a runner are measured, each beside an echo that waits in the same way: busy, and
asleep in the kernel until something comes.

Worst case: on two cores the kernel's own work and whatever else runs share them with both ends.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.bench.harness import beside, require_all, require_compiled
from hftlib.bench.risk import TYPICAL
from hftlib.bench.wire_ends import (
    ASK,
    BID,
    CORE_HOT,
    LOCAL,
    PATIENCE_S,
    REFERENCE,
    SESSION,
    TICK,
    Echo,
    End,
    Round,
)
from hftlib.bench.wire_figures import Case, Wired
from hftlib.bench.wire_loop import ask, echo, serve
from hftlib.core import clock, jit
from hftlib.core.records import field_offset
from hftlib.core.soup import frames
from hftlib.engine.live import hot
from hftlib.engine.live.memory import LINK
from hftlib.feed.itch.messages import build
from hftlib.feed.mold import packet
from hftlib.feed.mold import sockets as lines
from hftlib.ops.launching import described, laid
from hftlib.ops.page import Page
from hftlib.ops.page_reading import PageReader
from hftlib.ops.runner import FOR_EVER, Door, Place, Runner
from hftlib.terminal import Advance

COUNT = 4_000
SYMBOL, USER = "AAA", "frm1a"
TURN_NS = 1_000_000
STRATEGIES = (
    ("one order", f"{Path(__file__).with_name('wire_strategy.py')}:OneOrder"),
    ("QueueImbalance", "QueueImbalance"),
)
WHERE = "hft bench live --wire"


class Bed:
    """A runner that listens, and its market and its venue, which are one End."""

    def __init__(self, folder: Path, strategy: str, sleeps: bool, is_paged: bool = False) -> None:
        self._door = socket.create_server(LOCAL)
        self._door.setblocking(False)
        with lines.listening(LOCAL) as probe:  # a port that is free
            line = probe.getsockname()
        now = clock.now_ns()
        midnight = now - now % 86_400_000_000_000
        told = {"ticks": {SYMBOL: TICK}, "midnight_ns": midnight, "session": SESSION}
        told |= {"simulator": True}  # for the mode paper
        limits = folder / "limits.toml"
        limits.write_text(limits_text(), encoding="utf-8")
        about = described([strategy], told, user=USER, limits=limits)
        self.journal = folder / "day.journal"
        self.runner = Runner(
            laid(about),
            self.journal,
            about,
            places=[Place([line])],
            doors=[Door(self._door.getsockname(), "secret")],
            sleeps=sleeps,
        )
        self.page = Page(self.runner, folder / "page") if is_paged else None
        self.end = End(line)
        row, live = self.end.memory[0], self.runner.live
        row["midnight"] = midnight - int(self.runner.record["offset"])
        row["answers"] = 1
        row["reports"] = live.links.ctypes.data + field_offset(LINK, "reports")
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Log in, publish a book, and see that each datagram is answered."""
        with self.running():
            self._until(lambda: self.end.tcp is not None, "the runner dials")
            self._until(lambda: self.runner.live.gateway(0)["state"] == 3, "orders may be sent")
            self._publish(_beginning(clock.monotonic_ns() - int(self.end.memory["midnight"][0])))
            self._until(lambda: self.runner.live.sequencers[0].state == "LIVE", "the feed is live")

    def _until(self, is_so: Any, what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_so():
            self._turn()
            require_all(what, 1, int(time.monotonic() < until))

    def _turn(self) -> None:
        self.runner.turn()
        if self.end.tcp is None:
            try:
                own, _ = self._door.accept()
            except BlockingIOError:
                return
            own.settimeout(PATIENCE_S)
            own.recv(1 << 12)  # the login
            own.sendall(frames.encode(b"A", f"{SESSION:>10}{1:>20}".encode()))
            self.end.hear(own)
        serve(self.end.address, clock.monotonic_ns() + TURN_NS)

    def _publish(self, messages: list[bytes]) -> None:
        row = self.end.memory[0]
        self.end.udp.send(packet.encode(SESSION, int(row["sequence"]), messages))
        row["sequence"] += len(messages)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The hot loop at work, on its core; heartbeats first, for it may have been away."""
        record = self.runner.record
        hot_address = self.runner._memory.ctypes.data
        if self.end.tcp is not None:  # there before it looks at the time: nobody was silent
            self.end.tcp.send(frames.encode(b"H"))
        ended: Future[int] = beside(lambda: int(hot.spin(hot_address, FOR_EVER)), CORE_HOT)
        try:
            if self.end.tcp is not None:  # the heartbeat ends a silence of more than five seconds
                serve(self.end.address, clock.monotonic_ns() + 5 * TURN_NS)
                self.end.udp.send(packet.header(SESSION, int(self.end.memory["sequence"][0]), 0))
                live = self.runner.live.sequencers[0]
                self._until(lambda: live.state == "LIVE", "the feed is heard again")
                serve(self.end.address, clock.monotonic_ns() + 20 * TURN_NS)
            yield
        finally:
            record["stop"] = 1
            status = ended.result(PATIENCE_S)
            record["stop"] = 0
        require_all("runners still at work", 1, int(status == 0))

    def round(self, count: int, looks: int = 0) -> Round:
        """A round, in which somebody looks at its page so often."""
        if self.page is None or looks == 0:
            with self.running():
                return self.end.run(count)
        with PageReader(self.page.path) as reader, self.running():
            return self.end.run(count, looks, reader.status)

    def close(self) -> None:
        self.runner.stop()
        if self.page is not None:
            self.page.remove()
        self.end.close()
        self._door.close()


def measured(runs: int, advance: Advance, count: int = COUNT, keep: Path | None = None) -> Wired:
    """Every case: `runs` rounds of the runner and of its echo in turns. `keep` has the journals."""
    require_compiled(WHERE)
    for entry in (ask, serve, echo, hot.spin):  # nobody waits for a compiler once a day has begun
        jit.entry_address(entry)
    cases = [(*strategy, sleeps) for sleeps in (False, True) for strategy in STRATEGIES]
    found = []
    with tempfile.TemporaryDirectory(prefix="hft-wire-") as made:
        for n, (name, strategy, sleeps) in enumerate(cases):
            folder = (keep or Path(made)) / str(n)
            folder.mkdir()
            case = Case(name, "asleep until something comes" if sleeps else "busy")
            bed = Bed(folder, strategy, sleeps)
            try:
                _rounds(
                    bed,
                    case,
                    runs,
                    count,
                    lambda share, what, n=n: advance(  # type: ignore[misc]
                        (n + share) / len(cases), what
                    ),
                )
            finally:
                bed.close()
            found.append(case)
    return Wired(found, runs, count)


def _rounds(bed: Bed, case: Case, runs: int, count: int, advance: Advance) -> None:
    """In turns; the first of each is not counted."""
    case.add(bed.round(count), None)
    answer = bed.end.kept[: int(bed.end.memory["kept"][0])].tobytes()
    case.begin(answer)
    yardstick = Echo(answer, "asleep" in case.mode)
    try:
        yardstick.round(count)
        for n in range(runs):
            advance(n / runs, f"{case.strategy}, {case.mode}")
            theirs = yardstick.round(count)
            case.add(bed.round(count), theirs)
    finally:
        yardstick.close()


def _beginning(now: int) -> list[bytes]:
    """The day, the symbol, and a book of two orders a side; the best bid is REFERENCE."""
    made = [
        build("S", timestamp=now, event="Q"),
        build("R", timestamp=now, locate=1, stock=SYMBOL, round_lot=100, authenticity="P"),
        build("H", timestamp=now, locate=1, stock=SYMBOL, state="T"),
    ]
    for number, side, price in (
        (2, "B", BID - 10 * TICK),
        (3, "S", ASK),
        (4, "S", ASK + TICK),
        (REFERENCE, "B", BID),
    ):
        money = str(price / 10_000)
        order = {"reference": number, "side": side, "shares": 500, "stock": SYMBOL}
        made.append(build("A", timestamp=now, locate=1, price=money, **order))
    return [bytes(one) for one in made]


def limits_text() -> str:
    """The twenty limits of `hft bench risk`, as a file has them."""
    text = []
    tables = {'instrument."*"': TYPICAL["instrument"]["*"], 'strategy."*"': TYPICAL["strategy"]}
    tables |= {"portfolio.all": TYPICAL["portfolio"], "firm": TYPICAL["firm"]}
    for name, table in tables.items():
        text += [f"[{name}]", *(f"{limit} = {value}" for limit, value in table.items())]
    return "\n".join(text) + "\n"
