"""Kept machine code is never stale, never somebody else's, and never grows without bound."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from numba.core import config

from hftlib.core import jit
from hftlib.core.errors import HostError
from hftlib.core.jit import cache
from hftlib.core.jit.cache import KEPT_MAX

from .fresh import ROOT, answer, run, start

NOBODY = 65534
AS_ROOT = os.geteuid() == 0

# All ways in which one file's machine code depends on another file or on the environment.
USER_FILES = {
    "leaf.py": "from hftlib.core import jit\n@jit.compiled()\ndef leaf(x):\n    return x * 10\n",
    "numbers_of.py": "FACTOR = 10\n",
    "layouts.py": (
        "import numpy as np\n"
        "from hftlib.core import jit\n"
        "at = jit.record_at(np.dtype({'names': ['a', 'b'], 'formats': ['i8', 'i8'], "
        "'offsets': [0, 10], 'itemsize': 32}))\n"
    ),
    "by_leaf.py": (
        "from hftlib.core import jit\n"
        "@jit.compiled('int64(int64)')\ndef entry(x):\n    return leaf(x)\n"
        "from leaf import leaf\n"
    ),
    "by_number.py": (
        "from hftlib.core import jit\nfrom numbers_of import FACTOR\n"
        "@jit.compiled('int64(int64)')\ndef entry(x):\n    return x * FACTOR\n"
    ),
    "by_module.py": (
        "import leaf, numbers_of\nfrom hftlib.core import jit\n"
        "@jit.callback('int64(int64)')\n"
        "def strategy(x):\n    return leaf.leaf(x) + numbers_of.FACTOR\n"
        "def entry(x):\n    return jit.caller('int64(int64)')(strategy.address, x)\n"
    ),
    "by_layout.py": (
        "from hftlib.core import jit\nfrom layouts import at\n"
        "@jit.compiled('int64(int64)')\ndef entry(x):\n    return at(x).b\n"
    ),
    "by_setting.py": (
        "import os\nfrom hftlib.core import jit\nSETTING = int(os.environ['SETTING'])\n"
        "@jit.compiled('int64(int64)')\ndef entry(x):\n    return x * SETTING\n"
    ),
    "settings.py": "import os\nSETTING = int(os.environ['SETTING'])\n",
    "by_distant_setting.py": (
        "import settings\nfrom hftlib.core import jit\n"
        "@jit.compiled('int64(int64)')\ndef entry(x):\n    return x * settings.SETTING\n"
    ),
    "lowered.py": (
        "from llvmlite import ir\nfrom hftlib.core import jit\n"
        "def meant(x):\n    return x\n"
        "@jit.lowers(meant, 'int64(int64)')\n"
        "def build(context, builder, x):\n    return builder.mul(x, ir.Constant(x.type, 10))\n"
    ),
    "by_lowered.py": (
        "from lowered import meant\nfrom hftlib.core import jit\n"
        "@jit.compiled('int64(int64)')\ndef entry(x):\n    return meant(x)\n"
    ),
}
USER_STORY = """
import json, numpy as np
import by_leaf, by_number, by_module, by_layout, by_lowered, by_setting, by_distant_setting
from hftlib.core import jit
memory = np.zeros(32, np.uint8)
memory[10], memory[20] = 10, 20
from_cache = {w.name: w.from_cache for w in jit.warm()}
print(json.dumps([by_leaf.entry(1), by_number.entry(1), by_module.entry(1),
    by_layout.entry(memory.ctypes.data), by_lowered.entry(1), by_setting.entry(1),
    by_distant_setting.entry(1), [name for name, kept in from_cache.items() if kept]]))
"""


def edit(path: Path, old: str, new: str) -> None:
    """An edit that neither the size nor the time of the file betrays."""
    before, text = path.stat(), path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def written_out(places: dict[str, str], directory: Path) -> None:
    for name, text in places.items():
        (directory / name).write_text(text)


def test_an_edited_file_of_hftlib_is_never_run_in_its_old_form(tmp_path):
    shutil.copytree(ROOT / "hftlib", tmp_path / "hftlib")
    room = tmp_path / "hftlib" / "core"
    for name in ("leaf", "by_leaf", "lowered", "by_lowered"):
        text = USER_FILES[f"{name}.py"].replace("from leaf", "from hftlib.core.zz_leaf")
        (room / f"zz_{name}.py").write_text(text.replace("from lowered", "from .zz_lowered"))
    story = """
