"""A journal as a capture: read back by others, and turned into a tape."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tshark import fields

import hftlib as hft
from hftlib.core.errors import StateError
from hftlib.core.journal import Journal, frames, kinds
from hftlib.feed.mold import packet
from hftlib.feed.packets import TCP, UDP
from hftlib.feed.pcap import Capture
from hftlib.research import journal_files

START = 1_795_300_000_000_000_000
SIZES = {"segment_bytes": 1 << 16, "block_bytes": 1 << 14}
ABOUT = {"sources": {"1": {"host": "233.54.12.111", "port": 26477}, "3": {"host": "x"}}}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "day.journal"
    chance = np.random.default_rng(3)
    with Journal.create(made, ABOUT, time=START, **SIZES) as journal:
        for number in range(300):
            kind = (kinds.DATAGRAM, kinds.SESSION_IN, kinds.SESSION_OUT, kinds.NOTE)[number % 4]
            journal.append(kind, START + number, chance.bytes(number % 90), 1 + number % 3)
        journal.append(kinds.SESSION_OUT, START + 300, bytes(40_000), 2)
        journal.close(time=START + 301)
    return made


def test_a_capture_has_datagrams_and_streams_with_their_times(folder, tmp_path):
    target = tmp_path / "day.pcap"
    count = journal_files.write_pcap(target, folder, frames(folder))
    wires = (kinds.DATAGRAM, kinds.SESSION_IN, kinds.SESSION_OUT)
    sent = [one for one in frames(folder) if one.kind in wires]
    with Capture(target) as capture:
        packets = [
            (one.time_ns, one.protocol, one.route, bytes(one.payload), one.tcp_sequence)
            for one in capture.packets()
        ]
    assert [one.time for one in sent if one.payload or one.kind == kinds.DATAGRAM] == [
        packet[0] for packet in packets
    ]
    assert count == len(packets)  # bytes of a session that are none are no packet
    told = [packet for packet in packets if packet[1] == UDP]
    assert [packet[3] for packet in told] == [
        one.payload for one in sent if one.kind == kinds.DATAGRAM
    ]
    routes = {packet[2] for packet in told}
    assert "10.255.0.1:40001 -> 233.54.12.111:26477" in routes, "named when it was opened"
    assert "10.255.0.1:40003 -> 239.0.0.3:20003" in routes, "what is no address is not taken"
    for source in (1, 2, 3):
        for kind in (kinds.SESSION_IN, kinds.SESSION_OUT):
            stream = [one.payload for one in sent if (one.kind, one.source) == (kind, source)]
            end = f"10.255.0.1:{40_000 + source}"
            mine = [
                (packet[4], packet[3])
                for packet in packets
                if packet[1] == TCP
                and (
                    packet[2].startswith(end)
                    if kind == kinds.SESSION_OUT
                    else packet[2].endswith(end)
                )
            ]
            assert b"".join(data for _, data in mine) == b"".join(stream)
            at = 1
            for sequence, data in mine:
                assert sequence == at
                at += len(data)


def test_tshark_reads_the_capture_and_has_nothing_to_remark(folder, tmp_path):
    target = tmp_path / "day.pcap"
    journal_files.write_pcap(target, folder, frames(folder))
    names = ("frame.time_epoch", "ip.checksum.status", "udp.length", "tcp.len", "_ws.expert")
    rows = fields(target, "udp.port==26477,data", *names)
    wires = (kinds.DATAGRAM, kinds.SESSION_IN, kinds.SESSION_OUT)
    sent = [one for one in frames(folder) if one.kind in wires]
    sent = [one for one in sent if one.payload or one.kind == kinds.DATAGRAM]
    assert len(rows) == len(sent)
    for one, (epoch, _, udp_length, tcp_length, remarks) in zip(sent, rows, strict=True):
        seconds, nanos = epoch.split(".")
        assert int(seconds) * 10**9 + int(nanos) == one.time
        length = int(udp_length) - 8 if one.kind == kinds.DATAGRAM else int(tcp_length)
        assert length == len(one.payload)
        # Segments that follow each other: none lost, none twice, no stream that begins anew.
        assert not remarks or "Connection" in remarks or "ACK" in remarks, remarks


def test_a_journal_of_a_feed_becomes_the_tape_that_the_feed_would(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    market = hft.synthetic(symbols=2, seconds=20, seed=7)
    market.write_itch("market.itch50")
    messages = list(packet.blocks_of((tmp_path / "market.itch50").read_bytes()))
    with Journal.create(tmp_path / "day.journal", ABOUT) as journal:
        for number, datagram in enumerate(packet.packets("20261121AA", 1, messages)):
            journal.append(kinds.DATAGRAM, START + number, datagram, 1)
    journal_files.write_pcap(tmp_path / "day.pcap", journal.folder, frames(journal.folder))
    program = "from hftlib.cli import main; main()"
    for name, source in (("direct", "market.itch50"), ("journaled", "day.pcap")):
        options = ["--date", "2026-11-21", "-o", f"{name}.tape"]
        done = subprocess.run(
            [sys.executable, "-c", program, "data", "import", source, *options],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    direct, journaled = (hft.open_tape(f"{name}.tape") for name in ("direct", "journaled"))
    assert len(direct) == len(journaled) > 1000
    for field in ("time", "kind", "reference", "price", "quantity", "side", "instrument"):
        assert (direct.events[field] == journaled.events[field]).all(), field
    assert (journaled.events["received"] >= START).all()


def test_half_a_file_is_none_and_what_a_killed_one_left_goes(folder, tmp_path):
    def broken():
        yield from frames(folder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal_files.write_pcap(tmp_path / "a", folder, broken())
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    (tmp_path / "a.0123abcd.part").write_bytes(b"half of one")
    (tmp_path / "another.0123abcd.part").write_bytes(b"not ours")
    journal_files.write_pcap(tmp_path / "a", folder, frames(folder))
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {folder.name, "a", "another.0123abcd.part"}


def test_a_name_that_was_taken_meanwhile_stays_whose_it_is(folder, tmp_path):
    def meanwhile():
        yield from frames(folder)
        (tmp_path / "a").write_bytes(b"another's")

    with pytest.raises(StateError, match="There is something already"):
        journal_files.write_pcap(tmp_path / "a", folder, meanwhile())
    assert (tmp_path / "a").read_bytes() == b"another's"
