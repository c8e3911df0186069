"""Calls to addresses held in plain memory and to the C library, from both modes."""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba.core.errors import TypingError

from hftlib.core import clock, jit
from hftlib.core.errors import InputError
from hftlib.core.records import record

int64s = st.integers(-(2**63), 2**63 - 1)
# Addresses as they lie in the records of an engine.
SLOTS = 6000


@jit.callback("int64(int64, int64)")
def difference(a, b):
    return a - b


@jit.callback("int64(int64, int64)")
def larger(a, b):
    return a if a > b else b


@jit.callback("int64(int64, int64)")
def mixed(a, b):
    return (a ^ b) & 1023


@jit.callback("float64(float64, int64)")
def scaled(value, factor):
    return value * factor


@jit.callback("void(int64, int64)")
def noted(address, value):
    jit.store_i64(address, value)


@jit.callback("boolean(int64)")
def is_even(value):
    return value % 2 == 0


@jit.callback("int32(int32, uint8)")
def narrow(value, small):
    return value - small


CALLBACKS = (difference, larger, mixed)
call_whole = jit.caller("int64(int64, int64)")
call_float = jit.caller("float64(float64, int64)")
call_void = jit.caller("void(int64, int64)")
call_flag = jit.caller("boolean(int64)")
call_narrow = jit.caller("int32(int32, uint8)")


@jit.compiled("int64(int64, int64, int64)")
def through_whole(address, a, b):
    return call_whole(address, a, b)


@jit.compiled("float64(int64, float64, int64)")
def through_float(address, value, factor):
    return call_float(address, value, factor)


@jit.compiled("void(int64, int64, int64)")
def through_void(address, place, value):
    call_void(address, place, value)


@jit.compiled()
def through_flag(address, value):
    return call_flag(address, value)


@jit.compiled()
def through_narrow(address, value, small):
    return call_narrow(address, value, small)


@pytest.mark.modes
@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
@example(2**62, -(2**62) + 1)
def test_whole_numbers_pass_through_an_address_unchanged(a, b):
    for callback in CALLBACKS:
        address = callback.address
        assert through_whole(address, a, b) == call_whole(address, a, b) == callback(a, b)


@pytest.mark.modes
@given(st.floats(allow_nan=False), st.integers(-1000, 1000))
def test_floats_pass_through_an_address_unchanged(value, factor):
    for call in (through_float, call_float):
        result = call(scaled.address, value, factor)
        assert np.array_equal(result, value * factor, equal_nan=True)


KEEPS = record("keeps", 24, "0 number int64\n8 spare int64\n16 run int64")
keeps_at = jit.record_at(KEEPS)
ask = jit.caller_at("int64(int64, int64)", 16)


@jit.callback("int64(int64, int64)")
def added(base, value):
    keeps_at(base).number += value
    return keeps_at(base).number


@jit.compiled("int64(int64, int64)")
def through_its_own_memory(base, value):
    return ask(base, value)


@pytest.mark.modes
def test_a_record_is_asked_through_the_address_that_it_holds():
    keeps = np.zeros(1, KEEPS)
    keeps["run"] = added.address
    base = keeps.ctypes.data
    assert [through_its_own_memory(base, 5), ask(base, 2), ask(base, -7)] == [5, 7, 0]
    with pytest.raises(TypeError, match=r"caller\('int64\(int64, int64\)'\) takes 2 arguments"):
        ask(base)


@pytest.mark.modes
@given(int64s)
def test_a_function_without_a_result_still_acts(value):
    memory = np.zeros(1, np.int64)
    for call in (through_void, call_void):
        memory[0] = ~value
        assert call(noted.address, memory.ctypes.data, value) is None
        assert memory[0] == value


@pytest.mark.modes
@given(int64s, st.integers(-(2**31) + 255, 2**31 - 1), st.integers(0, 255))
def test_narrow_kinds_keep_their_width_and_sign(value, whole, small):
    for call in (through_flag, call_flag):
        assert call(is_even.address, value) is (value % 2 == 0)
    for call in (through_narrow, call_narrow):
        assert call(narrow.address, whole, small) == whole - small


@jit.compiled("int64(int64, int64)")
def sum_of_calls(slots_address, count):
    slots, total = slots_at(slots_address, count), 0
    for index in range(count):
        total += call_whole(slots[index], index, count - index)
    return total


slots_at = jit.array_at(np.int64)


@pytest.mark.modes
def test_thousands_of_addresses_are_called_out_of_plain_memory():
    addresses = [callback.address for callback in CALLBACKS]
    slots = np.array([addresses[index * 7 % 3] for index in range(SLOTS)])
    expected = sum(CALLBACKS[index * 7 % 3](index, SLOTS - index) for index in range(SLOTS))
    assert sum_of_calls(slots.ctypes.data, SLOTS) == expected
    # From Python as well, where an address out of an array is one of numpy's numbers.
    assert sum(call_whole(slots[n], n, np.int64(SLOTS - n)) for n in range(SLOTS)) == expected
    assert call_whole(slots[0], np.int64(7) > 3, np.bool_(False)) == difference(1, 0)


