"""The 23 messages of ITCH 5.0: real ones, random ones, and what an independent decoder says."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import itch.messages
import numpy as np
import pytest
from fuzzing import fuzz_messages, fuzz_seed
from hypothesis import example, given
from hypothesis import strategies as st
from recorded import recorded, recorded_all
from wire_bulk import blocks, chance, differing, random_rows, size_of

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.feed.itch.messages import (
    LENGTHS,
    MESSAGES,
    RECORD_BYTES_MAX,
    build,
    decode,
    encode,
    parse,
)
from hftlib.feed.packets import UDP
from hftlib.feed.pcap import Capture

# As Nasdaq's specification lists them.
SPECIFIED = "S12 R39 H25 Y20 L26 V35 W12 K28 J35 h21 A36 F40 E31 C36 X23 D19 U35 P44 Q40 B19 I50"
SPECIFIED += " N20 O48"
LENGTH_BY_TYPE = {word[0]: int(word[1:]) for word in SPECIFIED.split()}
# Its fields behind the header, as `wire_bulk` writes them.
HEADER = "cHHT"
BODY_WORDS = "S:c R:8sccIcc2scccccIc H:8scc4s Y:8sc L:4s8sccc V:QQQ W:c K:8sIcI J:8sIIII"
BODY_WORDS += " h:8scc A:QcI8sI F:QcI8sI4s E:QIQ C:QIQcI X:QI D:Q U:QQII P:QcI8sIQ Q:Q8sIQc"
BODY_WORDS += " B:Q I:QQc8sIIIcc N:8sc O:8scIIIQII"
BODIES = dict(word.split(":") for word in BODY_WORDS.split())
BLOCK = 16_384
RANDOM_EACH = 10_000 if jit.COMPILED else 100
GUARD = 0xA5
FILES = [
    "12302019_SNIPPET.NASDAQ_ITCH50",
    "sephorah_sample_1mb.itch",
    "AAPL_real_20191230_reconstructed_from_karan.itch50",
    "LOBSTER_as_ITCH50_20120621.itch50.gz",
]
CAPTURES = recorded_all("mold_pcap/itch50*/*.pcap")


@jit.compiled("int64(int64, int64, int64, int64)")
def decode_side_by_side(messages, size, count, records):
    """Decode messages of one type that lie side by side; how many agree with their type."""
    good = 0
    for index in range(count):
        good += decode(messages + index * size, size, records + index * RECORD_BYTES_MAX) == size
    return good


@jit.compiled("int64(int64, int64, int64, int64)")
def encode_side_by_side(records, size, count, messages):
    good = 0
    for index in range(count):
        good += encode(records + index * RECORD_BYTES_MAX, size, messages + index * size) == size
    return good


@jit.compiled("int64(int64, int64, int64, int64)")
def reencode_frames(frames, length, again, record):
    """Decode and encode {length, message} frames: bytes of whole frames of right length."""
    place = 0
    while place + 2 <= length:
        size = jit.load_be_u16(frames + place)
        if place + 2 + size > length or decode(frames + place + 2, size, record) != size:
            break
        jit.store_be_u16(again + place, size)
        encode(record, size, again + place + 2)
        place += 2 + size
    return place


def reencoded(frames: bytes) -> bytes:
    """All whole frames, decoded and encoded."""
    source = np.frombuffer(frames + b"\0", np.uint8)
    again, record = np.zeros(len(frames), np.uint8), np.zeros(RECORD_BYTES_MAX, np.uint8)
    done = reencode_frames(source.ctypes.data, len(frames), again.ctypes.data, record.ctypes.data)
    return again[:done].tobytes()


def test_the_types_and_their_lengths_are_those_of_the_specification():
    assert {letter: message.size for letter, message in MESSAGES.items()} == LENGTH_BY_TYPE
    assert {chr(code): int(LENGTHS[code]) for code in np.flatnonzero(LENGTHS)} == LENGTH_BY_TYPE
    assert len(LENGTHS) == 256
    assert {letter: size_of(HEADER + body) for letter, body in BODIES.items()} == LENGTH_BY_TYPE


@pytest.mark.modes
@pytest.mark.parametrize("letter", LENGTH_BY_TYPE)
def test_an_independent_decoder_agrees_on_every_field_of_random_messages(letter):
    drawing, random = MESSAGES[letter], np.random.default_rng(ord(letter))
    raw = random.integers(0, 256, (RANDOM_EACH, drawing.size), np.uint8)
    raw[0], raw[1] = 0, 255
    raw[:, 0] = ord(letter)
    records = np.zeros((RANDOM_EACH, RECORD_BYTES_MAX), np.uint8)
    arguments = (raw.ctypes.data, drawing.size, RANDOM_EACH, records.ctypes.data)
    assert decode_side_by_side(*arguments) == RANDOM_EACH
    theirs = [itch.messages.messages[letter.encode()](message.tobytes()) for message in raw]
    rows = [tuple(vars(message).values()) for message in theirs]
    # They keep the fields in the order of the wire, but the time last.
    names = [field.name for field in drawing.fields[1:] if field.name != "timestamp"]
    columns = dict(zip([*names, "timestamp"], zip(*rows, strict=True), strict=True))
    for field in drawing.fields[1:]:
        assert as_they_have_it(field, records) == list(columns[field.name]), field.name
    assert [message.to_bytes() for message in theirs] == [message.tobytes() for message in raw]
    again = np.zeros_like(raw)
    arguments = (records.ctypes.data, drawing.size, RANDOM_EACH, again.ctypes.data)
    assert encode_side_by_side(*arguments) == RANDOM_EACH
    assert (again == raw).all()


@pytest.mark.modes
@pytest.mark.parametrize("letter", LENGTH_BY_TYPE)
def test_messages_in_bulk_are_read_as_the_twin_reads_them_and_written_as_they_were(letter):
    drawing, form = MESSAGES[letter], HEADER + BODIES[letter]
    random = chance(256 * fuzz_seed() + ord(letter))
    size, total = size_of(form), fuzz_messages(100_000 if jit.COMPILED else 100)
    for count in blocks(total, BLOCK):
        raw = random_rows(random, count, size)
        raw[:, 0] = ord(letter)
        records = np.full((count, RECORD_BYTES_MAX), GUARD, np.uint8)
        assert decode_side_by_side(raw.ctypes.data, size, count, records.ctypes.data) == count
        assert differing(form, raw, records, drawing.fields) == []
        again = np.full_like(raw, GUARD)
        assert encode_side_by_side(records.ctypes.data, size, count, again.ctypes.data) == count
        assert (again == raw).all()
    print(f"ITCH {letter}: {total:,} messages, no difference")


def as_they_have_it(field: jit.WireField, records: np.ndarray) -> list:
    """A field of our records as Python's integers and bytes."""
    column = records[:, field.record_at : field.record_at + field.record_size]
    if field.is_text or field.kind == "char":
        return [value.tobytes() for value in column]
    unsigned = np.ascontiguousarray(column).view(f"u{field.record_size}")
    return unsigned[:, 0].tolist()


