"""Functions become machine code, are kept between processes, and are never taken for another."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from hftlib.core import jit
from hftlib.core.errors import CompileError

from .fresh import ROOT, run

STATE = np.dtype([("flag", "i8"), ("count", "i8")])
state_at = jit.record_at(STATE)

ENTRIES = """
import os
from hftlib.core import jit

@jit.compiled()
def leaf(x):
    return x * 3

@jit.compiled(*os.environ.get("SIGNATURES", "int64(int64)").split(";"))
def entry(x):
    return leaf(x) + 1

@jit.callback("int64(int64, int64)")
def strategy(a, b):
    return leaf(a) - b
"""

# Everything here bears the same name on the same line, and differs in a constant or a global only.
ALIKE = """
from hftlib.core import jit
a, b = jit.compiled("int64(int64)")(lambda x: x + 1), jit.compiled("int64(int64)")(lambda x: x + 2)

def of_text(number):
    exec(compile(f"def f(x):\\n    return x * {number}\\n", __file__, "exec"), globals())
    return jit.compiled("int64(int64)")(f)

three, five = of_text(3), of_text(5)
results = [a(10), b(10), three(10), five(10)]
"""


def test_the_second_process_takes_its_code_from_the_cache(tmp_path):
    (tmp_path / "entries.py").write_text(ENTRIES)
    story = """
import json, entries
from hftlib.core import jit
assert not entries.strategy.cache_hits
warmed = jit.warm()
call = jit.caller("int64(int64, int64)")
print(json.dumps([
    jit.registered(), [[w.name, w.signature, w.from_cache, w.seconds > 0] for w in warmed],
    entries.entry(7), entries.entry.py_func(0.5), call(entries.strategy.address, 7, 1),
]))
"""
    whole, fraction = "int64(int64)", "float64(float64)"
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    strategy = ["entries.strategy", "int64(int64, int64)"]
    # The first process warms whole numbers only; the second one fractions as well.
    first = run(story, tmp_path, ROOT, SIGNATURES=whole, **settings)
    assert first[:2] == [2, [["entries.entry", whole, False, True], [*strategy, False, True]]]
    second = run(story, tmp_path, ROOT, SIGNATURES=f"{whole};{fraction}", **settings)
    assert second[:2] == [
        3,
        [
            ["entries.entry", whole, True, True],
            ["entries.entry", fraction, False, True],
            [*strategy, True, True],
        ],
    ]
    assert first[2:] == second[2:] == [22, 2.5, 20]


def test_functions_that_differ_in_a_constant_only_are_never_mixed_up(tmp_path):
    (tmp_path / "alike.py").write_text(ALIKE)
    story = "import json, alike; print(json.dumps(alike.results))"
    for _ in range(2):
        answers = run(story, tmp_path, ROOT, HFT_CACHE_DIR=tmp_path / "cache")
        assert answers == [11, 12, 30, 50]


def test_a_file_run_without_being_imported_compiles_in_every_process(tmp_path):
    (tmp_path / "entries.py").write_text(ENTRIES)
    story = f"""
