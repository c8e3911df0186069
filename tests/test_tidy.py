"""The style of the house, as far as a machine can check it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hftlib.core.jit import cache

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for d in ("hftlib", "pipelines", "docs") for p in (ROOT / d).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LINES_MAX = 300
FUNCTION_LINES_MAX = 70


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def run_tool(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_a_source_file_is_one_idea_long(path):
    assert len(path.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_a_function_fits_on_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < FUNCTION_LINES_MAX, node.name


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=_id)
def test_a_module_says_what_it_is(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "every module begins with a docstring"


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_numba_is_named_behind_its_door_only(path):
    if "hftlib/core/jit/" in str(path):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] != "numba"


@pytest.mark.parametrize("place", cache._PLAIN)
def test_no_compiled_code_comes_from_where_an_edit_compiles_nothing(place):
    for path in (ROOT / "hftlib" / place).rglob("*.py"):
        names = {node.module for node in ast.walk(ast.parse(path.read_text())) if _is_from(node)}
        assert not any("jit" in name.split(".") for name in names), path


def _is_from(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module is not None


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_no_unfinished_marks(path):
    found = re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", path.read_text())
    assert not found


def test_no_page_has_marks_of_a_merge():
    for path in [*SOURCES, *TESTS, *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        found = re.search(r"^(<{7} .*|={7}|>{7} .*)$", path.read_text(), re.MULTILINE)
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"


def test_every_test_module_mirrors_the_module_it_tests():
    """tests/core/test_arena_shared.py is about hftlib/core/arena.py: more than one may be."""
    for path in TESTS:
        relative = path.relative_to(ROOT / "tests")
        if path.name.startswith("test_") and len(relative.parts) > 1:
            room = ROOT / "hftlib" / relative.parent
            modules = {module.stem for module in room.iterdir()}
            words = path.stem.removeprefix("test_").split("_")
            names = {"_".join(words[:count]) for count in range(1, len(words) + 1)}
            assert names & modules, f"{relative} tests no module of {room}"


def test_no_two_modules_of_tests_are_imported_by_one_name():
    def name(path):
        inside = (one for one in path.parents if (one / "__init__.py").exists())
        return ".".join([*reversed([one.name for one in inside]), path.stem])

    names = [name(one) for one in TESTS if one.name.startswith("test_")]
    assert not [one for one in set(names) if names.count(one) > 1], "pytest refuses the second"


def test_ruff_finds_nothing():
    run_tool("ruff", "check", ".")
    run_tool("ruff", "format", "--check", ".")


def test_mypy_finds_nothing():
    run_tool("mypy")


def test_imports_point_one_way():
    # As its own command: `-m importlinter.cli` runs nothing, and is content with everything.
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_notebooks_are_kept_without_their_outputs():
    notebooks = [str(path) for path in sorted((ROOT / "notebooks").rglob("*.ipynb"))]
    run_tool("nbstripout", "--verify", *notebooks)
