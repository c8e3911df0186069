"""Appending as object code, as a live process loads it, which has no numba."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hftlib.core import jit
from hftlib.core.journal import Journal, append, frames, is_durable, kinds, last_words

PROGRAM = """
import sys
from hftlib.core import object_code
from hftlib.core.journal import Journal
from hftlib.core.jit import caller
import numpy as np

signature = "int64(int64, int64, int64)"
address = object_code.link(object_code.read(sys.argv[1]), signature)
call, data = caller(signature), np.arange(64, dtype=np.uint8)
with Journal.create(sys.argv[2], {}) as journal:
    arguments = address, journal.address, data.ctypes.data, 33
    assert [call(*arguments) for _ in range(3)] == [2, 3, 4]
assert "numba" not in sys.modules, "it was loaded without the compiler"
"""


@jit.callback("int64(int64, int64, int64)")
def keep(writer, payload, length):
    sequence = append(writer, kinds.COMMAND, 7, 99, payload, length & 63)
    if sequence < 0:
        return last_words(writer)
    return sequence if is_durable(writer, sequence) else 0


@pytest.mark.skipif(not jit.COMPILED or jit.BOUNDS_CHECKED, reason="plainly compiled code only")
def test_append_is_object_code_that_calls_nothing(tmp_path):
    with Journal.create(tmp_path / "warm.journal", {}):
        pass  # what it calls is compiled and kept now, so the other process finds it
    jit.emit(keep).save(tmp_path / "keep.o")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "keep.o"), str(tmp_path / "a.journal")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = list(frames(tmp_path / "a.journal"))
    assert [one.payload for one in found[1:-1]] == [bytes(range(33))] * 3
    assert {(one.kind, one.source, one.time) for one in found[1:-1]} == {(kinds.COMMAND, 7, 99)}
