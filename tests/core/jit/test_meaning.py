"""What a function means is the same whether numba has been loaded or not."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import gc, importlib, pkgutil, sys
import hftlib
from hftlib.core import jit
from hftlib.core.jit.cache import ROOMS
from hftlib.core.jit.functions import Compiled
from hftlib.core.jit.meaning import meaning

NUMBAS = ("kept", "reporting", "teaching")
for room in ROOMS:
    folder = f"{hftlib.__path__[0]}/{room}"
    for one in pkgutil.walk_packages([folder], f"hftlib.{room}."):
        name = one.name.rpartition(".")[2]
        if not name.endswith("_code") and name not in NUMBAS:
            importlib.import_module(one.name)
assert "numba" not in sys.modules, "this test could not have failed"
functions = [one.py_func for one in gc.get_objects() if isinstance(one, Compiled)]
before = [meaning(one) for one in functions]
jit.wake()
for one in pkgutil.iter_modules(jit.__path__):
    importlib.import_module(f"{jit.__name__}.{one.name}")
assert jit.kept, "a name that compiled functions have, and a module now"
after = [meaning(one) for one in functions]
other = [one.__qualname__ for one, a, b in zip(functions, before, after) if a != b]
print(len(functions), len(set(before)), other)
"""


def test_no_function_means_another_thing_once_numba_is_loaded():
    """Else a process that finds its code kept, and loads numba for one piece, compiles it again."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    count, different, other = done.stdout.split(maxsplit=2)
    assert other.strip() == "[]"
    assert int(count) > 1_000 and int(different) > 900
