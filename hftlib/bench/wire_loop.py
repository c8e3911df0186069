"""The ends of `hft bench live --wire`, compiled: who sends and hears, and the echo.

    ask(wire, histogram, count, gap)   a datagram by UDP, until an order comes by TCP, and again
    serve(wire, until)                 whatever comes by TCP is answered as a venue would
    echo(wire, intake, ...)            the yardstick: fixed bytes by TCP for each datagram by UDP

    datagram:  20 bytes of MoldUDP64, 2 of length, one ITCH `U`: the best bid goes up or down

Each datagram changes the best bid, so a strategy that looks at the book has something new. Between
two of them there is time for answers: orders are accepted, those that last for the moment end,
replaces and cancels are obeyed. No answer falls into a time that is measured.

Worst case: an order that does not come within PATIENCE_NS ends it, and the count says where.
"""

from __future__ import annotations

import errno

from hftlib.core import clock, jit
from hftlib.core.histogram import record_value
from hftlib.core.records import field_offset, record
from hftlib.core.soup import pipes
from hftlib.feed.mold import packet
from hftlib.feed.mold import sockets as lines

WIRE = record(
    "bench wire",
    256,
    """
    0    udp         int64  socket to send by
    8    tcp         int64  socket to hear orders from
    16   datagram    int64  address of the one datagram, and
    24   length      int64  its bytes
    32   buffer      int64  address of what came by TCP, ROOM bytes
    40   held        int64  bytes there that are no whole frame yet
    48   out         int64  address of what is answered, ROOM bytes
    56   out_bytes   int64
    64   sequence    int64  of the next datagram
    72   reference   int64  of the order at the best bid
    80   low         int64  the two prices it has in turns
    88   high        int64
    96   midnight    int64  the monotonic clock then
    104  answers     int64  1: orders are answered
    112  orders      int64  counts: messages about orders that came
    120  in_time     int64  of them, first ones behind a datagram
    128  datagrams   int64
    136  heard       int64  pieces of the stream
    144  told        int64  answers
    152  reports     int64  address where the runner counts them; 0: nobody does
    160  strange     int64  messages that nothing is known of
    168  table       int64  address of side and quantity of each order, TABLE pairs of int64
    176  stop        int64  1: the echo ends
    184  kept        int64  bytes of the first answer that was timed, in `buffer` of KEPT
    192  kept_at     int64  address of them
    200  symbol      int64  address of eight letters, and the three of capacity, ISO and cross
    """,
)
ROOM, TABLE = 1 << 14, 1 << 16
MESSAGE_AT = packet.HEADER_BYTES + packet.BLOCK_BYTES
DATAGRAM_BYTES = MESSAGE_AT + 35
PATIENCE_NS = 2_000_000_000
_DONTWAIT, _NOSIGNAL, _POLLIN = 0x40, 0x4000, 1
_O, _U, _X, _A, _C, _L, _S, _IOC = (ord(letter) for letter in "OUXACLS3")
_Q, _REASON_USER, _REASON_IOC = ord("Q"), ord("U"), ord("I")
_EAGAIN, _EINTR = errno.EAGAIN, errno.EINTR

_STOP = field_offset(WIRE, "stop")
wire_at = jit.record_at(WIRE)
_send = jit.libc("send", "int64(int32, int64, int64, int32)")
_recv = jit.libc("recv", "int64(int32, int64, int64, int32)")
_poll = jit.libc("poll", "int32(int64, uint64, int32)")


@jit.compiled("int64(int64, int64, int64, int64)")
def ask(wire: int, histogram: int, count: int, gap: int) -> int:
    """So many datagrams, `gap` ns apart: how many were answered by an order in time."""
    w = wire_at(wire)
    for done in range(count):
        _write(wire)
        begun = clock.monotonic_ns()
        if _send(w.udp, w.datagram, w.length, 0) != w.length:
            return done
        w.datagrams += 1
        orders = w.orders
        while True:
            heard = _hear(wire)
            now = clock.monotonic_ns()
            if heard > 0:
                _read(wire)
                if w.orders != orders:
                    break
            if heard < 0 or now - begun > PATIENCE_NS:
                return done
        w.in_time += 1
        record_value(histogram, now - begun)
        _answer(wire)
        if not _settle(wire, begun + gap):
            return done
    return count


@jit.compiled("int64(int64, int64)")
def serve(wire: int, until: int) -> int:
    """What comes is answered, until a monotonic time: 0, or -1 when the connection is over."""
    while clock.monotonic_ns() < until:
        heard = _hear(wire)
        if heard < 0:
            return -1
        if heard > 0:
            _read(wire)
            _answer(wire)
    return 0


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def echo(wire: int, intake: int, tcp: int, answer: int, length: int, polls: int) -> int:
    """The same bytes for each datagram, until told to stop; with `polls` it sleeps in between."""
    w = wire_at(wire)
    done = 0
    while jit.load_acquire(wire + _STOP) == 0:
        if lines.fetch(intake) != 0:
            if _send(tcp, answer, length, _NOSIGNAL) != length:
                return done
            done += 1
        elif polls != 0:
            _poll(polls, 1, 1)
    w.stop = 0
    return done


@jit.compiled()
def _settle(wire: int, until: int) -> bool:
    """Until that time, and until the runner has heard every answer."""
    w = wire_at(wire)
    patience = clock.monotonic_ns() + PATIENCE_NS
    while True:
        now = clock.monotonic_ns()
        if _hear(wire) > 0:
            _read(wire)
            _answer(wire)
        elif now >= until and (w.reports == 0 or jit.load_i64(w.reports) >= w.told):
            return True
        if now > patience:
            return False


