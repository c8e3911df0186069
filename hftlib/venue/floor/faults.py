"""What goes wrong on purpose: on the lines, in sessions, with answers and the clock.

    faults.begin(exchange, "drop", line="a", chance=0.1)     until faults.end(exchange, "drop", "a")
    faults.add(one, now, midnight)   one that was told; its turn comes
    faults.turn(exchange)            what the configuration's [[faults]], or who told, want by now

The lines that are healthy are sent by compiled code; each datagram of a line with a fault goes
through here, with chances from a seed. A datagram is late, twice, out of order, cut short or gone
on the wire only: the store, and so the recovery server, has all of it. No bits are turned: UDP's
checksum catches those, and MoldUDP64 has none of its own to catch what is done behind it.

Worst case: a delayed line keeps what it delays, bounded by DELAYED_MAX; beyond it is lost.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from hftlib.feed.mold import packet as p
from hftlib.venue.floor import late, memory, sending
from hftlib.venue.floor.doings import FaultTable
from hftlib.venue.floor.schedule import NEVER, SECOND_NS, time_of
from hftlib.venue.matching import records as r

MS_NS = 1_000_000
DELAYED_MAX = 1 << 16
ON_LINES = ("drop", "duplicate", "reorder", "corrupt", "delay", "silence")
AT_ONCE = ("kill sessions", "miss execution", "step clock", "restart")


class Faults:
    """All faults of an exchange: `counts` says what was done to how many datagrams."""

    def __init__(self, given: list[FaultTable], seed: int, first: int, midnight: int) -> None:
        self._due: list[tuple[int, bool, FaultTable]] = []
        for one in given:
            self.add(one, first, midnight)
        self._chance = random.Random(seed)
        self.lines: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self.delay_ns = 0
        self._late: tuple[deque[Any], deque[Any]] = (deque(), deque())
        self._held: list[bytes] = [b"", b""]
        self.counts: dict[str, int] = {}
        self.on: dict[str, dict[str, Any]] = {}  # what lasts, and how

    def add(self, one: FaultTable, now: int, midnight: int) -> None:
        """It begins, or is over, now or at its time."""
        begin = time_of(one, now, midnight)
        self._due.append((begin, not one.over, one))
        if one.for_seconds and not one.over:
            self._due.append((begin + round(one.for_seconds * SECOND_NS), False, one))
        self._due.sort(key=lambda due: due[:2])

    def next_at(self) -> int:
        """When the next of the configured faults begins or ends."""
        return self._due[0][0] if self._due else NEVER

    def turn(self, exchange: Any) -> None:
        """The next of the configured faults begins or ends."""
        _, begins, one = self._due.pop(0)
        if begins:
            rest = (one.chance, one.milliseconds, one.user)
            self.begin(exchange, one.do, one.line, *rest)
        else:
            self.end(exchange, one.do, one.line)

    def begin(
        self,
        exchange: Any,
        do: str,
        line: str = "both",
        chance: float = 1.0,
        milliseconds: int = 0,
        user: str = "",
    ) -> None:
        """From now on, or once."""
        parts = exchange.parts
        self._tally(f"begun: {do}")
        if do not in AT_ONCE:
            how = {"line": line} if do in ON_LINES else {}
            self.on[do] = how | {"chance": chance, "milliseconds": milliseconds, "user": user}
        if do in ON_LINES:
            for n in _lines(line):
                self.lines[n][do] = chance
            self.delay_ns = milliseconds * MS_NS if do == "delay" else self.delay_ns
            self._wire(parts)
        elif do == "kill sessions":
            accounts = [one.user for one in parts.entry.logins]
            parts.entry.cut(accounts.index(user) if user else -1)
        elif do == "hold answers":
            parts.entry.is_held = True
        elif do == "slow answers":
            parts.entry.slow_ns = milliseconds * MS_NS
        elif do == "refuse orders":
            self._firms(exchange, r.DISABLE)
        elif do == "reject orders":
            exchange.record["rejects"] = _millionths(chance)
        elif do == "miss execution":
            exchange.record["misses"] += 1
        elif do == "late fill":
            exchange.record["late"] = exchange.session_of(user) if user else memory.EVERYBODY
            exchange.record["late_chance"] = _millionths(chance)
        elif do == "restart":
            exchange.restarts(milliseconds)
        else:
            exchange.clock.jumped += milliseconds * MS_NS

    def end(self, exchange: Any, do: str, line: str = "both") -> None:
        """What lasts is over; what was held back on a line leaves now."""
        parts = exchange.parts
        self._tally(f"over: {do}")
        if do in ON_LINES:
            for n in _lines(line):
                self.lines[n].pop(do, None)
            self._wire(parts)
            self.release(parts, NEVER)
        if do not in ON_LINES or not any(do in each for each in self.lines):
            self.on.pop(do, None)
        if do in ON_LINES:
            return
        if do == "hold answers":
            parts.entry.is_held = False
        elif do == "slow answers":
            parts.entry.slow_ns = 0
        elif do == "refuse orders":
            self._firms(exchange, r.ENABLE)
        elif do == "reject orders":
            exchange.record["rejects"] = 0
        elif do == "late fill":
            exchange.record["late"] = 0
            late.let_out_all(exchange.floor)

    def carry(self, parts: Any, first: int, after: int, now: int) -> None:
        """The messages from one number to another, on the lines with a fault."""
        while first < after and any(self.lines):
            packet = parts.feed.packet(first)
            first += p.header_of(packet)[2]
            for n in (0, 1):
                if self.lines[n]:
                    self._pass_on(parts, n, packet, now)

    def release(self, parts: Any, now: int) -> None:
        """Datagrams that were late, once it is time."""
        for n in (0, 1):
            while self._late[n] and self._late[n][0][0] <= now:
                self._send(parts, n, self._late[n].popleft()[1])
            if self._held[n] and "reorder" not in self.lines[n]:
                self._send(parts, n, self._held[n])
                self._held[n] = b""

    def _pass_on(self, parts: Any, n: int, packet: bytes, now: int) -> None:
        """One datagram of a line: each fault has its chance, the first that comes true counts."""
        hit = next((do for do, c in self.lines[n].items() if self._chance.random() < c), "")
        if hit:
            self._tally(hit)
        if hit in ("drop", "silence"):
            return
        if hit == "delay" and len(self._late[n]) < DELAYED_MAX:
            self._late[n].append((now + self.delay_ns, packet))
            return
        if hit == "reorder" and not self._held[n]:
            self._held[n] = packet
            return
        if hit == "corrupt":
            packet = packet[: self._chance.randrange(1, len(packet))]
        self._send(parts, n, packet)
        if hit == "duplicate":
            self._send(parts, n, packet)
        if self._held[n]:
            self._send(parts, n, self._held[n])
            self._held[n] = b""

    def _send(self, parts: Any, n: int, packet: bytes) -> None:
        try:
            parts.wires[n].send(packet)
        except OSError:
            self._tally("not sent")

    def _wire(self, parts: Any) -> None:
        """Compiled code sends on the lines without a fault; a silent one has no heartbeats."""
        lines = parts.lines[: sending.LINES.itemsize].view(sending.LINES)
        for n in (0, 1):
            lines["sockets"][0][n] = -1 if self.lines[n] else parts.wires[n].fileno()
        silent = [n for n in (0, 1) if "silence" in self.lines[n]]
        parts.feed.destinations = [one for n, one in enumerate(parts.places) if n not in silent]

    def _firms(self, exchange: Any, kind: int) -> None:
        firms = memory.part(
            exchange.parts.memory, "firms", memory.FIRM_NAME, exchange.parts.house_firm
        )
        for firm in range(1, exchange.parts.house_firm):
            if kind == r.DISABLE or not firms["locked"][firm]:  # else it is not ours to end
                exchange.command(kind, firm=firm)

    def _tally(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _millionths(chance: float) -> int:
    """At least one: what was asked for may happen."""
    return max(1, round(chance * late.MILLION))


def _lines(line: str) -> tuple[int, ...]:
    return (0, 1) if line == "both" else ("ab".index(line),)
