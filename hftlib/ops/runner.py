"""The runner: a session on real sockets, journaled, in one hot thread without the GIL.

    with Runner(live, folder, about, places=[...], doors=[...]) as runner:
        runner.tell(directive)      risk is told; the hot thread hears it at its next turn
        runner.turn()               what the hot thread cannot do: dialling, a look at the clock
    runner.why                      why it ended, in words

The hot thread does all that is decided (`engine/live/hot.py`). This one opens sockets and makes
connections, since nobody may wait for those, and hands them over by one word of memory each.

Before it trades it freezes what the collector looks at, and asks the host for memory that stays
and a processor of its own (`host`). With `carry` it takes over from another (`take_over.py`).

Worst case: a connection is made some milliseconds after it was asked for.
"""

from __future__ import annotations

import gc
import os
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import clock, jit
from hftlib.core.errors import InputError
from hftlib.core.histogram import HISTOGRAM, Histogram
from hftlib.core.journal.kinds import CONNECTED
from hftlib.core.journal.writing import Journal
from hftlib.core.ring import Ring, ring_dtype
from hftlib.core.soup import frames
from hftlib.engine.live import hot
from hftlib.engine.live import hot_memory as m
from hftlib.engine.live.laying import Live
from hftlib.engine.live.memory import ENDED, FAULTS, RESUMED
from hftlib.engine.live.replaying import gone_on
from hftlib.engine.live.taking import due, take
from hftlib.engine.seats import open_orders
from hftlib.feed.mold import sockets as lines
from hftlib.ops.clock_watch import ClockWatch
from hftlib.ops.connections import Dialler, close_lanes, listening, require_one_each
from hftlib.ops.connections import Door as Door
from hftlib.ops.connections import Place as Place
from hftlib.ops.counts import counts_of
from hftlib.ops.host_asking import asked_host, asked_priority, host_given_back
from hftlib.ops.standby_link import Link
from hftlib.ops.standby_meeting import Plan
from hftlib.risk.directives import DIRECTIVE

DESK_MAX, FOR_EVER, BUFFER_BYTES, OUTBOX_BYTES = 256, 2**62, 1 << 16, 1 << 20
LEAVE_S = 2.0  # for orders to be taken back at the end


