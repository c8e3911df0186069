"""MoldUDP64 datagrams out of a capture, into events.

    session[10] │ sequence u64 │ count u16 │ {length u16, message} × count

One session of one feed: which, the caller says by port or session, or the first datagram does. A
datagram is used when all of its blocks are sound, else all of it is one UNREADABLE event.
Datagrams numbered 0 come from recordings whose numbers were wiped out; they are taken as they come.

The events GAP, RECOVERED and UNREADABLE stand at the time of capture, for want of a better one.
Worst case: some 20 µs a datagram with all that stands before it, in plain Python.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.feed.itch.numbered import Numbered, Run
from hftlib.feed.itch.translate import Translator
from hftlib.feed.packets import UDP, Packet

HEADER = struct.Struct(">10sQH")
END_OF_SESSION = 0xFFFF
NUMBER_MAX = 1 << 62
EVENTS_MAX = 65_507 // 2  # of one run: as many as one datagram has room for messages


class Datagrams:
    """What is known of the session that is read. `take` a packet, then `write` all of `runs`."""

    def __init__(self, translator: Translator, port: int | None, session: str | None) -> None:
        self.counts: Counter[str] = Counter()
        self._numbered = Numbered()
        self._translator = translator
        self._port = port
        self._session = None if session is None else session.encode("ascii", "replace").ljust(10)
        self._is_told = session is not None

    def take(self, packet: Packet) -> Iterator[Run]:
        """What goes out because of this packet."""
        if not packet.is_readable:
            yield _unreadable(packet)
        elif packet.protocol == UDP and self._port in (None, packet.target_port):
            yield from self._datagram(packet)
        elif packet.protocol == UDP:
            self.counts["datagrams to other ports"] += 1

    def end(self) -> Iterator[Run]:
        """What goes out because nothing more comes."""
        self._numbered.end()
        yield from self._ready()
        self.counts += self._numbered.counts

    def _datagram(self, packet: Packet) -> Iterator[Run]:
        payload = packet.payload
        if not _is_sound(payload):
            self.counts["datagrams that are no MoldUDP64"] += 1
            yield _unreadable(packet)
            return
        session, first, count = HEADER.unpack_from(payload)
        if not self._is_ours(session):
            self.counts["datagrams of other sessions"] += 1
            return
        self.counts["MoldUDP64 datagrams"] += 1
        if count in (0, END_OF_SESSION):
            self.counts["ends of session" if count else "heartbeats"] += 1
            count = 0
        blocks = payload[HEADER.size :]
        if first:
            self._numbered.take(first, first + count, blocks, packet.time_ns)
            yield from self._ready()
        elif count:
            yield Run(0, 0, 0, blocks, packet.time_ns)

    def _ready(self) -> Iterator[Run]:
        while self._numbered.ready:
            yield self._numbered.ready.popleft()

    def _is_ours(self, session: bytes) -> bool:
        if self._session is None:
            self._session = session
        if session != self._session and not self._is_told:
            names = " and ".join(shown(s.decode("latin-1")) for s in (self._session, session))
            raise InputError(
                f"The capture holds several MoldUDP64 sessions, {names}, which would mix",
                where="its datagrams",
                do="Read one at a time: say which session or which port (--session, --port).",
            )
        return session == self._session

    def write(self, run: Run, into: np.ndarray[Any, Any]) -> int:
        """The events of a run, at most EVENTS_MAX of them: how many."""
        translator = self._translator
        translator.received_ns = run.received_ns
        if run.kind == events.UNREADABLE:
            return _note(into, run, events.NO_PARSE, 0, len(run.blocks), translator.sequence)
        if run.kind:
            return _note(into, run, run.first, run.after, 0, 0)
        if run.first:
            translator.sequence = run.first
        blocks = np.frombuffer(run.blocks, np.uint8)
        address, length, made = int(blocks.ctypes.data), len(blocks), 0
        while length:
            taken, count = translator.frames(address, length, into[made:])
            address, length, made = address + taken, length - taken, made + count
            if length:  # an empty message, which has a number but nothing to translate
                self.counts["empty messages"] += 1
                unread = run._replace(kind=events.UNREADABLE)
                made += _note(into[made:], unread, events.WRONG_LENGTH, 0, 0, translator.sequence)
                translator.sequence += 1
                address, length = address + 2, length - 2
        if run.is_late:
            into["flags"][:made] |= events.RECOVERED_LATE
        return made


def _unreadable(packet: Packet) -> Run:
    return Run(events.UNREADABLE, 0, 0, packet.payload, packet.time_ns)


def _note(
    into: np.ndarray[Any, Any], run: Run, reference: int, other: int, quantity: int, sequence: int
) -> int:
    """An event that no message stands for."""
    event = into[:1]
    event[:] = 0
    event["kind"], event["reference"], event["other"] = run.kind, reference, other
    event["instrument"] = events.ALL
    event["time"] = event["received"] = run.received_ns
    event["quantity"], event["sequence"] = quantity, sequence
    return 1


def _is_sound(payload: memoryview) -> bool:
    """Whether the header's count and the lengths of the messages fill the datagram exactly."""
    if len(payload) < HEADER.size:
        return False
    _session, first, count = HEADER.unpack_from(payload)
    place, end = HEADER.size, len(payload)
    for _ in range(0 if count == END_OF_SESSION else count):
        if place + 2 > end:
            return False
        place += 2 + (payload[place] << 8 | payload[place + 1])
    return place == end and first <= NUMBER_MAX