@jit.compiled()
def _write(wire: int) -> None:
    """The next datagram: the order at the best bid is replaced, and has the other price."""
    w = wire_at(wire)
    at = w.datagram + MESSAGE_AT
    since = clock.monotonic_ns() - w.midnight
    jit.store_be_i64(w.datagram + packet.SEQUENCE_OFFSET, w.sequence)
    jit.store_be_u48(at + 5, since)
    jit.store_be_i64(at + 11, w.reference)
    jit.store_be_i64(at + 19, w.reference + 1)
    jit.store_be_u32(at + 31, w.low if w.reference & 1 else w.high)
    w.sequence += 1
    w.reference += 1


@jit.compiled()
def _hear(wire: int) -> int:
    """What is there by TCP, behind what is held: how much; -1: it is over."""
    w = wire_at(wire)
    got = _recv(w.tcp, w.buffer + w.held, ROOM - w.held, _DONTWAIT)
    if got > 0:
        w.held += got
        w.heard += 1
        return got
    if got < 0:
        why = jit.errno()
        if why in (_EAGAIN, _EINTR):
            return 0
    return -1


@jit.compiled()
def _read(wire: int) -> None:
    """Each whole frame of what came; orders are counted, and answers written."""
    w = wire_at(wire)
    place = 0
    while place + 2 <= w.held:
        frame = w.buffer + place
        size = 2 + jit.load_be_u16(frame)
        if place + size > w.held:
            break
        if jit.load_u8(frame + 2) == _U:
            _message(wire, frame + 3)
        place += size
    if w.kept == 0 and w.orders != 0:
        w.kept = place
        pipes.copy(w.kept_at, w.buffer, place)
    w.held -= place
    pipes.copy(w.buffer, w.buffer + place, w.held)


@jit.compiled()
def _message(wire: int, at: int) -> None:
    w = wire_at(wire)
    kind = jit.load_u8(at)
    if kind == _Q:
        out = _begin(wire, _Q, 13)
        jit.store_be_u32(out + 9, w.orders + 1)
        return
    w.orders += 1
    if w.answers == 0:
        return
    urn = jit.load_be_u32(at + 1)
    if kind == _O:
        _accept(wire, at, urn)
    elif kind == _U:
        _replace(wire, at, urn, jit.load_be_u32(at + 5))
    elif kind == _X:
        _cancel(wire, urn, _REASON_USER)
    else:
        w.strange += 1


@jit.compiled()
def _accept(wire: int, at: int, urn: int) -> None:
    w = wire_at(wire)
    out = _begin(wire, _A, 64)
    jit.store_be_u32(out + 9, urn)
    pipes.copy(out + 13, at + 5, 23)  # from the side to the display
    _end(out + 36, at + 28, at + 31, urn)
    place = w.table + 16 * (urn & (TABLE - 1))
    jit.store_i64(place, jit.load_u8(at + 5))
    jit.store_i64(place + 8, jit.load_be_u32(at + 6))
    w.told += 1
    if jit.load_u8(at + 26) == _IOC:
        _cancel(wire, urn, _REASON_IOC)


@jit.compiled()
def _replace(wire: int, at: int, original: int, urn: int) -> None:
    w = wire_at(wire)
    was = w.table + 16 * (original & (TABLE - 1))
    out = _begin(wire, _U, 68)
    jit.store_be_u32(out + 9, original)
    jit.store_be_u32(out + 13, urn)
    jit.store_u8(out + 17, jit.load_i64(was))
    pipes.copy(out + 18, at + 9, 4)
    pipes.copy(out + 22, w.symbol, 8)
    pipes.copy(out + 30, at + 13, 10)  # price, how long it lasts, display
    _end(out + 40, w.symbol + 8, at + 24, urn)
    place = w.table + 16 * (urn & (TABLE - 1))
    jit.store_i64(place, jit.load_i64(was))
    jit.store_i64(place + 8, jit.load_be_u32(at + 9))
    w.told += 1


@jit.compiled()
def _end(out: int, letters: int, client: int, urn: int) -> None:
    """How both answers end: the venue's number, three letters, that it lives, the client's name."""
    jit.store_be_i64(out, 1_000_000 + urn)
    pipes.copy(out + 8, letters, 3)
    jit.store_u8(out + 11, _L)
    pipes.copy(out + 12, client, 14)
    jit.store_be_u16(out + 26, 0)


@jit.compiled()
def _cancel(wire: int, urn: int, why: int) -> None:
    w = wire_at(wire)
    out = _begin(wire, _C, 18)
    jit.store_be_u32(out + 9, urn)
    jit.store_be_u32(out + 13, jit.load_i64(w.table + 16 * (urn & (TABLE - 1)) + 8))
    jit.store_u8(out + 17, why)
    w.told += 1


@jit.compiled()
def _begin(wire: int, kind: int, length: int) -> int:
    """A frame for an answer of this type: where its message begins."""
    w = wire_at(wire)
    frame = w.out + w.out_bytes
    jit.store_be_u16(frame, 1 + length)
    jit.store_u8(frame + 2, _S)
    jit.store_u8(frame + 3, kind)
    jit.store_be_i64(frame + 4, clock.monotonic_ns() - w.midnight)
    w.out_bytes += 3 + length
    return frame + 3


@jit.compiled()
def _answer(wire: int) -> None:
    """What was written goes out."""
    w = wire_at(wire)
    if w.out_bytes != 0:
        _send(w.tcp, w.out, w.out_bytes, _NOSIGNAL)
        w.out_bytes = 0
