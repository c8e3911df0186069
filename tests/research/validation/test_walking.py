"""Walk-forward: planted truths, and each choice against one made by hand on the past alone."""

import json

import numpy as np
import pytest
from planted_market import VENUE, Coin, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation.judging import brief_of, ratio
from hftlib.research.validation.whole import whole_of

SPACE = {"moves": [1, 2, 4]}
S = 10**9


@pytest.fixture(scope="module")
def trending():
    return market(seconds=180)


@pytest.fixture(scope="module")
def noise():
    return market(seconds=900, turn=0.5, seed=3)


@pytest.mark.parametrize("anchored", [True, False])
def test_a_known_edge_passes(trending, anchored):
    verdict = hft.validation.walk_forward(
        Follow, trending, SPACE, folds=4, anchored=anchored, venue=VENUE
    )
    assert verdict.passed, verdict
    told = verdict.figures
    assert told["folds above zero"] == 4 and told["t of it"] > 3 and told["efficiency"] > 0.5
    assert told["P&L out of sample"] > 0 and told["sets of parameters"] == 3
    assert len(verdict.tables[0].rows) == 4 and "moves=" in str(verdict)
    assert verdict.picture.startswith("<svg") and "in hindsight" in verdict.picture
    json.dumps(verdict.as_json(), allow_nan=False)


def test_the_luckiest_of_forty_coins_is_refused(noise):
    space = {"seed": list(range(40))}
    verdict = hft.validation.walk_forward(Coin, noise, space, venue=hft.Venue())
    assert verdict.figures["P&L an hour in sample"] > 0, "luck that could be chosen was there"
    assert verdict.passed is False and verdict.figures["efficiency"] < 0.5, verdict


def test_each_fold_is_what_the_past_alone_would_have_chosen_and_then_a_fresh_run(trending):
    """By hand: backtests of the tape up to the cut, the best of them on the piece that follows."""
    verdict = hft.validation.walk_forward(Follow, trending, SPACE, folds=3, step="1s", venue=VENUE)
    edges = np.linspace(0, 180, 6).round().astype(int)
    total = 0.0
    for fold, row in enumerate(verdict.tables[0].rows):
        cut, last = (trending.begin + int(edges[fold + n]) * S + 1 for n in (2, 3))
        before, after = trending.between(None, cut), trending.between(cut, last)
        marks = {}
        for moves in SPACE["moves"]:
            params = {"moves": moves}
            run = hft.backtest(Follow, before, params=params, venue=VENUE, every="1s")
            marks[moves] = ratio(run.pnl("1s").to_numpy())
        best = max(marks, key=marks.get)
        fresh = hft.backtest(Follow, after, params={"moves": best}, venue=VENUE, every="1s")
        assert row[2] == f"moves={best}" and row[-1] == len(fresh.fills)
        total += fresh.stats["pnl_net"]
    assert verdict.figures["P&L out of sample"] == pytest.approx(total)


def test_what_is_chosen_on_hangs_on_nothing_after_the_cut(trending):
    sets = [{"moves": 1}, {"moves": 3}]
    whole = whole_of(Follow, [trending], sets, {"venue": VENUE}, S)
    for cut in (30, 77):
        part = trending.between(None, trending.begin + cut * S + 1)
        for column, params in enumerate(sets):
            run = hft.backtest(Follow, part, params=params, venue=VENUE, every="1s")
            alone = brief_of(run, S).pnl[: cut - 1]  # the last step is closed by the tape's end
            assert whole.matrix[: cut - 1, column] == pytest.approx(alone, abs=1e-9)


def test_of_several_tapes_the_cuts_lie_between_them():
    tapes = days(6, seconds=40)
    verdict = hft.validation.walk_forward(Follow, tapes, SPACE, folds=4, step="1s", venue=VENUE)
    fresh = [hft.backtest(Follow, one, venue=VENUE) for one in tapes[2:]]
    assert [row[2] for row in verdict.tables[0].rows] == ["moves=1"] * 4
    assert verdict.figures["P&L out of sample"] == pytest.approx(
        sum(one.stats["pnl_net"] for one in fresh)
    )


def test_one_that_hardly_trades_cannot_be_told(trending):
    verdict = hft.validation.walk_forward(Follow, trending, {"moves": [40]}, venue=VENUE)
    assert verdict.passed is None and "fewer than 20" in verdict.sentence


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"folds": 0}, "no number of folds"),
        ({"folds": 2.5}, "no number of folds"),
        ({"folds": 90, "step": "1s"}, "too few for 92 pieces"),
        ({"anchored": "no"}, "anchored"),
        ({"objective": "luck"}, "no objective"),
        ({"step": "0s"}, "no step of time"),
        ({"efficiency_min": "half"}, "efficiency"),
        ({"venu": VENUE}, "no setting 'venu'"),
        ({"venue": 7}, "no setting of venues"),
        ({"space": 7}, "no sets of parameters"),
    ],
)
def test_what_is_wrong_is_said(trending, settings, said):
    with pytest.raises(InputError, match=said):
        hft.validation.walk_forward(Follow, trending, **settings)
