"""Cross-validation: planted truths; splits, purge, embargo and paths against slow twins."""

from itertools import combinations

import numpy as np
import pytest
from planted_market import VENUE, Coin, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation.crossing import _splitter, crossed
from hftlib.research.validation.judging import Brief, best_of, objective
from hftlib.research.validation.whole import Whole, whole_of

S = 10**9
SHARPE = objective("sharpe")


def made_up(tapes, count=60, sets=5, seed=1, held_ns=0):
    """P&L of so many sets that nobody earned; its steps are of two stretches."""
    chance = np.random.default_rng(seed)
    matrix = chance.standard_normal((count, sets)) + np.linspace(0, 0.4, sets)
    times = np.arange(1, count + 1) * S
    times[count // 2 :] += 7 * S
    brief = Brief(times, matrix[:, 0], 100, 100, 0, "", held_ns)
    params = [{"edge": n} for n in range(sets)]
    return Whole(tapes, params, S, times, (0,), matrix, [brief] * sets)


@pytest.fixture(scope="module")
def tape():
    return market(seconds=180)


def test_a_known_edge_passes(tape):
    verdict = hft.validation.cross_validation(
        Follow, tape, {"moves": [1, 2, 4]}, embargo="1s", venue=VENUE
    )
    assert verdict.passed, verdict
    told = verdict.figures
    assert (told["choices"], told["paths"], told["paths above zero"]) == (15, 5, 5)
    assert told["t of their mean"] > 3 and told["sharpe, lowest"] > 0
    assert told["purge"] != "0 s" and 0.25 < told["left to choose on, least"] < 1
    assert "path 5" in verdict.picture


def test_the_luckiest_of_forty_coins_is_refused():
    tape = market(seconds=900, turn=0.5, seed=3)
    verdict = hft.validation.cross_validation(
        Coin, tape, {"seed": list(range(40))}, embargo="1s", venue=hft.Venue()
    )
    assert verdict.passed is False and verdict.figures["t of their mean"] < 1.645, verdict


def test_paths_are_those_of_a_slow_twin(tape):
    """By hand: each choice of two groups of five, and the tests laid end to end."""
    whole, groups = made_up([tape]), 5
    edges = np.linspace(0, 60, groups + 1).astype(int)
    parts = [np.arange(edges[n], edges[n + 1]) for n in range(groups)]
    tested = {n: [] for n in range(groups)}
    for chosen in combinations(range(groups), 2):
        train = np.concatenate([parts[n] for n in range(groups) if n not in chosen])
        column = best_of(whole.matrix[train], SHARPE)
        for n in chosen:
            tested[n].append(whole.matrix[parts[n], column])
    paths = [np.concatenate([tested[n][path] for n in range(groups)]) for path in range(4)]
    verdict = crossed(whole, groups, 2, 0, 0, SHARPE)
    assert verdict.figures["paths"] == 4 and verdict.figures["choices"] == 10
    assert verdict.figures["P&L, mean of paths"] == pytest.approx(np.mean([p.sum() for p in paths]))
    earned = sum(path.sum() > 0 for path in paths)
    assert verdict.figures["paths above zero"] == earned


@pytest.mark.parametrize(("embargo", "purge"), [(0, 0), (3, 0), (0, 4), (2, 5)])
def test_what_is_left_out_is_what_a_slow_twin_leaves_out(tape, embargo, purge):
    whole = made_up([tape])
    begins, ends = whole.times - S + 1, whole.times + purge * S
    splits = list(_splitter(whole, 5, 2, embargo * S, purge * S).split(whole.matrix))
    assert len(splits) == 10
    for train, test in splits:
        kept = []
        for row in sorted(set(range(60)) - set(test.tolist())):
            apart = all(ends[row] < begins[n] or begins[row] > ends[n] for n in test)
            free = not any(ends[n] <= begins[row] <= ends[n] + embargo * S for n in test)
            if apart and free:
                kept.append(row)
        assert train.tolist() == kept


def test_the_purge_is_as_long_as_the_longest_lot_was_held_unless_said(tape):
    held = made_up([tape], held_ns=2 * S)
    assert crossed(held, 5, 2, 0, None, SHARPE).figures["purge"] == "2 s"
    assert crossed(held, 5, 2, 0, 3 * S, SHARPE).figures["purge"] == "3 s"
    forever = made_up([tape], held_ns=60 * S)
    verdict = crossed(forever, 5, 2, 0, None, SHARPE)
    assert verdict.passed is None and "as long as the longest lot was held" in verdict.sentence
    assert crossed(forever, 5, 2, 0, 0, SHARPE).passed is not None


def test_many_paths_are_a_histogram(tape):
    verdict = crossed(made_up([tape], count=120), 8, 4, 0, 0, SHARPE)
    assert verdict.figures["paths"] == 35 and "35 paths" in verdict.picture


def test_several_tapes_are_one_time():
    tapes = days(3, seconds=30)
    whole = whole_of(Follow, tapes, [{}], {"venue": VENUE}, S)
    assert whole.firsts == (0, 30, 60) and len(whole.times) == 90
    every = [hft.backtest(Follow, one, venue=VENUE).stats["pnl_net"] for one in tapes]
    assert whole.matrix.sum() == pytest.approx(sum(every))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"groups": 1}, "no number of groups"),
        ({"groups": 6, "test_groups": 6}, "cannot be tested on"),
        ({"groups": 6, "test_groups": 0}, "cannot be tested on"),
        ({"groups": 30, "test_groups": 15}, "are too many"),
        ({"groups": 30, "step": "10s"}, "too few for 30 pieces"),
        ({"embargo": "-1s"}, "embargo"),
        ({"embargo": "soon"}, "embargo"),
        ({"purge": -5}, "no time to leave out"),
        ({"objective": 3}, "no objective"),
    ],
)
def test_what_is_wrong_is_said(tape, settings, said):
    with pytest.raises(InputError, match=said):
        hft.validation.cross_validation(Follow, tape, **settings)
