"""From a captured frame to the datagram or segment inside: link, IP, then UDP or TCP.

    Ethernet (VLAN tags) │ Linux cooked 1, 2 │ loopback │ raw   ▶  IPv4 (options) │ IPv6 (headers)
                                                                ▶  UDP │ TCP

What a packet turns out to be is one of the phrases below, and a capture counts by them. Packets of
another kind (ARP, ICMP) are nobody's market data; a UDP or TCP packet that cannot be read might
be, so it is handed on without a payload, for its loss to show. Checksums are not
looked at: network cards fill them in after the capture.

Worst case: nested headers are followed 8 deep, then the packet counts as unreadable. Times are
kept within int64.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from hftlib.core.units import INT64_MAX, INT64_MIN

UDP, TCP = 17, 6
HEADERS_MAX = 8

OTHER_LINK = "frames of an unknown link type"
NOT_IP = "frames without IP"
NOT_OURS = "packets that are neither UDP nor TCP"
WRONG_LINK = "frames cut within the link header"
WRONG_IP = "packets with a wrong IP header"
WRONG_TRANSPORT = "packets with a wrong UDP or TCP header"
FRAGMENT = "IP fragments"
SHORT = "packets that the capture cut short"
_KINDS = {UDP: "UDP packets", TCP: "TCP packets"}
_IGNORED = {OTHER_LINK, NOT_IP, NOT_OURS}

_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN = (0x8100, 0x88A8, 0x9100)
LINK_ETHERNET, _COOKED, _COOKED_2, _NULL, _LOOP = 1, 113, 276, 0, 108
_RAW = (101, 12, 14, 228, 229)
_IP6_SKIPPED = (0, 43, 60)  # hop-by-hop, routing, destination options
_IP6_FRAGMENT, _IP6_AUTHENTICATION = 44, 51


class Packet(NamedTuple):
    """A packet as captured. `payload` is memory of the reader, good until the next packet."""

    what: str
    time_ns: int
    protocol: int
    source: bytes
    source_port: int
    target: bytes
    target_port: int
    payload: memoryview
    address: int
    tcp_sequence: int = 0

    @property
    def is_kept(self) -> bool:
        return self.what not in _IGNORED

    @property
    def is_readable(self) -> bool:
        return self.protocol != 0

    @property
    def route(self) -> str:
        """Both ends, for people: `10.0.0.1:26477 -> 233.54.12.111:26477`."""
        ends = ((self.source, self.source_port), (self.target, self.target_port))
        texts = (f"{ipaddress.ip_address(host)}:{port}" for host, port in ends)
        return " -> ".join(texts) if self.is_readable else self.what


def unreadable(what: str, data: bytes | memoryview, time_ns: int = 0) -> Packet:
    """What stands for a packet that cannot be read."""
    return Packet(what, time_ns, 0, b"", 0, b"", 0, memoryview(data), 0)


def read_packet(link: int, frame: memoryview, wire_length: int, time_ns: int, at: int) -> Packet:
    """The packet in a frame which lies at the address `at`. Never fails."""
    time_ns = max(INT64_MIN, min(INT64_MAX, time_ns))
    is_cut = len(frame) < wire_length
    try:
        kind, offset = _link(link, frame)
        if kind not in (_IPV4, _IPV6):
            what = OTHER_LINK if kind < 0 else NOT_IP
            return unreadable(what, frame, time_ns)
    except (struct.error, IndexError):
        return unreadable(SHORT if is_cut else WRONG_LINK, frame, time_ns)
    try:
        network = _ipv4(frame[offset:]) if kind == _IPV4 else _ipv6(frame[offset:])
        if isinstance(network, str):
            return unreadable(network, frame, time_ns)
        protocol, source, target, begin, end = network
        begin, end = begin + offset, end + offset
        if end > len(frame):
            return unreadable(SHORT if is_cut else WRONG_IP, frame, time_ns)
    except (struct.error, IndexError):
        return unreadable(SHORT if is_cut else WRONG_IP, frame, time_ns)
    inside = _udp(frame[begin:end]) if protocol == UDP else _tcp(frame[begin:end])
    if inside is None:
        return unreadable(WRONG_TRANSPORT, frame, time_ns)
    source_port, target_port, head, length, sequence = inside
    begin += head
    return Packet(
        _KINDS[protocol],
        time_ns,
        protocol,
        source,
        source_port,
        target,
        target_port,
        frame[begin : begin + length],
        at + begin,
        sequence,
    )


def _link(link: int, frame: memoryview) -> tuple[int, int]:
    """The type of what the frame carries, and where that begins; -1 for links not known here."""
    if link in _RAW:
        return _by_version(frame[0]), 0
    if link in (_NULL, _LOOP):
        return _by_version(frame[4]), 4
    if link == _COOKED:
        kind, at = struct.unpack_from(">H", frame, 14)[0], 16
    elif link == _COOKED_2:
        kind, at = struct.unpack_from(">H", frame, 0)[0], 20
    elif link == LINK_ETHERNET:
        kind, at = struct.unpack_from(">H", frame, 12)[0], 14
    else:
        return -1, 0
    for _ in range(HEADERS_MAX):
        if kind not in _VLAN:
            return kind, at
        kind = struct.unpack_from(">H", frame, at + 2)[0]
        at += 4
    raise IndexError


def _by_version(first: int) -> int:
    return {4: _IPV4, 6: _IPV6}.get(first >> 4, 0)


def _ipv4(packet: memoryview) -> str | tuple[int, bytes, bytes, int, int]:
    """Protocol, both addresses, begin and end of what it carries; or what is the matter."""
    first, total, fragment, protocol = struct.unpack_from(">BxH2xHxB", packet)
    head = 4 * (first & 15)
    if first >> 4 != 4 or head < 20 or total < head:
        return WRONG_IP
    source, target = bytes(packet[12:16]), bytes(packet[16:20])
    if len(target) < 4:
        raise IndexError
    if protocol not in _KINDS:
        return NOT_OURS
    if fragment & 0x3FFF:  # its offset, or more to come
        return FRAGMENT
    return protocol, source, target, head, total


def _ipv6(packet: memoryview) -> str | tuple[int, bytes, bytes, int, int]:
    first, length, protocol = struct.unpack_from(">B3xHB", packet)
    if first >> 4 != 6:
        return WRONG_IP
    source, target = bytes(packet[8:24]), bytes(packet[24:40])
    at, end = 40, 40 + length
    for _ in range(HEADERS_MAX):
        if protocol in _KINDS:
            return (protocol, source, target, at, end) if at <= end else WRONG_IP
        if protocol in _IP6_SKIPPED:
            size = 8 * (packet[at + 1] + 1)
        elif protocol == _IP6_AUTHENTICATION:
            size = 4 * (packet[at + 1] + 2)
        elif protocol == _IP6_FRAGMENT:
            if struct.unpack_from(">H", packet, at + 2)[0] & 0xFFF9:
                return FRAGMENT
            size = 8
        else:
            return NOT_OURS
        protocol, at = packet[at], at + size
    return WRONG_IP


def _udp(packet: memoryview) -> tuple[int, int, int, int, int] | None:
    """Ports, length of the header, length of the payload, and no sequence; None if it is wrong."""
    if len(packet) < 8:
        return None
    source, target, length = struct.unpack_from(">HHH", packet)
    return (source, target, 8, length - 8, 0) if 8 <= length <= len(packet) else None


def _tcp(packet: memoryview) -> tuple[int, int, int, int, int] | None:
    if len(packet) < 20:
        return None
    source, target, sequence, words = struct.unpack_from(">HHI4xB", packet)
    head = 4 * (words >> 4)
    return (
        (source, target, head, len(packet) - head, sequence) if 20 <= head <= len(packet) else None
    )
