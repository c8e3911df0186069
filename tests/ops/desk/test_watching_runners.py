"""What a watch sees: a runner's page, its socket, one that comes later, and one that is gone."""

from __future__ import annotations

import json
import math

import pytest
from floor_trial import trade

from hftlib.core.errors import InputError
from hftlib.ops.desk.discovering import named_sockets
from hftlib.ops.desk.journal_search import ROWS_MAX, Wanted, searched
from hftlib.ops.desk.watching import Watch, compact
from hftlib.ops.page import Page
from hftlib.ops.page_reading import page_path


def test_a_runner_is_seen_by_its_page_and_its_end_is_told(trial, floor, tmp_path):
    path = tmp_path / "runner.socket"
    watch = Watch({"maker": path}, every_s=0.05)
    (before,) = watch.state()["runners"]
    assert (before["by"], before["status"]) == ("nothing", None) and before["worries"]
    page = Page(trial.runner, page_path(path))
    trade(floor, 20)
    (seen,) = watch.state()["runners"]
    assert seen["by"] == "page" and seen["status"]["counts"]["frames"] > 0
    watch.start()
    version, text = watch.latest()
    assert json.loads(text)["runners"][0]["name"] == "maker" and version == 1
    watch.close()
    page.remove()
    (after,) = watch.state()["runners"]
    assert (after["by"], after["status"]) == ("nothing", None)
    watch.close()


def test_without_a_page_its_socket_is_asked(trial, floor, socket_of):
    import threading

    path, found = socket_of(trial), []
    watch = Watch([path])
    thread = threading.Thread(target=lambda: found.append(watch.state()))
    thread.start()
    floor.until(lambda: not thread.is_alive(), 20)
    (seen,) = found[0]["runners"]
    assert (seen["name"], seen["by"]) == ("runner", "socket")
    assert seen["status"]["positions"]


def test_runners_are_found_as_they_come(tmp_path, monkeypatch):
    import os
    import socket

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    watch = Watch()
    assert watch.state()["runners"] == []
    (tmp_path / "hftlib").mkdir(0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(tmp_path / "hftlib" / f"runner-{os.getpid()}.socket"))
        (tmp_path / "hftlib" / "runner-4194305.socket").touch()
        (tmp_path / "hftlib" / "runner-x.socket").touch()
        (only,) = watch.state()["runners"]
    assert only["name"] == f"runner-{os.getpid()}" and only["by"] == "nothing"


def test_a_number_that_is_none_is_null():
    told = {"a": [math.nan, {"b": math.inf}], "c": 1.5}
    assert json.loads(compact(told)) == {"a": [None, {"b": None}], "c": 1.5}


@pytest.mark.parametrize(
    "given", [["=x"], ["a="], [""], ["a b=x"], ["a=x", "a=y"], [f"r{n}=x" for n in range(33)]]
)
def test_what_names_no_runner_is_refused(given):
    with pytest.raises(InputError):
        named_sockets(given)


def test_a_search_finds_what_is_newest_in_a_journal_that_is_written(trial, floor):
    trade(floor, 40)
    found = searched(trial.folder, Wanted(kind="DATAGRAM", limit=5).checked())
    numbers = [one["sequence"] for one in found["rows"]]
    assert len(numbers) == 5 and numbers == sorted(numbers) and found["is_cut"]
    (first,) = searched(trial.folder, Wanted(kind="OPENED").checked())["rows"]
    assert first["sequence"] == 1 and '"feeds"' in first["text"]
    more = searched(trial.folder, Wanted(kind="DATAGRAM", since=str(numbers[0]), limit=3).checked())
    assert [one["sequence"] for one in more["rows"]] == numbers[:3]
    from hftlib.core.times import to_text

    last = found["rows"][-1]
    wanted = Wanted(kind="DATAGRAM", since=to_text(last["time_ns"]), limit=1)
    assert searched(trial.folder, wanted.checked())["rows"][0]["sequence"] == numbers[-1]
    orders = searched(trial.folder, Wanted(kind="session_out", text="ENTER", limit=500).checked())
    assert all("enter" in one["text"].casefold() for one in orders["rows"])
    nothing = searched(trial.folder, Wanted(text="nobody ever said this").checked())
    assert nothing["rows"] == [] and nothing["seen"] > 40


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "NOTHING"},
        {"limit": 0},
        {"limit": ROWS_MAX + 1},
        {"text": "x" * 101},
        {"text": "a\x00"},
        {"since": "yesterday"},
        {"since": "9" * 30},
    ],
)
def test_what_cannot_be_looked_for_is_refused(given):
    with pytest.raises(InputError):
        Wanted(**given).checked()
