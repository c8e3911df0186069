"""Python functions at an address, for who looks on at what compiled code does."""

import pytest

from hftlib.core import jit

CALL = jit.caller("int64(int64, int64)")
SEEN: list[tuple[int, int]] = []


def looked(a, b):
    SEEN.append((a, b))
    return a - b


@jit.compiled("int64(int64, int64)")
def through(address, times):
    total = 0
    for n in range(times):
        total += CALL(address, n, 10)
    return total


@pytest.mark.modes
def test_compiled_code_calls_a_python_function_by_its_address():
    address = jit.python_address(looked, "int64(int64, int64)")
    SEEN.clear()
    assert through(address, 4) == 0 + 1 + 2 + 3 - 40
    assert SEEN == [(0, 10), (1, 10), (2, 10), (3, 10)]
    assert jit.python_address(looked, "int64(int64, int64)") == address, "made once"
    assert CALL(address, 7, 3) == 4
