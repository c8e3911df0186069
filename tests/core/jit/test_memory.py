"""Memory in compiled code, in its Python twins and in `struct` is the same memory."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba.core.errors import TypingError

from hftlib.core import jit

from .fresh import run

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
ROOM = 32
MESSAGES = 1_000_000 if jit.COMPILED else 2_000

int64s = st.integers(INT64_MIN, INT64_MAX) | st.sampled_from(
    [sign * 2**bits + near for bits in (8, 16, 32, 48, 62) for sign in (1, -1) for near in (-1, 0)]
)
memories = st.binary(min_size=ROOM, max_size=ROOM)

# Bytes of the field, and struct's name for it; to struct, 48 bits are 64 with two zeros before.
FIELDS = {
    "u8": (1, "B"),
    "i64": (8, "<q"),
    "be_u16": (2, ">H"),
    "be_u32": (4, ">I"),
    "be_u48": (6, ">Q"),
    "be_i64": (8, ">q"),
}
ATOMIC = {"load_acquire", "store_release"}


def compiled_load(load: Callable[[int], int]) -> Any:
    @jit.compiled()
    def loaded(address):
        return load(address)

    return loaded


def compiled_store(store: Callable[[int, int], None]) -> Any:
    @jit.compiled()
    def stored(address, value):
        store(address, value)

    return stored


LOADS = {f"load_{name}": field for name, field in FIELDS.items()} | {"load_acquire": (8, "<q")}
STORES = {f"store_{name}": field for name, field in FIELDS.items()} | {"store_release": (8, "<q")}
COMPILED_LOADS = {name: compiled_load(getattr(jit, name)) for name in LOADS}
COMPILED_STORES = {name: compiled_store(getattr(jit, name)) for name in STORES}


def unpacked(code: str, raw: bytes) -> int:
    return struct.unpack(code, raw.rjust(struct.calcsize(code), b"\0"))[0]


def packed(code: str, count: int, value: int) -> bytes:
    """What struct writes for the value cut to the field: the lowest bits, as signed if it is."""
    cut = value % 2 ** (8 * count)
    if code.endswith("q") and cut >= 2**63:
        cut -= 2**64
    return struct.pack(code, cut)[-count:]


def in_memory(raw: bytes) -> tuple[np.ndarray[Any, Any], int]:
    """The bytes at an address that is a multiple of 64, as the atomic loads want it."""
    block = np.zeros(ROOM + 64, np.uint8)
    start = -block.ctypes.data % 64
    memory = block[start : start + ROOM]
    memory[:] = np.frombuffer(raw, np.uint8)
    return memory, memory.ctypes.data


@pytest.mark.modes
@given(memories, st.integers(0, ROOM - 8))
@example(b"\xff" * ROOM, 3)
@example(b"\x80" + b"\0" * (ROOM - 1), 0)
def test_every_load_reads_what_struct_reads_at_any_alignment(raw, offset):
    memory, address = in_memory(raw)
    for name, (count, code) in LOADS.items():
        at = offset // 8 * 8 if name in ATOMIC else offset
        expected = unpacked(code, raw[at : at + count])
        assert getattr(jit, name)(address + at) == expected, name
        assert COMPILED_LOADS[name](address + at) == expected, name
        assert getattr(jit, name)(np.int64(address + at)) == expected, name
    assert memory.tobytes() == raw


@pytest.mark.modes
@given(memories, st.integers(0, ROOM - 8), int64s)
@example(b"\0" * ROOM, 5, INT64_MIN)
@example(b"\0" * ROOM, 5, INT64_MAX)
@example(b"\xaa" * ROOM, 1, -1)
def test_every_store_writes_its_field_cut_to_size_and_nothing_beside_it(raw, offset, value):
    for name, (count, code) in STORES.items():
        at = offset // 8 * 8 if name in ATOMIC else offset
        expected = raw[:at] + packed(code, count, value) + raw[at + count :]
        for store in (getattr(jit, name), COMPILED_STORES[name]):
            for given_value in (value, np.int64(value)):
                memory, address = in_memory(raw)
                store(address + at, given_value)
                assert memory.tobytes() == expected, name


@pytest.mark.modes
@pytest.mark.parametrize("name", [*LOADS, "leading_zeros"])
def test_a_float_is_no_address(name):
    _memory, address = in_memory(b"\0" * ROOM)
    with pytest.raises(TypeError, match="float"):
        getattr(jit, name)(float(address))
    refusal, words = (TypingError, f"{name} takes ") if jit.COMPILED else (TypeError, "float")
    with pytest.raises(refusal, match=words):
        compiled_load(getattr(jit, name))(float(address))


@pytest.mark.modes
@pytest.mark.parametrize("name", STORES)
def test_a_fraction_is_not_stored_as_a_whole_number(name):
    memory, address = in_memory(b"\0" * ROOM)
    with pytest.raises(TypeError, match="float"):
        getattr(jit, name)(address, 1.9)
    refusal, words = (TypingError, f"{name} takes ") if jit.COMPILED else (TypeError, "float")
    with pytest.raises(refusal, match=words):
        COMPILED_STORES[name](address, 1.9)
    assert not memory.any()


@jit.compiled("int64(int64)")
def compiled_leading_zeros(value):
    return jit.leading_zeros(value)


@pytest.mark.modes
@given(int64s)
@example(0)
@example(-1)
@example(INT64_MIN)
@example(INT64_MAX)
def test_leading_zeros_are_those_of_the_64_bits(value):
    written_out = f"{value % 2**64:064b}"
    expected = 64 - len(written_out.lstrip("0"))
    assert jit.leading_zeros(value) == compiled_leading_zeros(value) == expected


@jit.compiled()
def leading_zeros_of_nothing():
    return jit.leading_zeros(0)  # which the compiler works out by itself


@pytest.mark.modes
def test_leading_zeros_of_every_power_of_two():
    assert leading_zeros_of_nothing() == 64
    for power in range(63):
        assert jit.leading_zeros(2**power) == compiled_leading_zeros(2**power) == 63 - power


@jit.compiled("void(int64, int64, int64)")
def compiled_copy(target, source, count_bytes):
    jit.copy_words(target, source, count_bytes)


@pytest.mark.modes
@given(memories, st.integers(0, 3), st.integers(0, 3), st.integers(-16, 8 * 4))
def test_words_are_copied_upwards_one_by_one_and_no_half_word_is(raw, target, source, count):
    count = min(count, ROOM - 8 * max(target, source))
    expected = bytearray(raw)
    for word in range(max(count, 0) // 8):
        at, to = 8 * (source + word), 8 * (target + word)
        expected[to : to + 8] = expected[at : at + 8]
    for copy in (jit.copy_words, compiled_copy):
        memory, address = in_memory(raw)
        copy(address + 8 * target, address + 8 * source, count)
        assert memory.tobytes() == bytes(expected)


@jit.compiled("int64(int64)")
def hints(address):
    jit.prefetch(address)
    jit.prefetch(0)  # a wrong guess
    jit.pause()
    before = jit.load_i64(address)
    jit.fence()
    return before


@pytest.mark.modes
def test_hints_change_nothing():
    memory, address = in_memory(bytes(range(ROOM)))
    assert hints(address) == struct.unpack("<q", bytes(range(8)))[0]
    assert jit.prefetch(address) is jit.pause() is jit.fence() is None
    assert memory.tobytes() == bytes(range(ROOM))


@jit.compiled("void(int64, int64)")
def publish(address, count):
    for number in range(1, count + 1):
        jit.store_i64(address + 8 * number, number * 3)
        jit.store_release(address, number)


@jit.compiled("int64(int64, int64)")
def misread(address, count):
    wrong = last = 0
    while last < count:
        published = jit.load_acquire(address)
        for number in range(last + 1, published + 1):
            wrong += jit.load_i64(address + 8 * number) != number * 3
        last = published
        jit.pause()
    return wrong


@pytest.mark.modes
def test_whoever_sees_the_number_sees_the_message():
    memory = np.zeros(MESSAGES + 1, np.int64)
    address = memory.ctypes.data
    assert misread(address, 0) == 0  # compiled by now
    writer = threading.Thread(target=publish, args=(address, MESSAGES), daemon=True)
    writer.start()
    assert misread(address, MESSAGES) == 0
    writer.join(10)
    assert not writer.is_alive()


def test_an_index_beyond_an_array_is_found_when_bounds_are_checked():
    story = """
import json, numpy as np
from hftlib.core import jit
at = jit.array_at(np.int64)

@jit.compiled("int64(int64, int64, int64)")
def item(address, count, index):
    return at(address, count)[index]

memory = np.arange(10, dtype=np.int64)
found = []
for count, index in ((4, 3), (4, -4), (4, 4), (4, -5), (0, 0)):
    try:
        found.append(item(memory.ctypes.data, count, index))
    except IndexError:
        found.append("IndexError")
print(json.dumps([jit.BOUNDS_CHECKED, found]))
"""
    beyond = ["IndexError"] * 3
    assert run(story, NUMBA_BOUNDSCHECK=1) == [True, [3, 0, *beyond]]
