"""Records with methods: one meaning in both modes, over the same memory."""

import numpy as np
import pytest

from hftlib.core import jit
from hftlib.core.jit.kind_steps import out_of_steps

pytestmark = pytest.mark.modes
INNER = np.dtype([("home", np.int64), ("low", np.int64), ("high", np.float64)], align=True)
OUTER = np.dtype(
    [
        ("steps_left", np.int64),
        ("inner", INNER),
        ("many", INNER, (3,)),
        ("values", np.float64, (4,)),
    ],
    align=True,
)
PAIR = jit.Shape("tested pair", INNER)
HOLDER = jit.Shape("tested holder", OUTER, {"inner": PAIR, "many": PAIR})
pair_at, holder_at = PAIR.at, HOLDER.at


@PAIR.derived
def middle(pair):
    return (pair.low + pair.high) / 2


@PAIR.method
def shift(pair, by: int, scale: float = 0.5) -> float:
    pair.low += by
    pair.high += by * scale
    return pair.middle


@HOLDER.method
def chosen(holder, index: int):
    return holder.many[index]


@jit.compiled("float64(int64)")
def use(address):
    holder = holder_at(address)
    total = holder.inner.shift(3) + holder.inner.shift(by=2, scale=4)
    picked = holder.chosen(1)
    picked.low = 70
    holder.values[2] = picked.middle + jit.address_of(picked) - jit.address_of(holder)
    return total + holder.many[1].middle


@jit.compiled("int64(int64, int64)")
def steps(address, offset):
    count = 0
    while not out_of_steps(pair_at(address + offset)):
        count += 1
        if count > 1000:
            break
    return count


def test_methods_and_attributes_mean_the_same_compiled_and_in_python():
    states = []
    for run in (use, use.py_func if jit.COMPILED else use):
        memory = np.zeros(1, OUTER)
        memory["inner"]["high"] = 1.5
        states.append((run(memory.ctypes.data), memory.tobytes()))
    assert states[0] == states[1]
    # A record that a method returns is the record itself, not a copy.
    assert memory["many"]["low"].tolist() == [[0, 70, 0]]
    assert memory["values"][0, 2] == 35.0 + OUTER.fields["many"][1] + INNER.itemsize


def test_a_part_takes_its_steps_from_home_and_without_one_has_no_bound():
    offset = OUTER.fields["many"][1]
    for bound, home, taken in ((12, -offset, 12), (0, -offset, 0), (12, 0, 1001)):
        memory = np.zeros(1, OUTER)
        memory["steps_left"], memory["many"]["home"][0, 0] = bound, home
        assert steps(memory.ctypes.data, offset) == taken


def test_python_views_give_python_s_numbers_and_name_what_is_missing():
    memory = np.zeros(1, OUTER)
    view = holder_at(memory.ctypes.data)
    view.values[1] = 2.5
    assert type(view.inner.low) is int and type(view.values[1]) is float
    assert len(view.values) == 4 and list(view.values) == [0.0, 2.5, 0.0, 0.0]
    view.many[2].high = 9.0
    assert memory["many"]["high"][0].tolist() == [0.0, 0.0, 9.0]
    with pytest.raises(AttributeError):
        view.nothing  # noqa: B018
    with pytest.raises(AttributeError, match="'lo'"):
        view.inner.lo = 1
    with pytest.raises(IndexError):
        view.many[3]
