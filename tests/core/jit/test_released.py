"""A process that is served a release's code: from it alone, in whatever place the sources lie."""

from .fresh import ROOT, run

IDEA = """
from hftlib.core import jit

STEP = 3


@jit.compiled("int64(int64)")
def there(x):
    return x + STEP


@jit.compiled("int64(int64)")
def lacking(x):
    return x * STEP


@jit.compiled()
def without(x):
    return x - STEP
"""
MADE = """
import json, pathlib, idea
from hftlib.core.jit.released import noted
with noted() as objects:
    assert idea.there(4) == 7
idea.lacking(2)
for name, code in objects.items():
    code.save(pathlib.Path("kept") / name)
print(json.dumps(sorted(objects)))
"""
SERVED = """
import json, pathlib, idea
from hftlib.core.errors import CompileError
from hftlib.core.jit.released import is_served, serve
from hftlib.core.object_code import read
said = []
serve({path.name: read(path) for path in pathlib.Path("kept").glob("*.o")})
for call in (idea.there, idea.lacking, idea.without):
    try:
        said.append(call(4))
    except CompileError as error:
        said.append(error.what + " " + error.where)
print(json.dumps([is_served(), *said]))
"""


def places(folder, text=IDEA):
    (folder / "kept").mkdir(parents=True, exist_ok=True)
    (folder / "idea.py").write_text(text)
    return folder, ROOT


def test_what_was_loaded_in_one_place_is_found_in_another_and_nothing_is_compiled(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    cache = {"HFT_CACHE_DIR": tmp_path / "cache"}
    (name,) = run(MADE, *places(one), **cache)
    assert name.startswith("idea_there.")
    places(other)
    for file in (one / "kept").iterdir():
        file.rename(other / "kept" / file.name)
    bare = {"HFT_CACHE_DIR": tmp_path / "bare"}
    served, there, lacking, without = run(SERVED, *places(other), **bare)
    assert served and there == 7
    assert "holds no code of this function" in lacking and "idea.lacking" in lacking
    assert "Something asked for a compilation" in without and "idea.without" in without
    assert not list((tmp_path / "bare").rglob("*.o"))
    changed = IDEA.replace("STEP = 3", "STEP = 4")
    _, there, *_ = run(SERVED, *places(other, changed), **bare)
    assert "holds no code of this function as it is here" in there


def test_a_process_that_is_set_to_run_uncompiled_is_not_served(tmp_path):
    code = """
import json
from hftlib.core.errors import StateError
from hftlib.core.jit.released import serve
try:
    serve({})
except StateError as error:
    print(json.dumps(error.what))
"""
    for setting in ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"):
        assert "uncompiled, or with bounds checks" in run(code, ROOT, **{setting: 1})
