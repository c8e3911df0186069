"""Sweeps as they are used: trials are backtests, a failing one is a row, a killed one goes on."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hftlib as hft
from hftlib.core.errors import InputError, StateError
from tests.research import sweep_process
from tests.research.sweep_desk import VENUE, Chancy, counted_here, registry, same, tapes

ROOT = Path(__file__).parent.parent.parent.parent
SPACE = {"edge": [1, 2, 3], "lean": [0.0, 1.0, 2.0]}


@pytest.fixture(scope="module", autouse=True)
def own_registry():
    with pytest.MonkeyPatch.context() as patched:
        counted_here(patched)
        yield


@pytest.fixture(scope="module")
def swept(own_registry):
    return hft.sweep(Chancy, tapes()[0], SPACE, venue=VENUE, step="5s")


def test_each_trial_is_the_backtest_of_its_parameters(swept):
    frame = swept.frame
    assert frame["number"].tolist() == list(range(9)) and set(frame["state"]) == {"done"}
    for number in (0, 4, 8):
        alone = hft.backtest(
            swept.strategy, swept.tapes[0], params=swept.params(number), **swept.settings
        )
        row = frame.loc[number]
        assert row["objective"] == alone.stats["sharpe"]
        for name in ("pnl_net", "fills", "turnover", "drawdown", "orders"):
            assert row[name] == alone.stats[name], name
        pd.testing.assert_series_equal(
            swept.pnl[number], alone.pnl("5s"), check_names=False, check_freq=False
        )
    assert frame["fills"].max() > 10


def test_several_tapes_add_up_in_their_order():
    both = hft.sweep(Chancy, list(tapes()), {"edge": [1, 2]}, venue=VENUE, step="10s", workers=1)
    parts = [hft.sweep(Chancy, [one], {"edge": [1, 2]}, venue=VENUE, step="10s") for one in tapes()]
    joined = pd.concat([one.pnl for one in parts])
    assert np.array_equal(both.pnl.to_numpy(), joined.to_numpy())
    for name in ("pnl_net", "fills", "turnover", "orders"):
        assert both.frame[name].tolist() == (parts[0].frame[name] + parts[1].frame[name]).tolist()
    steps = both.pnl[0].to_numpy()
    curve = np.append(0.0, np.cumsum(steps))
    assert both.frame["drawdown"][0] == pytest.approx((np.maximum.accumulate(curve) - curve).max())
    year = 252 * 6.5 * 3_600 / 10
    assert both.frame["sharpe"][0] == pytest.approx(steps.mean() / steps.std(ddof=1) * year**0.5)


def test_threads_find_what_one_alone_finds(swept):
    alone = hft.sweep(Chancy, tapes()[0], SPACE, venue=VENUE, step="5s", workers=1)
    assert same(swept, alone)


def test_the_best_are_by_the_objective_and_a_minus_turns_it_round(swept):
    best = swept.best(3)
    assert best["objective"].tolist() == sorted(swept.frame["objective"], reverse=True)[:3]
    assert swept.params(int(best["number"][0])) == {
        name: best[name][0] for name in ("edge", "lean")
    }
    least = hft.sweep(
        Chancy, tapes()[0], SPACE, venue=VENUE, step="5s", objective="-drawdown", workers=1
    )
    assert least.best(1)["drawdown"][0] == swept.frame["drawdown"].min()


def test_a_function_judges_results():
    def closeness(result):
        return -abs(len(result.fills) - 20)

    found = hft.sweep(Chancy, tapes()[0], SPACE, venue=VENUE, objective=closeness)
    assert found.frame["objective"].tolist() == (-abs(found.frame["fills"] - 20)).tolist()
    assert found.objective == "closeness"


def test_a_failing_trial_is_a_row_and_all_failing_is_an_error():
    found = hft.sweep(Chancy, tapes()[0], {"edge": [2, 13, 14, 3]}, venue=VENUE)
    assert found.frame["state"].tolist() == ["done", "done", "failed", "failed"]
    assert "divi" in found.frame["why"][2]
    assert "ctx.stop(7)" in found.frame["why"][3]
    assert list(found.pnl) == [0, 1] and "2 failed" in repr(found)
    assert np.isnan(found.frame["objective"][2]) and "failed, the first" in found._repr_html_()
    with pytest.raises(StateError, match=r"All 2 trials failed, the first with: .*divi"):
        hft.sweep(Chancy, tapes()[0], {"edge": [13, 14]}, venue=VENUE)


def test_a_judge_that_fails_is_a_failing_trial():
    def judge(result):
        return 1 / (len(result.fills) - len(result.fills)) if len(result.fills) > 30 else 1.0

    edges = hft.sweep(Chancy, tapes()[0], {"edge": [1, 9]}, venue=VENUE, objective=judge)
    assert edges.frame["why"][0].startswith("ZeroDivisionError")
    assert edges.frame["state"].tolist() == ["failed", "done"]
    with pytest.raises(StateError, match="answered 'much', which is no number"):
        hft.sweep(Chancy, tapes()[0], {"edge": [1, 9]}, venue=VENUE, objective=lambda _: "much")


def test_a_sweep_shows_itself(swept):
    assert "Chancy on day1.tape: 9 trials" in repr(swept)
    assert swept.standing.sentence in repr(swept)
    page = swept._repr_html_()
    assert page.count("<svg") == 1 and "<script" not in page and "The best" in page
    cells = swept.heatmap("lean", "edge").data[0]
    assert np.array(cells.z).shape == (3, 3)
    assert np.array(cells.z)[1, 2] == swept.frame["objective"][5]  # edge 2, lean 2.0
    assert swept.parallel().data[0].dimensions[0].label == "edge"
    assert swept.standing.sentence == swept.plateau().layout.title.text
    assert json.loads(json.dumps(swept.as_json()))["trials"] == 9


def test_one_parameter_alone_is_a_curve():
    found = hft.sweep(Chancy, tapes()[0], {"edge": [1, 2, 3]}, venue=VENUE, workers=1)
    assert list(found.heatmap().data[0].y) == found.frame["objective"].tolist()
    assert "<polyline" in found._repr_html_()


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_a_killed_sweep_goes_on_and_ends_as_one_that_never_was(tmp_path, method, monkeypatch):
    monkeypatch.setattr(sweep_process, "TRIALS", 60)
    folder = tmp_path / "sweep"
    program = [sys.executable, "-c", _program(folder, method)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HFT_TRACKING_URI": registry()}
    running = subprocess.Popen(program, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    log, deadline = folder / "trials.jsonl", time.monotonic() + 300
    while not (log.exists() and log.read_bytes().count(b"\n") >= 20):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.kill()
    running.communicate()
    there = log.read_bytes().count(b"\n")
    with log.open("ab") as file:  # and half a line, as a kill may leave it
        file.write(b'{"number":999,"params":{"ed')
    if method == "optuna":
        with (folder / "study.log").open("ab") as file:
            file.write(b'{"op_code":4,"wor')
    ended = sweep_process.swept(folder, method, trials=60)
    whole = sweep_process.swept(tmp_path / "whole", method, trials=60, workers=1)
    assert there >= 20 and same(ended, whole)
    lines = log.read_text().splitlines()
    assert sorted(json.loads(line)["number"] for line in lines) == list(range(60))


def _program(folder, method):
    return (
        "from tests.research import sweep_process\n"
        f"sweep_process.swept({str(folder)!r}, {method!r}, trials=60)\n"
        "import time; time.sleep(600)"
    )


def test_ctrl_c_says_how_to_go_on(tmp_path):
    folder = tmp_path / "sweep"
    program = [sys.executable, "-m", "tests.research.sweep_process", str(folder), "random"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HFT_TRACKING_URI": registry()}
    running = subprocess.Popen(
        program, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    log, deadline = folder / "trials.jsonl", time.monotonic() + 300
    while not (log.exists() and log.read_bytes().count(b"\n") >= 5):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=300)
    assert f"folder={str(folder)!r} goes on" in said
    there = {json.loads(line)["number"] for line in log.read_text().splitlines()}
    assert 5 <= len(there) < 400


def test_a_folder_goes_on_with_more_trials_and_refuses_another_question(tmp_path):
    def asked(folder="one", **changed):
        given = {"venue": VENUE, "method": "random", "trials": 4, "seed": 1, "workers": 1}
        given |= {"folder": tmp_path / folder, "step": "10s", **changed}
        tape = given.pop("tape", tapes()[0])
        return hft.sweep(
            given.pop("strategy", Chancy), tape, given.pop("space", {"edge": (1, 9)}), **given
        )

    first = asked()
    more = asked(trials=7)
    assert more.trials == 7 and more.pnl.iloc[:, :4].equals(first.pnl)
    assert same(more, asked("two", trials=7))
    assert asked(trials=7).trials == 7  # nothing is left to do
    for name, changed in (
        ("strategy", {"strategy": Chancy(clip=50)}),
        ("tapes", {"tape": tapes()[1]}),
        ("space", {"space": {"edge": (1, 8)}}),
        ("settings", {"venue": hft.Venue(order_latency="251us")}),
        ("settings", {"limits": hft.Limits(position_lots=10)}),
        ("objective", {"objective": "pnl_net"}),
        ("objective", {"objective": lambda result: 1.0}),
        ("method", {"method": "grid", "trials": None}),
        ("seed", {"seed": 2}),
        ("step", {"step": "5s"}),
    ):
        with pytest.raises(StateError, match=f"a sweep with another {name}"):
            asked(**changed)


def test_one_process_at_a_time_writes_a_folder(tmp_path):
    import fcntl

    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StateError, match="Another sweep is at work"):
            hft.sweep(Chancy, tapes()[0], {"edge": [1]}, folder=tmp_path)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"There is 'letter\.txt', and no sweep"):
        hft.sweep(Chancy, tapes()[0], {"edge": [1]}, folder=tmp_path)
    with pytest.raises(InputError, match="cannot be used"):
        hft.sweep(Chancy, tapes()[0], {"edge": [1]}, folder=tmp_path / "letter.txt")


@pytest.mark.parametrize(
    "changed, what",
    [
        ({"tapes": []}, "no tapes"),
        ({"tapes": 7}, "int is no tape"),
        ({"tapes": "nowhere.tape"}, "nowhere.tape"),
        ({"strategy": int}, "int is no strategy"),
        ({"objective": "sharp"}, "nothing to judge trials by"),
        ({"objective": 3}, "nothing to judge trials by"),
        ({"method": "guess"}, "no method 'guess'"),
        ({"trials": 0}, "no number of trials"),
        ({"trials": 2.5}, "no number of trials"),
        ({"trials": 2}, "The grid has 3 combinations, and 2"),
        ({"method": "random", "trials": 4}, "3 combinations, and 4 trials"),
        ({"seed": -1}, "no seed"),
        ({"step": "0s"}, "no step of time"),
        ({"step": "often"}, "often"),
        ({"step": 1}, "Steps of 1"),
        ({"workers": 0}, "no number of workers"),
        ({"workers": "two"}, "no number of workers"),
        ({"cluster": "moon"}, "no place to run trials"),
        ({"venue": "far"}, "no setting of venues"),
        ({"limits": 5}, "no hft.Limits"),
        ({"every": "0s"}, "no time between samples"),
        ({"horizons": ["0s"]}, "no time after a fill"),
        ({"curves": 3}, "no curves by symbol"),
        ({"directives": [3]}, "All 3 trials failed, the first with: 3 tells risk nothing"),
    ],
)
def test_what_cannot_be_asked_is_said(changed, what):
    given = {"strategy": Chancy, "tapes": tapes()[0], "space": {"edge": [1, 2, 3]}, **changed}
    with pytest.raises((InputError, StateError), match=what):
        hft.sweep(given.pop("strategy"), given.pop("tapes"), given.pop("space"), **given)


def test_questions_about_a_sweep_are_checked(swept):
    for ask, what in (
        (lambda: swept.best(0), "no number of trials"),
        (lambda: swept.params(99), "no trial 99"),
        (lambda: swept.heatmap("edge", "clip"), "varied no 'clip'"),
        (lambda: swept.heatmap("edge", "edge"), "on both axes"),
    ):
        with pytest.raises(InputError, match=what):
            ask()


def test_where_nothing_can_be_said_nothing_is_drawn():
    quiet = hft.sweep(Chancy, tapes()[0], {"edge": [19, 20]}, venue=VENUE, workers=1, step="30s")
    assert quiet.frame["fills"].sum() == 0 and len(quiet.best()) == 0
    assert "No trial has a sharpe" in repr(quiet) and "No trial" in quiet._repr_html_()
    with pytest.raises(StateError, match="nothing to draw"):
        quiet.plateau()


def test_trials_that_cannot_be_counted_are_a_warning(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HFT_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = hft.sweep(Chancy, tapes()[0], {"edge": [1]}, venue=VENUE, workers=1)
    assert found.trials == 1
    assert any("not counted" in str(one.message) for one in said)
