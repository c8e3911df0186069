"""Packets: a story for every verdict, both directions, and a slow reader on broken bytes."""

from __future__ import annotations

import pytest
from broken_datagrams import Guarded, rounds
from fuzzing import mutated
from hypothesis import given
from hypothesis import strategies as st
from sequencer_twin import read

from hftlib.core.errors import InputError
from hftlib.feed.mold import packet as p

GOOD = p.encode("TODAY", 7, [b"one", b"", b"three"])


def test_a_packet_is_drawn_as_the_protocol_draws_it() -> None:
    assert GOOD == b"TODAY     " + b"\0" * 7 + b"\x07" + b"\0\x03" + b"\0\x03one\0\0\0\x05three"
    assert p.verdict(GOOD) == p.MESSAGES
    assert p.header_of(GOOD) == (b"TODAY     ", 7, 3)
    assert p.messages_of(GOOD) == [b"one", b"", b"three"]


@pytest.mark.parametrize(
    ("datagram", "verdict"),
    [
        (p.header("S", 9, 0), p.HEARTBEAT),
        (p.header("S", 9, p.END_COUNT), p.END),
        (b"", p.SHORT),
        (GOOD[:19], p.SHORT),
        (GOOD[:-1], p.CUT_OFF),
        (GOOD[:26], p.CUT_OFF),  # in the middle of a length
        (GOOD[:25], p.TOO_FEW),  # right behind the first message
        (GOOD[:20], p.TOO_FEW),
        (GOOD + b"\0", p.TRAILING),
        (p.header("S", 9, 0) + b"\0", p.TRAILING),
        (p.header("S", 9, p.END_COUNT) + b"\0\1x", p.TRAILING),
        (b"S" * 10 + b"\xff" * 8 + b"\0\0", p.BEYOND),
        (b"S" * 10 + (2**62 + 1).to_bytes(8, "big") + b"\0\0", p.BEYOND),
        (p.header("S", 2**62, 0), p.HEARTBEAT),
        (p.header(bytes(10), 0, 1) + b"\0\1x", p.MESSAGES),  # zeroed by whoever recorded it
    ],
)
def test_each_thing_a_datagram_can_be_has_its_verdict(datagram: bytes, verdict: int) -> None:
    assert p.VERDICTS[p.verdict(datagram)] == p.VERDICTS[verdict]


@given(st.lists(st.binary(max_size=90), max_size=200), st.integers(1, 2**62 - 200))
def test_packets_carry_all_messages_in_order_and_are_full_but_not_too_full(
    messages: list[bytes], first: int
) -> None:
    made = list(p.packets("ANY", first, messages, 200))
    assert [text for one in made for text in p.messages_of(one)] == messages
    at = first
    for one, following in zip(made, [*made[1:], None], strict=False):
        assert p.header_of(one)[:2] == (b"ANY       ", at)
        at += p.header_of(one)[2]
        assert len(one) <= 200
        if following is not None:
            assert len(one) + 2 + len(p.messages_of(following)[0]) > 200
    assert at == first + len(messages)


def test_a_message_larger_than_a_payload_goes_alone() -> None:
    sizes = [len(p.messages_of(one)) for one in p.packets("S", 1, [b"a", b"b" * 5000, b"c"], 1400)]
    assert sizes == [1, 1, 1]


@pytest.mark.parametrize("session", ["", "elevenchars", "späť", 5, None])
def test_a_session_is_up_to_ten_ascii_characters(session: object) -> None:
    with pytest.raises(InputError, match="no session of MoldUDP64"):
        p.encode(session, 1, [])  # type: ignore[arg-type]


def test_what_does_not_fit_the_protocol_is_refused_with_a_sentence() -> None:
    with pytest.raises(InputError, match="no message of at most 65,535 bytes"):
        p.encode("S", 1, [b"x" * 65_536])
    with pytest.raises(InputError, match="more than UDP carries"):
        p.encode("S", 1, [b"x" * 65_500])
    with pytest.raises(InputError, match="do not fit one packet"):
        p.encode("S", 1, [b""] * 65_535)
    for sequence in (-1, 2**62 + 1, 1.0, True):
        with pytest.raises(InputError, match="no sequence"):
            p.header("S", sequence, 0)  # type: ignore[arg-type]


@pytest.mark.modes
def test_a_slow_reader_gives_the_same_verdict_on_broken_bytes_and_nothing_is_read_behind_them() -> (
    None
):
    met, memory = set(), Guarded()
    for chance in rounds():
        texts = [chance.randbytes(chance.randrange(12)) for _ in range(chance.randrange(6))]
        datagram = p.encode(chance.randbytes(10), chance.choice([0, 1, 2**62]), texts)
        for _ in range(20):
            broken = mutated(datagram, chance)
            verdict, session, sequence, messages = read(broken)
            assert p.examine(memory.put(broken), len(broken)) == verdict, broken
            if verdict == p.MESSAGES:
                assert p.messages_of(broken) == messages
                assert p.header_of(broken) == (session, sequence, len(messages))
            met.add(verdict)
    assert met >= {p.MESSAGES, p.HEARTBEAT, p.SHORT, p.CUT_OFF, p.TOO_FEW, p.TRAILING}
