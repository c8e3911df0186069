"""Entries and callbacks as object code of their own: what runs without numba, and what does not."""

from __future__ import annotations

import pytest

from hftlib.core import jit

from .fresh import ROOT, run

ENTRIES = """
import numpy as np
from hftlib.core import jit

LARGE = np.arange(200_000)


@jit.compiled()
def leaf(x):
    return x * 3


@jit.compiled("int64(int64, int64)", "float64(float64, float64)")
def entry(x, y):
    return leaf(x) + y


@jit.compiled("void(int64, float64)")
def noted(address, value):
    jit.store_i64(address, int(value))


@jit.compiled("int64(int64)")
def positive(x):
    if x <= 0:
        raise ValueError("not positive", 7)
    return x


@jit.compiled("int64(int64)")
def allocates(count):
    return np.arange(count).sum()


@jit.compiled("int64(int64)")
def looks_up(index):
    return LARGE[index]


@jit.callback("int64(int64)")
def may_fail(x):
    return positive(x) + 1


@jit.callback("boolean(int64)")
def is_even(x):
    return x % 2 == 0
"""

STORY = """
import json, sys
import numpy as np
import entries
from hftlib.core import jit

call = jit.caller("int64(int64)")
memory = np.zeros(1, np.int64)
refused = []
for attempt in (lambda: entries.positive(-1), lambda: entries.positive(0)):
    try:
        attempt()
    except ValueError as error:
        refused.append(error.args)
answers = [
    entries.entry(7, 1), entries.entry(np.int64(7), 1), entries.entry(0.5, np.float64(1)),
    entries.entry(-2**62 // 3, 2**63 - 1), entries.noted(memory.ctypes.data, 3.9), int(memory[0]),
    entries.positive(4), call(entries.may_fail.address, 4),
]
print(json.dumps([answers, "numba" in sys.modules or bool(refused), refused]))
"""
# What a process that finds its code kept does without numba.
PLAIN = STORY.replace("(lambda: entries.positive(-1), lambda: entries.positive(0))", "()")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    directory = tmp_path_factory.mktemp("native")
    (directory / "entries.py").write_text(ENTRIES)
    return directory, ROOT


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_kept_entries_run_without_numba_and_answer_the_same(places, cache):
    expected = [22, 22, 2.5, -(2**62) // 3 * 3 + 2**63 - 1, None, 3, 4, 5]
    assert run(PLAIN, *places, HFT_CACHE_DIR=cache) == [expected, True, []]
    assert run(PLAIN, *places, HFT_CACHE_DIR=cache) == [expected, False, []]
    raised = [["not positive", 7]] * 2
    assert run(STORY, *places, HFT_CACHE_DIR=cache) == [expected, True, raised]


PRINTED = """
import contextlib, io, json, entries
from hftlib.core import jit
told = io.StringIO()
with contextlib.redirect_stderr(told):
    answer = jit.caller("int64(int64)")(entries.may_fail.address, -4)
    still = entries.positive(9)
text = told.getvalue()
print(json.dumps([answer, still, "ValueError: ('not positive', 7)" in text, "gnored" in text]))
"""


def test_an_exception_in_a_callback_is_printed_and_goes_no_further(places, cache):
    for _ in range(2):
        assert run(PRINTED, *places, HFT_CACHE_DIR=cache) == [0, 9, True, True]


OTHERS = """
import json, entries
from hftlib.core import jit
kept = {w.name: w.from_cache for w in jit.warm() if "entries." in w.name}
for value in (2**63, -2**63 - 1):
    try:
        entries.entry(1, value)
    except OverflowError as error:
        assert str(error) == "int too big to convert"
call = jit.caller("boolean(int64)")
answers = [entries.allocates(5), entries.looks_up(7), call(entries.is_even.address, 4),
    entries.entry(x=1, y=2), entries.entry(True, 1),
    entries.entry.py_func(2, 1), entries.leaf(5)]
print(json.dumps([answers, kept]))
"""


def test_what_cannot_stand_alone_is_run_by_numba_and_known_for_it(places, tmp_path):
    for again in (False, True):
        answers, kept = run(OTHERS, *places, HFT_CACHE_DIR=tmp_path)
        assert answers[:5] == [10, 7, True, 5, 4]
        assert answers[5:] == [7, 15]
        # An array over 1 MB is known by its address, which holds in one process only.
        assert kept.pop("entries.looks_up") is False
        assert set(kept.values()) == {again}
    assert [file.name.split(".")[0] for file in tmp_path.rglob("*.numba")] == ["entries_allocates"]


def test_code_that_holds_the_address_of_an_array_is_not_kept(places, tmp_path):
    run("import json, entries; print(json.dumps(entries.looks_up(3)))", *places,
        HFT_CACHE_DIR=tmp_path)  # fmt: skip
    assert not list(tmp_path.rglob("*looks_up*"))


FROZEN = """
import json, entries
from hftlib.core import jit
from hftlib.core.errors import CompileError
ready = entries.entry(1, 1)
jit.freeze()
told = []
for late in (lambda: entries.positive(1), lambda: entries.may_fail.address):
    try:
        told.append(late())
    except CompileError as error:
        told.append(str(error))
print(json.dumps([ready, entries.entry(1, 2), told]))
"""


def test_a_frozen_process_links_nothing_more_and_names_the_function(places, cache):
    ready, after, told = run(FROZEN, *places, HFT_CACHE_DIR=cache)
    assert (ready, after) == (4, 5)
    for text, name in zip(told, ("entries.positive", "entries.may_fail"), strict=True):
        assert text.startswith("Something asked for a compilation after start-up was done. ")
        assert f"Where: {name}, in a process frozen by jit.freeze()." in text


SETTINGS = """
import json, os
from hftlib.core import jit
from hftlib.core.errors import CompileError
made = jit.compiled("int64(int64)")(lambda x: x)
os.environ["NUMBA_NUM_THREADS"] = "1"
os.environ["NUMBA_BOUNDSCHECK"] = "1"
try:
    print(json.dumps(made(1)))
except CompileError as error:
    print(json.dumps(str(error)))
"""


def test_settings_that_change_before_numba_reads_them_are_a_sentence():
    told = run(SETTINGS)
    assert told.startswith("Settings of numba have changed since hftlib was imported: ")
    assert "NUMBA_BOUNDSCHECK" in told
    assert "NUM_THREADS" not in told


PICKLED = """
import json, pickle, entries
from hftlib.core import jit

@jit.compiled("int64(int64)")
def own(x):
    return entries.leaf(x) + 1

same = pickle.loads(pickle.dumps(entries.entry)) is entries.entry
other = pickle.loads(pickle.dumps(own))
print(json.dumps([same, other is own, other(2), repr(other)]))
"""


def test_a_compiled_function_can_be_sent_to_another_process(places, cache):
    told = run(PICKLED, *places, HFT_CACHE_DIR=cache)
    assert told == [True, False, 7, "<compiled __main__.own>"]


OWN_NUMBA = """
import json, numba
from hftlib.core import jit
jit.wake()

@jit.compiled()
def doubled(x):
    return 2 * x

@numba.njit
def mine(x):
    return jit.leading_zeros(x) + doubled(x)

class Holder:
    times = doubled

print(json.dumps([mine(1), doubled(4)]))
"""


def test_a_numba_function_of_ones_own_knows_the_names_once_numba_was_woken():
    assert run(OWN_NUMBA) == [65, 8]


@pytest.mark.modes
def test_a_signature_with_spaces_or_other_names_means_the_same():
    for text in ("int64(int64)", " int64 ( int64 ) ", "i8(i8)"):
        made = jit.compiled(text)(lambda x: x + 1)
        assert made(41) == 42
    assert jit.compiled("int64()")(lambda: 3)() == 3