import json
from hftlib.core import jit, zz_by_leaf, zz_by_lowered
kept = [w.from_cache for w in jit.warm() if "zz" in w.name]
print(json.dumps([zz_by_leaf.entry(7), zz_by_lowered.entry(7), kept]))
"""
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    assert run(story, tmp_path, **settings) == [70, 70, [False, False]]
    assert run(story, tmp_path, **settings) == [70, 70, [True, True]]
    edit(room / "zz_leaf.py", "* 10", "* 33")
    edit(room / "zz_lowered.py", ", 10", ", 22")
    assert run(story, tmp_path, **settings) == [231, 154, [False, False]]


ENTRIES = [
    *("by_leaf.entry", "by_number.entry", "by_module.strategy", "by_layout.entry"),
    *("by_lowered.entry", "by_setting.entry", "by_distant_setting.entry"),
]


def test_an_edited_file_of_the_user_is_never_run_in_its_old_form(tmp_path):
    written_out(USER_FILES, tmp_path)
    places = (tmp_path, ROOT)
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    assert run(USER_STORY, *places, SETTING=3, **settings) == [10, 10, 20, 10, 10, 3, 3, []]
    assert run(USER_STORY, *places, SETTING=3, **settings) == [10, 10, 20, 10, 10, 3, 3, ENTRIES]
    edit(tmp_path / "leaf.py", "* 10", "* 77")
    edit(tmp_path / "numbers_of.py", "= 10", "= 55")
    edit(tmp_path / "layouts.py", "[0, 10]", "[0, 20]")
    edit(tmp_path / "lowered.py", ", 10", ", 22")
    assert run(USER_STORY, *places, SETTING=4, **settings) == [77, 55, 132, 20, 22, 4, 4, []]


def test_code_loaded_before_an_edit_is_not_kept_as_if_it_were_loaded_after(tmp_path):
    """A notebook: one module is imported, edited, and only then called by another one."""
    written_out(USER_FILES, tmp_path)
    story = """
