"""The sequencer in Python's hands: made, fed and looked at. The machine itself is `machine.py`.

    sequencer = Sequencer(recovery=True)
    sequencer.accept(LINE_A, datagram, received, now)       a verdict, `packet.VERDICTS`
    for delivery in sequencer.drain(): ...                  in order, each message once
    request = sequencer.tick(now)                           bytes to send to the recovery server

This is for captures, tests and looking; a driver calls the compiled functions with addresses.
`event_of` says what books must be told: a gap makes them stale, a recovery whole again. Worst case:
some 10 µs a datagram through Python, where the machine takes well under one.
"""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import string_at
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError, StateError
from hftlib.core.units import is_whole, shown
from hftlib.feed.mold import machine
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p

SECOND_NS = 1_000_000_000
_LINE_COUNTS = {
    "packets": "packets",
    "first": "first",
    "again": "again",
    "before": "before the first",
    "not_held": "not held",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came out: messages `first` to before `after`, or a notice about that range."""

    kind: int
    first: int
    after: int
    blocks: bytes = b""
    received: int = 0
    late: bool = False
    reason: int = 0

    @property
    def messages(self) -> list[bytes]:
        return list(p.blocks_of(self.blocks))

    def __repr__(self) -> str:
        why = f", {m.REASONS[self.reason]}" if self.reason else ""
        return f"<{m.DELIVERIES[self.kind]} {self.first} to before {self.after}{why}>"


class Sequencer:
    """Two lines and a recovery server in; every message once, in order, or told to be lost.

    `session` and `first_sequence` pin what is expected; without them the first packet decides, and
    what was before it is LOST: books are stale until `repaired`, unless its number is 1. Whoever
    has all messages before number n, in a snapshot say, goes on from there with the session that
    they are of and `first_sequence=n`: what came since is a gap, told and asked for like any other.
    `recovery` says whether anybody answers requests. Times are whatever clock the caller gives.
    """

    def __init__(
        self,
        *,
        session: str | bytes | None = None,
        first_sequence: int = 0,
        recovery: bool = False,
        capacity: int = 65_536,
        message_bytes_max: int = 110,
        patience_ns: int = SECOND_NS // 1000,
        repeat_ns: int = SECOND_NS,
        tries_max: int = 3,
        silence_ns: int = 5 * SECOND_NS,
        memory: np.ndarray[Any, Any] | None = None,
    ) -> None:
        dtype = m.sequencer_dtype(capacity, message_bytes_max)
        self._memory = np.zeros(1, dtype) if memory is None else memory
        if self._memory.dtype != dtype or self._memory.size != 1 or self._memory.ctypes.data % 8:
            raise InputError(
                "This memory is not laid out for that sequencer",
                where="Sequencer(memory=...)",
                do="Lay it out with sequencer_dtype(capacity, message_bytes_max).",
            )
        least = {"first_sequence": 0, "patience_ns": 0, "repeat_ns": 1}
        least |= {"tries_max": 1, "silence_ns": 1}
        settings = (first_sequence, patience_ns, repeat_ns, tries_max, silence_ns)
        for (name, smallest), value in zip(least.items(), settings, strict=True):
            if not is_whole(value) or not smallest <= value <= p.SEQUENCE_MAX:
                raise InputError(
                    f"{shown(value)} is no {name}",
                    where=f"Sequencer({name}=...)",
                    do=f"Give a whole number of at least {smallest}.",
                )
        if first_sequence > 1 and session is None:
            # In another session, what was before that number would be passed over as known.
            raise InputError(
                f"Number {first_sequence:,} is a place in one session, and none is named",
                where="Sequencer(first_sequence=...)",
                do="Give session='...' too: that in which all before it was seen.",
            )
        self._memory[...] = np.zeros((), dtype)
        self.address = int(self._memory.ctypes.data)
        state = self.state_record
        state["capacity"], state["slot_bytes"] = capacity, m.slot_bytes_for(message_bytes_max)
        state["numbers"], state["slots"] = m.NUMBERS_OFFSET, m.NUMBERS_OFFSET + 8 * capacity
        state["patience_ns"], state["repeat_ns"] = patience_ns, repeat_ns
        state["tries_max"] = tries_max if recovery else 0
        state["silence_ns"], state["expected"] = silence_ns, first_sequence
        state["drained"] = state["answered"] = state["window"] = 1
        state["threshold"], state["wait_ns"] = m.ASKS_MAX, repeat_ns
        if session is not None:
            state["session_fixed"] = 1
            state["session"][: p.SESSION_BYTES] = list(p.session_bytes(session))
        self._request = np.zeros(p.HEADER_BYTES, np.uint8)
        self._datagram = np.zeros(1, np.uint8)

    @property
    def memory(self) -> np.ndarray[Any, Any]:
        """All of it, as bytes; between two datagrams its addresses lead nowhere."""
        return self._memory.view(np.uint8).reshape(-1)

    def accept(self, line: int, datagram: bytes, received: int, now: int) -> int:
        """The verdict on one datagram. Drain afterwards: the bytes may be needed until then."""
        if not is_whole(line) or not 0 <= line < m.LINES_MAX:
            raise InputError(
                f"There is no line {shown(line)}",
                where="Sequencer.accept(line, ...)",
                do="Use LINE_A, LINE_B, LINE_RECOVERY or LINE_OTHER: 0 to 3.",
            )
        if not self.drained:
            raise StateError(
                "What came before has not been taken",
                where="Sequencer.accept",
                do="Take all of drain() after each accept and tick.",
            )
        # One byte more, since an empty array has no address; kept until the next.
        self._datagram = np.frombuffer(bytes(datagram) + b"\0", np.uint8)
        place = self._datagram.ctypes.data
        return int(machine.accept(self.address, line, place, len(datagram), received, now))

    def take(self, line: int, datagram: bytes, received: int, now: int) -> list[Delivery]:
        """All that goes out because of one datagram, whatever order that takes."""
        out: list[Delivery] = []
        while self.accept(line, datagram, received, now) == p.AGAIN:
            out += self.drain()
        return out + list(self.drain())

    def drain(self) -> Iterator[Delivery]:
        """What follows, as copies."""
        while address := machine.following(self.address):
            given = np.frombuffer(string_at(address, m.DELIVERY.itemsize), m.DELIVERY)[0]
            blocks = (
                string_at(int(given["address"]), int(given["length"])) if given["length"] else b""
            )
            yield delivery_of(given, blocks)

    def tick(self, now: int) -> bytes:
        """What time brings: a request to be sent, or nothing. Drain afterwards."""
        machine.tick(self.address, now)
        length = machine.write_request(self.address, self._request.ctypes.data)
        return self._request[:length].tobytes()

    def repaired(self, now: int) -> int:
        """Books are whole again by a snapshot up to here: how many lost messages it made good."""
        return int(machine.repaired(self.address, now))

    @property
    def state_record(self) -> Any:
        return self._memory["state"][0]

    @property
    def drained(self) -> bool:
        return bool(self.state_record["drained"])

    @property
    def state(self) -> str:
        return m.STATES[int(self.state_record["state"])]

    @property
    def reason(self) -> str:
        return m.REASONS[int(self.state_record["reason"])]

    @property
    def stale(self) -> bool:
        """Whether a book made of this feed may be wrong or behind."""
        return self.state not in ("LIVE", "ENDED") or bool(self.state_record["unrepaired"])

    @property
    def session(self) -> bytes:
        return bytes(self.state_record["session"][: p.SESSION_BYTES])

    @property
    def expected(self) -> int:
        """The number of the message that goes out next; 0 before the first packet."""
        return int(self.state_record["expected"])

    @property
    def changes(self) -> list[tuple[int, int, str, str]]:
        """The last changes of state: time, next number then, new state, why."""
        count = int(self.state_record["changes"])
        kept = [n % m.CHANGES_KEPT for n in range(max(0, count - m.CHANGES_KEPT), count)]
        rows = (self._memory["changes"][0][n] for n in kept)
        return [
            (int(r["at"]), int(r["expected"]), m.STATES[r["state"]], m.REASONS[r["reason"]])
            for r in rows
        ]

    @property
    def counts(self) -> dict[str, int]:
        """What was met, by name, without what never was."""
        state = self.state_record
        names = ["messages", "late", "gaps", "lost", "unrepaired", "requests", "unanswered"]
        names += ["cut_short", "sessions", "silences", "reopened", "held_most"]
        found = {name: int(state[name]) for name in names}
        for line, counts in zip(m.LINE_NAMES, self._memory["lines"][0], strict=True):
            for name, shown_as in _LINE_COUNTS.items():
                found[f"line {line}: {shown_as}"] = int(counts[name])
            for verdict, count in zip(p.VERDICTS, counts["verdicts"], strict=True):
                found[f"line {line}: {verdict}"] = int(count)
        return {name: count for name, count in found.items() if count}

    def __repr__(self) -> str:
        state, c = self.state_record, self.counts
        stale = ", stale" if self.stale else ""
        session = self.session.rstrip(b" \0").decode("ascii", "backslashreplace") or "-"
        return (
            f"<Sequencer {self.state}{stale}: {self.reason}; session {session}, next "
            f"{self.expected:,}, {c.get('messages', 0):,} messages out, {int(state['held']):,} "
            f"held, {c.get('lost', 0):,} lost>"
        )


def delivery_of(row: Any, blocks: bytes) -> Delivery:
    """A row of DELIVERY with its blocks, as people read it."""
    first, after, reason = int(row["first"]), int(row["after"]), int(row["reason"])
    received, late = int(row["received"]), bool(row["late"])
    return Delivery(int(row["kind"]), first, after, blocks, received, late, reason)


def event_of(kind: int, first: int, after: int, received: int) -> np.ndarray[Any, Any] | None:
    """What a notice says to all books, as one EVENT for all of them; None for messages."""
    told = {
        m.OUT_GAP: events.GAP,
        m.OUT_LOST: events.GAP,
        m.OUT_SILENT: events.GAP,
        m.OUT_RECOVERED: events.RECOVERED,
        m.OUT_SESSION: events.CLEAR,
        m.OUT_ENDED: events.NOTICE,
    }
    if kind not in told:
        return None
    event = np.zeros(1, events.EVENT)
    event["received"], event["sequence"], event["kind"] = received, first, told[kind]
    event["instrument"] = events.ALL
    if told[kind] == events.GAP:
        event["reference"], event["other"] = first, after
    elif kind == m.OUT_ENDED:
        event["reference"] = events.code("END")
    return event
