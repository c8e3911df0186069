"""The feed onto the wire: MoldUDP64 datagrams of stored messages, to every line alike.

    flush(lines)     all messages stored and not sent yet, in as few datagrams as they fit in

Each datagram is a header of its own and a piece of the store: nothing is copied. All lines get the
same datagrams, by one system call for each line and batch.

    LINES ─ what was sent, settings, counts
    ENVELOPE × BATCH     header of a datagram, its two pieces, its place in the call

What the kernel does not take is lost, as on any wire, and counted; whoever misses it asks again.

Worst case: a batch is BATCH datagrams; a flood goes out batch by batch, and what the receivers'
sockets have no room for they drop.
"""

from __future__ import annotations

import socket
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.records import field_offset, record
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.sockets import IOVEC, MMSGHDR
from hftlib.venue.floor.memory import floor_at

BATCH = 64
LINES_MAX = 2

LINES = record(
    "floor lines",
    128,
    """
    0   floor      int64     address of the FLOOR
    8   sent       int64     messages sent
    16  payload    int64     bytes of a datagram, at most
    24  count      int64     lines
    32  sockets    int64[2]  their descriptors, -1 for a line that is silent
    48  datagrams  int64     sent, on any line
    56  failed     int64     that the kernel did not take
    64  session    uint8[10]
    """,
)
ENVELOPE = record(
    "floor envelope",
    128,
    """
    0   call    call        as the kernel takes it
    64  pieces  iovec[2]    the header, and the messages
    96  header  uint8[20]
    """,
    call=MMSGHDR,
    iovec=IOVEC,
)
_ENVELOPE_BYTES, IOVEC_BYTES = ENVELOPE.itemsize, IOVEC.itemsize
_PIECES, _HEADER = field_offset(ENVELOPE, "pieces"), field_offset(ENVELOPE, "header")
_SESSION, _SOCKETS = field_offset(LINES, "session"), field_offset(LINES, "sockets")
_DONTWAIT = 0x40
_FIRST = LINES.itemsize

_lines_at = jit.record_at(LINES)
_iovec_at = jit.record_at(IOVEC)
_sendmmsg = jit.libc("sendmmsg", "int32(int32, int64, uint32, int32)")


@jit.compiled("int64(int64)")
def flush(lines: int) -> int:
    """Send what is stored: how many datagrams there were to send."""
    w = _lines_at(lines)
    f = floor_at(w.floor)
    made = 0
    while w.sent < f.messages:
        count = 0
        while count < BATCH and w.sent < f.messages:
            _pack(lines, _FIRST + count * _ENVELOPE_BYTES)
            count += 1
        for line in range(w.count):
            _send(lines, jit.load_i64(lines + _SOCKETS + 8 * line), count)
        made += count
    return made


@jit.inlined
def _pack(lines: int, at: int) -> None:
    """One envelope: as many messages as a datagram holds, at least one."""
    w = _lines_at(lines)
    f = floor_at(w.floor)
    begin = jit.load_i64(f.offsets + 8 * w.sent)
    limit = begin + w.payload - p.HEADER_BYTES
    last = w.sent + 1
    while last < f.messages and jit.load_i64(f.offsets + 8 * (last + 1)) <= limit:
        last += 1
    header = lines + at + _HEADER
    for n in range(p.SESSION_BYTES):
        jit.store_u8(header + n, jit.load_u8(lines + _SESSION + n))
    jit.store_be_i64(header + p.SEQUENCE_OFFSET, w.sent + 1)
    jit.store_be_u16(header + p.COUNT_OFFSET, last - w.sent)
    body = _iovec_at(lines + at + _PIECES + IOVEC_BYTES)
    body.base = f.blocks + begin
    body.length = jit.load_i64(f.offsets + 8 * last) - begin
    w.sent = last


@jit.inlined
def _send(lines: int, descriptor: int, count: int) -> None:
    """A batch on one line; a datagram that is not taken is not tried again."""
    w = _lines_at(lines)
    done = 0
    while done < count and descriptor >= 0:
        place = lines + _FIRST + done * _ENVELOPE_BYTES
        gone = _sendmmsg(descriptor, place, count - done, _DONTWAIT)
        if gone > 0:
            w.datagrams += gone
            done += gone
        else:
            w.failed += 1
            done += 1


def lines_memory(
    floor: int, session: bytes, payload: int, own: list[socket.socket]
) -> np.ndarray[Any, Any]:
    """LINES and its envelopes, ready; `own` are connected sockets, one for each line."""
    memory = np.zeros((LINES.itemsize + BATCH * _ENVELOPE_BYTES) // 8, np.int64).view(np.uint8)
    lines = memory[: LINES.itemsize].view(LINES)
    lines["floor"], lines["payload"], lines["count"] = floor, payload, len(own)
    lines["sockets"] = -1
    lines["sockets"][0][: len(own)] = [one.fileno() for one in own]
    lines["session"] = np.frombuffer(session, np.uint8)
    envelopes = memory[LINES.itemsize :].view(ENVELOPE)
    begin = memory.ctypes.data + LINES.itemsize + np.arange(BATCH) * _ENVELOPE_BYTES
    envelopes["pieces"]["base"][:, 0] = begin + _HEADER
    envelopes["pieces"]["length"][:, 0] = p.HEADER_BYTES
    envelopes["call"]["iov"] = begin + _PIECES
    envelopes["call"]["iov_count"] = 2
    return memory
