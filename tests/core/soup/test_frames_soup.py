"""SoupBinTCP frames: stories, any cutting by TCP, broken bytes, and Wireshark as the judge."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import recorded_all
from tshark import fields, write_tcp

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.soup import frames as soup
from hftlib.core.soup.frames import CLIENT, EITHER, SERVER, Frame, Frames
from hftlib.feed.pcap import Capture

PORT = 8_003
LOGIN = soup.login("me", "secret", "TODAY", 7)


def slowly(stream: bytes, sender: int) -> Iterator[Frame | str]:
    """Frames, and reasons of those refused, by slices and a table of its own."""
    lengths = {"L": 46, "R": 0, "O": 0, "A": 30, "J": 1, "H": 0, "Z": 0}
    sides = dict.fromkeys("LURO", CLIENT) | dict.fromkeys("AJSHZ", SERVER) | {"+": EITHER}
    while len(stream) >= 2 and len(stream) >= 2 + int.from_bytes(stream[:2], "big"):
        size = int.from_bytes(stream[:2], "big")
        frame, stream = stream[2 : 2 + size], stream[2 + size :]
        kind = frame[:1].decode("latin-1")
        if not frame:
            yield "no type"
        elif kind not in sides:
            yield "an unknown type"
        elif not sides[kind] & sender:
            yield "a type that the other side sends"
        elif lengths.get(kind, len(frame) - 1) != len(frame) - 1:
            yield "a payload of another length than its type has"
        else:
            yield Frame(frame[:1], frame[1:])


def test_frames_are_drawn_as_the_protocol_draws_them() -> None:
    assert LOGIN == b"\0\x2fLme    secret         TODAY" + b" " * 19 + b"7"
    assert soup.accepted("TODAY", 12) == b"\0\x1fA     TODAY" + b" " * 18 + b"12"
    assert soup.encode(b"S", b"message") == b"\0\x08Smessage"
    assert soup.encode(b"H") == b"\0\x01H"


def test_frames_come_out_as_soon_as_they_are_whole() -> None:
    frames = Frames()
    assert list(frames.take(b"\0")) == []
    assert list(frames.take(b"\x03S")) == []
    assert frames.incomplete_bytes == 3
    assert list(frames.take(b"ab\0\1H\0")) == [Frame(b"S", b"ab"), Frame(b"H", b"")]
    assert frames.incomplete_bytes == 1


@pytest.mark.parametrize(
    ("stream", "sender", "why"),
    [
        (b"\0\0", EITHER, "no type"),
        (b"\0\1x", EITHER, "an unknown type"),
        (b"\0\1\xff", EITHER, "an unknown type"),
        (b"\0\1H", CLIENT, "a type that the other side sends"),
        (b"\0\1R", SERVER, "a type that the other side sends"),
        (b"\0\2Hx", SERVER, "a payload of another length than its type has"),
        (b"\0\1J", SERVER, "a payload of another length than its type has"),
        (
            LOGIN[:1] + b"\x2e" + LOGIN[2:-1],
            CLIENT,
            "a payload of another length than its type has",
        ),
    ],
)
def test_a_frame_with_something_wrong_is_counted_and_the_next_one_read(
    stream: bytes, sender: int, why: str
) -> None:
    frames = Frames(sender)
    assert list(frames.take(stream + b"\0\3+hi")) == [Frame(b"+", b"hi")]
    assert frames.counts == {f"refused: {why}": 1, "+": 1}


@given(st.lists(st.tuples(st.sampled_from(b"US+"), st.binary(max_size=40)), max_size=30), st.data())
def test_however_tcp_cuts_them_the_same_frames_come_out(
    given_frames: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    wanted = [Frame(bytes([kind]), payload) for kind, payload in given_frames]
    stream = b"".join(soup.encode(one.type, one.payload) for one in wanted)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    frames, out = Frames(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        out += list(frames.take(stream[begin:end]))
    assert out == wanted and frames.incomplete_bytes == 0


@pytest.mark.modes
def test_a_slow_reader_sees_the_same_frames_and_faults_in_random_bytes() -> None:
    chance, met = random.Random(1), set()
    for _ in range(3_000 if jit.COMPILED else 300):
        parts = [
            chance.choice([LOGIN, b"\0\1H", b"\0\1R", b"\0\3Sab", b"\0\2J ", b"\0\0", b"\0\1?"])
            for _ in range(chance.randrange(8))
        ]
        stream = bytearray(b"".join(parts))
        for _ in range(chance.randrange(3)):
            if stream:
                stream[chance.randrange(len(stream))] = chance.choice(b"\0\1\2HLSR+\xff")
        sender = chance.choice([CLIENT, SERVER, EITHER])
        frames = Frames(sender)
        out = list(frames.take(bytes(stream)))
        wanted = list(slowly(bytes(stream), sender))
        assert out == [one for one in wanted if isinstance(one, Frame)]
        refused = [one for one in wanted if isinstance(one, str)]
        counted = sum(n for name, n in frames.counts.items() if name.startswith("refused"))
        assert counted == len(refused)
        assert all(frames.counts[f"refused: {why}"] == refused.count(why) for why in refused)
        met |= set(refused)
    assert met == set(soup.REASONS.values())


@pytest.mark.parametrize(
    ("field", "number"),
    [
        (b" " * 19 + b"7", 7),
        (b"7" + b" " * 19, 7),
        (str(2**62).encode() + b" ", 2**62),
        (str(2**62 + 1).encode() + b" ", -1),
        (b" " * 20, -1),
        (b"-1".rjust(20), -1),
        (b"1 2".rjust(20), -1),
        (b"9" * 20, -1),
        (b"9" * 19 + b" ", -1),
        (b"0" * 19 + b"7", 7),
        (bytes(20), -1),
    ],
)
def test_a_sequence_number_may_be_padded_on_either_side(field: bytes, number: int) -> None:
    assert soup.number_of(field) == number


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: soup.encode(b"x"), "no type of SoupBinTCP"),
        (lambda: soup.encode(b"H", b"1"), "no payload of a frame of type H"),
        (lambda: soup.encode(b"S", b"1" * 65_535), "no payload"),
        (lambda: soup.login("toolong", "x"), "'toolong' is no user"),
        (lambda: soup.login("me", "a secret too long"), "That is no password"),
        (lambda: soup.login("me", "x", "s", -1), "-1 is no sequence number"),
        (lambda: soup.login("me", "x", "s", 2**62 + 1), "is no sequence number"),
        (lambda: soup.accepted("späť", 1), "no session"),
        (lambda: Frames(0), "no side of a connection"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(
    make: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence) as refused:
        make()
    assert "secret" not in str(refused.value)


def told(capture: Path, decode_as: str) -> list[tuple[str, int]]:
    """Type and length of every frame that tshark finds, in order."""
    rows = fields(capture, decode_as, "soupbintcp.packet_type", "soupbintcp.packet_length")
    types = [one.strip("'") for row in rows for one in row[0].split(",") if one]
    lengths = [one for row in rows for one in row[1].split(",") if one]
    return list(zip(types, map(int, lengths), strict=True))


def shown(stream: bytes) -> list[tuple[str, int]]:
    """The same of what we find."""
    return [(one.type.decode(), 1 + len(one.payload)) for one in Frames().take(stream)]


def test_tshark_reads_our_frames_as_we_mean_them_across_segments(tmp_path: Path) -> None:
    chance, capture = random.Random(2), tmp_path / "ours.pcap"
    made = [LOGIN, soup.encode(b"R"), soup.encode(b"+", b"debug"), soup.encode(b"O")]
    made += [soup.encode(b"U", chance.randbytes(chance.randrange(1, 300))) for _ in range(200)]
    stream = b"".join(made)
    write_tcp(capture, PORT, [stream[at : at + 777] for at in range(0, len(stream), 777)])
    decode_as = f"tcp.port=={PORT},soupbintcp"
    assert told(capture, decode_as) == shown(stream)
    # The number itself tshark gives as "X" whatever it is; but it says when it cannot read it.
    names = ("username", "password", "session", "req_seq_num.invalid")
    first = fields(capture, decode_as, *(f"soupbintcp.{name}" for name in names))[0]
    assert [text.strip() for text in first] == ["me", "secret", "TODAY", ""]


@pytest.mark.parametrize("capture", recorded_all("mold_pcap/ouch50/*.pcap"), ids=lambda p: p.stem)
def test_tshark_and_we_read_an_exchange_alike(capture: Path) -> None:
    with Capture(capture) as opened:
        payloads = [bytes(one.payload) for one in opened.packets() if one.is_readable]
    frames = Frames()
    out = [frame for payload in payloads for frame in frames.take(payload)]
    assert out and frames.incomplete_bytes == 0
    assert not any(name.startswith("refused") for name in frames.counts)
    assert b"".join(soup.encode(one.type, one.payload) for one in out) == b"".join(payloads)
    assert told(capture, "tcp.port==0-65535,soupbintcp") == shown(b"".join(payloads))
