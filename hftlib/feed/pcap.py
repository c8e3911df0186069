"""Captures as tcpdump and Wireshark write them: each packet with the time it was captured.

Classic pcap in either byte order with micro- or nanoseconds, and pcapng with its own clock for each
interface; both may be packed with gzip. What the packets say inside is `packets.py`.

    with Capture(path) as capture:
        for packet in capture.packets():        # UDP and TCP, and what should be but is unreadable
            if packet.protocol == UDP: use(packet.payload)      # good until the next packet
        capture.counts                          # packets by what became of them

Worst case: memory stays that of `Blocks`. A record longer than a megabyte is no packet: the place
of the next is lost with it, so reading ends there, `counts` names it and `unread_bytes` says how
much was left. Some 7 µs a packet, in plain Python.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from hftlib.core.errors import InputError
from hftlib.feed.blocks import Blocks
from hftlib.feed.packets import LINK_ETHERNET, Packet, read_packet, unreadable

RECORD_BYTES_MAX = 1 << 20
INTERFACES_MAX = 1024
_NS_PER_S = 10**9

# Classic: the first four bytes say the byte order and how long a clock tick is.
_CLASSIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_SECTION_BYTES = _SECTION.to_bytes(4, "big")  # reads the same in either order
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_CLOCK_TICK, _CLOCK_OFFSET = 9, 14  # options of an interface
CUT_OFF = "cut off by the end of the file"
NO_RECORD = "a record's length is impossible; what follows is lost"


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return head[:4] in _CLASSIC or head[:4] == _SECTION_BYTES


class Capture:
    """The packets of one file, in the order they were captured."""

    def __init__(self, path: str | Path) -> None:
        self.counts: Counter[str] = Counter()
        self.unread_bytes = 0
        self._left = CUT_OFF  # why reading ended, should anything be left
        self._blocks = Blocks(path)
        self._blocks.fill()
        if not is_capture(bytes(self._blocks.unread[:4])):
            raise _not_a_capture(self._blocks, "it does not begin as pcap or pcapng does")

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._blocks.__exit__(kind, error, trace)

    @property
    def share_done(self) -> float:
        return self._blocks.share_done

    @property
    def position(self) -> int:
        """Where the next record begins, in bytes of the unpacked file."""
        return self._blocks.position

    def packets(self) -> Iterator[Packet]:
        """UDP and TCP packets, and the unreadable ones; all others are only counted."""
        head = bytes(self._blocks.unread[:4])
        records = self._classic(*_CLASSIC[head]) if head in _CLASSIC else self._sections()
        for time_ns, link, length, wire_length in records:
            self.counts["packets"] += 1
            place = self._blocks.address
            packet = read_packet(link, self._blocks.unread[:length], wire_length, time_ns, place)
            self.counts[packet.what] += 1
            if packet.is_kept:
                yield packet
        if self._blocks.length or self._blocks.is_cut_off:
            self._pass_over_the_rest()
            self.counts[self._left] += 1
            yield unreadable(self._left, b"")

    def _pass_over_the_rest(self) -> None:
        self.unread_bytes = self._blocks.length
        while not self._blocks.at_end:
            self._blocks.take(self._blocks.length)
            self._blocks.fill()
            self.unread_bytes += self._blocks.length

    def _classic(self, order: str, tick_ns: int) -> Iterator[tuple[int, int, int, int]]:
        """Time, link type, length, length on the wire; the record's bytes are the unread ones."""
        blocks = self._blocks
        if not blocks.has(24):
            raise _not_a_capture(blocks, "it ends within its first 24 bytes")
        link = struct.unpack_from(f"{order}I", blocks.unread, 20)[0] & 0xFFFF
        blocks.take(24)
        head = struct.Struct(f"{order}IIII")
        while blocks.has(16):
            seconds, ticks, length, wire_length = head.unpack_from(blocks.unread)
            if length > RECORD_BYTES_MAX:
                self._left = NO_RECORD
                return
            if not blocks.has(16 + length):
                return
            blocks.take(16)
            yield seconds * _NS_PER_S + ticks * tick_ns, link, length, wire_length
            blocks.take(length)

    def _sections(self) -> Iterator[tuple[int, int, int, int]]:
        """The same of pcapng, whose blocks are {type, length, body, length}."""
        blocks = self._blocks
        order, interfaces = "<", list[tuple[int, int, int]]()
        while blocks.has(12):
            if blocks.unread[:4] == _SECTION_BYTES:
                order = _ORDERS.get(bytes(blocks.unread[8:12]), "")
                interfaces = []
            kind, length = struct.unpack_from(f"{order}II", blocks.unread)
            if not order or not 12 <= length <= RECORD_BYTES_MAX or length % 4:
                self._left = NO_RECORD
                return
            if not blocks.has(length):
                return
            body = blocks.unread[8 : length - 4]
            if kind == _INTERFACE and len(interfaces) < INTERFACES_MAX and len(body) >= 8:
                interfaces.append(_interface(order, body))
            elif kind in (_ENHANCED, _SIMPLE):
                begin, *packet = _framed(order, kind, body, interfaces)
                blocks.take(begin)
                length -= begin
                yield packet[0], packet[1], packet[2], packet[3]
            elif kind not in (_SECTION, _INTERFACE):
                self.counts["pcapng blocks of other kinds"] += 1
            blocks.take(length)


def _framed(
    order: str, kind: int, body: memoryview, interfaces: list[tuple[int, int, int]]
) -> tuple[int, int, int, int, int]:
    """Where in a block its packet begins; time, link, length, length on the wire.

    A block that contradicts itself becomes a packet of no bytes, which counts as unreadable.
    """
    if kind == _SIMPLE and len(body) >= 4 and interfaces:
        wire_length = struct.unpack_from(f"{order}I", body)[0]
        return 12, 0, interfaces[0][0], min(wire_length, len(body) - 4), wire_length
    if kind == _ENHANCED and len(body) >= 20:
        index, high, low, captured, wire_length = struct.unpack_from(f"{order}IIIII", body)
        if index < len(interfaces) and captured <= len(body) - 20:
            link, ticks_per_s, offset_s = interfaces[index]
            time_ns = (high << 32 | low) * _NS_PER_S // ticks_per_s + offset_s * _NS_PER_S
            return 28, time_ns, link, captured, wire_length
    return 0, 0, LINK_ETHERNET, 0, 0


def _interface(order: str, body: memoryview) -> tuple[int, int, int]:
    """Link type, clock ticks in a second, and the seconds its clock counts from."""
    link = struct.unpack_from(f"{order}H", body)[0]
    ticks_per_s, offset_s, at = 10**6, 0, 8
    while at + 4 <= len(body):
        option, size = struct.unpack_from(f"{order}HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if option == _CLOCK_TICK and len(value) == 1:
            exponent = value[0] & 0x7F
            ticks_per_s = 2**exponent if value[0] & 0x80 else 10**exponent
        elif option == _CLOCK_OFFSET and len(value) == 8:
            offset_s = struct.unpack(f"{order}q", value)[0]
        at += 4 + size + -size % 4
    return link, ticks_per_s, offset_s


def _not_a_capture(blocks: Blocks, what: str) -> InputError:
    return InputError(
        f"The file is no capture: {what}",
        where=str(blocks.path),
        do="Name a pcap or pcapng file, as tcpdump and Wireshark write them.",
    )
