"""A callback becomes object code that runs without numba, or is refused with the reason."""

from __future__ import annotations

import ctypes
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hftlib.core import jit, object_code
from hftlib.core.errors import CompileError

from .fresh import ROOT, run

PLAIN = jit.COMPILED and not jit.BOUNDS_CHECKED
STATE = np.dtype([("price", "i8"), ("sizes", "i4", (4,)), ("signal", "f8")], align=True)
plain = pytest.mark.skipif(not PLAIN, reason="object code is emitted from plainly compiled code")
TABLE = np.arange(100, dtype=np.int64) ** 2
state_at = jit.record_at(STATE)


@jit.compiled()
def leaf(value):
    return value * 3 - jit.leading_zeros(value)


@jit.compiled()
def branch(value):
    return leaf(value) if value & 1 else leaf(-value) // 7


@jit.callback("int64(int64, int64)")
def nested(a, b):
    return branch(a) + (branch(b) ^ leaf(a)) + TABLE[a & 63]


@jit.callback("float64(float64, float64)")
def curve(a, b):
    return math.exp(-abs(a) / 1e3) + math.log(abs(b) + 1) * math.sqrt(abs(a)) + abs(b) ** 0.3


@jit.callback("float64(float64, float64)")
def ratio(a, b):
    return a / b


@jit.callback("int64(int64, int64)")
def on_state(address, index):
    state = state_at(address)
    state.price += 1
    state.sizes[index & 3] -= 5
    state.signal = state.signal / 2
    return state.price + state.sizes[index & 3]


@jit.callback("void(int64, int64)")
def note(address, value):
    jit.store_be_u48(address, value)


@jit.callback("int64(int64, int64)")
def größer(a, b):
    return a if a > b else b


CALLBACKS = (nested, curve, ratio, on_state, note, größer)
NAMES = ("nested", "curve", "ratio", "on_state", "note", "larger")

# The live process: it knows files, ctypes and nothing else of ours.
LOADER = """
import ctypes, json, sys
from pathlib import Path
from hftlib.core import object_code

here = Path.cwd()
i64, f64 = ctypes.c_int64, ctypes.c_double
kinds = {"int64": i64, "float64": f64, "void": None}

def linked(name):
    code = object_code.read(here / f"{name}.o")
    result, _, arguments = code.signature[:-1].partition("(")
    kind = ctypes.CFUNCTYPE(kinds[result], *(kinds[a] for a in arguments.split(", ")))
    assert object_code.link(code) == object_code.link(code)
    return kind(object_code.link(code))

given = json.loads((here / "given.json").read_text())
calls = {name: linked(name) for name in ("nested", "curve", "ratio", "on_state", "note", "larger")}
memory = ctypes.create_string_buffer(bytes.fromhex(given["state"]), 40)
place = ctypes.addressof(memory)
out = {
    "whole": [[calls["nested"](a, b), calls["larger"](a, b)] for a, b in given["whole"]],
    "float": [[calls[n](float.fromhex(a), float.fromhex(b)).hex() for n in ("curve", "ratio")]
              for a, b in given["float"]],
    "state": [calls["on_state"](place, index) for index in range(8)],
    "memory": memory.raw[:32].hex(),
    "void": calls["note"](place + 32, 2**40 + 7),
    "noted": memory.raw[32:38].hex(),
    "compilers": sorted({"numba", "hftlib.core.jit", "numpy"} & set(sys.modules)),
}
print(json.dumps(out))
"""


def as_in_c(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(a) / np.float64(b))


def some(strategy: Any, count: int) -> list[Any]:
    """Different values of a strategy, always the same ones."""
    found: list[Any] = []

    @settings(max_examples=count, database=None)
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return found


