"""A runner's status and ladder in a kernel: what its page says, and no thread left behind."""

from __future__ import annotations

import json

import pytest

import hftlib as hft
from hftlib.core.errors import HftError, InputError
from hftlib.lab import watching
from hftlib.ops.page_reading import PageReader, page_path

THREADS = "import threading\nprint([t.name for t in threading.enumerate() if 'hft ' in t.name])"


def test_what_is_shown_is_what_the_page_says(kernel, paper):
    told = kernel.run(f"w = hft.watch({str(paper.socket)!r})\nw", cell="one")
    assert not told.error
    assert "application/vnd.jupyter.widget-view+json" in told.kinds
    assert "QueueImbalance: paper" in told.html  # for a page without a kernel
    assert "hft watch" in kernel.run(THREADS).text
    with PageReader(page_path(paper.socket)) as reader:
        before = reader.status()
    shown = kernel.run("import json, time; time.sleep(1)\nprint(json.dumps(w.widget.shown))").text
    with PageReader(page_path(paper.socket)) as reader:
        after = reader.status()
    status = json.loads(shown)["positions"]["status"]
    assert status["pid"] == before["pid"] == paper.runner.pid
    assert status["scopes"] == after["scopes"]
    for name in ("events", "commands", "reports"):
        assert before["counts"][name] <= status["counts"][name] <= after["counts"][name]


def test_a_cell_that_runs_again_leaves_no_thread_of_its_former_self(kernel, paper):
    for _ in range(3):
        assert not kernel.run(f"w = hft.watch({str(paper.socket)!r})\nw", cell="one").error
    assert kernel.run(THREADS).text.count("hft watch") == 1
    kernel.run("print('another picture')", cell="one")
    assert kernel.run(THREADS).text.count("hft watch") == 0


def test_stop_and_unload_end_the_thread(kernel, paper):
    kernel.run(f"w = hft.watch({str(paper.socket)!r})\nw", cell="two")
    told = kernel.run("w.stop()\nprint(w.is_looking, w)")
    assert told.text == "False <watch: still>\n"
    assert "Stopped: run the cell again" in told.html
    kernel.run(f"w = hft.watch({str(paper.socket)!r})\nw", cell="two")
    kernel.run("%unload_ext hftlib")
    assert "hft watch" not in kernel.run(THREADS).text
    kernel.run("%load_ext hftlib")


def test_a_view_that_closes_ends_the_thread_and_one_that_opens_begins_it(kernel, paper):
    kernel.run(f"w = hft.watch({str(paper.socket)!r})\nw", cell="three")

    def said(what):
        data = {"method": "custom", "content": {"hft": what, "view": "v1"}}
        model = kernel.run("print(w.widget.model_id)").text.strip()
        message = kernel.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        kernel.client.shell_channel.send(message)
        return kernel.run("print(w.is_looking)").text

    assert said("here") == "True\n"
    assert said("gone") == "False\n"
    assert said("here") == "True\n"
    kernel.run("w.stop()")
    assert said("here") == "False\n"  # who stops it means it


def test_no_runner_is_a_line_and_looking_goes_on(kernel, tmp_path):
    told = kernel.run(f"w = hft.watch({str(tmp_path / 'none.sock')!r})\nw", cell="four")
    assert not told.error
    assert "No runner listens there" in told.html
    assert kernel.run("w.is_looking").error == ""
    kernel.run("w.stop()")


def test_the_ladder_is_one_of_those_that_the_page_tells(paper):
    status = watching.runner_told(paper.socket)["status"]
    if "ladders" not in status:
        with pytest.raises(HftError, match="does not tell its ladders"):
            watching._ladder_of(status, "AAA", None)
        return
    found = watching._ladder_of(status, "AAA", None)
    assert found in status["ladders"]
    with pytest.raises(InputError, match="no ZZZ on its page"):
        watching._ladder_of(status, "ZZZ", None)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: hft.watch(3), "3 is no socket"),
        (lambda: hft.watch(pieces="runner"), "no pieces"),
        (lambda: hft.watch(pieces=()), "no pieces"),
        (lambda: hft.watch(pieces=("runner", "rollout")), "no pieces"),
        (lambda: hft.ladder(""), "no symbol"),
        (lambda: hft.ladder("AAA", 3), "3 is no socket"),
        (lambda: hft.ladder("AAA", levels=11), "levels"),
    ],
)
def test_what_cannot_be_watched_is_a_sentence(asked, said):
    with pytest.raises(InputError, match=said):
        asked()


def test_looks_are_two_or_three_a_second(kernel, paper):
    kernel.run(f"w = hft.watch({str(paper.socket)!r})\nw", cell="five")
    count = "seen = []\nw.widget.observe(lambda change: seen.append(1), 'shown')"
    kernel.run(f"{count}\nimport time; time.sleep(2)\nw.stop()")
    assert 1 <= int(kernel.run("print(len(seen))").text) <= 8
