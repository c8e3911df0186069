"""Captures made by hand for tests: headers, frames, pcap and pcapng, as their standards say."""

from __future__ import annotations

import struct

SOURCE, TARGET = bytes([10, 0, 0, 1]), bytes([233, 54, 12, 111])
SOURCE_6, TARGET_6 = bytes(15) + b"\1", b"\xff\2" + bytes(13) + b"\1"
PORT = 26477
SESSION = b"000010059B"
MAGICS = {
    ("<", 1000): b"\xd4\xc3\xb2\xa1",
    (">", 1000): b"\xa1\xb2\xc3\xd4",
    ("<", 1): b"\x4d\x3c\xb2\xa1",
    (">", 1): b"\xa1\xb2\x3c\x4d",
}


def udp(payload: bytes, port: int = PORT) -> bytes:
    return struct.pack(">HHHH", 49653, port, 8 + len(payload), 0) + payload


def tcp(payload: bytes, sequence: int = 0, options: bytes = b"") -> bytes:
    words = (20 + len(options)) // 4 << 4
    head = struct.pack(">HHIIBBHHH", 40565, 8001, sequence, 0, words, 0x18, 512, 0, 0)
    return head + options + payload


def ipv4(inside: bytes, protocol: int = 17, *, options: bytes = b"", fragment: int = 0) -> bytes:
    size = 20 + len(options)
    head = struct.pack(
        ">BBHHHBBH", 0x40 | size // 4, 0, size + len(inside), 0, fragment, 64, protocol, 0
    )
    return head + SOURCE + TARGET + options + inside


def ipv6(inside: bytes, protocol: int = 17) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(inside), protocol, 64) + SOURCE_6 + TARGET_6 + inside


def ethernet(inside: bytes, kind: int = 0x0800, tags: tuple[int, ...] = ()) -> bytes:
    head = bytes(12)
    for tag in tags:
        head += struct.pack(">HH", tag, 141)
    return head + struct.pack(">H", kind) + inside


def datagram(first: int, *messages: bytes, session: bytes = SESSION, count: int = -1) -> bytes:
    """A MoldUDP64 datagram; `count` overrules the number of messages."""
    blocks = b"".join(struct.pack(">H", len(one)) + one for one in messages)
    head = session + struct.pack(">QH", first, len(messages) if count < 0 else count)
    return head + blocks


def on_the_wire(payload: bytes, port: int = PORT) -> bytes:
    return ethernet(ipv4(udp(payload, port)))


def pcap(
    frames: list[bytes],
    *,
    order: str = "<",
    tick_ns: int = 1,
    link: int = 1,
    time_ns: int = 1_692_711_000_000_000_000,
    cut: int = 1 << 20,
) -> bytes:
    """A classic capture, a microsecond between its packets; frames are cut after `cut` bytes."""
    data = MAGICS[order, tick_ns] + struct.pack(f"{order}HHiIII", 2, 4, 0, 0, 1 << 18, link)
    for number, frame in enumerate(frames):
        seconds, rest = divmod(time_ns + 1000 * number, 10**9)
        kept = frame[:cut]
        data += struct.pack(f"{order}IIII", seconds, rest // tick_ns, len(kept), len(frame)) + kept
    return data


def block(order: str, kind: int, body: bytes) -> bytes:
    """One block of pcapng."""
    padded = body + bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", 12 + len(padded))
    return struct.pack(f"{order}I", kind) + size + padded + size


def section(order: str = "<") -> bytes:
    body = struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)
    return block(order, 0x0A0D0D0A, body)


def interface(order: str = "<", link: int = 1, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(f"{order}HHI", link, 0, 0) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(order: str, frame: bytes, ticks: int, index: int = 0) -> bytes:
    head = struct.pack(
        f"{order}IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)
    )
    return block(order, 6, head + frame)
