"""All of it at once: a known edge passes, a leak is caught, a sweep's runs are not run again."""

import json
from types import SimpleNamespace

import pytest
from planted_market import VENUE, Follow, days, knows_the_future, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research import validation
from hftlib.research.validation.material import material_of
from hftlib.research.validation.trying import tried
from hftlib.research.validation.validating import FROM_RETURNS, checks

SPACE = {"moves": [1, 2, 4]}
OURS = [
    "look-ahead", "walk-forward, anchored", "walk-forward, rolling",
    "combinatorial cross-validation", "Monte Carlo", "cost stress", "latency stress", "capacity",
]  # fmt: skip


@pytest.fixture(scope="module")
def tape():
    return market(seconds=150)


@pytest.fixture(scope="module")
def report(tape):
    return hft.validate(Follow, tape, SPACE, venue=VENUE, runs=10, embargo="1s", cuts=2)


def test_a_known_edge_passes_everything_that_runs_again(report):
    names = [one.name for one in report.verdicts]
    assert [one for one in names if one in OURS] == OURS
    assert all(report.verdict(name).passed for name in OURS), report
    assert report.about["sets of parameters"] == 3 and report.about["best set"].startswith("moves=")
    assert "Follow on" in report.title and "<svg" in report._repr_html_()
    json.dumps(report.as_json(), allow_nan=False)


def test_what_is_made_from_returns_is_asked_where_it_is_there(report):
    there = [name for name in FROM_RETURNS if getattr(validation, name, None) is not None]
    asked = {one.name for one in report.verdicts} | set(report.left_out)
    assert {name.replace("_", " ") for name in there} <= {check.name for check in checks()}
    assert {check.name for check in checks()} == asked


def test_a_leak_is_caught():
    report = hft.validate(
        knows_the_future, market(seconds=60, turn=0.5), compiled=False, runs=10, cuts=2
    )
    leak = report.verdict("look-ahead")
    assert leak.passed is False and report.passed is False
    assert "with the future" in leak.sentence and leak.tables
    assert "nothing was chosen" in report.left_out["walk-forward, rolling"]


def test_noise_fails():
    report = hft.validate(
        Follow, market(turn=0.5), {"moves": [1, 2]}, venue=VENUE, runs=10, embargo="1s", cuts=1
    )
    assert report.passed is False and report.verdict("look-ahead").passed
    failed = [one.name for one in report.verdicts if one.passed is False]
    assert {"walk-forward, anchored", "Monte Carlo", "cost stress"} <= set(failed)


def swept(tape, sets):
    """What validation reads of a sweep: its P&L by steps, and what it was made of."""
    import pandas as pd

    results = tried(Follow, tape, sets, {"venue": VENUE, "every": "1s"})
    pnl = pd.concat([one.pnl("1s") for one in results], axis=1, keys=range(len(sets)))
    return SimpleNamespace(
        pnl=pnl, params=lambda n: sets[n], strategy=Follow, tapes=[tape], trials=11,
        settings={"venue": VENUE}, objective="sharpe",
    )  # fmt: skip


def test_of_a_sweep_its_own_runs_are_taken(tape):
    sets = [{"moves": n} for n in (4, 1, 2)]
    sweep = swept(tape, sets)
    made = material_of(sweep, None, None, None, None, {}, None, 0)
    assert made["trials"] == 11 and made["whole"].sets == sets
    assert (made["whole"].matrix == sweep.pnl.to_numpy()).all()
    own = material_of(Follow, tape, sets, None, "1s", {"venue": VENUE}, None, 0)
    # An answer that came after the tape's end is a step of its own there, and here the last one's.
    assert own["whole"].matrix[:-1] == pytest.approx(made["whole"].matrix[:149])
    assert own["whole"].matrix.sum(axis=0) == pytest.approx(made["whole"].matrix.sum(axis=0))
    assert own["whole"].firsts == made["whole"].firsts == (0,)
    assert own["trials"] == 3
    with pytest.raises(InputError, match="has its venue already"):
        hft.validate(sweep, venue=VENUE)
    with pytest.raises(InputError, match="has its tapes already"):
        hft.validate(sweep, tape)


def test_a_check_that_is_refused_cannot_tell():
    """Six steps of ten seconds make no walk; the page goes on without it."""
    report = hft.validate(Follow, days(2, seconds=30), step="10s", venue=VENUE, runs=10, cuts=1)
    walk = report.verdict("walk-forward, anchored")
    assert walk.passed is None and "too few for 7 pieces" in walk.sentence
    assert report.verdict("cost stress").figures["fills"] > 0


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
