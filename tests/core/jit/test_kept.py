"""What a function means is part of its key: settings that reach it by any road are never stale."""

from __future__ import annotations

import pytest

from .fresh import ROOT, run

MODULE = """
import os
from hftlib.core import jit

SETTING = int(os.environ["SETTING"])
labs = jit.libc("labs", "int64(int64)" if SETTING == 2 else "int32(int64)")


@jit.compiled()
def leaf(x, factor=SETTING):
    return x * factor


@jit.compiled("int64(int64)")
def by_default(x):
    return leaf(x)


@jit.compiled("int64(int64)")
def by_libc(x):
    return labs(x) + 0


def made(name):
    found = jit.libc(name, "int64(int64)")

    @jit.compiled("int64(int64)")
    def inner(x):
        return found(x)

    return inner


by_factory = made("labs")
"""
STORY = """
import json, roads
from hftlib.core import jit
jit.warm()
print(json.dumps([roads.by_default(10), roads.by_libc(2**40 + 3), roads.by_factory(-5)]))
"""
CHECKED = """
import json, numpy as np, checked
from hftlib.core import jit
memory = np.zeros(4, np.int64)
try:
    answer = checked.read_one(memory.ctypes.data, 3, 3)
except IndexError:
    answer = "refused"
print(json.dumps([jit.BOUNDS_CHECKED, answer]))
"""
CHECKED_MODULE = """
import numpy as np
from hftlib.core import jit

words_at = jit.array_at(np.int64)


@jit.compiled("int64(int64, int64, int64)")
def read_one(address, count, index):
    return words_at(address, count)[index]
"""


def test_a_default_argument_and_a_signature_of_libc_are_never_stale(tmp_path):
    (tmp_path / "roads.py").write_text(MODULE)
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    first = run(STORY, tmp_path, ROOT, SETTING=2, **settings)
    second = run(STORY, tmp_path, ROOT, SETTING=3, **settings)
    assert first == [20, 2**40 + 3, 5]
    assert second == [30, 3, 5]


def test_settings_that_numba_reads_from_a_file_separate_the_code_too(tmp_path):
    pytest.importorskip("yaml", reason="numba reads its settings file only where PyYAML is")
    (tmp_path / "checked.py").write_text(CHECKED_MODULE)
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    assert run(CHECKED, tmp_path, ROOT, **settings) == [False, 0]
    (tmp_path / ".numba_config.yaml").write_text("boundscheck: 1\n")
    assert run(CHECKED, tmp_path, ROOT, **settings) == [True, "refused"]
    (tmp_path / ".numba_config.yaml").unlink()
    assert run(CHECKED, tmp_path, ROOT, **settings) == [False, 0]
