"""All of it at once: a known edge passes, a leak is caught, a sweep's runs are not run again."""

import json
import warnings
from types import SimpleNamespace

import pytest
from planted_market import VENUE, Follow, days, knows_the_future, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research import validation
from hftlib.research.validation.material import Material, material_of
from hftlib.research.validation.validating import FROM_RETURNS, checks

SPACE = {"moves": [1, 2, 4]}
OURS = [
    "look_ahead", "walk_forward_anchored", "walk_forward_rolling", "cross_validation",
    "monte_carlo", "stress_costs", "stress_latency", "capacity",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def registry(tmp_path_factory):
    """A registry of runs of our own, or trials of others would count."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("registry") / "mlflow.db"
        patch.setenv("HFT_TRACKING_URI", f"sqlite:///{place}")
        yield


@pytest.fixture(scope="module")
def tape():
    return market(seconds=150)


@pytest.fixture(scope="module")
def report(tape):
    return hft.validate(Follow, tape, SPACE, venue=VENUE, runs=10, embargo="1s", cuts=2)


def test_a_known_edge_passes_everything_that_runs_again(report):
    assert [key for key in report.keys if key in OURS] == OURS
    assert all(report.verdict(name).passed for name in OURS), report
    assert report.about["sets of parameters"] == 3 and report.about["best set"].startswith("moves=")
    assert "Follow on" in report.title and "<svg" in report._repr_html_()
    json.dumps(report.as_json(), allow_nan=False)


def test_what_is_made_from_returns_is_asked_where_it_is_there(report):
    """The table names functions that are there; a strategy alone has no landscape of trials."""
    assert all(callable(getattr(validation, name)) for name in FROM_RETURNS)
    assert {check.name for check in checks()} == {*report.keys, *report.left_out}
    assert (
        list(report.left_out) == ["stability"] and "takes a sweep" in report.left_out["stability"]
    )
    for name in ("sharpe", "deflated_sharpe", "bootstrap", "reality_check", "spa"):
        assert report.verdict(name).passed, report.verdict(name)


def test_a_leak_is_caught():
    report = hft.validate(
        knows_the_future, market(seconds=60, turn=0.5), compiled=False, runs=10, cuts=2
    )
    leak = report.verdict("look_ahead")
    assert leak.passed is False and report.passed is False
    assert "with the future" in leak.sentence and leak.tables
    assert "nothing was chosen" in report.left_out["walk_forward_rolling"]


def test_noise_fails():
    report = hft.validate(
        Follow, market(turn=0.5), {"moves": [1, 2]}, venue=VENUE, runs=10, embargo="1s", cuts=1
    )
    assert report.passed is False and report.verdict("look_ahead").passed
    for name in ("walk_forward_anchored", "monte_carlo", "stress_costs", "bootstrap", "spa"):
        assert report.verdict(name).passed is False, report.verdict(name)


def test_of_a_sweep_its_own_runs_are_taken(tape):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sweep = hft.sweep(Follow, tape, SPACE, step="1s", venue=VENUE)
    made = Material(**material_of(sweep, None, None, None, None, {}, None, 0))
    assert made.trials == 3 and made.whole.sets == [{"moves": n} for n in (1, 2, 4)]
    assert (made.whole.matrix == sweep.pnl.to_numpy()).all()
    own = Material(**material_of(Follow, tape, SPACE, None, "1s", {"venue": VENUE}, None, 0))
    assert own.whole.matrix == pytest.approx(made.whole.matrix)
    assert (own.whole.firsts, own.best) == (made.whole.firsts, made.best)
    assert own.trials == 6, "three of its own, and those of the sweep before"
    assert own.whole.briefs[own.best].held_ns == made.whole.briefs[made.best].held_ns > 0
    assert own.result.digest == made.result.digest
    for settings, odd in (({"venue": VENUE}, "venue"), ({"tapes": tape}, "tapes")):
        with pytest.raises(InputError, match=f"has its {odd} already"):
            hft.validate(sweep, **settings)
    report = hft.validate(sweep, runs=10, cuts=1, embargo="1s")
    assert all(report.verdict(name).passed for name in OURS), report
    assert report.left_out == {} and set(FROM_RETURNS) <= set(report.keys)
    refused = {key: report.verdict(key) for key in report.keys if key not in OURS}
    assert {key for key, one in refused.items() if one.passed is None} <= {"stability"}
    assert "3 trials show no plateau" in report.verdict("stability").sentence


def test_a_check_that_is_refused_cannot_tell():
    """Six steps of ten seconds make no walk; the page goes on without it."""
    report = hft.validate(Follow, days(2, seconds=30), step="10s", venue=VENUE, runs=10, cuts=1)
    walk = report.verdict("walk_forward_anchored")
    assert walk.passed is None and "too few for 7 pieces" in walk.sentence
    assert report.verdict("stress_costs").figures["fills"] > 0


def test_without_a_size_capacity_is_left_out(tape):
    found = {check.name: check for check in checks()}["capacity"]
    made = SimpleNamespace(strategy=Follow, param="size")
    assert "no parameter 'size'" in found.not_now(made)
    assert found.not_now(SimpleNamespace(strategy=Follow, param="clip")) == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tapes": None}, "no tape to validate on"),
        ({"tapes": 7}, "no tape"),
        ({"space": 7}, "no sets of parameters"),
        ({"objective": "luck"}, "no objective"),
        ({"step": 0}, "no step of time"),
        ({"param": 7}, "no name of a parameter"),
        ({"runs": 1}, "no number of runs"),
        ({"cuts": 0}, "no number of times"),
        ({"embargo": "soon"}, "embargo"),
        ({"seed": "x"}, "seed"),
        ({"trials": 0}, "no number of trials"),
        ({"venu": VENUE}, "no setting 'venu'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(tape, settings, said):
    with pytest.raises(InputError, match=said):
        hft.validate(Follow, **{"tapes": tape} | settings)


def test_a_subject_that_is_nothing_is_refused(tape):
    with pytest.raises(InputError, match="no strategy"):
        hft.validate(7, tape)


def test_a_sweep_of_a_known_edge_passes_every_statistic():
    """Eight sets of parameters over two days: not one question is left out, not one unanswered.

    It is the last here: its trials count as those of all sweeps of `Follow` before.
    """
    space = {"moves": [1, 2, 3, 4], "clip": [50, 100]}
    sweep = hft.sweep(Follow, days(2), space, venue=VENUE, step="1s")
    report = hft.validate(sweep, runs=40)
    assert report.keys == tuple(check.name for check in checks()) and not report.left_out
    assert len(report.keys) == 17 and report.passed, report.sentence