import importlib.util, json, runpy
path = {str(tmp_path / "entries.py")!r}
spec = importlib.util.spec_from_file_location("loaded_by_path", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
script = runpy.run_path(path)
print(json.dumps([module.entry(7), script["entry"](7)]))
"""
    for _ in range(2):
        assert run(story, ROOT, HFT_CACHE_DIR=tmp_path / "cache") == [22, 22]


def test_the_users_own_cache_stays_as_it_was_and_gets_nothing_of_ours(tmp_path):
    (tmp_path / "entries.py").write_text(ENTRIES)
    (tmp_path / "others.py").write_text(
        "import numba\n@numba.njit(cache=True)\ndef theirs(x):\n    return x + 1\n"
    )
    story = """
import json, numba, entries, others
chosen = numba.config.CACHE_DIR
before = others.theirs(1)
entries.strategy.address, entries.entry(1)
numba.config.CACHE_DIR = "CHANGED"
late = __import__("hftlib.core.jit", fromlist=["jit"]).compiled("int64(int64)")(lambda x: x)
print(json.dumps([chosen, numba.config.CACHE_DIR, before, late(3)]))
"""
    settings = {"NUMBA_CACHE_DIR": tmp_path / "theirs", "HFT_CACHE_DIR": tmp_path / "ours"}
    expected = [str(tmp_path / "theirs"), "CHANGED", 2, 3]
    assert run(story, tmp_path, ROOT, **settings) == expected
    ours = {file.name.split("-")[0] for file in (tmp_path / "ours").rglob("*.nb?")}
    alone = {file.name.split(".")[0] for file in (tmp_path / "ours").rglob("*.o")}
    theirs = {file.name.split("-")[0] for file in (tmp_path / "theirs").rglob("*.nb?")}
    assert theirs == {"others.theirs"}
    assert ours == {"entries.leaf.leaf"}
    assert alone == {"entries_entry", "entries_strategy"}


def test_functions_without_a_file_compile_and_leave_nothing_behind(tmp_path):
    """As in a notebook; and a compilation may itself import code that compiles."""
    story = """
import json, os
from numba.extending import overload
from hftlib.core import jit
cell = {"jit": jit, "__name__": "__main__"}
exec('@jit.compiled("int64(int64)")\\ndef f(x):\\n    return x + 1', cell)
exec('@jit.callback("int64(int64)")\\ndef g(x):\\n    return f(x) * 2', cell)
exec('@jit.compiled("int64(int64)")\\ndef h(x):\\n    return x', {"jit": jit})

def doubled(x):
    return 2 * x

@overload(doubled)
def _(x):
    late = jit.compiled()(lambda x: 2 * x)
    return lambda x: late(x)

@jit.callback("int64(int64)")
def imports_while_compiling(x):
    return doubled(x) + 1

call = jit.caller("int64(int64)")
warmed = [(w.name, w.from_cache) for w in jit.warm()]
print(json.dumps([cell["f"](3), call(cell["g"].address, 3), cell["g"](3), warmed[:2],
    call(imports_while_compiling.address, 5), sorted(os.listdir(os.environ["HFT_CACHE_DIR"]))]))
"""
    (tmp_path / "cache").mkdir(mode=0o700)
    answers = run(story, HFT_CACHE_DIR=tmp_path / "cache")
    assert answers == [4, 8, 8, [["__main__.f", False], ["__main__.g", False]], 11, []]


def test_uncompiled_callbacks_are_plain_functions_and_have_a_limit():
    story = """
import json
from hftlib.core import jit
from hftlib.core.errors import CompileError
call = jit.caller("int64(int64)")
seen = []

@jit.callback("int64(int64)")
def traced(x):
    seen.append(x)
    return x + 1

made = [jit.callback("int64(int64)")(lambda x, n=n: x * n) for n in range(5000)]
right, refusal = 0, ""
for number, callback in enumerate(made):
    try:
        right += call(callback.address, 2) == 2 * number
    except CompileError as error:
        refusal = str(error)
        break
again = call(made[17].address, 1)
print(json.dumps([call(traced.address, 1) if not refusal else traced(1), seen, right, refusal,
    again, jit.COMPILED, jit.registered(), jit.warm()]))
"""
    result, seen, right, refusal, again, *rest = run(story, NUMBA_DISABLE_JIT=1)
    assert (result, seen, again) == (2, [1], 17)
    assert 4000 < right < 4096
    assert "More than 4096 uncompiled callbacks" in refusal
    assert rest == [False, 0, []]


@jit.compiled("int64(int64, int64)")
def waited(address, spins_max):
    state = state_at(address)
    for spin in range(spins_max):
        if jit.load_acquire(address) != 0:
            return spin
        state.count += 1
    return -1


@pytest.mark.modes
def test_compiled_code_leaves_python_running_beside_it():
    memory = np.zeros(1, STATE)
    address = memory.ctypes.data
    assert waited(address, 0) == -1  # compiled by now
    timer = threading.Timer(0.05, jit.store_release, (address, 1))
    timer.start()
    assert waited(address, 5_000_000_000 if jit.COMPILED else 10_000_000) >= 0
    timer.join()
    assert memory["count"][0] > 0


STEP = 1


@jit.compiled()
def stepped(value):
    return value + STEP


def by_way_of_stepped():
    @jit.compiled("int64(int64)")
    def through(value):
        return stepped(value)

    return through


@pytest.mark.modes
def test_a_caller_compiled_later_sees_what_its_helper_means_by_then(monkeypatch):
    first = by_way_of_stepped()
    assert first(1) == 2
    monkeypatch.setitem(globals(), "STEP", 10)
    assert by_way_of_stepped()(1) == 11
    monkeypatch.setitem(globals(), "STEP", 1)
    assert by_way_of_stepped()(1) == 2


@jit.compiled("float64(float64, float64)")
def divided(a, b):
    return a / b


@jit.compiled("int64(int64, int64)")
def halves(a, b):
    return a // b


@pytest.mark.skipif(not jit.COMPILED, reason="plain Python raises, which is its way")
def test_division_by_zero_is_that_of_c():
    assert divided(1.0, 0.0) == np.inf
    assert divided(-1.0, 0.0) == -np.inf
    assert np.isnan(divided(0.0, 0.0))
    assert halves(-7, 2) == -4
    assert halves(7, 0) == 0


@jit.callback("int64(int64)")
def seen_in_python(value):
    return value + RAISED_BY


RAISED_BY = 1


@pytest.mark.modes
def test_calling_a_callback_from_python_runs_the_python_function(monkeypatch):
    assert seen_in_python.address
    monkeypatch.setitem(globals(), "RAISED_BY", 2)  # machine code keeps the 1
    assert seen_in_python(41) == 43
    assert repr(seen_in_python) == f"<callback {__name__}.seen_in_python int64(int64)>"


def test_a_decorator_without_its_signature_is_a_sentence():
    for decorator in (jit.callback, jit.compiled):
        with pytest.raises(CompileError, match="A signature is text, not function"):
            decorator(lambda x: x)


DEFINED_AGAIN = """
import json
from hftlib.core import jit
before = jit.registered()
for _ in range(5):
    @jit.compiled("int64(int64)")
    def entry(x):
        return x
    @jit.callback("int64(int64)")
    def strategy(x):
        return x
print(json.dumps(jit.registered() - before))
"""


def test_a_cell_run_again_replaces_its_functions():
    assert run(DEFINED_AGAIN) == 2


ONCE = """
import numpy as np
from hftlib.core import jit

KIND = np.dtype([("a", "u1"), ("b", "u4"), ("c", "i2")])
narrow_at = jit.record_at(KIND)

@jit.once
def leaf(x, why):
    return x * 256 + why

@jit.compiled("int64(int64)")
def entry(address):
    one = narrow_at(address)
    return leaf(1, 2) + leaf(one.a, 3) + leaf(one.b, one.c) + leaf(0, 1 if one.a > 9 else 0)

values = np.array([(255, 2**32 - 1, -5)], KIND)
results = [int(entry(values.ctypes.data)), [str(one) for one in leaf.leaf.signatures]]
"""


def test_a_leaf_compiled_once_takes_whole_numbers_of_any_kind(tmp_path):
    """Constants and narrow integers are one type to it, and nothing of them is lost."""
    (tmp_path / "narrow.py").write_text(ONCE)
    story = "import json, narrow; print(json.dumps(narrow.results))"
    told = run(story, tmp_path, ROOT, HFT_CACHE_DIR=tmp_path / "cache")
    assert told == [258 + 255 * 256 + 3 + (2**32 - 1) * 256 - 5 + 1, ["(int64, int64)"]]
