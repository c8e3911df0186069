"""Wireshark agrees with us about MoldUDP64: on packets of ours, and on what an exchange sent."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from recorded import recorded, recorded_all
from tshark import fields, write_udp

from hftlib.feed.mold import packet as p
from hftlib.feed.pcap import Capture

PORT = 26_477
NAMES = ("session", "sequence", "count", "msglen", "msgseq", "msgdata", "msglen.invalid")
CAPTURES = "mold_pcap/itch50*/*.pcap"


def told(capture: Path, decode_as: str) -> list[list[str]]:
    return fields(capture, decode_as, *(f"moldudp64.{name}" for name in NAMES))


def ours(datagram: bytes) -> list[str]:
    """A good datagram as tshark's fields say it."""
    session, sequence, count = p.header_of(datagram)
    texts = p.messages_of(datagram)
    return [
        session.decode(),
        str(sequence),
        str(count),
        ",".join(str(len(text)) for text in texts),
        ",".join(str(sequence + place) for place in range(len(texts))),
        ",".join(text.hex() for text in texts),
        "",
    ]


def test_tshark_reads_our_packets_as_we_mean_them(tmp_path: Path) -> None:
    chance, capture = random.Random(1), tmp_path / "ours.pcap"
    texts = [chance.randbytes(chance.randrange(1, 90)) for _ in range(2_000)]
    made = list(p.packets("0000001A", 2**40, texts))
    made += [p.header("0000001A", 2**40 + 2_000, 0), p.encode("B", 1, [b"x" * 1378])]
    write_udp(capture, PORT, made)
    assert told(capture, f"udp.port=={PORT},moldudp64") == [ours(one) for one in made]


def test_tshark_sees_the_end_of_a_session_and_what_is_wrong_with_a_packet(tmp_path: Path) -> None:
    good, capture = p.encode("S", 1, [b"one", b"two"]), tmp_path / "odd.pcap"
    end = p.header("S", 3, p.END_COUNT)
    odd = [end, end + b"\0\1x", good[:-1], good[:18] + b"\0\3" + good[20:]]
    write_udp(capture, PORT, odd)
    marks = ["count", "end_of_session_extra", "msglen.invalid", "count.invalid"]
    rows = fields(capture, f"udp.port=={PORT},moldudp64", *(f"moldudp64.{one}" for one in marks))
    assert [row[0] for row in rows] == ["65535", "65535", "2", "3"]
    complained = [any(row[1:]) for row in rows]
    assert complained == [False, True, True, True]
    assert [p.verdict(one) > p.END for one in odd] == complained


@pytest.mark.parametrize("capture", recorded_all(CAPTURES), ids=lambda path: path.stem)
def test_tshark_and_we_read_an_exchange_alike(capture: Path, tmp_path: Path) -> None:
    with Capture(capture) as opened:
        packets = [(one.target_port, bytes(one.payload)) for one in opened.packets()]
    port, datagrams = packets[0][0], [payload for _, payload in packets]
    assert datagrams and all(p.verdict(one) == p.MESSAGES for one in datagrams)
    for one in datagrams:  # and back again, byte for byte
        session, sequence, _ = p.header_of(one)
        assert p.encode(session, sequence, p.messages_of(one)) == one
    if port == 0:  # made anonymous, and tshark decodes nothing as what a port of 0 carries
        capture, port = tmp_path / "again.pcap", PORT
        write_udp(capture, port, datagrams)
    rows = told(capture, f"udp.port=={port},moldudp64")
    assert [row[1:] for row in rows] == [ours(one)[1:] for one in datagrams]
    # A name of zeros is no text, and tshark shows it in a way of its own.
    for row, one in zip(rows, datagrams, strict=True):
        assert not any(one[:10]) or row[0] == ours(one)[0]


def test_there_are_recordings_to_agree_about() -> None:
    recorded("mold_pcap")
    assert len(recorded_all(CAPTURES)) > 20
