"""`hft report` as people type it."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import HftError, HostError, InputError, StateError

RUNNER = CliRunner()


def run(*words, code=0):
    done = RUNNER.invoke(app, ["report", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_a_folder_with_page_pdf_and_exports_that_verifies(traded, tmp_path):
    place = tmp_path / "report"
    said = run("day", traded, "-o", place, "--no-parity")
    assert "day.journal" in said and "P&L after fees" in said and "digest of its manifest" in said
    assert (place / "report.pdf").read_bytes().startswith(b"%PDF-")
    told = json.loads((place / "report.json").read_text())
    assert told["sessions"][0]["journal"] == "day.journal"
    said = run("verify", place, "--journal", traded)
    assert "all as it was made" in said
    digest = json.loads(run("verify", place, "--json"))["digest"]
    run("verify", place, "--digest", digest)
    run("verify", place, "--digest", "0" * 64, code=1)
    (place / "report.html").write_text("mine")
    assert "report.html was changed." in run("verify", place, code=1)


def test_json_alone_writes_nothing(traded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = json.loads(run("day", traded, "--json", "--no-parity", "--replay"))
    assert told["sessions"][0]["replay"]["verdict"] == "identical"
    assert told["orders"]["orders"] > 50 and list(tmp_path.iterdir()) == []


def test_several_journals_in_any_order(switched, tmp_path):
    told = json.loads(run("day", *reversed(switched), "--json", "--no-parity"))
    assert [one["journal"] for one in told["sessions"]] == ["blue.journal", "green.journal"]
    assert told["sessions"][1]["took_over_from"].endswith("blue.journal")


def test_what_cannot_be_is_a_sentence(traded, tmp_path):
    with pytest.raises(InputError, match="Nobody would see this report"):
        run("day", traded)
    with pytest.raises(StateError, match="There is something already"):
        run("day", traded, "-o", tmp_path)
    with pytest.raises(InputError, match="There is no journal"):
        run("day", tmp_path / "none", "--json")
    with pytest.raises(HftError):
        run("day", traded, "--json", "--tape", tmp_path / "none.tape")
    with pytest.raises(InputError, match="A tape is for the backtest alone"):
        run("day", traded, "--json", "--tape", tmp_path / "none.tape", "--no-parity")
    with pytest.raises(InputError, match="no report here"):
        run("verify", tmp_path)


def test_another_tape_of_the_same_market_does_as_well(shadowed, tmp_path):
    exported = RUNNER.invoke(
        app, ["journal", "export", str(shadowed), "--tape", str(tmp_path / "day.tape")]
    )
    assert exported.exit_code == 0, exported.output
    told = json.loads(run("day", shadowed, "--json", "--tape", tmp_path / "day.tape"))
    assert told["parity"]["shadow.journal"]["closeness"]


def test_without_weasyprint_it_says_what_to_install(traded, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    with pytest.raises(HostError, match=r"pip install 'hftlib\[report\]'"):
        run("day", traded, "-o", tmp_path / "report", "--no-parity")
    assert list(tmp_path.iterdir()) == [], "nothing half made is left"
    run("day", traded, "-o", tmp_path / "report", "--no-parity", "--no-pdf")
    assert not (tmp_path / "report" / "report.pdf").exists()


def test_a_damaged_one_asks_to_be_asked_for(copied, tmp_path):
    (copied / "chain").write_bytes((copied / "chain").read_bytes()[:-1] + b"\1")
    with pytest.raises(StateError, match="--damaged"):
        run("day", copied, "--json", "--no-parity")
    shutil.rmtree(tmp_path / "report", ignore_errors=True)
    run("day", copied, "-o", tmp_path / "report", "--no-parity", "--damaged", "--no-pdf")
    assert "is damaged" in (tmp_path / "report" / "report.html").read_text()
