"""Stability of parameters: a plateau passes, a needle and noise do not."""

import itertools
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from planted_market import VENUE, Follow, market

import hftlib as hft
from hftlib.core.errors import InputError

NAMES = ["edge", "clip"]
GRID = pd.DataFrame(list(itertools.product(range(1, 8), [100, 200, 300, 400, 500])), columns=NAMES)


def swept(objective, grid=GRID):
    return grid.assign(
        objective=[objective(*row) for row in grid.itertuples(index=False)], trades=7
    )


def judged(frame, **settings):
    return hft.validation.stability(frame, parameters=NAMES, **settings)


def hill(edge, clip):
    return 10.0 - (edge - 4) ** 2 - abs(clip - 300) / 100


def test_a_hill_is_a_plateau_and_a_spike_a_needle():
    verdict = judged(swept(hill))
    assert verdict.passed is True and "edge 4, clip 300" in verdict.sentence
    assert verdict.figures["neighbours"] == 8 and verdict.figures["best clip"] == 300
    assert verdict.figures["median of the neighbours"] == 8.5
    falls = {row[:2]: row[2] for row in verdict.tables[0].rows}
    assert falls["edge", 0] > falls["edge", 1] > falls["edge", 2] > falls["edge", 3]
    spike = judged(swept(lambda edge, clip: 10.0 if (edge, clip) == (4, 300) else 1.0))
    assert spike.passed is False and spike.figures["share of neighbours that keep"] == 0.0
    assert "needle" in spike.sentence
    for one in (verdict, spike):
        ElementTree.fromstring(one.picture)


def test_noise_is_no_plateau():
    passed = []
    for seed in range(100):
        drawn = np.random.default_rng(seed)
        passed.append(bool(judged(GRID.assign(objective=drawn.normal(size=len(GRID))))))
    assert np.mean(passed) <= 0.05


def test_neighbours_are_counted_by_hand():
    drawn = np.random.default_rng(3)
    frame = swept(lambda *_: 1 + drawn.random())
    best = frame.loc[frame["objective"].idxmax()]
    near = frame[
        ((frame["edge"] - best["edge"]).abs() <= 1) & ((frame["clip"] - best["clip"]).abs() <= 100)
    ].drop(index=best.name)
    figures = judged(frame, keep=0.8).figures
    assert figures["neighbours"] == len(near)
    share = (near["objective"] >= 0.8 * best["objective"]).mean()
    assert figures["share of neighbours that keep"] == share
    assert figures["median of the neighbours"] == near["objective"].median()


def test_less_is_better_where_it_is_said():
    frame = swept(lambda edge, clip: 2.0 + abs(edge - 4)).rename(columns={"objective": "drawdown"})
    verdict = judged(frame, objective="drawdown", maximise=False)
    assert verdict.passed is True and verdict.figures["best objective"] == 2.0
    strict = judged(frame, objective="drawdown", maximise=False, keep=0.9)
    assert strict.passed is False, "half as dear again is more than a ninth dearer"


def test_a_range_of_many_values_has_steps_of_a_tenth():
    drawn = np.random.default_rng(1)
    frame = pd.DataFrame({"edge": drawn.uniform(0, 100, 400), "clip": drawn.uniform(0, 1, 400)})
    frame = frame.assign(objective=10 - ((frame["edge"] - 50) / 20) ** 2)
    verdict = judged(frame)
    best = frame.loc[frame["objective"].idxmax()]
    width = [np.ptp(frame[name]) / 10 for name in NAMES]
    near = np.all(
        [(frame[n] - best[n]).abs() <= w for n, w in zip(NAMES, width, strict=True)], axis=0
    )
    assert verdict.figures["neighbours"] == near.sum() - 1
    assert verdict.passed is True
    ElementTree.fromstring(verdict.picture)
    assert verdict.picture.count("<polyline") == 2


def test_words_have_no_steps():
    frame = pd.concat([swept(hill).assign(queue=name) for name in ("front", "back")])
    frame.loc[frame["queue"] == "front", "objective"] = -5.0
    verdict = hft.validation.stability(frame, parameters=["queue", *NAMES])
    assert verdict.passed is True and verdict.figures["neighbours"] == 8
    assert verdict.figures["best queue"] == "back"


def test_a_sweep_says_itself_what_its_parameters_are_and_which_trials_ended():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sweep = hft.sweep(Follow, market(seconds=30), {"moves": [*range(1, 10)]}, venue=VENUE)
        cost = hft.sweep(
            Follow, market(seconds=30), {"moves": [*range(1, 10)]}, objective="-orders", venue=VENUE
        )
    best = sweep.best(1)
    figures = hft.validation.stability(sweep).figures
    assert figures["trials"] == 9 and figures["best moves"] == best["moves"][0]
    assert figures["best objective"] == best["objective"][0]
    figures = hft.validation.stability(cost).figures
    assert figures["best objective"] == -cost.best(1)["objective"][0] >= 0


def test_what_is_no_column_is_refused():
    with pytest.raises(InputError, match=r"Which columns are parameters.*edge, clip"):
        hft.validation.stability(swept(hill))
    with pytest.raises(InputError, match=r"No column 'edgy'"):
        hft.validation.stability(swept(hill), parameters=["edgy"])
    with pytest.raises(InputError, match=r"No column 'profit'.*objective"):
        judged(swept(hill), objective="profit")
    with pytest.raises(InputError, match="no number"):
        judged(swept(lambda *_: "good"))
    with pytest.raises(InputError, match="no answer"):
        judged(swept(hill), maximise="yes")
    gap = swept(hill).astype({"edge": float})
    gap.loc[3, "edge"] = np.nan
    with pytest.raises(InputError, match="'edge' is not known of all trials"):
        judged(gap)


def test_trials_that_failed_are_left_out_and_counted():
    frame = swept(hill)
    frame.loc[frame["edge"] == 7, ["objective"]] = np.nan
    verdict = judged(frame)
    assert verdict.passed is True and verdict.figures["without an objective"] == 5


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (swept(hill).head(7), "7 trials show no plateau: at least 8"),
        (swept(lambda *_: 3.0), "All 35 trials reached the same"),
        (swept(hill).assign(edge=1, clip=2), "No parameter was varied"),
        (swept(lambda *_: np.nan), "0 trials"),
    ],
)
def test_what_cannot_be_told(frame, said):
    verdict = judged(frame)
    assert verdict.passed is None and re.search(said, verdict.sentence)


def test_a_best_trial_alone_in_its_corner_cannot_be_judged_and_a_loss_is_none():
    corners = pd.DataFrame({"edge": [*range(1, 9), 100], "clip": [1] * 9})
    corners["objective"] = corners["edge"].astype(float)
    verdict = judged(corners)
    assert verdict.passed is None and "try more parameters near edge 100" in verdict.sentence
    losing = judged(swept(lambda edge, clip: -1.0 - edge))
    assert losing.passed is False and "Even the best of 35 trials brought -2" in losing.sentence
