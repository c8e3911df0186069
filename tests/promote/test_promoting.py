"""A promotion as a whole: it stops at what fails, goes on where it was ended, keeps evidence."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from hftlib.core.errors import InputError, StateError
from hftlib.promote import promoting
from hftlib.promote.plan import read_plan
from tests.promote.small_gates import FAIL, PASS, desk, notebook

ROOT = Path(__file__).parents[2]


def client(place):
    return MlflowClient(tracking_uri=f"sqlite:///{place}/mlruns/mlflow.db")


def promoted(plan, folder, given=None, parameters=None, **settings):
    candidate = given or str(plan.parent / "idle.py:Idle")
    return promoting.promote(
        candidate, parameters or {}, plan=read_plan(plan), folder=folder, **settings
    )


@pytest.fixture(scope="module")
def passed(place):
    plan = desk(place / "good", **{"01_quick": PASS, "02_more": PASS})
    return plan, promoted(plan, place / "out", parameters={"edge": 2})


def test_all_gates_pass_and_all_of_it_can_be_read(place, passed):
    _, made = passed
    assert made.passed is True and not made.kept and not made.not_asked
    told = json.loads((made.report / "promotion.json").read_text())
    assert told == json.loads(json.dumps(made.as_json()))
    assert told["candidate"]["parameters"] == {"edge": 2} and len(told["tapes"]) == 2
    page = made.index.read_text()
    for gate in ("01_quick", "02_more"):
        assert (made.report / f"{gate}.ipynb").is_file() and f'href="{gate}.html"' in page
    assert "passed all 2 gates" in str(made) and "Idle is above 3." in page


def test_mlflow_has_one_run_with_a_nested_one_for_each_gate(place, passed):
    _, made = passed
    run = client(place).get_run(made.run)
    assert (run.info.status, run.data.tags["passed"]) == ("FINISHED", "yes")
    assert run.data.params["edge"] == "2" and run.data.metrics["gates passed"] == 2
    nested = client(place).search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{made.run}'"
    )
    assert {one.data.tags["gate"] for one in nested} == {"01_quick", "02_more"}
    for one in nested:
        assert one.data.metrics["passed"] == 1 and one.data.metrics["least"] == 3
        kept = {file.path for file in client(place).list_artifacts(one.info.run_id)}
        assert kept == {f"{one.data.tags['gate']}.ipynb", f"{one.data.tags['gate']}.html"}


def test_what_has_not_changed_is_not_asked_again(place, passed):
    plan, first = passed
    again = promoted(plan, place / "out", parameters={"edge": 2})
    assert again.kept == ("01_quick", "02_more") and again.passed is True
    assert [one.verdict.as_json() for one in again.judged] == [
        one.verdict.as_json() for one in first.judged
    ]
    plan.write_text(plan.read_text().replace("least = 3", "least = 4", 1))
    changed = promoted(plan, place / "out", parameters={"edge": 2})
    assert changed.kept == ("02_more",) and "above 4" in changed.judged[0].verdict.sentence
    one = changed.judged[1].notebook
    one.write_text(one.read_text().replace("0", "1", 1))  # evidence that was touched is none
    assert promoted(plan, place / "out", parameters={"edge": 2}).kept == ("01_quick",)


def test_a_failing_gate_ends_it_and_all_reasons_can_be_had(place):
    plan = desk(place / "bad", **{"01_quick": FAIL, "02_more": FAIL})
    made = promoted(plan, place / "bad-out")
    assert made.passed is False and made.not_asked == ("02_more",)
    assert "is not promoted: 01_quick: Idle is below 3." in made.sentence
    assert client(place).get_run(made.run).info.status == "FAILED"
    whole = promoted(plan, place / "bad-out", keep_going=True)
    assert len(whole.judged) == 2 and whole.kept == ("01_quick",) and whole.passed is False
    some = promoted(plan, place / "bad-out", only=["02"])
    assert [one.gate for one in some.judged] == ["02_more"] and some.passed is False


def test_one_that_was_killed_has_left_nothing_and_goes_on(place):
    slow = f"import time\ntime.sleep(60)\n{PASS}"
    plan = desk(place / "killed", **{"01_quick": PASS, "02_slow": slow})
    out = place / "killed-out"
    words = ["promote", "idle.py:Idle", "--plan", "promotion.toml", "-o", str(out)]
    running = subprocess.Popen(
        [sys.executable, "-c", "from hftlib.cli import main; main()", *words],
        cwd=plan.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while not list(out.glob("gates/part-*")) or not list(out.glob("gates/01_quick/*/judged*")):
            assert time.monotonic() < until and running.poll() is None
            time.sleep(0.05)
        with pytest.raises(StateError, match="Another process is writing this promotion"):
            promoted(plan, out)
    finally:
        os.killpg(running.pid, signal.SIGKILL)  # its kernel, too
        running.wait()
    assert not (out / "report").exists()
    notebook(plan.parent / "gates" / "02_slow.ipynb", PASS)
    made = promoted(plan, out, given=str(plan.parent / "idle.py:Idle"))
    assert made.passed is True and made.kept == ("01_quick",)
    assert not list(out.glob("gates/part-*")) and not list(out.glob("report-*"))
    experiment = client(place).get_run(made.run).info.experiment_id
    states = {run.info.status for run in client(place).search_runs([experiment])}
    assert "KILLED" in states and "RUNNING" not in states


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"given": "nowhere.py:Idle"}, "There is no file"),
        ({"given": "nowhere.ipynb"}, "There is no notebook"),
        ({"parameters": {"edg": 2}}, "edg"),
        ({"parameters": {"edge": 99}}, "edge"),
        ({"only": ["03"]}, "The plan has no gate '03'"),
        ({"champion": Path("nowhere")}, "This folder has no promotion"),
    ],
)
def test_bad_input_is_refused_before_any_gate(place, passed, settings, said):
    out = place / "refused"
    with pytest.raises(InputError, match=said):
        promoted(passed[0], out, **settings)
    assert not list(out.glob("gates/*/*")) and not (out / "report").exists()


def test_a_champion_is_a_promotion_that_passed_and_is_what_it_was(place, passed):
    from hftlib.promote.candidate import champion_of

    _, made = passed
    told = champion_of(made.folder)
    assert told == {
        "module": str(made.candidate.module), "strategy": "Idle", "parameters": {"edge": 2},
    }  # fmt: skip
    assert champion_of(None) is None
    with pytest.raises(InputError, match="has not passed"):
        champion_of(promoted(desk(place / "no", **{"01_quick": FAIL}), place / "no-out").folder)
    made.candidate.module.write_text(made.candidate.module.read_text() + "# changed\n")
    with pytest.raises(InputError, match="is not what was promoted"):
        champion_of(made.folder)