@plain
def test_a_process_without_numba_computes_the_same(tmp_path):
    for callback, name in zip(CALLBACKS, NAMES, strict=True):
        jit.emit(callback).save(tmp_path / f"{name}.o")
    wholes = some(st.tuples(st.integers(-(2**60), 2**60), st.integers(-(2**60), 2**60)), 200)
    floats = some(st.tuples(st.floats(), st.floats(allow_infinity=False)), 300)
    floats += [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.0), (0.0, -0.0), (5e-324, 1e308)]
    state = np.zeros(1, STATE)
    state["price"], state["sizes"], state["signal"] = -7, [1, -2, 2**31 - 1, 0], 0.3
    task = {
        "whole": wholes,
        "float": [[a.hex(), b.hex()] for a, b in floats],
        "state": state.tobytes().hex(),
    }
    (tmp_path / "given.json").write_text(json.dumps(task))
    out = run(LOADER, tmp_path, ROOT)
    assert out["whole"] == [[nested(a, b), größer(a, b)] for a, b in wholes]
    for (a, b), (curved, divided) in zip(floats, out["float"], strict=True):
        assert same(float.fromhex(divided), as_in_c(a, b)), (a, b)
        assert same(float.fromhex(curved), curve(a, b)), (a, b)
    assert out["state"] == [on_state(state.ctypes.data, index) for index in range(8)]
    assert out["memory"] == state.tobytes().hex()
    assert (out["void"], out["noted"]) == (None, (2**40 + 7).to_bytes(6, "big").hex())
    assert out["compilers"] == []


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


EMITTED = """
import json, os
from hftlib.core import jit
if os.environ["BUSY"] == "yes":  # numbers of numba's making are others by now
    for n in range(3):
        jit.compiled("int64(int64)")(lambda x: x + n).compile("int64(int64)")
import strategies
if os.environ["BUSY"] == "yes":
    strategies.first.address, strategies.slow(3)
codes = [jit.emit(strategies.first), jit.emit(strategies.second), jit.emit(strategies.first)]
print(json.dumps([[c.sha256, c.sources, c.digest()] for c in codes]))
"""
STRATEGIES = """
import numpy as np
from hftlib.core import jit
TABLE, OTHER = np.arange(500, dtype=np.int64), np.arange(700.0)

@jit.compiled()
def slow(n):
    total = 0
    for index in range(n):
        total += TABLE[index & 255] * n // (index + 1)
        total ^= int(OTHER[index & 63])
    return total

@jit.compiled()
def slower(n):
    return slow(n) + slow(n + 1) * slow(n * n)

@jit.callback("int64(int64)")
def first(n):
    return slower(n) + slow(n) + slower(n + 1)

@jit.callback("int64(int64)")
def second(n):
    return slower(n) - TABLE[n & 3]
"""


def test_the_same_sources_give_the_same_bytes_in_every_process(tmp_path):
    (tmp_path / "strategies.py").write_text(STRATEGIES)
    cold, other = tmp_path / "cache", tmp_path / "other"
    first = run(EMITTED, tmp_path, ROOT, BUSY="no", HFT_CACHE_DIR=cold)
    for cache, busy in ((cold, "no"), (other, "yes")):
        assert first == run(EMITTED, tmp_path, ROOT, BUSY=busy, HFT_CACHE_DIR=cache)
    assert first[0] == first[2] != first[1]
    assert all(digest == computed for digest, _, computed in first)


def made(body: str) -> jit.Callback:
    """A callback of one whole number with this body, which may use what is named here."""
    text = "def f(a):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    names = {name: value for name, value in globals().items() if not name.startswith("__")}
    exec(text, names | {"__name__": "cell"}, found := {})
    return jit.callback("int64(int64)")(found["f"])


def refused(body: str, do: str = "Change the function") -> str:
    """Why a function with this body is not emitted."""
    with pytest.raises(CompileError) as caught:
        jit.emit(made(body))
    assert f"Where: cell.f. {do}" in str(caught.value)
    return str(caught.value)


os_getpid = jit.libc("getpid", "int32()")


