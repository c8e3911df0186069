"""What lies inside a frame: every way there, and every way it can be wrong."""

from __future__ import annotations

import struct

import pytest
from captures import (
    PORT,
    SOURCE,
    SOURCE_6,
    TARGET,
    TARGET_6,
    ethernet,
    ipv4,
    ipv6,
    on_the_wire,
    tcp,
    udp,
)
from fuzzing import fuzz_seconds, fuzzed
from hypothesis import example, given
from hypothesis import strategies as st

from hftlib.feed import packets
from hftlib.feed.packets import TCP, UDP, Packet, read_packet

DATA = b"what the exchange says"
AT = 1_000_000


def read(frame: bytes, link: int = 1, wire_length: int | None = None) -> Packet:
    length = len(frame) if wire_length is None else wire_length
    return read_packet(link, memoryview(frame), length, 5, AT)


def extension(protocol: int, size: int = 8) -> bytes:
    return bytes([protocol, size // 8 - 1]) + bytes(size - 2)


def with_words(count: int) -> bytes:
    """A segment that says its header has so many words; it has five."""
    return ipv4(tcp(b"")[:12] + bytes([count << 4]) + bytes(7), 6)


INSIDE = ipv4(udp(DATA))
WAYS = {
    "ethernet": (1, ethernet(INSIDE)),
    "padded": (1, ethernet(INSIDE) + bytes(9)),
    "a tag": (1, ethernet(INSIDE, tags=(0x8100,))),
    "two tags": (1, ethernet(INSIDE, tags=(0x88A8, 0x8100))),
    "cooked": (113, bytes(14) + b"\x08\0" + INSIDE),
    "cooked 2": (276, b"\x08\0" + bytes(18) + INSIDE),
    "loopback": (0, b"\2\0\0\0" + INSIDE),
    "openbsd loopback": (108, b"\0\0\0\2" + INSIDE),
    "raw": (101, INSIDE),
    "options": (101, ipv4(udp(DATA), options=bytes(12))),
    "do not fragment": (101, ipv4(udp(DATA), fragment=0x4000)),
    "ipv6": (1, ethernet(ipv6(udp(DATA)), 0x86DD)),
    "ipv6 raw": (229, ipv6(udp(DATA))),
    "ipv6 headers": (101, ipv6(extension(60) + extension(43, 24) + extension(17) + udp(DATA), 0)),
    "ipv6 whole fragment": (101, ipv6(extension(17) + udp(DATA), 44)),
    "ipv6 authentication": (101, ipv6(bytes([17, 4]) + bytes(22) + udp(DATA), 51)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_datagram_is_found_by_every_way(way):
    link, frame = WAYS[way]
    packet = read(frame, link)
    assert packet.what == "UDP packets" and packet.is_readable and packet.is_kept
    assert (packet.protocol, packet.source_port, packet.target_port) == (UDP, 49653, PORT)
    ends = (SOURCE_6, TARGET_6) if "ipv6" in way else (SOURCE, TARGET)
    assert (packet.source, packet.target) == ends
    assert bytes(packet.payload) == DATA and packet.time_ns == 5
    assert frame[packet.address - AT :][: len(DATA)] == DATA


def test_a_segment_is_found_with_its_sequence():
    packet = read(ethernet(ipv4(tcp(DATA, 2**32 - 1, options=bytes(8)), 6)))
    assert (packet.protocol, packet.target_port, packet.tcp_sequence) == (TCP, 8001, 2**32 - 1)
    assert bytes(packet.payload) == DATA
    assert packet.route == "10.0.0.1:40565 -> 233.54.12.111:8001"
    assert read(ethernet(ipv6(udp(b"")), 0x86DD)).route == f"::1:49653 -> ff02::1:{PORT}"


NOT_FOR_US = {
    "arp": (1, ethernet(bytes(28), 0x0806), packets.NOT_IP),
    "a length in place of a type": (1, ethernet(bytes(40), 40), packets.NOT_IP),
    "icmp": (1, ethernet(ipv4(bytes(8), 1)), packets.NOT_OURS),
    "icmp 6": (101, ipv6(bytes(8), 58), packets.NOT_OURS),
    "wireless": (105, bytes(60), packets.OTHER_LINK),
    "neither 4 nor 6": (101, bytes(60), packets.NOT_IP),
}
WRONG = {
    "no bytes": (1, b"", packets.WRONG_LINK),
    "half a link header": (1, bytes(13), packets.WRONG_LINK),
    "tags without end": (1, bytes(12) + b"\x81\0\0\1" * 20, packets.WRONG_LINK),
    "half an ip header": (1, ethernet(INSIDE[:19]), packets.WRONG_IP),
    "an ip header of 16 bytes": (101, b"\x44" + INSIDE[1:], packets.WRONG_IP),
    "shorter than its header": (101, INSIDE[:2] + b"\0\x13" + INSIDE[4:], packets.WRONG_IP),
    "longer than the frame": (101, INSIDE[:2] + b"\1\0" + INSIDE[4:], packets.WRONG_IP),
    "another version inside": (1, ethernet(ipv6(udp(DATA))), packets.WRONG_IP),
    "another version of 6": (1, ethernet(INSIDE, 0x86DD), packets.WRONG_IP),
    "a first fragment": (101, ipv4(udp(DATA), fragment=0x2000), packets.FRAGMENT),
    "a later fragment": (101, ipv4(DATA, fragment=100), packets.FRAGMENT),
    "a fragment of 6": (101, ipv6(b"\x11\0\0\1" + bytes(4) + udp(DATA), 44), packets.FRAGMENT),
    "headers without end": (101, ipv6(extension(0) * 20, 0), packets.WRONG_IP),
    "headers beyond the end": (101, ipv6(extension(17, 64)[:8], 0), packets.WRONG_IP),
    "half a udp header": (101, ipv4(udp(b"")[:7]), packets.WRONG_TRANSPORT),
    "udp beyond its packet": (101, ipv4(udp(DATA)[:-1]), packets.WRONG_TRANSPORT),
    "udp of 7 bytes": (101, ipv4(struct.pack(">HHHH", 1, 2, 7, 0)), packets.WRONG_TRANSPORT),
    "half a tcp header": (101, ipv4(tcp(b"")[:19], 6), packets.WRONG_TRANSPORT),
    "tcp with a long header": (101, with_words(15), packets.WRONG_TRANSPORT),
    "tcp with a short header": (101, with_words(4), packets.WRONG_TRANSPORT),
}


@pytest.mark.parametrize("name", [*NOT_FOR_US, *WRONG])
def test_what_is_no_datagram_says_why(name):
    link, frame, what = (NOT_FOR_US | WRONG)[name]
    packet = read(frame, link)
    assert packet.what == packet.route == what
    assert not packet.is_readable and packet.protocol == 0
    assert packet.is_kept is (name in WRONG)


def test_what_the_capture_cut_short_is_told_from_what_came_broken():
    whole = on_the_wire(DATA)
    for length in range(len(whole)):
        assert read(whole[:length], wire_length=len(whole)).what == packets.SHORT, length
        assert read(whole[:length]).what != packets.SHORT, length


@given(st.sampled_from([1, 113, 276, 0, 108, 101, 228, 229, 7]), st.binary(max_size=120))
@example(101, b"\x60" + bytes(39))
def test_any_bytes_are_a_packet_or_say_why_not(link, frame):
    check(read(frame, link), frame)


def check(packet: Packet, frame: bytes) -> None:
    assert packet.what in (*vars(packets).values(), "UDP packets", "TCP packets")
    if packet.is_readable:
        begin = packet.address - AT
        assert frame[begin : begin + len(packet.payload)] == bytes(packet.payload)
        assert packet.route


def test_damaged_frames_are_packets_or_say_why_not():
    by_link = {link: [f for one, f in WAYS.values() if one == link] for link, _ in WAYS.values()}
    for link, frames in by_link.items():
        for frame in fuzzed(frames, seconds=fuzz_seconds(0.5) / len(by_link)):
            check(read(frame, link), frame)