class Runner:
    """One runner; made, it listens, and `start` lets it run."""

    def __init__(
        self,
        live: Live,
        folder: Path | str,
        about: Mapping[str, Any],
        *,
        places: Sequence[Place],
        doors: Sequence[Door],
        sleeps: bool = True,
        after: int = 0,
        says: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """With `after`, its last frame's number, the journal is gone on with; it `says` so."""
        require_one_each(live, places, doors)
        self.live, self._doors, self.about = live, list(doors), dict(about)
        self.mode, self.hours = str(about.get("mode", "")), about.get("hours")
        self._intakes: list[lines.Intake] = []
        self._desk_memory = np.zeros(1, ring_dtype(DIRECTIVE, DESK_MAX))
        self._desk = Ring(self._desk_memory)
        self.standby: Link | None = None
        self.page: Any = None  # where other processes see it
        self._thread: threading.Thread | None = None
        self._after, self._is_over, self._failure = after, False, ""
        self._has_asked, self.is_handed_over = threading.Event(), False
        self.host: dict[str, str] = {}
        self.carries: np.ndarray[Any, Any] | None = None  # what it takes over as it starts
        self.last_words: Callable[[], dict[str, Any]] = dict  # of its journal
        try:
            for place in places:
                self._intakes += listening(place)
            self._lay(sleeps)
            if after:
                self.journal = gone_on(folder, after, **(says or {}))
            else:
                self.journal = Journal.create(folder, about, **settings)
        except BaseException:
            self._hang_up()
            raise
        self.record["journal"] = self.journal.address

    def follow(self, plan: Plan) -> None:
        """Have a standby follow the journal, before it starts; a sentence where it will not."""
        link = Link(self.journal, plan)
        try:
            link.begin()
        except BaseException:
            self.stop()
            raise
        self.standby, self.record["notes"] = link, link.notes.address

    def _lay(self, sleeps: bool) -> None:
        """The driver's own memory: sockets, what waits to be sent, passwords."""
        count = len(self._doors)
        self._memory = np.zeros(1, m.HOT)
        self._sources = np.array([one.record[0] for one in self._intakes], lines.INTAKE)
        self._lanes = np.zeros(count, m.LANE)
        self.dialler = Dialler(self.live.links, self._lanes, self._doors)
        self._outboxes = np.zeros((count, OUTBOX_BYTES), np.uint8)
        self._buffer = np.zeros(BUFFER_BYTES, np.uint8)
        self._latencies = np.zeros(len(m.STAGES), HISTOGRAM)
        self._polls = np.zeros(len(self._intakes) + count, np.int64)
        descriptors = self._sources["descriptor"] & 0xFFFF_FFFF
        self._polls[: len(self._intakes)] = descriptors | (select.POLLIN << 32)
        for n, door in enumerate(self._doors):
            lane = self._lanes[n : n + 1]
            lane["descriptor"], lane["given"] = -1, m.NONE
            lane["hangs"] = self.live.links[n]["hangs"]
            begin = self._lanes.ctypes.data + n * m.LANE_BYTES + m.OUTBOX_AT
            lane["outbox"]["at"] = self._outboxes[n].ctypes.data - begin
            lane["outbox"]["room"] = self._outboxes.shape[1]
            login = np.frombuffer(frames.login("", door.password), np.uint8)
            end = m.LOGIN_PASSWORD + m.PASSWORD_BYTES
            lane["password"][0, : m.PASSWORD_BYTES] = login[m.LOGIN_PASSWORD : end]
        record = self._memory[0]
        record["live"], record["sleeps"] = self.live.address, sleeps
        record["offset"] = clock.now_ns() - clock.monotonic_ns()
        record["now"] = self.live.header["now"]  # time goes on from there, whatever the clock says
        self.clocks = ClockWatch(int(record["offset"]))
        record["intakes"], record["lanes"] = self._sources.ctypes.data, self._lanes.ctypes.data
        record["polls"], record["poll_count"] = self._polls.ctypes.data, len(self._polls)
        record["desk"], record["clocks"] = self._desk.address, self.clocks.address
        record["buffer"], record["room"] = self._buffer.ctypes.data, BUFFER_BYTES
        record["latencies"] = self._latencies.ctypes.data
        record["take"], record["due"] = jit.entry_address(take), jit.entry_address(due)

    @property
    def record(self) -> Any:
        """The HOT record."""
        return self._memory[0]

    @property
    def address(self) -> int:
        """Where the HOT record lies."""
        return int(self._memory.ctypes.data)

    @property
    def status(self) -> int:
        return int(self.record["status"])

    @property
    def why(self) -> str:
        """Why the hot thread ended by itself; empty while it has not."""
        if self.status == m.JOURNAL_FULL:
            return f"the journal takes no more: {self.journal.why or 'no room'}"
        if self.status == m.OUTBOX_FULL:
            return "a venue does not read what it is sent"
        return self._failure or FAULTS[self.status]

    @property
    def is_resumed(self) -> bool:
        """Whether it goes on with the day of another process."""
        return self._after > 0

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, cpu: int | None = None) -> None:
        """Let it run. What the host does not grant is told in `host`."""
        known = sorted(os.sched_getaffinity(0))
        if cpu is not None and cpu not in known:
            do = f"Give one of {', '.join(map(str, known))}."
            what = f"This process may not run on processor {cpu}"
            raise InputError(what, where="Runner.start(cpu)", do=do)
        gc.collect()
        gc.freeze()
        self.host = asked_host(cpu)
        self._cpu = cpu
        if self.is_resumed or self.about.get("takes_over"):
            self._say(RESUMED)
        if self.carries is not None:
            self._word(self.carries)
        self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="hft hot", daemon=True)
        self._thread.start()
        self._has_asked.wait()

    def carry(self, words: np.ndarray[Any, Any]) -> None:
        """What another runner held is this one's; its hot thread pauses for that, some ms."""
        self._pause()
        if self.status == 0:
            self._word(words)
            self._begin()

    def _pause(self) -> None:
        self.record["stop"] = 1
        if self._thread is not None:
            self._thread.join()
        self.record["stop"] = 0

    def _run(self) -> None:
        try:
            if self._cpu is not None:
                os.sched_setaffinity(0, {self._cpu})  # of this thread only
                self.host["priority"] = asked_priority()
            self._has_asked.set()
            hot.spin(self._memory.ctypes.data, FOR_EVER)
        except BaseException as error:  # nobody waits for this thread: it must be told
            self._failure = f"the hot thread failed: {type(error).__name__}: {error}"
            self._has_asked.set()
            raise

    def shown_on(self, page: Any, latencies: np.ndarray[Any, Any], copying: int) -> None:
        """Before it starts: its figures are put where other processes read them (`page.py`)."""
        self.page, self._latencies = page, latencies
        self.record["latencies"], self.record["copying"] = latencies.ctypes.data, copying

    def tell(self, directive: np.ndarray[Any, Any]) -> bool:
        """Tell risk something; False: too much waits already."""
        return self._desk.push(directive[0])

    def turn(self) -> None:
        """Dial where the hot thread wants a connection; hand over those that stand."""
        self.clocks.turn()
        self.dialler.turn()
        if self.page is not None:
            self.page.turn()

    def stop(self, turn: Callable[[], Any] = lambda: None) -> None:
        """The strategies' last word, their orders taken back, the journal closed; `turn` is called
        meanwhile, for who asks how it stands."""
        if self._is_over:
            return
        self._is_over = True
        if self.page is not None:
            self.page.turn(leaves=True)
        self._pause()
        if self.status == 0 and self._thread is not None:
            self._say(ENDED)
            until = time.monotonic() + LEAVE_S
            while self.status == 0 and self.open_orders and time.monotonic() < until:
                hot.spin(self._memory.ctypes.data, clock.monotonic_ns() + 5_000_000)
                turn()
        self._hang_up()
        told = {name: one.summary() for name, one in self.latencies.items() if one.count}
        self.journal.close({"why": self.why, "latencies_ns": told} | self.last_words())
        if self.standby is not None:
            self.standby.finish(turn)
        if self._thread is not None:  # whatever else this process does is as it was before
            host_given_back()
            gc.unfreeze()

    def _say(self, what: int) -> None:
        self._word(np.array([what, 0], np.int64))

    def _word(self, said: np.ndarray[Any, Any]) -> None:
        """A word to the day as a whole; only while the hot thread does not run."""
        hot.frame(self._memory.ctypes.data, CONNECTED, 0, said.ctypes.data, said.nbytes)

    @property
    def open_orders(self) -> int:
        return int(open_orders(self.live.session.address))

    @property
    def latencies(self) -> dict[str, Histogram]:
        """How long each stage took, by name."""
        return {name: Histogram(self._latencies[n : n + 1]) for n, name in enumerate(m.STAGES)}

    @property
    def counts(self) -> dict[str, int]:
        """What came, went and was decided, by name."""
        return counts_of(self.live, self.journal.sequence)

    def _hang_up(self) -> None:
        for opened in filter(None, (one.socket for one in self._intakes)):
            opened.close()
        if hasattr(self, "dialler"):  # else it came to nothing before there was one
            self.dialler.close()
            close_lanes(self._lanes)

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_failure: Any) -> None:
        self.stop()
