"""`hft promote` as it is typed: exit codes for CI, JSON, where the report is."""

import json

import pytest
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import InputError
from tests.promote.small_gates import FAIL, PASS, desk

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def plan(place, tmp_path_factory):
    return desk(tmp_path_factory.mktemp("desk"), **{"01_good": PASS, "02_bad": FAIL})


def typed(plan, *words):
    given = ["promote", str(plan.parent / "idle.py"), "--plan", str(plan), *words]
    return RUNNER.invoke(app, [*given, "-o", str(plan.parent / "out")], catch_exceptions=False)


def test_a_gate_that_fails_is_one_and_says_where_to_look(plan):
    done = typed(plan, "-p", "edge=3")
    assert done.exit_code == 1
    words = " ".join(done.stdout.split())
    assert "01_good pass" in words and "02_bad fail" in words and "Idle is below 3." in words
    assert "report/02_bad.html" in words.replace(" ", "")
    assert "report/index.html" in words.replace(" ", "")


def test_json_is_for_machines_and_some_gates_alone_are_no_promotion(plan):
    done = typed(plan, "-p", "edge=3", "--only", "01", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and told["passed"] is None and told["not_asked"] == ["02_bad"]
    assert told["gates"][0]["verdict"] == "pass" and told["verdict"] == "not all gates asked"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "edge"], "is no parameter"),
        (["-p", "edge=x"], "edge"),
        (["--only", "9"], "no gate '9'"),
        (["--plan", "none.toml"], "cannot be read"),
        (["--champion", "none"], "no promotion"),
    ],
)
def test_bad_input_is_a_sentence(plan, words, said):
    with pytest.raises(InputError, match=said) as refused:
        typed(plan, *words)
    assert refused.value.exit_code == 2
