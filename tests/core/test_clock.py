"""The two clocks agree with Python's own, in both modes, and the monotonic one never goes back."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hftlib.core import clock, jit

READS = 1_000_000
# Python needs a few microseconds between two reads; a busy host may take the processor away.
LATE_NS_MAX = 2 * 10**9
CLOCKS = ("now_ns", "monotonic_ns")


@jit.compiled("int64()")
def compiled_now_ns():
    return clock.now_ns()


@jit.compiled("int64()")
def compiled_monotonic_ns():
    return clock.monotonic_ns()


@jit.compiled("int64(int64)")
def steps_back(reads):
    back, last = 0, clock.monotonic_ns()
    for _ in range(reads):
        now = clock.monotonic_ns()
        back += now < last
        last = now
    return back


@jit.compiled("int64(int64)")
def different_readings(reads):
    found, last = 0, clock.monotonic_ns()
    for _ in range(reads):
        now = clock.monotonic_ns()
        found += now != last
        last = now
    return found


@jit.compiled("void(int64, int64)")
def in_turn(address, count):
    """Python's order of reading, within one function: both clocks, again and again."""
    readings = readings_at(address, 2 * count)
    for index in range(count):
        readings[2 * index] = clock.now_ns()
        readings[2 * index + 1] = clock.monotonic_ns()


readings_at = jit.array_at(np.int64)


@pytest.mark.modes
@pytest.mark.parametrize("name", CLOCKS)
def test_compiled_code_and_python_read_the_same_clock(name):
    plain, compiled = getattr(clock, name), globals()[f"compiled_{name}"]
    for _ in range(100):
        readings = [plain(), compiled(), plain(), compiled(), plain()]
        assert readings == sorted(readings)
        assert readings[-1] - readings[0] < LATE_NS_MAX


@pytest.mark.modes
def test_the_two_clocks_are_those_of_pythons_time_module():
    for now, reference in (
        (compiled_now_ns, time.time_ns),
        (clock.now_ns, time.time_ns),
        (compiled_monotonic_ns, time.monotonic_ns),
        (clock.monotonic_ns, time.monotonic_ns),
    ):
        before, between, after = reference(), now(), reference()
        assert before <= between <= after


@pytest.mark.modes
def test_the_monotonic_clock_never_goes_back():
    assert steps_back(READS) == 0


@pytest.mark.modes
def test_every_reading_is_taken_anew():
    assert different_readings(1000) > 100


@pytest.mark.modes
def test_both_clocks_measure_the_same_second():
    count = 1000
    readings = np.zeros((count, 2), np.int64)
    in_turn(readings.ctypes.data, count)
    assert (np.diff(readings[:, 1]) >= 0).all()
    passed_now, passed_monotonic = readings[-1] - readings[0]
    assert abs(passed_now - passed_monotonic) < LATE_NS_MAX


@pytest.mark.modes
@pytest.mark.parametrize("name", CLOCKS)
def test_a_pause_is_measured_in_nanoseconds(name):
    compiled = globals()[f"compiled_{name}"]
    start = compiled()
    time.sleep(0.02)
    assert 15_000_000 < compiled() - start < 15_000_000 + LATE_NS_MAX
