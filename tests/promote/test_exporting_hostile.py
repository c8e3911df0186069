"""What is no strategy's notebook ends in one sentence with its place, and leaves nothing behind."""

import json
import os
import re
from pathlib import Path

import pytest

import hftlib as hft
from hftlib.promote.clean_import import NotImportedError, import_cleanly
from hftlib.promote.exporting import export
from hftlib.promote.notebook import NOTEBOOK_BYTES_MAX
from tests.promote.notebooks_made import IMPORTS, STRATEGY, code, notebook, sound

OUT = "out"


def refused(tmp_path, path, words, **settings):
    """The sentence of an export that has to fail, and nothing may be there afterwards."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(hft.HftError) as caught:
        export(path, tmp_path / OUT, **settings)
    told = str(caught.value)
    assert re.search(words, told), told
    assert "\n" not in told and "Traceback" not in told
    assert sorted(tmp_path.rglob("*")) == before
    return told


# What stands in a marked cell, and what is said of it. The line is the cell's own, mark counted.
CELLS = {
    "an error of syntax": ("x = (1", r"The cell is no Python: .*cell 4 of idea.ipynb, line 2"),
    "a command": ("x = 1\n!ls", r"no Python.*line 3: `!ls`"),
    "a magic": ("%%time\nx = 1", "no Python"),
    "a null": ("x = '\0'", "no Python"),
    "brackets without end": ("x = " + "(" * 500 + ")" * 500, "no Python"),
    "os": ("y = 2\nimport os", r"may not import 'os'.*cell 4 of idea.ipynb, line 3: `import os`"),
    "os by another name": ("import os as math", "may not import 'os'"),
    "a part of os": ("from os import system", "may not import 'os'"),
    "os.path": ("import os.path", r"may not import 'os.path'"),
    "sys": ("import sys", "may not import 'sys'"),
    "subprocess": ("import subprocess", "may not import 'subprocess'"),
    "importlib": ("from importlib import import_module", "may not import 'importlib'"),
    "time": ("import time", "may not import 'time'"),
    "random": ("import random", "may not import 'random'"),
    "pandas": ("import pandas as pd", "may not import 'pandas'"),
    "in a method": ("def f():\n    import os", "may not import 'os'"),
    "relative": ("from . import other", "import is relative"),
    "of a neighbour": ("from .other import thing", "import is relative"),
    "a star": ("from math import *", "takes every name"),
    "numpy's os": ("import numpy as np\nnp.os.system('x')", "numpy.os is not among"),
    "numpy's sys": ("from numpy import sys", "numpy.sys is not among"),
    "numpy's files": ("import numpy as np\nx = np.load('x')", "numpy.load is not among"),
    "numpy's chance": ("import numpy as np\nx = np.random.rand()", "numpy.random is not among"),
    "numpy's pointers": ("import numpy as np\nx = np.ctypeslib", "numpy.ctypeslib is not among"),
    "an inner numpy": ("import numpy.lib.npyio as n", "may not import 'numpy.lib.npyio'"),
    "an array's file": ("import numpy as np\nnp.zeros(3).tofile('x')", "'.tofile' leads out"),
    "sys of dataclasses": ("import dataclasses\ndataclasses.sys.exit()", "dataclasses.sys is not"),
    "sys of typing": ("import typing as t\nt.sys.exit()", "typing.sys is not"),
    "evaluated hints": ("import typing\ntyping.get_type_hints(x)", "get_type_hints is not"),
    "a class from text": ("from dataclasses import make_dataclass", "make_dataclass is not"),
    "a module's value": ("import numpy as np\nx = np\nx.os", "'np' is handed on as a value"),
    "a module in a list": ("import numpy as np\nx = [np]", "'np' is handed on as a value"),
    "a module rebound": ("import numpy as np\nnp = 3", "'np' is a module and something else"),
    "a room's value": ("x = hft.strategy", "hft.strategy is used as a value"),
    "a room's files": ("x = hft.strategy.files.importlib", "hft.strategy is used as a value"),
    "the library's hft": ("x = hft.library.pairs.hft", r"library.pairs is not among"),
    "the library itself": ("x = hft.library", "'hft.library' is handed on"),
    "a backtest": ("r = hft.backtest(1, 2)", "hftlib.backtest is not among"),
    "a store": ("s = hft.store('x')", "hftlib.store is not among"),
    "inner rooms": ("from hftlib.engine import session", "may not import 'hftlib.engine'"),
    "memory by address": ("x = hft.jit.load_i64(1)", "jit.load_i64 is not among"),
    "a kind in quotes": (
        "@hft.block\nclass A:\n    x: '__import__(\"os\")' = hft.state()",
        "kind of a field is in quotes.*line 4",
    ),
    "a signature that computes": (
        "@hft.jit.compiled('__import__(\"os\") or int64()')\ndef f():\n    pass",
        "signature of a compiled function is not plain",
    ),
    "a signature by a name": (
        "S = 'int64()'\n@hft.jit.compiled(S)\ndef f():\n    pass",
        "signature of a compiled function is not plain",
    ),
    "a compiler by another name": (
        "c = hft.jit.compiled\nc('x')",
        "jit.compiled is used as a value",
    ),
    "the compiler itself": ("from hftlib.core.jit import compiled", "may not import"),
    "changing hftlib": ("hft.EMA = 3", "is changed, which is not yours"),
    "open": ("open('x', 'w').write('y')", "may not use 'open'"),
    "eval": ("x = eval('1')", "may not use 'eval'"),
    "exec": ("exec('import os')", "may not use 'exec'"),
    "compile": ("x = compile('1', '', 'eval')", "may not use 'compile'"),
    "import by function": ("x = __import__('os')", "may not use '__import__'"),
    "builtins": ("x = __builtins__", "may not use '__builtins__'"),
    "getattr": ("x = getattr(hft, 'store')", "may not use 'getattr'"),
    "globals": ("x = globals()", "may not use 'globals'"),
    "print": ("print('hello')", "may not use 'print'.*research cells"),
    "letters that look alike": ("\uff4f\uff50\uff45\uff4e('x')", "may not use 'open'"),
    "classes behind": ("x = ().__class__.__bases__", "looks behind a value"),
    "a function's globals": ("def f():\n    pass\nx = f.__globals__", "looks behind a value"),
    "a plan of ours": ("x = hft.EMA._plan", "looks behind a value"),
    "a plan by self": (
        "def f(self):\n    return self._plan\nx = f(hft.EMA)",
        "looks behind a value",
    ),
    "a plan of a namesake": (
        "class A:\n    def _plan(self):\n        return self._plan",
        "looks behind a value",
    ),
    "builtins rebound": ("import math as __builtins__", "one of Python's own names"),
    "a vectorizer": ("import numpy as np\nf = np.vectorize(abs)", "numpy.vectorize is not among"),
    "a default": ("f = lambda x=open: x", "may not use 'open'"),
    "in an f-string": ("x = f'{().__class__}'", "looks behind a value"),
    "by a walrus": ("import numpy as np\n(y := np)", "'np' is handed on as a value"),
    "after a carriage return": ("x = 1\rimport os", "may not import 'os'"),
    "by a format": ("x = '{0.__class__}'.format(3)", "'.format' leads out"),
    "by a frame": ("x = (y for y in (1,)).gi_frame", "'.gi_frame' leads out"),
    "by a pattern": ("match 3:\n    case int(__class__=x):\n        pass", "no use for `match`"),
    "a class that hooks": (
        "class A:\n    def __del__(self):\n        pass",
        "Python's own methods",
    ),
    "a try": ("try:\n    x = 1\nexcept Exception:\n    x = 2", "no use for `try`"),
    "a with": ("with x:\n    pass", "no use for `with`"),
    "a coroutine": ("async def f():\n    pass", "no use for `async`"),
    "a name of research": ("x = tape", "No exported cell makes 'tape'.*Cell 7 makes it"),
    "a parameter's name": ("x = seconds", "No exported cell makes 'seconds'.*Cell 2 makes it"),
    "a misspelt name": ("x = hftt.param(1)", "No exported cell makes 'hftt'.*correct its spelling"),
    "a late future": ("from __future__ import annotations", "no module: from __future__.*cell 4"),
    "another module, too": ("#| export other\nx = 1", "The module says something else"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_marked_cell_that_may_not_be(tmp_path, name):
    source, words = CELLS[name]
    cells = [*sound(source), code("tape = 3")]
    refused(tmp_path, notebook(tmp_path, cells), words)


def test_every_module_on_the_list_is_harmless():
    """None of the names that may be used is itself a module that is not on the list."""
    from importlib import import_module
    from types import ModuleType

    from hftlib.promote.allowed_names import INNER, allowed_of, modules_allowed

    page = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text()
    for module in [*modules_allowed(), "hftlib.core.jit"]:
        assert f"`{module}`" in page or module == "hftlib.core.jit"
        real = import_module(module)
        assert allowed_of(module), module
        for name in allowed_of(module):
            value = getattr(real, name)
            inner = INNER.get((module, name), "hftlib.strategy")
            assert not isinstance(value, ModuleType) or value.__name__ == inner, f"{module}.{name}"


# What passes the list and shows only when it runs.
RUNNING = {
    "hangs": ("while True:\n    pass", "did not end within 3 seconds"),
    "raises": ("y = 0\nx = 1 / y", r"ZeroDivisionError.*cell 4 of idea.ipynb, line 3: `x = 1 / y`"),
    "takes all memory": ("x = [0] * 10**12", "MemoryError.*cell 4"),
    "warns": ("import numpy as np\nx = np.log(np.zeros(2))", "prints when it is imported.*divide"),
    "is refused by hftlib": (
        "@hft.strategy\nclass Bad:\n    def on_book(self, ctx, i):\n        self.fiar = 1",
        r"fiar.*cell 4 of idea.ipynb, line 5",
    ),
}


@pytest.mark.parametrize("name", RUNNING)
def test_a_module_that_cannot_be_imported(tmp_path, name):
    source, words = RUNNING[name]
    seconds = 3.0 if name == "hangs" else 60.0
    refused(tmp_path, notebook(tmp_path, sound(source)), words, seconds=seconds)


# The second wall, for what got past the list: these modules are not of any notebook.
REACHING = {
    "a file beside it": ("open('x', 'w')", r"It writes the file 'x'"),
    "a file elsewhere": ("import os\nos.open('{0}/x', os.O_CREAT)", "It writes the file"),
    "a folder": ("import os\nos.mkdir('x')", r"It changes files: os.mkdir"),
    "a process": ("import os\nos.system('touch {0}/x')", "starts or ends a process"),
    "its starter": ("import os\nos.kill(os.getppid(), 9)", "starts or ends a process"),
    "the network": ("import socket\nsocket.socket()", "uses the network"),
    "past an except": ("try:\n    open('x', 'w')\nexcept BaseException:\n    pass", "writes the"),
    "words": ("print('hello')", "prints when it is imported: 'hello'"),
    "too many words": ("while True:\n    print('x' * 99999, flush=True)", "OSError"),
    "an exit": ("raise SystemExit(0)", "SystemExit"),
    "a hard exit": ("import os\nos._exit(0)", "ended its process with 0"),
    "a crash": ("import ctypes\nctypes.string_at(0)", "ended by SIGSEGV"),
}


@pytest.mark.parametrize("name", REACHING)
def test_a_module_that_reaches_out(tmp_path, name):
    source, words = REACHING[name]
    module = tmp_path / "idea.py"
    module.write_text(source.format(tmp_path) + "\n")
    with pytest.raises(NotImportedError) as caught:
        import_cleanly(module, seconds=20.0)
    assert re.search(words, str(caught.value)), str(caught.value)
    assert sorted(tmp_path.iterdir()) == [module]


def cells_with(parameters, *tags):
    return [code(parameters, *tags), code(IMPORTS), code(STRATEGY), code("print(seconds)")]


PARAMETERS = {
    "none": (sound()[2:], "has no `parameters` cell; it takes exactly one"),
    "two": ([*sound(), code("x = 1", "parameters")], "has 2 `parameters` cells, 2 and 6"),
    "of text": (
        [{**sound()[0], "metadata": {"tags": ["parameters"]}}, *sound()[2:]],
        "1 `parameters` cells, 1; it takes exactly one, of code",
    ),
    "injected": (
        [*sound(), code("edge_ticks = 3", "injected-parameters")],
        "a copy that papermill executed",
    ),
    "marked": (cells_with("#| export\nedge_ticks = 1", "parameters"), "is marked for export"),
    "a syntax error": (sound(parameters="edge_ticks ="), "no Python.*cell 2"),
    "an import": (sound(parameters="import os"), "sets no name.*cell 2 of idea.ipynb, line 1"),
    "computed": (sound(parameters="seconds = 60 * 60"), "'seconds' has to be computed"),
    "called": (sound(parameters="seconds = int('3')"), "'seconds' has to be computed"),
    "two at once": (sound(parameters="a, b = 1, 2"), "sets no name"),
    "twice": (sound(parameters="seconds = 1\nseconds = 2"), "'seconds' is set twice"),
    "one that nobody has": (
        sound(parameters="edge_tick = 2"),
        "'edge_tick' is neither the strategy's nor used by any cell.*Did you mean 'edge_ticks'",
    ),
    "beyond its bound": (
        sound(parameters="edge_ticks = 9"),
        r"'edge_ticks' is 9, above its bound 5.*cell 2.*from 1 to 5",
    ),
    "of another kind": (sound(parameters="edge_ticks = 2.5"), "edge_ticks is a whole number"),
    "text": (sound(parameters="edge_ticks = 'two'"), "edge_ticks is a whole number"),
    "a list": (sound(parameters="edge_ticks = [1, 2]"), "edge_ticks is a whole number"),
    "nothing": (sound(parameters="edge_ticks = None"), "edge_ticks is a whole number"),
    "beyond 64 bits": (sound(parameters=f"clip = {2**64}"), "beyond 64 bits"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameters_cell_that_may_not_be(tmp_path, name):
    cells, words = PARAMETERS[name]
    refused(tmp_path, notebook(tmp_path, cells), words)


def test_values_from_outside_are_refused_as_a_backtest_would(tmp_path):
    path = notebook(tmp_path, sound())
    refused(tmp_path, path, "above its bound 5", parameters={"edge_ticks": 6})
    refused(tmp_path, path, "whole number", parameters={"edge_ticks": float("nan")})
    refused(tmp_path, path, "whole number", parameters={"edge_ticks": object()})


MARKS = {
    "no cell": (sound()[:2], "No cell of the notebook is marked"),
    "no strategy": ([*sound()[:3], sound()[4]], "No exported cell has a strategy"),
    "a module elsewhere": (
        [code("#| export other.place\nx = 1"), *sound()],
        "marked with `#| export other.place`",
    ),
    "a misspelt mark": ([code("#| exprot\nx = 1"), *sound()], "marked with `#| exprot`"),
    "exports": ([code("#| exports\nx = 1"), *sound()], "marked with `#| exports`"),
}


@pytest.mark.parametrize("name", MARKS)
def test_marks_that_may_not_be(tmp_path, name):
    cells, words = MARKS[name]
    refused(tmp_path, notebook(tmp_path, cells), words)


CONTENTS = {
    "empty": (b"", "it is empty"),
    "spaces": (b" \n", "it is empty"),
    "no JSON": (b"{", "is no JSON, line 1"),
    "cut": (json.dumps({"cells": sound()}).encode()[:200], "is no JSON"),
    "a number": (b"42", "has no `nbformat`"),
    "a list": (b"[]", "has no `nbformat`"),
    "no UTF-8": (b"\xff\xfe\x00", "not text in UTF-8"),
    "deep": (b"[" * 200_000, "is no JSON"),
    "python": (b"import os\n", "is no JSON"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "is of format 3; format 4"),
    "format true": (b'{"nbformat": true, "cells": []}', "is of format True"),
    "format text": (b'{"nbformat": "4", "cells": []}', "is of format '4'"),
    "no cells": (b'{"nbformat": 4}', "has no list of cells"),
    "cells of another kind": (b'{"nbformat": 4, "cells": {"a": 1}}', "has no list of cells"),
    "a cell that is none": (b'{"nbformat": 4, "cells": [7]}', "no kind or no text in its cell 1"),
    "a cell without text": (
        b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}',
        "no kind or no text in its cell 1",
    ),
    "a source of numbers": (
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}',
        "no kind or no text in its cell 1",
    ),
    "of another language": (
        b'{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "julia"}}}',
        "language is 'julia'",
    ),
    "without cells": (b'{"nbformat": 4, "cells": []}', "no `parameters` cell"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_is_no_notebook(tmp_path, name):
    content, words = CONTENTS[name]
    path = tmp_path / "idea.ipynb"
    path.write_bytes(content)
    refused(tmp_path, path, words)


def test_places_that_are_no_notebook(tmp_path):
    refused(tmp_path, tmp_path / "gone.ipynb", "There is no such notebook")
    folder = tmp_path / "folder.ipynb"
    folder.mkdir()
    refused(tmp_path, folder, "This is a folder")
    pipe = tmp_path / "pipe.ipynb"
    os.mkfifo(pipe)
    refused(tmp_path, pipe, "no plain file")
    huge = tmp_path / "huge.ipynb"
    with huge.open("wb") as file:
        file.truncate(NOTEBOOK_BYTES_MAX + 1)
    refused(tmp_path, huge, "bytes; .* are read at most.*nbstripout")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("idea.py", "no notebook by its name"),
        ("idea-Copy1.ipynb", "Rename the notebook, to idea_copy1.ipynb"),
        ("2nd idea.ipynb", "Rename the notebook, to my_2nd_idea.ipynb"),
        ("os.ipynb", "Rename the notebook, to my_os.ipynb"),
        ("numpy.ipynb", "cannot be the name of a module"),
        ("class.ipynb", "cannot be the name of a module"),
        ("idée.ipynb", "cannot be the name of a module"),
        (".ipynb", "no notebook by its name"),
    ],
)
def test_names_that_no_module_can_have(tmp_path, name, words):
    refused(tmp_path, notebook(tmp_path / name, sound()), words)


def test_places_that_cannot_be_written(tmp_path):
    path = notebook(tmp_path, sound())
    out = tmp_path / OUT
    out.write_text("a file")
    refused(tmp_path, path, "is no folder")
    out.unlink()
    out.mkdir()
    (out / "idea.py").write_text("mine = 1\n")
    refused(tmp_path, path, "was not made by an export")
    assert (out / "idea.py").read_text() == "mine = 1\n"
    (out / "idea.py").unlink()
    (out / "idea.py").symlink_to(tmp_path / "elsewhere.py")
    refused(tmp_path, path, "was not made by an export")
    (out / "idea.py").unlink()
    with pytest.raises(hft.HftError, match=r"cannot be written"):
        export(path, "/proc/exported")
    # What an export made, another may replace; what the refused one would have changed stays.
    made = export(path, out)
    text = made.module.read_bytes()
    notebook(tmp_path, sound("import os"))
    refused(tmp_path, path, "may not import 'os'")
    assert made.module.read_bytes() == text