@pytest.mark.parametrize("name", FILES)
def test_real_files_decode_completely_and_encode_identically(name):
    raw = recorded(f"itch/{name}").read_bytes()
    frames = gzip.decompress(raw) if name.endswith(".gz") else raw
    cut_off = 8 if name.startswith("sephorah") else 0
    assert reencoded(frames) == frames[: len(frames) - cut_off]


@pytest.mark.parametrize(
    "path", recorded_all("mold_pcap/itch50*/*.pcap"), ids=lambda path: path.stem
)
def test_real_datagrams_decode_completely_and_encode_identically(path: Path):
    with Capture(path) as capture:
        datagrams = [bytes(one.payload) for one in capture.packets() if one.protocol == UDP]
    assert datagrams
    for datagram in datagrams:
        assert len(datagram) > 22 and reencoded(datagram[20:]) == datagram[20:]


@pytest.mark.modes
@given(st.binary(max_size=60), st.integers(0, 60))
@example(b"A" + bytes(35), 35)
@example(b"A" + bytes(35), 36)
def test_any_bytes_are_decoded_or_left_alone(raw, limit):
    limit = min(limit, len(raw))
    source = np.frombuffer(raw + b"\0", np.uint8)
    record = np.full(RECORD_BYTES_MAX + 8, GUARD, np.uint8)
    size = decode(source.ctypes.data, limit, record.ctypes.data)
    assert size == (LENGTH_BY_TYPE.get(chr(raw[0]), 0) if limit else 0)
    assert (record[-8:] == GUARD).all()
    if not 0 < size <= limit:
        assert (record == GUARD).all()
        return
    again = np.full(size + 8, GUARD, np.uint8)
    assert encode(record.ctypes.data, size, again.ctypes.data) == size
    assert again[:size].tobytes() == raw[:size] and (again[-8:] == GUARD).all()


@given(
    st.binary(max_size=60)
    | st.sampled_from(sorted(LENGTH_BY_TYPE)).flatmap(
        lambda letter: st.binary(
            min_size=LENGTH_BY_TYPE[letter] - 1, max_size=LENGTH_BY_TYPE[letter] - 1
        ).map(lambda body: letter.encode() + body)
    )
)
def test_any_bytes_are_a_message_or_a_sentence(raw):
    try:
        message = parse(raw)
    except InputError as refused:
        assert LENGTH_BY_TYPE.get(chr(raw[0]) if raw else "") != len(raw)
        assert str(refused).count(". ") >= 1
    else:
        assert bytes(message) == raw
        assert len(repr(message)) > 20


@pytest.mark.modes
def test_a_message_reads_as_a_person_would_say_it():
    order = build(
        "A",
        locate=13,
        timestamp=34_200_000_000_001,
        reference=7,
        side="B",
        shares=100,
        stock="AAPL",
        price="185.01",
    )
    assert repr(order) == (
        "<itch A add order locate=13 tracking=0 timestamp=34200000000001 reference=7 "
        "side=B shares=100 stock=AAPL price=185.0100>"
    )
    assert parse(bytes(order)) == order
    assert (order.stock, order.price, order.type) == ("AAPL", Decimal("185.01"), "A")
    assert bytes(order)[-4:] == (1850100).to_bytes(4, "big")
    assert len(bytes(order)) == 36


def test_what_is_no_message_is_told():
    with pytest.raises(InputError, match=r"no message of type 'Z'.*S R H Y L V W K J h A F"):
        parse(b"Z" * 36)
    with pytest.raises(InputError, match="has 19 bytes, not 20"):
        parse(b"D" * 20)
    with pytest.raises(InputError, match="no message in no bytes"):
        parse(b"")
    with pytest.raises(InputError, match="no message of type 'AB'"):
        build("AB")
    with pytest.raises(InputError, match="no field 'size'"):
        build("A", size=3)
