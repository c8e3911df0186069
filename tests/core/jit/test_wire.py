"""Wire messages: what the drawing says is what lies in memory, both ways and in both modes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.records import RECORDS

GUARD = 0xA5
EVERY_KIND = jit.wire_message(
    "test of every kind",
    71,
    """
    0   type      char
    1   u_2       u16       at an odd place, as most are
    3   u_6       u48
    9   word      text[3]
    12  i_1       i8
    13  i_2       i16
    15  u_1       u8
    16  i_4       i32
    20  token     text[14]
    34  u_8       u64
    42  i_8       i64
    50  price     u32.4
    54  level     u64.8
    62  six       text[6]
    68  last      u16
    70  end       char
    """,
)
SHORT = jit.wire_message("test of a short one", 3, "0 type char\n1 number u16")
CODEC = jit.wire_codec({"E": EVERY_KIND, "s": SHORT, "\xff": SHORT})

_decode, _encode = EVERY_KIND.decode, EVERY_KIND.encode
_decode_any, _encode_any = CODEC.decode, CODEC.encode


@jit.compiled("void(int64, int64)")
def compiled_decode(message, record):
    _decode(message, record)


@jit.compiled("void(int64, int64)")
def compiled_encode(record, message):
    _encode(record, message)


@jit.compiled("int64(int64, int64, int64)")
def compiled_decode_any(message, length, record):
    return _decode_any(message, length, record)


@jit.compiled("int64(int64, int64, int64)")
def compiled_encode_any(record, room, message):
    return _encode_any(record, room, message)


BOTH_WAYS = ((_decode, _encode), (compiled_decode, compiled_encode))
CODECS = ((_decode_any, _encode_any), (compiled_decode_any, compiled_encode_any))


def guarded(count: int) -> tuple[np.ndarray, int]:
    """Room for `count` bytes between guards, at an odd address."""
    memory = np.full(count + 33, GUARD, np.uint8)
    return memory, memory.ctypes.data + 17


def inside(memory: np.ndarray) -> bytes:
    assert (memory[:17] == GUARD).all() and (memory[-16:] == GUARD).all(), "beyond the room"
    return memory[17:-16].tobytes()


def written_out(field: jit.WireField, raw: bytes) -> bytes:
    """The bytes a field has in the record, from what the table of kinds says."""
    if field.is_text:
        return raw
    number = int.from_bytes(raw, "big", signed=field.is_signed)
    return number.to_bytes(field.record_size, "little", signed=field.is_signed)


raws = st.binary(min_size=EVERY_KIND.size, max_size=EVERY_KIND.size)


@pytest.mark.modes
@given(raws)
@example(b"\xff" * EVERY_KIND.size)
@example(b"\x80" + b"\0" * (EVERY_KIND.size - 1))
def test_every_field_arrives_and_every_byte_returns(raw):
    message = np.frombuffer(raw, np.uint8)
    for decode, encode in BOTH_WAYS:
        record, record_at = guarded(EVERY_KIND.dtype.itemsize)
        decode(message.ctypes.data, record_at)
        native = inside(record)
        for field in EVERY_KIND.fields:
            expected = written_out(field, raw[field.at : field.at + field.size])
            assert native[field.record_at :][: field.record_size] == expected, field.name
        back, back_at = guarded(EVERY_KIND.size)
        encode(record_at, back_at)
        assert inside(back) == raw


@pytest.mark.modes
def test_the_record_holds_numbers_as_compiled_code_wants_them():
    assert EVERY_KIND.dtype["u_6"] == EVERY_KIND.dtype["u_8"] == np.int64
    assert EVERY_KIND.dtype["price"] == np.uint32
    assert EVERY_KIND.dtype["token"] == "S14"
    assert EVERY_KIND.dtype.isalignedstruct
    raw = bytearray(EVERY_KIND.size)
    raw[34:42] = b"\x80" + b"\0" * 7
    raw[3:9] = b"\xff" * 6
    raw[13:15] = b"\xff\xfe"
    record = np.zeros(1, EVERY_KIND.dtype)
    message = np.frombuffer(bytes(raw), np.uint8)
    compiled_decode(message.ctypes.data, record.ctypes.data)
    assert record["u_8"][0] == -(2**63)  # the same 64 bits
    assert record["u_6"][0] == 2**48 - 1
    assert record["i_2"][0] == -2


@pytest.mark.modes
@given(st.binary(max_size=80), st.integers(-1, 80))
@example(b"E" + b"\x01" * 70, 71)
@example(b"E" + b"\x01" * 70, 70)
@example(b"s\1\2", 3)
@example(b"\xff\1\2", 3)
@example(b"", 0)
def test_a_codec_knows_each_type_and_writes_nothing_else(raw, limit):
    limit = min(limit, len(raw))
    size = {ord("E"): 71, ord("s"): 3, 0xFF: 3}.get(raw[0], 0) if limit > 0 else 0
    source = np.frombuffer(raw + b"\0", np.uint8)
    for decode, encode in CODECS:
        record, record_at = guarded(CODEC.record_bytes_max)
        assert decode(source.ctypes.data, limit, record_at) == size
        if not 0 < size <= limit:
            assert inside(record) == bytes([GUARD]) * CODEC.record_bytes_max
            continue
        inside(record)
        back, back_at = guarded(size)
        assert encode(record_at, size - 1, back_at) == size
        assert inside(back) == bytes([GUARD]) * size
        assert encode(record_at, size, back_at) == size
        assert inside(back) == raw[:size]


@pytest.mark.modes
def test_the_lengths_of_a_codec_are_those_of_its_types():
    assert CODEC.lengths[ord("E")] == 71
    assert CODEC.lengths.sum() == 71 + 3 + 3
    assert CODEC.record_bytes_max == max(EVERY_KIND.dtype.itemsize, SHORT.dtype.itemsize)
    assert CODEC.messages[0xFF] is SHORT


def test_the_record_is_drawn_where_the_message_was_declared():
    drawing = RECORDS["test of every kind"]
    assert drawing.module == __name__
    assert "8   u_6" not in drawing.text
    assert "u16 at 1: at an odd place, as most are" in drawing.text
    assert drawing.dtype == EVERY_KIND.dtype


MISTAKES = {
    "0 type char\n2 number u16": "begins at 2; the field before it ends at 1",
    "0 type char\n0 number u16": "begins at 0; the field before it ends at 1",
    "0 type char\n1 number u8": "the fields end at 2, the message at 3",
    "0 type char\n1 number u32": "the fields end at 5, the message at 3",
    "0 type char\n1 number u24": "a row reads",
    "0 type char\n1 text text[0]": "a row reads",
    "0 type char\n1 number": "a row reads",
    "0 type char\n1 type u16": "drawn twice",
    "1 number u16": "begins at 1; the field before it ends at 0",
    "": "the fields end at 0, the message at 3",
}


@pytest.mark.parametrize("drawing", MISTAKES)
def test_a_mistake_in_a_drawing_is_told(drawing):
    with pytest.raises(InputError, match=MISTAKES[drawing]):
        jit.wire_message("test of a mistake", 3, drawing)


def test_a_codec_needs_its_type_first():
    late = jit.wire_message("test of a late type", 2, "0 size u8\n1 type char")
    with pytest.raises(InputError, match="begins with `type char`"):
        jit.wire_codec({"x": late})
