"""`hft audit`: real commands over a real log, each with its sentence and its exit code."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from hftlib.core.audit import AuditLog, read_audit

PROGRAM = "from hftlib.cli import main; main()"


def hft(*words, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "audit", *map(str, words)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "audit.log"
    with AuditLog(path) as made:
        made.append(who="ann", did="act", what="halt firm", why="odd [bold]fills[/]", where="here")
        made.append(who="=HYPERLINK(1)", did="login", what="", why="-1+2", outcome="refused")
        made.append(who="ann", did="look", what="journal", rows=7)
    return path


def test_show_says_what_was_done_and_by_whom(log):
    done = hft("show", log)
    assert done.returncode == 0 and "odd [bold]fills[/]" in done.stdout
    assert "where here" in done.stdout and "rows 7" in done.stdout
    found = json.loads(hft("show", log, "--who", "ann", "-n", "1", "--json").stdout)
    assert [one["what"] for one in found] == ["journal"]
    # Without a file it is that of the user.
    again = json.loads(hft("show", "--did", "act", "--json", HFT_AUDIT=str(log)).stdout)
    assert [one["number"] for one in again] == [1]


def test_verify_gives_a_head_that_finds_what_was_cut_off(log):
    found = json.loads(hft("verify", log, "--json").stdout)
    assert (found["lines"], found["head"]) == (3, read_audit(log)[-1].digest)
    assert hft("verify", log, "--head", found["head"]).returncode == 0
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:2]))
    done = hft("verify", log, "--head", found["head"])
    assert done.returncode == 3 and "cut off" in done.stderr
    log.write_bytes(b"".join([lines[0], lines[2]]))
    done = hft("verify", log)
    assert done.returncode == 2 and "line 2" in done.stderr


def test_export_is_the_same_lines_and_no_formula(log, tmp_path):
    assert hft("export", log, "--to", tmp_path / "a.csv").returncode == 0
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["who"] for row in rows] == ["ann", "'=HYPERLINK(1)", "ann"]
    assert rows[1]["why"] == "'-1+2" and json.loads(rows[0]["facts"]) == {"where": "here"}
    assert hft("export", log, "--to", tmp_path / "a.jsonl", "--did", "look").returncode == 0
    (only,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert only["what"] == "journal" and only["digest"] == read_audit(log)[2].digest


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("export", "LOG", "--to", "a.xlsx"), 2),
        (("export", "LOG", "--to", "nowhere/a.csv"), 4),
        (("verify", "none.log"), 4),
        (("verify", "LOG", "--head", "xyz"), 2),
        (("show", "."), 2),
    ],
)
def test_what_cannot_be_is_a_sentence(log, tmp_path, words, code):
    done = hft(*(str(log) if word == "LOG" else word for word in words))
    assert done.returncode == code
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_half_an_export_is_none(log, tmp_path):
    log.write_bytes(log.read_bytes()[:-5])
    done = hft("export", log, "--to", tmp_path / "a.csv")
    assert done.returncode == 3 and "hft audit mend" in done.stderr
    assert not list(tmp_path.glob("a.csv*"))
    assert "kept in" in hft("mend", log).stdout
    assert hft("export", log, "--to", tmp_path / "a.csv").returncode == 0
