"""Captures: every form they are written in, real ones, broken ones, and what tshark reads."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from captures import (
    MAGICS,
    block,
    enhanced,
    ethernet,
    interface,
    ipv4,
    on_the_wire,
    option,
    pcap,
    section,
    tcp,
    udp,
)
from fuzzing import fuzz_seconds, fuzzed
from recorded import recorded_all

from hftlib.core.errors import InputError
from hftlib.feed import pcap as pcap_module
from hftlib.feed.packets import SHORT, Packet
from hftlib.feed.pcap import CUT_OFF, NO_RECORD, Capture

NOW = 1_692_711_000_123_456_789
FRAMES = [on_the_wire(bytes([number]) * number) for number in range(1, 40)]
REAL = recorded_all("mold_pcap/*/*.pcap")


def read(folder: Path, data: bytes) -> tuple[list[Packet], Capture]:
    """All packets, with payloads of their own."""
    path = folder / "capture"
    path.write_bytes(data)
    with Capture(path) as capture:
        found = [one._replace(payload=bytes(one.payload)) for one in capture.packets()]
    assert capture.share_done == 1.0
    return found, capture


@pytest.mark.parametrize("order, tick_ns", MAGICS)
def test_a_classic_capture_gives_payloads_and_times(tmp_path, order, tick_ns):
    data = pcap(FRAMES, order=order, tick_ns=tick_ns, time_ns=NOW)
    for stored in (data, gzip.compress(data)):
        found, capture = read(tmp_path, stored)
        assert [one.payload for one in found] == [bytes([n]) * n for n in range(1, 40)]
        times = [(NOW + 1000 * n) // tick_ns * tick_ns for n in range(39)]
        assert [one.time_ns for one in found] == times
        assert capture.counts == {"packets": 39, "UDP packets": 39}
        assert capture.unread_bytes == 0 and capture.position == len(data)


@pytest.mark.parametrize("order", "<>")
def test_a_pcapng_capture_has_a_clock_for_each_interface(tmp_path, order):
    nano = option(order, 2, b"eth1") + option(order, 9, b"\x09")
    binary = option(order, 9, b"\x94") + option(order, 14, struct.pack(f"{order}q", 1_692_711_000))
    data = section(order) + interface(order) + interface(order, options=nano)
    data += interface(order, link=101, options=binary + option(order, 0, b""))
    data += enhanced(order, FRAMES[0], NOW // 1000)
    data += block(order, 5, bytes(8))  # statistics
    data += enhanced(order, FRAMES[1], NOW, 1)
    data += enhanced(order, ipv4(udp(b"raw")), 2**20 * 7 + 2**19, 2)
    data += block(order, 3, struct.pack(f"{order}I", len(FRAMES[2])) + FRAMES[2])
    data += section("<") + interface("<", options=option("<", 9, b"\x09"))
    data += enhanced("<", FRAMES[3], 77)
    found, capture = read(tmp_path, data)
    assert [one.payload for one in found] == [b"\1", b"\2\2", b"raw", b"\3\3\3", b"\4\4\4\4"]
    assert [one.time_ns for one in found] == [
        NOW // 1000 * 1000,
        NOW,
        1_692_711_007_500_000_000,
        0,  # a simple packet has no time
        77,
    ]
    assert capture.counts == {
        "packets": 5,
        "UDP packets": 5,
        "pcapng blocks of other kinds": 1,
    }
    assert capture.unread_bytes == 0


def test_a_capture_larger_than_the_buffer_streams(tmp_path):
    frame = on_the_wire(bytes(60_000))
    found, _capture = read(tmp_path, pcap([frame] * 100))
    assert len(found) == 100 and {len(one.payload) for one in found} == {60_000}


def test_packets_are_counted_by_what_they_are(tmp_path):
    frames = [ethernet(ipv4(tcp(b"x"), 6)), ethernet(bytes(28), 0x0806), ethernet(b"\x45"), b""]
    found, capture = read(tmp_path, pcap([FRAMES[0], *frames]))
    assert [one.what for one in found] == [
        "UDP packets",
        "TCP packets",
        "packets with a wrong IP header",
        "frames cut within the link header",
    ]
    assert capture.counts.total() == 5 + 5  # `packets` counts all of them
    assert capture.counts["frames without IP"] == 1


def test_packets_that_were_cut_short_are_counted_as_such(tmp_path):
    _found, capture = read(tmp_path, pcap(FRAMES, cut=60))
    cut = sum(len(frame) > 60 for frame in FRAMES)
    assert 0 < cut < len(FRAMES) and capture.counts[SHORT] == cut
    assert capture.counts["UDP packets"] == len(FRAMES) - cut


@pytest.mark.parametrize("cut", [1, 30, 15 + len(FRAMES[-1])])
def test_a_capture_cut_off_says_so(tmp_path, cut):
    found, capture = read(tmp_path, pcap(FRAMES)[:-cut])
    assert [one.what for one in found] == ["UDP packets"] * 38 + [CUT_OFF]
    assert capture.unread_bytes == 16 + len(FRAMES[-1]) - cut
    packed = gzip.compress(pcap(FRAMES))[:-cut]
    assert read(tmp_path, packed)[0][-1].what == CUT_OFF


def test_after_an_impossible_length_nothing_is_guessed(tmp_path):
    good = pcap(FRAMES)
    for bad in (b"\xff" * 16, struct.pack("<IIII", 1, 2, (1 << 20) + 1, 60)):
        for rest in (10, 5_000_000):
            found, capture = read(tmp_path, good + bad + bytes(rest))
            assert [one.what for one in found[39:]] == [NO_RECORD]
            assert capture.unread_bytes == len(bad) + rest
    blocks = section() + interface() + enhanced("<", FRAMES[0], 1)
    for length in (0, 8, 13, 1 << 21):
        found, capture = read(tmp_path, blocks + struct.pack("<II", 6, length) + bytes(100))
        assert [one.what for one in found] == ["UDP packets", NO_RECORD]
        assert capture.unread_bytes == 108


def test_a_pcapng_block_that_contradicts_itself_is_an_unreadable_packet(tmp_path):
    blocks = [
        enhanced("<", FRAMES[0], 1, index=1),  # no such interface
        block("<", 6, bytes(16)),
        block("<", 6, struct.pack("<IIIII", 0, 0, 0, 100, 100) + bytes(40)),
        block("<", 3, b""),
    ]
    found, capture = read(tmp_path, section() + interface() + b"".join(blocks))
    assert [one.what for one in found] == ["frames cut within the link header"] * 4
    assert capture.counts["packets"] == 4 and capture.unread_bytes == 0


def test_what_is_no_capture_is_told(tmp_path):
    for data in (b"ITCH", b"\n\n\n\n" * 20, b"\xd4\xc3\xb2"):
        with pytest.raises(InputError, match="no capture: it does not begin"):
            read(tmp_path, data)
    with pytest.raises(InputError, match="ends within its first 24 bytes"):
        read(tmp_path, pcap([])[:23])
    assert read(tmp_path, pcap([]))[0] == []


JUDGED = [path for path in REAL if path.stem in ("Multiple.Packets", "EnterOrderMessage")]
FIELDS = ["frame.time_epoch", "ip.src", "udp.dstport", "tcp.dstport"]
FIELDS += ["udp.payload", "tcp.payload"]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed here")
@pytest.mark.parametrize("path", JUDGED, ids=lambda path: path.stem)
def test_tshark_reads_the_same_from_real_captures(path, tmp_path):
    as_pcapng = tmp_path / "same.pcapng"
    subprocess.run(["editcap", "-F", "pcapng", path, as_pcapng], check=True)
    for file in (path, as_pcapng):
        command = ["tshark", "-r", str(file), "-T", "fields", "-E", "separator=;"]
        command += [word for name in FIELDS for word in ("-e", name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found, _capture = read(tmp_path, file.read_bytes())
        lines = done.stdout.splitlines()
        for one, line in zip(found, lines, strict=True):
            epoch, source, udp_port, tcp_port, in_udp, in_tcp = line.split(";")
            seconds, _, nanos = epoch.partition(".")
            assert one.time_ns == int(seconds) * 10**9 + int(nanos.ljust(9, "0"))
            assert one.payload.hex() == (in_udp or in_tcp) != ""
            assert one.route.startswith(f"{source}:")
            assert one.target_port == int(udp_port or tcp_port)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_captures_are_read_to_the_end(path, tmp_path):
    found, capture = read(tmp_path, path.read_bytes())
    assert found and all(one.is_readable and one.payload for one in found)
    assert capture.counts["packets"] == len(found) and capture.unread_bytes == 0


def test_damaged_captures_are_read_or_refused(tmp_path):
    samples = [path.read_bytes() for path in REAL if path.stat().st_size < 2000]
    samples += [pcap(FRAMES[:5]), section() + interface() + enhanced("<", FRAMES[9], 7)]
    read_ones = 0
    for data in fuzzed(samples, seconds=fuzz_seconds(1.0)):
        try:
            found, capture = read(tmp_path, data or b"\0")
        except InputError:
            assert not pcap_module.is_capture(data) or len(data) < 24 or data[:2] == b"\x1f\x8b"
        else:
            read_ones += 1
            total = sum(len(one.payload) for one in found)
            assert total + capture.unread_bytes <= len(data)
    assert read_ones > 5
