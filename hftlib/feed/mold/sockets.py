"""UDP sockets for market data, and datagrams taken from the kernel by the batch.

Python opens a socket and says in a sentence why it cannot; compiled code takes datagrams from it
with `recvmmsg`, up to BATCH at once, without the GIL and without a Python object:

    BATCH: one MMSGHDR, IOVEC and CONTROL for each place, then BATCH places of `datagram_bytes`

The kernel stamps each datagram on arrival (SO_TIMESTAMPNS), and tells how many it has dropped on
this socket so far for want of room (SO_RXQ_OVFL). Both come as control messages beside the data.
A datagram larger than its place is cut off by the kernel, and says so.

Worst case: a burst larger than the kernel's buffer is dropped there; that shows in `drops` and as a
gap. The buffer asked for is RECEIVE_BUFFER_BYTES; the kernel may grant less (`net.core.rmem_max`).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import HostError, InputError
from hftlib.core.records import record
from hftlib.core.units import is_whole, shown

Address = tuple[str, int]

BATCH = 32
CONTROL_BYTES = 64
RECEIVE_BUFFER_BYTES = 8 << 20
DATAGRAM_BYTES_MAX = 65_536

MMSGHDR = record(
    "mmsghdr",
    64,
    """
    0   name            int64   address of a socket address; 0: not wanted
    8   name_bytes      uint32
    16  iov             int64   address of an IOVEC
    24  iov_count       int64
    32  control         int64   address of the control messages
    40  control_bytes   int64   room there; the kernel writes how much it used
    48  flags           int32   the kernel's word on this datagram
    56  length          uint32  of the datagram
    """,
)
IOVEC = record(
    "iovec",
    16,
    """
    0  base    int64
    8  length  int64
    """,
)
CONTROL = record(
    "control message",
    16,
    """
    0   length  int64  with this header
    8   level   int32
    12  kind    int32
    """,
)
INTAKE = record(
    "mold intake",
    64,
    """
    0   descriptor  int64  the socket's number; -1: there is none
    8   headers     int64  address of BATCH MMSGHDRs
    16  count       int64  datagrams in the batch at hand
    24  next_one    int64  the first of these that is not taken yet
    32  drops       int64  datagrams that the kernel dropped for want of room
    40  failures    int64  errors that receiving met, such as a peer that is not there
    48  taken       int64  datagrams taken in all
    """,
)

MSG_DONTWAIT, MSG_TRUNC = 0x40, 0x20
SOL_SOCKET, SO_TIMESTAMPNS, SO_RXQ_OVFL = 1, 35, 40
IP_MULTICAST_ALL = 49
_EAGAIN, _EINTR = errno.EAGAIN, errno.EINTR
_HEADER_BYTES = MMSGHDR.itemsize

_recvmmsg = jit.libc("recvmmsg", "int32(int32, int64, uint32, int32, int64)")
_intake_at = jit.record_at(INTAKE)
_header_at = jit.record_at(MMSGHDR)
_iovec_at = jit.record_at(IOVEC)
_control_at = jit.record_at(CONTROL)


@jit.compiled()
def fetch(intake_address: int) -> int:
    """The MMSGHDR of the next datagram, from the batch at hand or a new one; 0: none there."""
    intake = _intake_at(intake_address)
    if intake.next_one == intake.count:
        intake.count = intake.next_one = 0
        if intake.descriptor < 0:
            return 0
        for place in range(BATCH):
            _header_at(intake.headers + place * _HEADER_BYTES).control_bytes = CONTROL_BYTES
        got = _recvmmsg(intake.descriptor, intake.headers, BATCH, MSG_DONTWAIT, 0)
        if got <= 0:
            why = jit.errno()
            if got < 0 and why != _EAGAIN and why != _EINTR:
                intake.failures += 1
            return 0
        intake.count = got
        intake.taken += got
    header = intake.headers + intake.next_one * _HEADER_BYTES
    intake.next_one += 1
    return header


@jit.compiled()
def stamp(intake_address: int, header_address: int) -> int:
    """When the kernel received this datagram, or 0; what it says of drops is kept."""
    header = _header_at(header_address)
    when = 0
    place, end = header.control, header.control + min(header.control_bytes, CONTROL_BYTES)
    while place + 16 <= end:
        control = _control_at(place)
        if control.length < 16:
            return when
        if control.level == SOL_SOCKET and control.kind == SO_TIMESTAMPNS:
            when = jit.load_i64(place + 16) * 1_000_000_000 + jit.load_i64(place + 24)
        elif control.level == SOL_SOCKET and control.kind == SO_RXQ_OVFL:
            # A u32 in the machine's order; the eight bytes are within the room we gave.
            _intake_at(intake_address).drops = jit.load_i64(place + 16) & 0xFFFF_FFFF
        place += (control.length + 7) & ~7
    return when


class Intake:
    """One socket's batch memory. `socket` None is a line that there is not."""

    def __init__(self, own: socket.socket | None, datagram_bytes: int) -> None:
        self.socket = own
        count = BATCH if own else 0
        self._headers = np.zeros(max(count, 1), MMSGHDR)
        self._iovecs = np.zeros(max(count, 1), IOVEC)
        self._controls = np.zeros(max(count, 1) * CONTROL_BYTES // 8, np.int64)
        self._places = np.zeros((max(count, 1), datagram_bytes), np.uint8)
        headers, iovecs = self._headers, self._iovecs
        steps = np.arange(len(headers))
        iovecs["base"] = self._places.ctypes.data + steps * datagram_bytes
        iovecs["length"] = datagram_bytes
        headers["iov"] = iovecs.ctypes.data + steps * IOVEC.itemsize
        headers["iov_count"] = 1
        headers["control"] = self._controls.ctypes.data + steps * CONTROL_BYTES
        self.record = np.zeros(1, INTAKE)
        self.record["descriptor"] = own.fileno() if own else -1
        self.record["headers"] = headers.ctypes.data


def listening(address: Address, interface: str = "") -> socket.socket:
    """A socket that receives what is sent to this address; of a multicast group, a member.

    `interface` is the IPv4 address of the card to join through; if empty, the kernel chooses.
    """
    host, port = checked(address, "a line of the feed")
    where = f"{host}:{port}"
    group = socket.inet_aton(host)
    card = _packed(interface, f"the interface for {where}") if interface else bytes(4)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        _prepare(own)
        if 224 <= group[0] <= 239:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            own.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
            own.bind((host, port))
            own.setsockopt(
                socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", group, card)
            )
        else:
            own.bind((host, port))
    except OSError as error:
        own.close()
        raise _refused(error, where, interface) from None
    return own


def asking(address: Address) -> socket.socket:
    """A socket for requests to a recovery server, which takes answers from nobody else."""
    host, port = checked(address, "the recovery server")
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        _prepare(own)
        own.connect((host, port))
    except OSError as error:
        own.close()
        raise _refused(error, f"{host}:{port}", "") from None
    return own


def sending(interface: str = "") -> socket.socket:
    """A socket that sends to anybody, and to groups through the card of that address."""
    card = _packed(interface, "the interface to send through") if interface else b""
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.setblocking(False)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, RECEIVE_BUFFER_BYTES)
        if card:
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, card)
    except OSError as error:
        own.close()
        raise _refused(error, interface, "") from None
    return own


