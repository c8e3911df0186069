"""A journal as files that other tools read: a Parquet table of its frames, a capture of its wires.

    Parquet   sequence, time (UTC), kind, direction, source, payload, one row a frame
    pcap      a datagram is a UDP packet; a session's bytes are TCP segments, numbered so that a
              reader puts the stream together; each with the frame's time, to the nanosecond

A frame knows a source, not an address. The OPENED frame may name them, as "sources": {"1": {"host":
"233.54.12.111", "port": 26477}}; where it does not, source 7 is 239.0.0.7 port 20007 for datagrams
and 10.0.0.7 port 20007 for sessions, and this end is 10.255.0.1 port 40007. So a journal is the
capture of the day: Wireshark shows it, `hft data import` makes a tape of its market data.

Other kinds of frames are nobody's packets and are left out of a capture. Worst case: one batch of
BATCH frames in memory; some 3 µs a frame.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import AddressValueError, IPv4Address
from itertools import islice
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError
from hftlib.core.journal import Frame, frames, kinds

BATCH = 65_536
SEGMENT_MAX = 65_000  # a longer piece of a stream becomes several packets
_PCAP_NS, _LINK_RAW = 0xA1B23C4D, 101
_UDP, _TCP = 17, 6
_OURS = (int(IPv4Address("10.255.0.1")), 40_000)
_DATAGRAMS, _SESSIONS = int(IPv4Address("239.0.0.0")), int(IPv4Address("10.0.0.0"))
End = tuple[int, int]


def write_parquet(target: Path, found: Iterator[Frame]) -> int:
    """The frames as a table; how many there were."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [
        ("sequence", pa.int64()),
        ("time", pa.timestamp("ns", tz="UTC")),
        ("kind", pa.dictionary(pa.int16(), pa.string())),
        ("direction", pa.dictionary(pa.int16(), pa.string())),
        ("source", pa.uint16()),
        ("payload", pa.binary()),
    ]
    schema, count = pa.schema(fields), 0
    try:
        with pq.ParquetWriter(str(target), schema, compression="zstd") as writer:
            while batch := list(islice(found, BATCH)):
                columns: list[Any] = [
                    [frame.sequence for frame in batch],
                    [frame.time for frame in batch],
                    [frame.name for frame in batch],
                    [_direction(frame.kind) for frame in batch],
                    [frame.source for frame in batch],
                    [frame.payload for frame in batch],
                ]
                arrays = [
                    pa.array(values).dictionary_encode().cast(kind)
                    if pa.types.is_dictionary(kind)
                    else pa.array(values, kind)
                    for values, (_, kind) in zip(columns, fields, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                count += len(batch)
    except OSError as error:
        raise _unwritable(target, error) from None
    except BaseException:
        target.unlink(missing_ok=True)  # half a table is none
        raise
    return count


def write_pcap(target: Path, folder: Path, found: Iterator[Frame]) -> int:
    """Datagrams and session bytes as a capture; how many frames became packets."""
    wires = Wires(folder)
    count = 0
    try:
        with target.open("xb") as file:
            file.write(struct.pack("<IHHiIII", _PCAP_NS, 2, 4, 0, 0, 262_144, _LINK_RAW))
            for frame in found:
                packets = wires.packets(frame)
                for packet in packets:
                    seconds, nanos = divmod(frame.time, 10**9)
                    length = len(packet)
                    file.write(struct.pack("<IIII", seconds & 0xFFFF_FFFF, nanos, length, length))
                    file.write(packet)
                count += bool(packets)
    except OSError as error:
        raise _unwritable(target, error) from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return count


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


def _direction(kind: int) -> str:
    known = kinds.KINDS.get(kind)
    return known.direction if known else "unknown"


def _unwritable(target: Path, error: OSError) -> HostError:
    return HostError(
        f"The file cannot be written: {error.strerror}",
        where=str(target),
        do="Name a place that exists, that you may write, and that has room.",
    )
