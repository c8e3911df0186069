"""The driver of the sequencer: sockets and clock in, what it delivers out.

    with MoldReceiver(lines=[("239.1.1.1", 5001), ("239.1.1.2", 5001)],
                      recovery=("10.0.0.7", 5100)) as feed:
        for delivery in feed.poll(timeout_ms=10):     a row of `DELIVERY`, good until the next poll
            translate(delivery["address"], delivery["length"])

One turn of the compiled loop takes one datagram from each socket in turn, so that no line starves
another, gives it to the machine, and copies what follows into the batch that `poll` returns. Before
and after, it lets time pass for the machine and sends the request that falls due. Turn and batch
are bounded; what is left waits in the kernel's buffers for the next poll.

Worst case: a poll that returns all of a full batch copies BATCH_BYTES, well under a millisecond.
A poll with a timeout sleeps in the kernel, at most WAIT_MS_MAX at once, so that requests fall due.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hftlib.core import clock, jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.records import record
from hftlib.core.units import is_whole, shown
from hftlib.feed.mold import machine, sockets
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.gaps import copy_bytes
from hftlib.feed.mold.sequencer import Delivery, Sequencer, delivery_of

BATCH_DELIVERIES = 4096
BATCH_BYTES = 1 << 20
ROOM_BYTES = 1 << 16  # one delivery holds no more than one datagram
TURN_DATAGRAMS = 512
WAIT_MS_MAX = 2

DRIVER = record(
    "mold driver",
    384,
    """
    0    sequencer   int64    address of the machine
    8    deliveries  int64    address of BATCH_DELIVERIES deliveries
    16   blocks      int64    address of BATCH_BYTES bytes
    24   count       int64    deliveries in the batch
    32   used        int64    bytes in the batch
    40   pending     int64    MMSGHDR of a datagram that is to be offered again; 0 none
    48   line        int64    the line whose turn it is
    56   taken       int64    datagrams given to the machine
    64   request     uint8[24]  a request as it is sent
    88   sent        int64    requests sent
    96   unsent      int64    requests that the kernel refused to send
    128  intakes     intake[4] one for each line
    """,
    intake=sockets.INTAKE,
)
_INTAKES = DRIVER.fields["intakes"][1] if DRIVER.fields else 0
_REQUEST = DRIVER.fields["request"][1] if DRIVER.fields else 0
_INTAKE_BYTES, _DELIVERY_BYTES = sockets.INTAKE.itemsize, m.DELIVERY.itemsize

_send = jit.libc("send", "int64(int32, int64, int64, int32)")
_driver_at = jit.record_at(DRIVER)
_intake_at = jit.record_at(sockets.INTAKE)
_header_at = jit.record_at(sockets.MMSGHDR)
_iovec_at = jit.record_at(sockets.IOVEC)
_delivery_at = jit.record_at(m.DELIVERY)


@jit.compiled("int64(int64, int64)")
def gather(driver_address: int, now: int) -> int:
    """Take datagrams until there are none, TURN_DATAGRAMS of them, or the batch is full.

    How many deliveries it holds. Time passes before and after, so no flood keeps it from passing.
    """
    d = _driver_at(driver_address)
    d.count = d.used = 0
    idle = turn = 0
    _drain(driver_address)
    _pass_time(driver_address, now)
    while idle < m.LINES_MAX and turn < TURN_DATAGRAMS and _has_room(driver_address):
        if d.pending == 0:
            d.line = (d.line + 1) % m.LINES_MAX
            d.pending = sockets.fetch(driver_address + _INTAKES + d.line * _INTAKE_BYTES)
        if d.pending == 0:
            idle += 1
        else:
            idle = 0
            turn += 1
            _offer(driver_address, now)
            _drain(driver_address)
            if machine.is_missing(d.sequencer):  # an answer makes room for the next request
                _pass_time(driver_address, now)
    _pass_time(driver_address, now)
    return d.count


@jit.compiled()
def _pass_time(driver_address: int, now: int) -> None:
    """Let time pass for the machine, unless it waits to be drained, and send what falls due."""
    d = _driver_at(driver_address)
    if d.pending == 0 and _has_room(driver_address):
        machine.tick(d.sequencer, now)
        _drain(driver_address)
        _ask(driver_address)


@jit.compiled()
def _offer(driver_address: int, now: int) -> None:
    """Give the pending datagram to the machine; it stays pending if it is to be offered again."""
    d = _driver_at(driver_address)
    header = _header_at(d.pending)
    received = sockets.stamp(driver_address + _INTAKES + d.line * _INTAKE_BYTES, d.pending)
    if received == 0:
        received = clock.now_ns()
    place = _iovec_at(header.iov).base
    length = -1 if header.flags & sockets.MSG_TRUNC else int(header.length)
    if machine.accept(d.sequencer, d.line, place, length, received, now) != p.AGAIN:
        d.taken += 1
        d.pending = 0


@jit.compiled()
def _has_room(driver_address: int) -> bool:
    d = _driver_at(driver_address)
    return d.count < BATCH_DELIVERIES and d.used + ROOM_BYTES <= BATCH_BYTES


@jit.compiled()
def _drain(driver_address: int) -> None:
    """Copy what follows into the batch, as far as there is room."""
    d = _driver_at(driver_address)
    while _has_room(driver_address):
        given = machine.following(d.sequencer)
        if given == 0:
            return
        kept = d.deliveries + d.count * _DELIVERY_BYTES
        copy_bytes(kept, given, _DELIVERY_BYTES)
        delivery = _delivery_at(kept)
        copy_bytes(d.blocks + d.used, delivery.address, delivery.length)
        delivery.address = d.blocks + d.used
        d.used += delivery.length
        d.count += 1


@jit.compiled()
def _ask(driver_address: int) -> None:
    d = _driver_at(driver_address)
    request = driver_address + _REQUEST
    if machine.write_request(d.sequencer, request):
        to = _intake_at(driver_address + _INTAKES + m.LINE_RECOVERY * _INTAKE_BYTES)
        if _send(to.descriptor, request, p.HEADER_BYTES, sockets.MSG_DONTWAIT) == p.HEADER_BYTES:
            d.sent += 1
        else:
            d.unsent += 1


class MoldReceiver:
    """Market data by MoldUDP64: one or two lines, and a recovery server where there is one.

    Keywords not named here are those of `Sequencer`: session, first_sequence, capacity, times. One
    started without a session follows the feed from session to session, one with it never leaves it.
    """

    def __init__(
        self,
        lines: Sequence[sockets.Address],
        recovery: sockets.Address | None = None,
        *,
        interfaces: Sequence[str] = (),
        datagram_bytes_max: int = 9_216,
        **settings: Any,
    ) -> None:
        if not isinstance(lines, list | tuple) or not 1 <= len(lines) <= 2:
            raise InputError(
                f"A feed has one line or two, not {shown(lines)}",
                where="MoldReceiver(lines=...)",
                do='Give a list of addresses: [("239.1.1.1", 5001), ("239.1.1.2", 5001)].',
            )
        if isinstance(interfaces, str) or len(interfaces) > len(lines):
            raise InputError(
                f"{shown(interfaces)} does not name one network card for each line",
                where="MoldReceiver(interfaces=...)",
                do='Give a list of their addresses, in the order of lines: ["192.168.1.5"].',
            )
        if not is_whole(datagram_bytes_max) or not 64 <= datagram_bytes_max <= ROOM_BYTES:
            raise InputError(
                f"{shown(datagram_bytes_max)} is no size of a datagram",
                where="MoldReceiver(datagram_bytes_max=...)",
                do=f"Give a number of bytes from 64 to {ROOM_BYTES:,}.",
            )
        self.sequencer = Sequencer(recovery=recovery is not None, **settings)
        self._closed = False
        self._intakes: list[sockets.Intake] = []
        self._open(lines, recovery, [*interfaces, "", ""], datagram_bytes_max)
        self._deliveries = np.zeros(BATCH_DELIVERIES, m.DELIVERY)
        self._blocks = np.zeros(BATCH_BYTES, np.uint8)
        self._driver = np.zeros(1, DRIVER)
        self._driver["sequencer"] = self.sequencer.address
        self._driver["deliveries"] = self._deliveries.ctypes.data
        self._driver["blocks"] = self._blocks.ctypes.data
        for place, intake in enumerate(self._intakes):
            self._driver["intakes"][0][place] = intake.record[0]

    def _open(
        self,
        lines: Sequence[sockets.Address],
        recovery: sockets.Address | None,
        interfaces: list[str],
        datagram_bytes: int,
    ) -> None:
        own: list[Any] = [None] * m.LINES_MAX
        try:
            for place, address in enumerate(lines):
                own[place] = sockets.listening(address, interfaces[place])
            if recovery is not None:
                own[m.LINE_RECOVERY] = sockets.asking(recovery)
        except Exception:
            for opened in filter(None, own):
                opened.close()
            raise
        self.addresses = [own[place].getsockname() for place in range(len(lines))]
        self.recovery = recovery
        self._intakes = [sockets.Intake(one, datagram_bytes) for one in own]
        self._waiting = select.poll()
        for one in filter(None, own):
            self._waiting.register(one, select.POLLIN)

    def poll(self, timeout_ms: float = 0) -> np.ndarray[Any, Any]:
        """What is delivered now, as rows of `DELIVERY`; waits for something up to the timeout.

        Rows and their blocks are good until the next poll.
        """
        if self._closed:
            raise StateError(
                "This receiver is closed", where="MoldReceiver.poll", do="Open another."
            )
        until = time.monotonic() + timeout_ms / 1000
        while True:
            count = int(gather(self._driver.ctypes.data, clock.monotonic_ns()))
            left_ms = (until - time.monotonic()) * 1000
            if count or left_ms <= 0:
                return self._deliveries[:count]
            self._waiting.poll(min(left_ms, WAIT_MS_MAX))

    def blocks(self, deliveries: Iterable[Any]) -> list[Delivery]:
        """Copies of what `poll` gave, for people and tests."""
        base = self._blocks.ctypes.data
        made = []
        for row in deliveries:
            begin = int(row["address"]) - base
            blocks = self._blocks[begin : begin + int(row["length"])].tobytes()
            made.append(delivery_of(row, blocks))
        return made

    @property
    def stale(self) -> bool:
        return self.sequencer.stale

    @property
    def ended(self) -> bool:
        return self.sequencer.state == "ENDED"

    @property
    def stats(self) -> dict[str, int]:
        """What was met, by name: the sequencer's counts, the sockets' and the kernel's."""
        driver, found = self._driver[0], self.sequencer.counts
        found |= {"datagrams": int(driver["taken"]), "requests sent": int(driver["sent"])}
        found["requests unsent"] = int(driver["unsent"])
        for name, intake in zip(m.LINE_NAMES, driver["intakes"], strict=True):
            found[f"line {name}: dropped by the kernel"] = int(intake["drops"])
            found[f"line {name}: failures"] = int(intake["failures"])
        return {name: count for name, count in found.items() if count}

    def close(self) -> None:
        self._closed = True
        for intake in self._intakes:
            if intake.socket is not None:
                intake.socket.close()

    def __enter__(self) -> MoldReceiver:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def __repr__(self) -> str:
        places = ", ".join(f"{host}:{port}" for host, port in self.addresses)
        if self.recovery is not None:
            places += ", recovery {}:{}".format(*self.recovery)
        closed = ", closed" if self._closed else ""
        return f"<MoldReceiver {places}{closed}: {self.sequencer!r}>"
