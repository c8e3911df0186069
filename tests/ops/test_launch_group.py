"""Runners of a group: all of them begin with one release, or none does."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from hftlib.core.errors import HftError
from hftlib.ops.launch_group import in_group

ONE, OTHER = "a" * 64, "b" * 64
RUNNER = """
import sys
from hftlib.core.errors import HftError, StateError
from hftlib.ops.launch_group import in_group
try:
    with in_group(sys.argv[1], 20.0) as group:
        if sys.argv[2] == "altered":
            raise StateError("strategy/maker.py is not what was signed", where="it", do="No.")
        if sys.argv[2] == "killed":
            sys.stdin.read()
        group.agree(sys.argv[2])
    print("begins")
except HftError as error:
    print(error.what)
"""


def runner(group, says):
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, group, says],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(made):
    return [one.communicate(timeout=60)[0].strip() for one in made]


def test_three_that_run_the_same_release_begin(tmp_path):
    assert ended([runner(f"3@{tmp_path}/g", ONE) for _ in range(3)]) == ["begins"] * 3


def test_one_altered_byte_on_one_of_them_and_none_trades(tmp_path):
    says = (ONE, "altered", ONE)
    first, altered, third = ended([runner(f"3@{tmp_path}/g", one) for one in says])
    assert altered == "strategy/maker.py is not what was signed"
    for told in (first, third):
        assert "of the group refused: strategy/maker.py is not what was signed" in told


def test_one_with_another_release_and_none_trades(tmp_path):
    told = ended([runner(f"3@{tmp_path}/g", one) for one in (ONE, ONE, OTHER)])
    assert "begins" not in told and any("another release" in one for one in told)


def test_one_that_does_not_come_is_not_waited_for_without_end(tmp_path):
    def refused(group, patience_s=0.2):
        with pytest.raises(HftError) as caught, in_group(group, patience_s) as made:
            made.agree(ONE)
        return str(caught.value)

    began = time.monotonic()
    assert "1 of 2 runners of the group are there" in refused(f"2@{tmp_path}/g")
    assert time.monotonic() - began < 20
    with pytest.raises(KeyboardInterrupt), in_group(f"2@{tmp_path}/k", 5.0):
        raise KeyboardInterrupt
    (tmp_path / "k" / "another").write_text('{"digest": "' + ONE + '"}')
    assert "have been here" in refused(f"2@{tmp_path}/k")
    for number, text in enumerate(("", "[]", '{"digest": 1}', "[" * 9_999, '{"peg": "a"}')):
        folder = tmp_path / f"bad{number}"
        folder.mkdir()
        (folder / "other").write_text(text)
        assert "damaged" in refused(f"2@{folder}")


def test_what_is_no_group_is_refused(tmp_path):
    for given in ("3", "0@x", "65@x", "@x", "3@", "x@y", "-1@y", f"1e1@{tmp_path}"):
        with pytest.raises(HftError, match="is no group"), in_group(given):
            pass
    with in_group("") as group:
        assert group is None
    (tmp_path / "file").touch()
    with pytest.raises(HftError, match="cannot be used"), in_group(f"1@{tmp_path}/file"):
        pass


def test_who_is_killed_is_not_there(tmp_path):
    killed = runner(f"2@{tmp_path}/g", "killed")
    while not (tmp_path / "g").is_dir():
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    with pytest.raises(HftError, match="1 of 2"), in_group(f"2@{tmp_path}/g", 0.3) as group:
        group.agree(ONE)
    assert os.listdir(tmp_path / "g")
