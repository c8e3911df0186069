"""The lines of a class are those that run now, however often its file was edited and run before."""

import importlib
import linecache
import os
import runpy
import sys

import pytest

IDEA = """import hftlib as hft


@hft.strategy
class Idea:
    count: int = hft.state()

    def on_start(self, ctx):
        self.count = {number}
"""


def said(strategy):
    return strategy._plan.source.text.splitlines()[-1].split()[-1]


def test_a_file_that_was_edited_is_read_anew(tmp_path):
    path = tmp_path / "idea.py"
    digests = set()
    for number in (1, 2, 333, 4):
        path.write_text(IDEA.format(number=number))
        idea = runpy.run_path(str(path))["Idea"]
        assert said(idea) == str(number)
        digests.add(idea().digest)
    assert len(digests) == 4


def test_an_edit_that_neither_time_nor_size_betrays_is_seen(tmp_path):
    path = tmp_path / "idea.py"
    for number in (1, 2):
        path.write_text(IDEA.format(number=number))
        os.utime(path, (1_500_000_000, 1_500_000_000))
        assert said(runpy.run_path(str(path))["Idea"]) == str(number)


def test_a_module_that_is_reloaded_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "idea_reloaded.py"
    path.write_text(IDEA.format(number=1))
    module = importlib.import_module("idea_reloaded")
    assert said(module.Idea) == "1"
    path.write_text(IDEA.format(number=2_222))
    assert said(importlib.reload(module).Idea) == "2222"
    del sys.modules["idea_reloaded"]


@pytest.mark.parametrize("name", ["<ipython-input-7-abc>", "/tmp/ipykernel_1/2.py"])
def test_a_cell_that_is_nowhere_on_disk_keeps_its_lines(name, monkeypatch):
    text = IDEA.format(number=9)
    entry = (len(text), None, text.splitlines(keepends=True), name)
    monkeypatch.setitem(linecache.cache, name, entry)
    for _ in range(2):
        namespace = {"__name__": "cell"}
        exec(compile(text, name, "exec"), namespace)
        assert said(namespace["Idea"]) == "9"