@pytest.mark.modes
def test_an_address_is_the_same_at_every_asking_and_different_for_every_function():
    first = [callback.address for callback in CALLBACKS]
    assert first == [callback.address for callback in CALLBACKS]
    assert len({*first}) == len(CALLBACKS)
    assert all(isinstance(address, int) and address > 0 for address in first)


@pytest.mark.skipif(not jit.COMPILED, reason="uncompiled callbacks have no machine code")
def test_an_address_can_be_called_by_anybody_who_knows_c():
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    assert kind(difference.address)(-5, 2**62) == -5 - 2**62


@jit.compiled()
def too_few(address):
    return call_whole(address, 1)


@jit.compiled()
def too_many(address):
    return call_whole(address, 1, 2, 3)


@jit.compiled()
def a_fraction(address):
    return call_whole(address, 1, 2.5)


@pytest.mark.modes
@pytest.mark.parametrize(("call", "count"), [(too_few, 1), (too_many, 3)])
def test_a_wrong_number_of_arguments_is_refused(call, count):
    refusal, words = TypeError, f"takes 2 arguments, not {count}"
    if jit.COMPILED:
        refusal, words = TypingError, r"jit\.caller.* takes \(int64, int64, int64\)"
    with pytest.raises(refusal, match=words):
        call(difference.address)
    with pytest.raises(TypeError, match=f"takes 2 arguments, not {count}"):
        call_whole(difference.address, *range(count))
    with pytest.raises(TypeError, match="getpid takes 0 arguments, not 1"):
        getpid(1)


@pytest.mark.skipif(not jit.COMPILED, reason="plain Python takes any number")
def test_a_fraction_is_refused_where_a_whole_number_is_wanted():
    with pytest.raises(TypingError, match="without a fraction"):
        a_fraction(difference.address)
    with pytest.raises(ctypes.ArgumentError):
        call_whole(difference.address, 1, 2.5)


getpid = jit.libc("getpid", "int32()")
write = jit.libc("write", "int64(int32, int64, int64)")
# The same functions once more, as somebody else might declare them.
write_narrow = jit.libc("write", "int32(int32, int64, int32)")
read_clock = jit.libc("clock_gettime", "int32(int32, int64)")
errno_place = jit.libc("__errno_location", "int64()")


@jit.compiled()
def process_number():
    return getpid()


@jit.compiled()
def written(descriptor, address, count):
    done = write(descriptor, address, count)
    return done, jit.errno()


@pytest.mark.modes
def test_the_c_library_answers_in_both_modes():
    assert process_number() == getpid() == os.getpid()


@pytest.mark.modes
def test_a_failed_call_says_why_in_both_modes():
    with tempfile.TemporaryFile() as file:
        closed = os.dup(file.fileno())
    os.close(closed)
    text = np.frombuffer(b"hello", np.uint8)
    assert written(closed, text.ctypes.data, 5) == (-1, errno.EBADF)
    assert write(closed, text.ctypes.data, 5) == -1
    assert jit.errno() == errno.EBADF


@pytest.mark.modes
@given(st.binary(max_size=500))
def test_what_is_written_arrives(message):
    text = np.frombuffer(message + b"\0", np.uint8)
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe:
        with open(writer, "wb"):
            assert written(writer, text.ctypes.data, len(message))[0] == len(message)
            assert write(writer, text.ctypes.data, np.int64(len(message))) == len(message)
        assert pipe.read() == message * 2


@jit.compiled()
def declared_in_many_ways(address):
    first = clock.monotonic_ns()
    failed = read_clock(clock_of_processor, address)
    wide, narrow = write(-1, address, 1), write_narrow(-1, address, 1)
    return (failed, wide, narrow, jit.errno()), errno_place() != 0, clock.monotonic_ns() - first


@jit.compiled()
def declared_the_other_way_round(address):
    return read_clock(clock_of_processor, address), clock.now_ns() > 0, errno_place() != 0


clock_of_processor = 1


@pytest.mark.modes
def test_one_function_may_be_declared_in_several_ways():
    timespec = np.zeros(2, np.int64)
    answers, found, passed_ns = declared_in_many_ways(timespec.ctypes.data)
    assert answers == (0, -1, -1, errno.EBADF)
    assert found
    assert 0 <= passed_ns < 10**10
    assert declared_the_other_way_round(timespec.ctypes.data) == (0, True, True)
    assert abs(timespec[0] * 10**9 + timespec[1] - clock.monotonic_ns()) < 10**10


def test_a_function_that_the_c_library_lacks_is_refused_by_name():
    with pytest.raises(InputError, match="no function 'no_such_function'"):
        jit.libc("no_such_function", "int32()")
