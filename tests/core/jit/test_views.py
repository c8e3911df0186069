"""Records and arrays at an address: one memory for compiled code, its Python twin and numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.records import record

LEVEL = record("test_jit_level", 16, "0 price int64 ticks\n8 size int32 lots\n12 side uint8 of it")
BOOK = record(
    "test_jit_book",
    128,
    """
    0    sum      int64      a field that numpy would hide behind a method
    8    max      float64    another one
    16   levels   level[3]   records within the record
    64   best     level      one record within it
    80   counts   uint16[8]  numbers within it
    96   item     uint32     yet another
    100  flag     uint8      the smallest
    """,
    level=LEVEL,
)

book_at, books_at = jit.record_at(BOOK), jit.array_at(BOOK)
levels_at, words_at = jit.array_at(LEVEL), jit.array_at(np.int64)
floats_at, bytes_at = jit.array_at(np.float64), jit.array_at("u1")

int64s = st.integers(-(2**63), 2**63 - 1)
values = st.tuples(
    int64s,
    st.floats(allow_nan=False),
    int64s,
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 255),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2),
)


def write_fields(address, total, most, price, size, side, count, index):
    book = book_at(address)
    book.sum = total
    book.max = most
    book.levels[index].price = price
    book.levels[index].size = size
    book.best.price = ~price
    book.best.side = side
    book.counts[index + 5] = count
    book.flag = side


def read_fields(address, index):
    book = book_at(address)
    level, best = book.levels[index], book.best
    return (
        (book.sum, book.max, level.price, level.size),
        (best.price, best.side, book.counts[index + 5], book.flag),
    )


compiled_write = jit.compiled()(write_fields)
compiled_read = jit.compiled()(read_fields)


def expected_memory(total, most, price, size, side, count, index) -> bytes:
    """The same written by plain numpy, by name and index."""
    book = np.zeros(1, BOOK)
    book["sum"], book["max"], book["flag"] = total, most, side
    book["levels"][0][index]["price"], book["levels"][0][index]["size"] = price, size
    book["best"]["price"], book["best"]["side"] = ~price, side
    book["counts"][0][index + 5] = count
    return book.tobytes()


@pytest.mark.modes
@given(values)
@example((-1, float("inf"), -(2**63), -1, 255, 65535, 2))
def test_a_field_is_the_same_memory_in_compiled_code_in_python_and_in_numpy(written):
    total, most, price, size, side, count, index = written
    for write in (compiled_write, write_fields):
        for read in (compiled_read, read_fields):
            memory = np.zeros(1, BOOK)
            write(memory.ctypes.data, *written)
            assert memory.tobytes() == expected_memory(*written)
            assert read(memory.ctypes.data, index) == (
                (total, most, price, size),
                (~price, side, count, side),
            )


def widened(address):
    book = book_at(address)
    level = book.levels[0]
    return book.flag + 1, level.size * level.size, int(book.counts[0]) + 1, book.item - 1 - 2**32


compiled_widened = jit.compiled()(widened)


@pytest.mark.modes
def test_arithmetic_on_narrow_fields_is_as_wide_in_python_as_in_compiled_code():
    memory = np.zeros(1, BOOK)
    memory["flag"], memory["levels"]["size"], memory["counts"] = 255, 2**31 - 1, 2**16 - 1
    expected = (256, (2**31 - 1) ** 2, 2**16, -1 - 2**32)
    assert widened(memory.ctypes.data) == compiled_widened(memory.ctypes.data) == expected


@jit.compiled()
def compiled_words(address, count):
    words, total = words_at(address, count), 0
    for index in range(len(words)):
        total += words[index]
        words[index] = ~words[index]
    return total


@pytest.mark.modes
@given(st.binary(min_size=72, max_size=72), st.integers(0, 8), st.integers(0, 7))
def test_an_array_is_as_long_as_it_was_called_and_at_any_alignment(raw, count, shift):
    memory = np.frombuffer(bytearray(raw), np.uint8)
    place = memory.ctypes.data + shift
    words = np.frombuffer(raw, "<i8", count, shift)
    small = words >> 8  # whose sum cannot wrap
    assert list(words_at(place, count)) == words.tolist()
    memory[shift : shift + 8 * count] = small.copy().view(np.uint8)
    assert compiled_words(place, count) == small.sum()
    inverted = raw[:shift] + (~small).tobytes() + raw[shift + 8 * count :]
    assert memory.tobytes() == inverted


@jit.compiled()
def lengths(address):
    return (
        (len(words_at(address, 0)), len(books_at(address, 0)), len(levels_at(0, 0))),
        words_at(0, 0).sum(),
    )


@pytest.mark.modes
def test_an_empty_array_touches_no_memory():
    assert lengths(0) == ((0, 0, 0), 0)
    assert len(words_at(0, 0)) == len(books_at(0, 0)) == 0


@jit.compiled()
def spread(address, count):
    books = books_at(address, count)
    for index in range(count):
        books[index].sum = index * index
        books[index].levels[1].price = -index
    return books[count - 1].sum + books[-1].levels[1].price


@pytest.mark.modes
@pytest.mark.parametrize("count", [1, 2, 8])
def test_an_array_of_records_lies_side_by_side(count):
    memory = np.zeros(8, BOOK)
    address = memory.ctypes.data
    last = count - 1
    assert spread(address, count) == last * last - last
    books = books_at(address, count)
    for index in range(count):
        assert books[index].sum == memory["sum"][index] == index * index
        assert books[index].levels[1].price == memory["levels"][index][1]["price"] == -index
    assert memory["sum"][count:].tolist() == [0] * (8 - count)
    level = levels_at(address + BOOK.fields["levels"][1], 3)
    level[2].price = 77
    assert memory["levels"][0][2]["price"] == 77


@jit.compiled()
def as_floats(address):
    values = floats_at(address, 2)
    values[1] = values[0] / 3
    return bytes_at(address, 16)[15]


@pytest.mark.modes
@given(st.floats(allow_nan=False, allow_subnormal=False))
def test_the_same_bytes_can_be_read_as_another_type(value):
    memory = np.array([value, 0.0])
    assert as_floats(memory.ctypes.data) == np.float64(value / 3).tobytes()[7]
    assert memory[1] == value / 3
