"""Our number of an order, in the digits that the venue gives back: as Python writes it."""

import numpy as np
import pytest

from hftlib.execution.ouch.writing import TEXT_DIGITS, put_text

EDGES = [0, 1, 9, 10, 99, 100, 9_999, 10_000, 99_999_999, 10**8, 10**8 + 1, 10**14 - 1]
pytestmark = pytest.mark.modes


def test_it_is_what_python_writes():
    room = np.zeros(TEXT_DIGITS + 8, np.uint8)
    numbers = [10**n + d for n in range(TEXT_DIGITS) for d in (-1, 0, 1)]
    numbers += [int(x) for x in np.random.default_rng(5).integers(0, 10**14, 20_000)]
    numbers += [int(x) for x in np.random.default_rng(6).integers(0, 10**6, 5_000)]
    for number in (*EDGES, *numbers):
        room[:] = 255
        put_text(room.ctypes.data, number)
        assert room[:TEXT_DIGITS].tobytes() == b"%014d" % number
        assert (room[TEXT_DIGITS:] == 255).all(), "nothing behind it is touched"


def test_each_half_of_eight_digits_is_right():
    """Every number of four digits in either place, so that each product and shift is seen."""
    room = np.zeros(TEXT_DIGITS, np.uint8)
    for number in range(10_000):
        for one in (number, number * 10_000, number * 10**8 + 9_999):
            put_text(room.ctypes.data, one)
            assert room.tobytes() == b"%014d" % one
