"""`hft alerts` as a person types it: what it shows, and one sentence for what cannot be."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from paper_day import PROGRAM

from hftlib.ops.alerts.board import Board


def hft(folder, *words):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "alerts", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_file_it_looks_by_default_rules_and_ends_as_told(tmp_path):
    done = hft(tmp_path, "--seconds", "0.6", "--runner", f"r={tmp_path}/none.socket")
    assert done.returncode == 0, done.stderr
    assert "rules; told is nobody but you: set HFT_ALERTS_URLS" in done.stdout
    assert hft(tmp_path, "show").stdout == "No alert is open.\n"
    told = hft(tmp_path, "check").stdout
    assert "critical  runner-gone: runner_gone" in told and "warning   disk-low: disk" in told


def test_what_is_open_is_shown_and_acknowledged(tmp_path):
    one = {
        "id": "A1", "rule": "halted", "severity": "critical", "runner": "maker", "key": "firm",
        "said": "firm is [bold]halted", "value": "x", "since_ns": 5, "state": "firing", "by": "",
        "why": "",
    }  # fmt: skip
    with Board(tmp_path / "alerts").held() as board:
        board["alerts"].append(one)
    shown = hft(tmp_path, "show").stdout
    assert "halted of maker: firm is [bold]halted" in shown and "1970-01-01 00:00:00" in shown
    done = hft(tmp_path, "acknowledge", "A1", "--why", "on it", "--who", "ann")
    assert done.stdout == "A1 is yours: halted: firm is [bold]halted\n"
    assert "(ann: on it)" in hft(tmp_path, "show").stdout
    told = json.loads(
        hft(tmp_path, "mute", "halted", "--until", "2h", "--why", "x", "--json").stdout
    )
    assert told["rule"] == "halted"
    assert "halted is muted until" in hft(tmp_path, "show").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("none.toml",), 2, "These are no rules: No such file"),
        (("--runner", "x"), 2, "'x' names no runner"),
        (("acknowledge", "A9", "--why", "x"), 2, "There is no alert 'A9'"),
        (("mute", "halted", "--until", "soon", "--why", "x"), 2, "--until"),
        (("show", "--folder", "file/x"), 4, "Alerts cannot lie there: Not a directory"),
        (("--seconds", "-1"), 2, "Invalid value"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, words, code, said):
    (tmp_path / "file").touch()
    done = hft(tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
