"""The other side: a publisher of numbered messages, and the server that recovers what was lost.

    server = MoldServer("TODAY", destinations=[("239.1.1.1", 5001), ("239.1.1.2", 5001)],
                        recovery=("0.0.0.0", 5100))
    server.publish([message, ...])      packed into datagrams, sent to every destination
    server.step(now)                    heartbeats when idle, answers to requests
    server.end(now)                     the session is over; what was lost can still be asked for

All messages of the session are stored as they travel, {u16 length, message} after another, with
the offset of each: so a reply is a header and one slice. The store is bounded, in memory or in a
file; a publish that does not fit is refused whole, before anything is sent.

    STORE    blocks  uint8 × store_bytes_max          INDEX  offset  int64 × (messages_max + 1)

A reply is one ordinary packet to the asker alone, as many of the wanted messages as it holds: who
wants more asks again. A request is twenty bytes and a reply seventy times that, and the address of
an asker can be forged: so each asker, and all together, have a budget of replies a second.

Worst case: `step` answers at most REQUESTS_PER_STEP requests, some 10 µs each.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError, StateError
from hftlib.core.units import is_whole, shown
from hftlib.feed.mold import packet as p
from hftlib.feed.mold import sockets
from hftlib.feed.mold.budgets import SECOND_NS, Budgets

REQUESTS_PER_STEP = 256


class MoldServer:
    """One session's publisher and recovery server. Time is an argument: any clock in nanoseconds.

    `path` names a file that does not exist yet, for a store that should not be in memory.
    """

    def __init__(
        self,
        session: str | bytes,
        destinations: Sequence[sockets.Address] = (),
        recovery: sockets.Address | None = None,
        *,
        payload_bytes_max: int = p.PAYLOAD_BYTES_MAX,
        messages_max: int = 1 << 22,
        store_bytes_max: int = 1 << 28,
        path: Path | str | None = None,
        replies_per_second: int = 5_000,
        replies_per_second_in_all: int = 50_000,
        interface: str = "",
    ) -> None:
        least = {"payload_bytes_max": 64, "messages_max": 1, "store_bytes_max": 1}
        least |= {"replies_per_second": 1, "replies_per_second_in_all": 1}
        given = (payload_bytes_max, messages_max, store_bytes_max)
        rates = (replies_per_second, replies_per_second_in_all)
        most = {"payload_bytes_max": p.DATAGRAM_BYTES_MAX}
        for (name, low), value in zip(least.items(), (*given, *rates), strict=True):
            high = most.get(name, 1 << 40)
            if not is_whole(value) or not low <= value <= high:
                raise InputError(
                    f"{shown(value)} is no {name}",
                    where=f"MoldServer({name}=...)",
                    do=f"Give a whole number from {low:,} to {high:,}.",
                )
        self.session = p.session_bytes(session)
        self._payload_bytes_max = payload_bytes_max
        places = [sockets.checked(place, "a destination") for place in destinations]
        # Zeros are not touched until they are written: a large bound costs address space only.
        self._offsets = np.zeros(messages_max + 1, np.int64)
        self._blocks = _store(path, store_bytes_max)
        self._count = 0  # messages stored
        self._sent_count = 0  # messages sent
        self._last_sent: int | None = None
        self._ended = False
        self._closed = False
        self.counts: dict[str, int] = {}
        self._budgets = Budgets(replies_per_second, replies_per_second_in_all)
        self._sender = sockets.sending(interface)
        try:
            self._asked = sockets.listening(recovery) if recovery is not None else None
        except Exception:
            self._sender.close()
            raise
        self.destinations = places

    @property
    def recovery_address(self) -> sockets.Address | None:
        """Where requests arrive; the port that was chosen, if 0 was asked for."""
        return self._asked.getsockname() if self._asked else None

    @property
    def next_sequence(self) -> int:
        return self._count + 1

    @property
    def store(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The blocks and their offsets, for compiled code that stores and sends by itself."""
        return self._blocks, self._offsets

    def told(self, count: int, now: int) -> None:
        """Compiled code has stored and sent messages, `count` in all: they can be asked for."""
        if count != self._count:
            self._count = self._sent_count = count
            self._last_sent = now

    def resume(self, count: int) -> None:
        """The store has this many messages from before a restart; the next step says so to all."""
        self._count = self._sent_count = count
        self._last_sent = None

    def publish(self, messages: Iterable[bytes], now: int) -> int:
        """Store these messages and send them at once: the number of datagrams."""
        self._require_open("publish")
        if self._ended:
            raise StateError(
                "The session has ended", where="MoldServer.publish", do="Open a new session."
            )
        blocks = [p.block(message) for message in messages]
        longest = max(map(len, blocks), default=0)
        if p.HEADER_BYTES + longest > p.DATAGRAM_BYTES_MAX:  # nobody could ever receive it
            raise InputError(
                f"A message of {longest - p.BLOCK_BYTES:,} bytes is more than UDP carries",
                where="MoldServer.publish",
                do="Split it; nothing was sent of these.",
            )
        self._add(b"".join(blocks), [len(block) for block in blocks])
        return self._flush(now)

    def step(self, now: int) -> int:
        """Answer requests and send a heartbeat when a second passed without a packet: replies."""
        self._require_open("step")
        if self._last_sent is None or now - self._last_sent >= SECOND_NS:
            self._send_all(self._notice(), now)
            self._tally("end packets" if self._ended else "heartbeats")
        return self._answer(now)

    def end(self, now: int) -> None:
        """The session is over. `step` goes on saying so each second, and answering."""
        self._require_open("end")
        self._ended = True
        self._send_all(self._notice(), now)
        self._tally("end packets")

    def packet(self, first: int, count: int = p.MESSAGES_MAX) -> bytes:
        """One datagram of stored messages: from `first`, at most `count`, as many as fit."""
        count = min(count, p.MESSAGES_MAX, self._count + 1 - first)
        begin = int(self._offsets[first - 1])
        room = begin + self._payload_bytes_max - p.HEADER_BYTES
        ends = self._offsets[first : first + count]
        count = max(1, int(np.searchsorted(ends, room, "right")))
        blocks = self._blocks[begin : int(self._offsets[first - 1 + count])].tobytes()
        return p.header(self.session, first, count) + blocks

    def _add(self, blocks: bytes, sizes: list[int]) -> None:
        begin = int(self._offsets[self._count])
        beyond = len(sizes) > len(self._offsets) - 1 - self._count
        if beyond or begin + len(blocks) > len(self._blocks):
            raise StateError(
                f"The store of the session is full: {self._count:,} messages, {begin:,} bytes",
                where="MoldServer.publish",
                do="Give it more of messages_max or store_bytes_max; nothing was sent of these.",
            )
        self._blocks[begin : begin + len(blocks)] = np.frombuffer(blocks, np.uint8)
        ends = begin + np.cumsum(np.array(sizes, np.int64))
        self._offsets[self._count + 1 : self._count + 1 + len(sizes)] = ends
        self._count += len(sizes)

    def _flush(self, now: int) -> int:
        packets = 0
        while self._sent_count < self._count:
            packet = self.packet(self._sent_count + 1)
            self._send_all(packet, now)
            self._sent_count += p.header_of(packet)[2]
            packets += 1
        return packets

    def _notice(self) -> bytes:
        return p.header(self.session, self.next_sequence, p.END_COUNT if self._ended else 0)

    def _send_all(self, packet: bytes, now: int) -> None:
        self._last_sent = now
        for place in self.destinations:
            self._send(self._sender, packet, place)

    def _send(self, through: socket.socket, packet: bytes, place: sockets.Address) -> None:
        try:
            through.sendto(packet, place)
            self._tally("packets sent")
        except OSError as error:  # a full buffer, no route: lost, as on any wire, and counted
            self._tally(f"packets not sent: {error.strerror}")

    def _answer(self, now: int) -> int:
        replies = 0
        for _ in range(REQUESTS_PER_STEP if self._asked else 0):
            assert self._asked is not None
            try:
                request, asker = self._asked.recvfrom(p.HEADER_BYTES + 1)
            except BlockingIOError:
                break
            except OSError:
                self._tally("receiving failed")
                break
            reply = self._reply(request, asker, now)
            if reply:
                self._send(self._asked, reply, asker)
                replies += 1
        return replies

    def _reply(self, request: bytes, asker: sockets.Address, now: int) -> bytes:
        """The packet that answers a request; none, and counted why, if it cannot be answered."""
        if len(request) != p.HEADER_BYTES:
            return self._ignored("not 20 bytes")
        session, first, count = p.header_of(request)
        if session != self.session:
            return self._ignored("another session")
        if not 1 <= first <= self._count:
            return self._ignored("no such message")
        if not 1 <= count <= p.MESSAGES_MAX:
            return self._ignored("no such count")
        if not self._budgets.allow(asker[0], now):
            return self._ignored("asked too often")
        self._tally("requests answered")
        return self.packet(first, count)

    def _ignored(self, why: str) -> bytes:
        self._tally(f"requests ignored: {why}")
        return b""

    def _tally(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def _require_open(self, what: str) -> None:
        if self._closed:
            raise StateError(
                "This server is closed", where=f"MoldServer.{what}", do="Open another."
            )

    def close(self) -> None:
        self._closed = True
        self._sender.close()
        if self._asked is not None:
            self._asked.close()

    def __enter__(self) -> MoldServer:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "ended" if self._ended else "open"
        to = ", ".join(f"{host}:{port}" for host, port in self.destinations) or "nobody"
        session = self.session.decode("ascii", "backslashreplace").rstrip()
        answered = self.counts.get("requests answered", 0)
        return (
            f"<MoldServer session {session}, {state}, {self._count:,} messages to {to}, "
            f"{answered:,} requests answered>"
        )


def _store(path: Path | str | None, size: int) -> np.ndarray[Any, Any]:
    if path is None:
        return np.zeros(size, np.uint8)
    try:
        with open(path, "xb") as file:
            file.truncate(size)
        return np.memmap(path, np.uint8, "r+", shape=(size,))
    except OSError as error:
        raise InputError(
            f"The store cannot be made: {error.strerror}",
            where=str(path),
            do="Name a file that does not exist yet, in a folder that can be written.",
        ) from None