@plain
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return np.zeros(a).size + int(np.ones(a)[0])", "it allocates memory"),
        ("b = [1, 2, a]\nreturn b[a]", "it allocates memory"),
        ("return {1: a}[a]", "it allocates memory"),
        ("return len(str(a))", "it allocates memory"),
        ("b = np.zeros(a)\nif a > 5:\n    raise ValueError\nreturn b.size", "it allocates memory"),
        ("if a < 0:\n    raise ValueError('negative')\nreturn a", "it can raise"),
        ("assert a > 0\nreturn a", "it can raise"),
        ("return (1, 2, 3)[a]", "it can raise"),
        ("print(a)\nreturn a", "it touches a Python object"),
        ("print('text', a)\nreturn a", "it touches a Python object"),
        ("return int(np.random.random() * a)", "numba's run-time helpers"),
        ("return os_getpid()", "needs 'getpid', .* it calls out"),
    ],
)
def test_code_that_could_stop_the_tick_path_is_refused_with_its_reason(body, reason):
    assert re.search(reason, refused(body))


@plain
def test_what_can_be_proven_never_to_raise_is_emitted():
    for body in (
        "if a > 5 and a < 3:\n    raise ValueError\nreturn a",
        "assert a & 1 < 2\nreturn a",
        "return (10, 20, 30)[1] // a",
        "b = 0\nfor i in range(a):\n    b += i\nreturn b",
    ):
        callback = made(body)
        linked = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(
            object_code.link(jit.emit(callback), "int64(int64)")
        )
        assert [linked(n) for n in (1, 2, 9)] == [callback(n) for n in (1, 2, 9)], body


call = jit.caller("int64(int64)")
words_at = jit.array_at("i8")
STEP = größer.address
STEPS, LARGE = np.array([7, STEP]), np.arange(200_000)
PLACE, NARROW = LARGE.ctypes.data, np.arange(40_000, dtype=np.int32)  # pairs of it look like STEP


@plain
@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return call(STEP, a)", "STEP = "),
        ("return call(STEP if a else STEP + 1, a)", "(STEP = )?"),
        ("return call((STEP, STEP + 4)[a & 1], a)", "(STEP = )?"),
        ("return call(STEPS[a & 1], a)", "STEP = "),
        ("jit.store_i64(a, STEP)\nreturn a", "STEP = "),
        ("return a == STEP", "STEP = "),
        ("return jit.load_i64(PLACE + 8 * a)", "PLACE = |LARGE = "),
        ("jit.store_i64(PLACE + 16, a)\nreturn a", ""),
        ("return words_at(PLACE, 10)[a & 7]", "PLACE = |LARGE = "),
        ("return LARGE[a & 7]", "PLACE = |LARGE = "),
    ],
)
def test_code_that_holds_an_address_of_this_process_is_refused(body, name):
    reason = refused(body, "Pass it in through the state; an array over 1 MB")
    assert re.search(f"address of this process is part of the code: ({name})0x[0-9a-f]+", reason)


@plain
def test_addresses_that_come_at_run_time_null_and_large_numbers_are_no_reason_to_refuse():
    for body in (
        "return call(jit.load_i64(a), a) + call(a, 139_000_000_000_000_000)",
        "return words_at(jit.load_i64(a + 4096), 86_400_000_000_000)[a] * 0x9E3779B97F4A7C15",
        "return jit.load_i64(a + 5_000_000 - 8) if a else jit.load_i64(0)",
        "return jit.load_i64(8) + jit.load_i64(a + TABLE[a & 63] * 8)",
        "return NARROW[a & 16383] + TABLE[a & 63]",
    ):
        assert jit.emit(made(body)).elf, body


@plain
def test_leaves_are_inlined_and_the_facts_are_stated():
    code = jit.emit(nested)
    assert (code.name, code.symbol) == (nested.name, f"hft.{nested.name}")
    assert code.signature == "int64(int64, int64)"
    assert code.sources == jit.source_digest(__name__)
    assert {feature[0] for feature in code.features} == {"+"}
    assert b"branch" not in code.elf
    assert b"numba" not in code.elf
    assert jit.emit(größer).symbol.isascii()


@pytest.mark.modes
def test_only_plainly_compiled_code_is_emitted():
    if PLAIN:
        assert jit.emit(ratio).elf.startswith(b"\x7fELF")
    else:
        with pytest.raises(CompileError, match="Unset NUMBA_DISABLE_JIT and NUMBA_BOUNDSCHECK"):
            jit.emit(ratio)
