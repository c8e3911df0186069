"""An exchange as a process: one thread, sessions in, multicast out.

    with Exchange(configuration) as exchange:
        exchange.places                   where it listens
        exchange.step(timeout_ms=1)       everything that is due and has come, once
        exchange.command(r.SET_STATE, symbol="AAA", state=r.HALTED)
        exchange.tell({"do": "drop", "line": "a", "chance": 0.1, "for_seconds": 10})

One turn:  schedule, flow, bands ─▶ what is over ─▶ sessions' messages ─▶ feed, streams

Time is the wall's, a faster one, or whatever `step(now)` says (lockstep): then the same commands at
the same times give the same feed, byte for byte. The feed's session is one day; with a journal
(`keeping.py`) an exchange that ended in the middle of it goes on where it was.

Worst case: a stream or the feed's store that is full stops the exchange with a sentence, for an
owner who does not hear of a fill must not go on trading.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import clock
from hftlib.core.errors import InputError
from hftlib.feed.synthetic import chance
from hftlib.venue.floor import beginning, flows, keeping, obeying, replaying, sending, telling
from hftlib.venue.floor import memory as m
from hftlib.venue.floor.clocks import FloorClock
from hftlib.venue.floor.configuration import Configuration
from hftlib.venue.floor.faults import Faults
from hftlib.venue.floor.luld_opening import watching
from hftlib.venue.floor.opening import opened
from hftlib.venue.floor.schedule import Schedule
from hftlib.venue.matching import records as r
from hftlib.venue.matching.reasons import REASONS

LINGER_NS = 200_000_000
COUNTS = (
    *("heard", "unreadable", "commands", "reports", "executions", "said", "copied"),
    *("messages", "refused", "stormed", "overtaken"),
)


class Exchange:
    """All of it. `now` is the first time of a lockstep; without one it is the configured start."""

    def __init__(
        self,
        configuration: Configuration,
        now: int | None = None,
        kept: keeping.Keeping | None = None,
    ) -> None:
        self.keeping = kept or keeping.Keeping(configuration)
        self.clock = FloorClock(configuration.clock, now, self.keeping.about)
        self.midnight, self._first = self.clock.midnight, self.clock.first
        try:
            self.configuration = configuration = self.keeping.settled(configuration)
            self.parts = opened(configuration)
        except BaseException:
            self.keeping.close()
            raise
        self.record = self.parts.memory[: m.FLOOR.itemsize].view(m.FLOOR)
        self.record["midnight"], self.record["now"] = self.midnight, self._first
        self.parts.entry.before = self.set_time
        self.parts.entry.time = lambda: int(self.record["now"][0])
        self.record["draws"] = chance.seeded("floor faults", configuration.faults_seed)
        self._lines = self.parts.lines.ctypes.data
        self._sessions = {one.user: n for n, one in enumerate(self.parts.entry.logins, 1)}
        self.flow = self._made_flow()
        self.luld = watching(configuration, self._first)
        self.schedule = Schedule(configuration.schedule, self._first, self.midnight)
        wanted = (configuration.faults, configuration.faults_seed)
        self.faults = Faults(*wanted, self._first, self.midnight)
        self.is_open = self.is_over = self.is_restarting = self._is_stopped = False
        self.away_ms = self.replayed = self.told = 0
        self.notes: list[str] = []
        self.is_silent = True
        beginning.begin(self)
        if kept is None:
            beginning.go_on(self)

    @property
    def floor(self) -> int:
        """Where the floor's memory lies, for compiled code."""
        return int(self.parts.memory.ctypes.data)

    def session_of(self, user: str) -> int:
        """The number of an account's session; 0: it has none, as one that only hears."""
        return self._sessions.get(user, 0)

    @property
    def engine(self) -> Any:
        return self.parts.engine

    @property
    def places(self) -> dict[str, Any]:
        """Where everything is: hosts and ports as they were given or found."""
        return beginning.places(self)

    @property
    def counts(self) -> dict[str, int]:
        """What was done so far, by name."""
        found = {name: int(self.record[name][0]) for name in COUNTS}
        lines = self.parts.lines[: sending.LINES.itemsize].view(sending.LINES)
        found |= {name: int(lines[name][0]) for name in ("datagrams", "failed")}
        found["sessions"] = self.parts.entry.connections
        found["orders"] = int(self.engine.header["live"])
        return found | self.luld.counts | (self.flow.counts if self.flow is not None else {})

    def step(self, now: int | None = None, timeout_ms: float = 0) -> int:
        """One turn; waits for clients up to the timeout. How many commands were obeyed."""
        if now is not None:
            self.clock.said = max(now, self.clock.said)
        before = int(self.record["commands"][0])
        if not self.is_over:
            self.passes(self.clock.now())
        for told in self.parts.entry.poll(timeout_ms):
            if told.kind == "GONE" and told.login is not None and told.login.cancel_on_disconnect:
                self.set_time()
                self.command(r.DISCONNECT, session=self._sessions[told.login.user])
        if self.parts.copies is not None:
            self.parts.copies.poll()
        self.send()
        return int(self.record["commands"][0]) - before

    def command(self, kind: int, **fields: Any) -> str:
        """One command of the exchange itself, now: why it was refused, or nothing.

        `symbol` is a name; without one a command is for all symbols.
        """
        obeying.blank_command(self.floor)
        row = self.record["command"]
        row["kind"], row["symbol"] = kind, r.ALL
        for name, value in fields.items():
            row[name] = self._row_of(value) if name == "symbol" else value
        self.keeping.order(int(self.record["now"][0]), row)
        refused = int(self.record["refused"][0])
        obeying.obey(self.floor)
        if int(self.record["refused"][0]) == refused:
            return ""
        return REASONS[int(self.record["why"][0])]

    def tell(self, said: dict[str, Any]) -> list[str]:
        """A doing or a fault, now or at its time: what of it could not be done now."""
        return telling.tell(self, said)

    def restarts(self, away_ms: int) -> None:
        """A fault: whoever drives this stops it, and makes another one of the same journal."""
        if self.keeping.folder is None:
            self.notes.append("restart: there is no journal to go on from")
        else:
            self.is_restarting, self.away_ms = True, away_ms

    def stop(self) -> None:
        """End in mid-session, as a kill does; the journal has all that is needed to go on."""
        if not self._is_stopped:
            self._is_stopped = True
            self.parts.close()
            self.keeping.close({"digest": replaying.digest(self)})

    def end(self) -> None:
        """The day is over: what stands ends, streams and feed say so."""
        if self.is_over:
            return
        if not self.keeping.is_derived:
            self.tell({"do": "end"})
            return
        self.keeping.turn()
        self.is_over = True
        self.parts.entry.is_held, self.parts.entry.slow_ns = False, 0  # all hear of the end
        self.command(r.SET_STATE, state=r.CLOSED)
        for letter in "MEC":
            self.command(r.SYSTEM, letter=ord(letter))
        self.parts.entry.floor = 0  # nobody is heard any more
        beginning.tell_sessions(self, "E")
        self.send()
        entry, copies = self.parts.entry, self.parts.copies
        for stream in entry.streams:
            entry.end(stream)
        for stream in copies.streams if copies is not None else ():
            copies.end(stream)  # type: ignore[union-attr]
        if not self.is_silent:
            self.parts.feed.end(clock.monotonic_ns())

    def close(self) -> None:
        """End the day, give clients a moment to hear of it, and let everything go."""
        if self._is_stopped:
            return
        self.end()
        until = clock.monotonic_ns() + LINGER_NS
        while clock.monotonic_ns() < until and self.parts.entry.connections:
            self.step(timeout_ms=5)
        self.stop()

    def opens(self) -> None:
        """The market's hours begin, once a day."""
        if not self.is_open:
            self.is_open = True
            self.command(r.SYSTEM, letter=ord("Q"))

    def passes(self, now: int) -> None:
        """A turn: all that time brings up to now, in the order of time."""
        is_replay = self.keeping.is_derived
        if not is_replay:
            self.keeping.turn_begins(now, int(self.record["now"][0]))
        before = int(self.record["commands"][0])
        try:
            self._pass(now)
            if int(self.record["commands"][0]) != before:
                self.keeping.turn()
        finally:
            if not is_replay:
                self.keeping.turn_ends()

    def _pass(self, now: int) -> None:
        while not self.is_over:
            due = min(self.schedule.next_at(), self.faults.next_at(), self.luld.next_at())
            if due > now:
                break
            self.keeping.turn()
            self._flow_until(due)
            self.be(due)
            if due == self.schedule.next_at():
                self.schedule.do(self)
            elif due == self.faults.next_at():
                self.faults.turn(self)
            else:
                self.luld.turn(self)
        self._flow_until(now)
        self.be(now)
        if now >= self.clock.last or (self.flow is not None and self.flow.is_over):
            self.end()

    def _flow_until(self, now: int) -> None:
        if self.flow is not None and not self.is_over:
            self.flow.until(self.floor, now)

    def send(self) -> None:
        """What was stored, to lines, sessions and drop copies."""
        if self.is_silent:
            return
        self.keeping.require_room(self.record)
        now, messages = clock.monotonic_ns(), int(self.record["messages"][0])
        first = self.parts.feed.next_sequence
        sending.flush(self._lines)
        self.parts.feed.told(messages, now)
        if self.faults.counts:
            time = int(self.record["now"][0])
            self.faults.release(self.parts, time)
            self.faults.carry(self.parts, first, messages + 1, time)
        self.parts.feed.step(now)
        self.parts.entry.flush()
        if self.parts.copies is not None:
            self.parts.copies.flush()
        keeping.require_told(self.record)

    def _made_flow(self) -> flows.MarketFlow | None:
        try:
            return flows.made(self.configuration, self.parts, self._first)
        except Exception:
            self.parts.close()  # a tape that is none: nobody else would close what listens
            raise

    def _row_of(self, symbol: str) -> int:
        if symbol not in self.parts.symbols:
            raise InputError(
                f"There is no symbol {symbol!r}",
                where="Exchange.command(symbol=...)",
                do=f"The symbols are {', '.join(self.parts.symbols[:8])}.",
            )
        return self.parts.symbols.index(symbol)

    def set_time(self) -> None:
        self.be(self.clock.now())

    def be(self, now: int) -> None:
        """The time of whatever is done next; it never goes back."""
        if now > int(self.record["now"][0]):
            self.record["now"] = now
            before = int(self.record["commands"][0])
            obeying.pass_time(self.floor)
            if int(self.record["commands"][0]) != before:
                self.keeping.passed(now)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_failure: Any) -> None:
        if kind is not None and issubclass(kind, Exception):
            self.parts.close()  # it cannot go on, not even to the end of the day
            self.keeping.close()
        else:
            self.close()

    def __repr__(self) -> str:
        return (
            f"<Exchange {self.places['session']} at {self.parts.entry.address}: "
            f"{len(self.parts.symbols):,} symbols, {self.parts.entry.connections} sessions, "
            f"{int(self.record['messages'][0]):,} messages>"
        )