def checked(address: Any, what: str) -> Address:
    """Host and port, or a sentence."""
    if not isinstance(address, tuple | list) or len(address) != 2:
        raise _bad(f"{shown(address)} is no address of {what}", what)
    host, port = address
    if not isinstance(host, str) or not host:
        raise _bad(f"{shown(host)} is no host", what)
    if not is_whole(port) or not 0 <= port <= 65_535:
        raise _bad(f"{shown(port)} is no UDP port", what)
    return socket.inet_ntoa(_packed(host, f"{what}, {host}:{port}")), int(port)


def _bad(what: str, where: str) -> InputError:
    return InputError(what, where=where, do='Give (host, port), such as ("239.1.1.1", 5001).')


def _packed(host: str, where: str) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET, "127.0.0.1" if host == "localhost" else host)
    except OSError:
        raise InputError(
            f"{shown(host)} is no IPv4 address",
            where=where,
            do="Give four numbers, such as 239.1.1.1; names are not looked up.",
        ) from None


def _prepare(own: socket.socket) -> None:
    own.setblocking(False)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    own.setsockopt(SOL_SOCKET, SO_TIMESTAMPNS, 1)
    own.setsockopt(SOL_SOCKET, SO_RXQ_OVFL, 1)


def _refused(error: OSError, where: str, interface: str) -> HostError | InputError:
    through = f" through {interface}" if interface else ""
    known = {
        errno.EADDRINUSE: ("The port is in use", "Close what listens there, or use another port."),
        errno.EADDRNOTAVAIL: (
            "This host has no such address",
            "Use an address of this host (`ip address` lists them), or 0.0.0.0 for all.",
        ),
        errno.ENODEV: (
            f"No network card here can join the group{through}",
            "Name the card by its address: interface='192.168.1.5' (`ip address` lists them).",
        ),
        errno.EACCES: ("This user may not use that port", "Use a port above 1023."),
        errno.ENETUNREACH: ("There is no route to it", "Check the address and the network."),
    }
    text = os.strerror(error.errno or 0)
    what, do = known.get(error.errno or 0, (f"It cannot be opened: {text}", "Check the address."))
    return HostError(what, where=where, do=do)
