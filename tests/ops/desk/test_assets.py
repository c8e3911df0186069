"""The page's files: in the package, none that leads out of it, small, nothing from the net."""

from __future__ import annotations

import re

import pytest

from hftlib.core.errors import InputError
from hftlib.ops.desk import assets

FILES = sorted(one for one in assets.PAGE.rglob("*") if one.suffix in assets.TYPES)


def test_each_piece_has_a_module_of_its_own():
    assert {f"{name}.js" for name in assets.PIECES} <= {one.name for one in FILES}
    for name in assets.PIECES:
        assert assets.path(name) == assets.path(f"pieces/{name}.js")
        assert "export function mount(root" in assets.text(name)
    assert assets.kind("pieces/pieces.css") == "text/css; charset=utf-8"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../assets.py", "pieces", "a\0b", "none.js"])
def test_what_is_no_file_of_the_page_is_a_sentence(name):
    with pytest.raises(InputError, match="The page has no file"):
        assets.path(name)


@pytest.mark.parametrize("path", FILES, ids=lambda one: one.name)
def test_a_file_is_small_and_needs_nothing_from_elsewhere(path):
    text = path.read_text()
    lines = text.splitlines()
    assert len(lines) <= 300
    assert not [n for n, line in enumerate(lines, 1) if len(line) > 100]
    if path.suffix == ".js":
        assert lines[0].startswith("// "), "a module says what it is"
        for named in re.findall(r'\bfrom "([^"]+)"', text):
            assert named.startswith("./") and (path.parent / named).is_file(), named
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    else:
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)
