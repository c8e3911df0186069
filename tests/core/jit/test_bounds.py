"""`nth` and `inlined`: the address of one item, and whether it is checked."""

import pytest

from hftlib.core import jit


@jit.inlined
def third_of(address: int, count: int) -> int:
    return jit.nth(address, 2, count, 16)


@jit.compiled("int64(int64, int64, int64)")
def place(address: int, index: int, count: int) -> int:
    return jit.nth(address, index, count, 16)


@jit.compiled("int64(int64, int64)")
def third(address: int, count: int) -> int:
    return third_of(address, count)


@pytest.mark.modes
def test_items_lie_one_after_another():
    assert [place(1000, index, 4) for index in range(4)] == [1000, 1016, 1032, 1048]
    assert third(1000, 3) == third_of(1000, 3) == 1032


@pytest.mark.modes
@pytest.mark.parametrize("index", [-1, 4, 1 << 40])
def test_an_index_outside_raises_where_checks_are_on(index):
    if jit.COMPILED and not jit.BOUNDS_CHECKED:
        assert place(0, index, 4) == index * 16
        return
    with pytest.raises(IndexError, match="outside"):
        place(0, index, 4)


@pytest.mark.modes
def test_python_always_checks():
    with pytest.raises(IndexError, match="outside of its items: 4 of 4"):
        jit.nth(0, 4, 4, 16)


def test_inlined_code_leaves_no_call(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # what a cache gives back shows no code
    fresh = jit.compiled("int64(int64, int64)")(third.py_func)
    assert "third_of" not in machine_code(fresh)


def machine_code(function) -> str:
    function.compile("int64(int64, int64)")
    (text,) = function.inspect_asm().values()
    body = text[text.index("third") :]
    return body[: body.index("retq")]