import json, pathlib
import leaf
file = pathlib.Path(leaf.__file__)
file.write_text(file.read_text().replace("* 10", "* 99"))
import by_leaf
print(json.dumps(by_leaf.entry(1)))
"""
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    assert run(story, tmp_path, ROOT, **settings) == 10
    assert run(story, tmp_path, ROOT, **settings) == 99


def test_files_cut_short_are_compiled_anew(tmp_path):
    written_out({name: USER_FILES[name] for name in ("leaf.py", "by_leaf.py")}, tmp_path)
    story = "import json, by_leaf; print(json.dumps(by_leaf.entry(4)))"
    settings = {"HFT_CACHE_DIR": tmp_path / "cache"}
    assert run(story, tmp_path, ROOT, **settings) == 40
    files = sorted(file for file in (tmp_path / "cache").rglob("*") if file.is_file())
    assert [file.suffix for file in files].count(".o") == 1
    assert len(files) == 4
    for number, file in enumerate(files):
        file.write_bytes(file.read_bytes()[: 100 * (number % 2)])
    assert run(story, tmp_path, ROOT, **settings) == 40


def test_two_processes_may_compile_the_same_at_once(tmp_path):
    written_out(USER_FILES, tmp_path)
    settings = {"HFT_CACHE_DIR": tmp_path / "cache", "SETTING": 3}
    first, second = (start(USER_STORY, tmp_path, ROOT, **settings) for _ in range(2))
    for process in (first, second):
        assert answer(process)[:-1] == [10, 10, 20, 10, 10, 3, 3]
    assert run(USER_STORY, tmp_path, ROOT, **settings)[-1] == ENTRIES


def test_settings_that_change_machine_code_change_the_directory(monkeypatch):
    monkeypatch.setattr(cache, "_package_digest", cache._package_digest.__wrapped__)
    digest = cache.source_digest
    plain = digest()
    assert digest() == plain
    for name, value in (("OPT", 1), ("BOUNDSCHECK", 7), ("CPU_NAME", "generic")):
        with monkeypatch.context() as changed:
            changed.setattr(config, name, value)
            assert digest() != plain, name
    for name in ("NUMBA_NUM_THREADS", "CACHE_DIR", "DEBUG_CACHE"):
        with monkeypatch.context() as changed:
            changed.setattr(config, name, 3)
            assert digest() == plain, name


def here() -> None:
    """A function in a file, to ask for its directory."""


def directory_for(monkeypatch: Any, root: Path) -> Path | None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(root))
    return jit.cache_directory(here)


def test_the_directory_is_private_and_where_the_environment_says(monkeypatch, tmp_path):
    chosen = directory_for(monkeypatch, tmp_path / "a" / "b")
    assert chosen is not None
    assert chosen.parent == tmp_path / "a" / "b"
    assert {place.stat().st_mode & 0o777 for place in (chosen, chosen.parent)} == {0o700}
    monkeypatch.delenv("HFT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert jit.cache_directory(here) == tmp_path / "xdg" / "hftlib" / chosen.name
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert jit.cache_directory(here) == tmp_path / "home" / ".cache" / "hftlib" / chosen.name
    monkeypatch.chdir(tmp_path)
    assert directory_for(monkeypatch, Path("beside")) == tmp_path / "beside" / chosen.name


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
def test_a_directory_that_others_can_write_is_refused(monkeypatch, tmp_path, mode):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    (tmp_path / "link").symlink_to(shared)
    for place in (shared, tmp_path / "link"):
        with pytest.raises(HostError, match=r"written by somebody else.*chmod go-w"):
            directory_for(monkeypatch, place)
    assert not list(shared.iterdir())
    shared.chmod(0o750)
    inner = directory_for(monkeypatch, shared)
    assert inner is not None
    assert inner.parent == shared


def test_a_link_is_followed_once_and_for_all(monkeypatch, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real").mkdir(mode=0o700)
    chosen = directory_for(monkeypatch, tmp_path / "link")
    assert chosen is not None
    assert chosen.parent == tmp_path / "real"


@pytest.mark.skipif(not AS_ROOT, reason="only root can make a directory somebody else's")
def test_a_directory_of_somebody_else_is_refused(monkeypatch, tmp_path):
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    with pytest.raises(HostError, match="written by somebody else"):
        directory_for(monkeypatch, tmp_path / "theirs")


def test_a_directory_that_cannot_be_made_or_written_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/hftlib")):
        with pytest.raises(HostError, match=r"cannot be made: .*Set HFT_CACHE_DIR"):
            directory_for(monkeypatch, place)
    directory_for(monkeypatch, tmp_path / "good")  # nobody may be unable to read the sources
    with tempfile.TemporaryDirectory() as outside:
        for place, mode in ((Path(outside) / "barred", 0o500), (Path(outside) / "open", 0o700)):
            place.mkdir()
            place.chmod(mode)
        Path(outside).chmod(0o755)
        if AS_ROOT:
            for place in (Path(outside), *Path(outside).iterdir()):
                os.chown(place, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            with pytest.raises(HostError, match=r"cannot be written.*Set HFT_CACHE_DIR"):
                directory_for(monkeypatch, Path(outside) / "barred")
            made = directory_for(monkeypatch, Path(outside) / "open")
        finally:
            if AS_ROOT:
                os.seteuid(0)
        assert made is not None
        assert made.is_dir()


def test_the_longest_unused_directories_are_forgotten_and_nothing_else(monkeypatch, tmp_path):
    root = tmp_path / "root"
    ours = [root / f"{number:024x}" for number in range(KEPT_MAX + 8)]
    foreign = [root / name for name in ("photos", "0" * 23, "A" * 24, "b" * 24 + ".txt")]
    for age, place in enumerate([*foreign, *ours]):
        place.mkdir(parents=True)
        (place / "content").write_text("of some size")
        # The last ones claim to be from the future: a clock was wrong once.
        os.utime(place, (2**31 - 1 if age > KEPT_MAX else 1000 + age,) * 2)
    root.chmod(0o700)
    (root / ("c" * 24)).symlink_to(tmp_path)
    chosen = directory_for(monkeypatch, root)
    assert chosen is not None
    assert chosen.is_dir()
    kept = {place for place in ours if place.exists()}
    assert kept <= {*ours[-KEPT_MAX:]}
    assert KEPT_MAX - 2 <= len(kept) < KEPT_MAX
    assert all((place / "content").exists() for place in foreign)
    assert tmp_path.exists()


def test_a_function_without_a_file_or_a_module_is_not_kept():
    exec("def cell():\n    return 1\n", found := {"__name__": "__main__"})
    exec(compile("def cell():\n    return 1\n", __file__, "exec"), other := {"__name__": "gone"})
    assert jit.cache_directory(found["cell"]) is None
    assert jit.cache_directory(other["cell"]) is None
