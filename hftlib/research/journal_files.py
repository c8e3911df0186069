"""A journal as the capture of its wires, pcap, and how any file of a journal gets its name.

A datagram is a UDP packet; a session's bytes are TCP segments, numbered so that a reader puts the
stream together; each with the frame's time, to the nanosecond.

A frame knows a source, not an address. The OPENED frame may name them, as "sources": {"1": {"host":
"233.54.12.111", "port": 26477}}; where it does not, source 7 is 239.0.0.7 port 20007 for datagrams
and 10.0.0.7 port 20007 for sessions, and this end is 10.255.0.1 port 40007. So a journal is the
capture of the day: Wireshark shows it, `hft data import` makes a tape of its market data.

Other kinds of frames are nobody's packets and are left out of a capture. A file gets its name once
it is whole and on the disk. Worst case: some 3 µs a frame; a kill -9 leaves a `.part` behind, which
the next one of the same name takes away.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Any, BinaryIO

from hftlib.core.errors import HostError, StateError
from hftlib.core.journal import Frame, frames, kinds
from hftlib.feed.tape_part import remove_left_behind

TOLD_FRAMES = 1 << 10
SEGMENT_MAX = 65_000  # a longer piece of a stream becomes several packets
_PCAP_NS, _LINK_RAW = 0xA1B23C4D, 101
_UDP, _TCP = 17, 6
_OURS = (int(IPv4Address("10.255.0.1")), 40_000)
_DATAGRAMS, _SESSIONS = int(IPv4Address("239.0.0.0")), int(IPv4Address("10.0.0.0"))
End = tuple[int, int]


def write_pcap(
    target: Path,
    folder: Path,
    found: Iterator[Frame],
    advance: Callable[[int], None] = lambda _number: None,
) -> int:
    """Datagrams and session bytes as a capture; how many frames became packets.

    `advance` is told a frame's number now and then.
    """
    wires = Wires(folder)
    count = 0
    with whole_file(target) as file:
        file.write(struct.pack("<IHHiIII", _PCAP_NS, 2, 4, 0, 0, 262_144, _LINK_RAW))
        for frame in found:
            packets = wires.packets(frame)
            for packet in packets:
                seconds, nanos = divmod(frame.time, 10**9)
                length = len(packet)
                file.write(struct.pack("<IIII", seconds & 0xFFFF_FFFF, nanos, length, length))
                file.write(packet)
            count += bool(packets)
            if frame.sequence % TOLD_FRAMES == 0:
                advance(frame.sequence)
    return count


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file to write, which has its name when the block ends well; else there is none."""
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        remove_left_behind(target)
        with part.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(part, target)  # refuses to take another's place, which a rename would not
    except FileExistsError:
        raise there_already(target) from None
    except OSError as error:
        raise _unwritable(target, error) from None
    finally:
        with suppress(OSError):
            part.unlink()


def there_already(target: Path) -> StateError:
    do = "Give another name, or remove it first."
    return StateError("There is something already", where=str(target), do=do)


class Wires:
    """The two ends of each source, and how far each stream is."""

    def __init__(self, folder: Path) -> None:
        opened = next(frames(folder), None)
        about: Any = {}
        if opened is not None and opened.kind == kinds.OPENED:
            with suppress(ValueError):
                about = json.loads(opened.payload)
        named = about.get("sources") if isinstance(about, dict) else None
        self._named = named if isinstance(named, dict) else {}
        self._sent: dict[tuple[int, bool], int] = {}

    def packets(self, frame: Frame) -> list[bytes]:
        """What went over the wire; nothing for frames that are no wire's."""
        if frame.kind in (kinds.DATAGRAM, kinds.DATAGRAM_OUT):
            theirs = self._end(frame.source, _DATAGRAMS)
            return [_udp(_ours(frame.source), theirs, frame.payload)]
        if frame.kind not in (kinds.SESSION_IN, kinds.SESSION_OUT):
            return []
        inward = frame.kind == kinds.SESSION_IN
        theirs, ours = self._end(frame.source, _SESSIONS), _ours(frame.source)
        made = []
        for begin in range(0, len(frame.payload), SEGMENT_MAX):
            piece = frame.payload[begin : begin + SEGMENT_MAX]
            sent = self._sent.get((frame.source, inward), 1)
            heard = self._sent.get((frame.source, not inward), 1)
            made.append(
                _tcp(theirs if inward else ours, ours if inward else theirs, sent, heard, piece)
            )
            self._sent[frame.source, inward] = sent + len(piece) & 0xFFFF_FFFF
        return made

    def _end(self, source: int, otherwise: int) -> End:
        told = self._named.get(str(source))
        if isinstance(told, dict):
            with suppress(AddressValueError, TypeError, ValueError, KeyError):
                port = int(told["port"])
                if 0 < port < 1 << 16:
                    return int(IPv4Address(str(told["host"]))), port
        return otherwise + source, 20_000 + source % 20_000


def _ours(source: int) -> End:
    return _OURS[0], _OURS[1] + source % 20_000


def _udp(source: End, target: End, payload: bytes) -> bytes:
    head = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0)
    return _ipv4(_UDP, source, target, head + payload)


def _tcp(source: End, target: End, sent: int, heard: int, payload: bytes) -> bytes:
    words, flags = 5 << 4, 0x18  # five words of header; acknowledged, pushed
    ports = source[1], target[1]
    head = struct.pack(">HHIIBBHHH", *ports, sent, heard, words, flags, 65_535, 0, 0)
    return _ipv4(_TCP, source, target, head + payload)


def _ipv4(protocol: int, source: End, target: End, inside: bytes) -> bytes:
    total = 20 + len(inside)
    head = struct.pack(
        ">BBHHHBBHII", 0x45, 0, total, 0, 0x4000, 64, protocol, 0, source[0], target[0]
    )
    folded = sum(struct.unpack(">10H", head))
    while folded >> 16:
        folded = (folded & 0xFFFF) + (folded >> 16)
    return head[:10] + struct.pack(">H", ~folded & 0xFFFF) + head[12:] + inside


def _unwritable(target: Path, error: OSError) -> HostError:
    return HostError(
        f"The file cannot be written: {error.strerror or error}",
        where=str(target),
        do="Name a place that exists, that you may write, and that has room.",
    )
