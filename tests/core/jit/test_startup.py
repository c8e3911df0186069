"""Everything is compiled before trading, and nothing after: warm, then freeze."""

from __future__ import annotations

import pytest

from hftlib.core import jit

from .fresh import ROOT, run

# As any library that compiles when it is first called.
THIRD_PARTY = """
import numba
import numpy as np

@numba.njit
def lazily(x):
    return x + 1

@numba.njit(cache=True)
def kept_elsewhere(x):
    return x * 2

@numba.vectorize
def elementwise(x):
    return x + 1
"""

ENTRIES = """
import numpy as np
from hftlib.core import jit, times

@jit.compiled()
def leaf(x):
    return x + 1

@jit.compiled("int64(int64)")
def entry(x):
    return leaf(x)

@jit.compiled("float64(float64[::1])")
def total(values):
    return values.sum()

@jit.callback("int64(int64)")
def strategy(x):
    return leaf(x) * 2

@jit.callback("int64(int64)")
def second(x):
    return x - 1
"""

WARM = """
import json
from hftlib.core import jit
before = jit.registered()
import entries
seen = []
warmed = jit.warm(lambda done, total, name: seen.append([done, total, name]))
again = jit.warm()
print(json.dumps([before, jit.registered(), seen,
    [[w.name, w.signature, w.from_cache] for w in warmed],
    [w.name for w in again], max(w.seconds for w in again), min(w.seconds for w in warmed)]))
"""

FROZEN = """
import ctypes, json, threading
import numba, numpy as np
import third_party
import entries
from hftlib.core import jit, object_code
from hftlib.core.errors import CompileError

third_party.lazily(1)
jit.warm()
object = jit.emit(entries.strategy)
call = jit.caller("int64(int64)")
answers = {"before": jit.is_frozen()}
jit.freeze()
jit.freeze()
answers["after"] = jit.is_frozen()
answers["warmed again"] = [w.name for w in jit.warm()][-4:]

def refusal(task):
    try:
        return f"done: {task()}"
    except CompileError as error:
        return str(error)
    except Exception as error:
        return f"another error: {error!r}"

def in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(refusal(lambda: entries.entry(2.5))))
    thread.start()
    thread.join()
    return found[0]

def new_function():
    @jit.compiled()
    def made_too_late(x):
        return x
    return made_too_late(1)

def new_callback():
    @jit.callback("int64(int64)")
    def called_too_late(x):
        return x
    return called_too_late.address

answers["refused"] = {
    "fraction": refusal(lambda: entries.entry(1.9)),
    "fraction again": refusal(lambda: entries.entry(1.9)),
    "other array": refusal(lambda: entries.total(np.zeros(3, np.float32))),
    "leaf alone": refusal(lambda: entries.leaf(2.5)),
    "new function": refusal(new_function),
    "new callback": refusal(new_callback),
    "cfunc": refusal(lambda: numba.cfunc("int64(int64)")(lambda x: x)),
    "explicit": refusal(lambda: numba.njit("int64(int64)")(lambda x: x)),
    "theirs": refusal(lambda: third_party.lazily(2.5)),
    "theirs, kept": refusal(lambda: third_party.kept_elsewhere(1)),
    "theirs, elementwise": refusal(lambda: third_party.elementwise(1)),
    "emit": refusal(lambda: jit.emit(entries.second)),
    "thread": in_a_thread(),
}
linked = object_code.link(object)
threads, results = [], []
for n in range(4):
    threads.append(threading.Thread(target=lambda n=n: results.append(entries.entry(n))))
    threads[-1].start()
for thread in threads:
    thread.join()
answers["works"] = [
    entries.entry(7), entries.entry(np.int64(1)), entries.total(np.ones(4)), third_party.lazily(1),
    call(entries.strategy.address, 7), sorted(results),
    ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(linked)(7),
]
print(json.dumps(answers))
"""

NAMES = ["entries.entry", "entries.total", "entries.strategy", "entries.second"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    directory = tmp_path_factory.mktemp("startup")
    (directory / "entries.py").write_text(ENTRIES)
    (directory / "third_party.py").write_text(THIRD_PARTY)
    return directory, ROOT


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_warming_reports_every_entry_before_it_and_the_end(places, cache):
    told = run(WARM, *places, HFT_CACHE_DIR=cache)
    before, count, seen, warmed, again, again_seconds, least = told
    signatures = ["int64(int64)", "float64(float64[::1])", "int64(int64)", "int64(int64)"]
    assert count - before == len(NAMES)
    assert [name for name, *_ in warmed][before:] == NAMES
    assert [signature for _, signature, _ in warmed][before:] == signatures
    assert not any(from_cache for *_, from_cache in warmed)
    assert [done for done, *_ in seen] == list(range(count + 1))
    assert {total for _, total, _ in seen} == {count}
    assert [name for *_, name in seen] == [*(name for name, *_ in warmed), ""]
    assert again == [name for name, *_ in warmed]
    assert again_seconds < least


@pytest.fixture(scope="module")
def frozen(places, cache):
    """What a frozen process refused and what it still did."""
    return run(FROZEN, *places, HFT_CACHE_DIR=cache)


def test_a_process_is_frozen_from_the_first_freeze_on_and_twice_is_once(frozen):
    assert (frozen["before"], frozen["after"]) == (False, True)


@pytest.mark.parametrize(
    ("attempt", "name"),
    [
        ("fraction", "entries.entry"),
        ("fraction again", "entries.entry"),
        ("other array", "entries.total"),
        ("leaf alone", "entries.leaf"),
        ("new function", "__main__.new_function.<locals>.made_too_late"),
        ("new callback", "__main__.new_callback.<locals>.called_too_late"),
        ("cfunc", "__main__.<lambda>.<locals>.<lambda>"),
        ("explicit", "__main__.<lambda>.<locals>.<lambda>"),
        ("theirs", "third_party.lazily"),
        ("theirs, kept", "third_party.kept_elsewhere"),
        ("theirs, elementwise", "third_party.elementwise"),
        ("emit", "entries.second"),
        ("thread", "entries.entry"),
    ],
)
def test_a_frozen_process_refuses_to_compile_and_names_the_function(frozen, attempt, name):
    refusal = frozen["refused"][attempt]
    assert refusal.startswith("Something asked for a compilation after start-up was done. ")
    assert f"Where: {name}, in a process frozen by jit.freeze()." in refusal


def test_what_was_compiled_goes_on_working_in_every_thread(frozen):
    assert frozen["works"] == [8, 2, 4.0, 2, 16, [1, 2, 3, 4], 16]
    assert frozen["warmed again"] == NAMES


@pytest.mark.modes
def test_a_process_is_not_frozen_by_itself():
    assert not jit.is_frozen()


def test_an_uncompiled_process_has_nothing_to_freeze(places):
    story = """
import json, entries
from hftlib.core import jit
jit.freeze()
print(json.dumps([jit.is_frozen(), jit.warm(), entries.entry(1.5), entries.strategy(1)]))
"""
    assert run(story, *places, NUMBA_DISABLE_JIT=1) == [False, [], 2.5, 4]


RETURNS_ANOTHER = """
import json
from hftlib.core import jit
from hftlib.core.errors import CompileError

@jit.compiled("int64(int64)")
def half(x):
    return x / 2

try:
    jit.warm()
except CompileError as error:
    print(json.dumps(str(error)))
"""


def test_a_signature_that_promises_another_result_is_refused():
    assert "returns float64, its signature says int64" in run(RETURNS_ANOTHER)
