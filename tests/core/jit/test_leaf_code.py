"""What others call is compiled up to the point where they can take it in, and kept as that."""

from __future__ import annotations

import pytest

from hftlib.core import jit

from .fresh import ROOT, run

pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="nothing is compiled here")

# Two functions of one name: which is meant, their code alone can tell.
TWINS = """
from hftlib.core import jit

def adding(number):
    @jit.compiled()
    def add(x):
        y = 0
        while y < x:
            y += number
        return y
    return add

one, ten = adding(1), adding(10)

@jit.compiled()
def by_one(x):
    return one(x)

@jit.compiled()
def by_ten(x):
    return ten(x)

@jit.compiled("int64(int64)")
def first(x):
    return by_one(x)

@jit.compiled("int64(int64)")
def both(x):
    return by_ten(x) * 1000 + by_one(x)
"""


def test_functions_of_one_name_that_two_processes_compiled_stay_apart(tmp_path):
    (tmp_path / "twins.py").write_text(TWINS)
    place = {"HFT_CACHE_DIR": tmp_path / "cache"}
    assert run("import twins; print(twins.first(5))", tmp_path, ROOT, **place) == 5
    assert run("import twins; print(twins.both(5))", tmp_path, ROOT, **place) == 10_005


def test_a_leaf_has_no_machine_code_until_python_calls_it():
    @jit.compiled()
    def thrice(x):
        return x * 3

    @jit.compiled("int64(int64)")
    def entry(x):
        return thrice(x) + 1

    assert entry(2) == 7
    (made,) = thrice.leaf.overloads.values()
    assert made.library.get_pointer_to_function(made.fndesc.llvm_func_name) == 0
    assert not thrice.dispatcher.overloads
    assert thrice(5) == 15
    assert thrice.dispatcher.overloads


def test_a_kept_leaf_is_taken_in_by_an_entry_that_is_new(tmp_path):
    (tmp_path / "common.py").write_text("""
from hftlib.core import jit

@jit.compiled()
def thrice(x):
    return x * 3
""")
    entry = """
import json
from hftlib.core import jit
from common import thrice

@jit.compiled("int64(int64)")
def entry(x):
    return thrice(x) + {more}

print(json.dumps([entry(2), sum(thrice.leaf.stats.cache_hits.values())]))
"""
    for more, hits in ((1, 0), (2, 1)):
        (tmp_path / f"other{more}.py").write_text(entry.format(more=more))
        place = {"HFT_CACHE_DIR": tmp_path / "cache"}
        assert run(f"import other{more}", tmp_path, ROOT, **place) == [6 + more, hits]


def test_what_a_leaf_prints_is_printed_where_python_called_the_function_around_it(tmp_path):
    (tmp_path / "says.py").write_text("""
from hftlib.core import jit

@jit.compiled()
def said(x):
    print("it is", x)
    return x

@jit.compiled("int64(int64)")
def around(x):
    return said(x)
""")
    story = "import json, says; says.around(3); print(json.dumps(says.said(4)))"
    for _ in range(2):
        place = {"HFT_CACHE_DIR": tmp_path / "cache"}
        assert run(story, tmp_path, ROOT, **place) == 4
