"""Probability of overfitting: planted truths, another's implementation, a slow twin, the traps."""

import itertools
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from holdout import probability_of_backtest_overfitting

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation import overfitting

CHANCE = "probability of overfitting"


def noise(seed, rows=400, columns=12):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def chance(matrix, **settings):
    return hft.validation.pbo(matrix, **settings).figures[CHANCE]


def twin(values, slices):
    """Cuts and glues the rows for each choice, and counts who is below whom."""
    pieces = np.split(values, np.linspace(0, len(values), slices + 1).astype(int)[1:-1])
    places = []
    for chosen in itertools.combinations(range(slices), slices // 2):
        halves = [
            np.concatenate([piece for one, piece in enumerate(pieces) if (one in chosen) is inside])
            for inside in (True, False)
        ]
        inside, outside = ([ratio(column) for column in half.T] for half in halves)
        best = inside.index(max(inside))
        below = sum(one < outside[best] for one in outside)
        equal = sum(one == outside[best] for one in outside)
        places.append((below + (equal + 1) / 2) / (len(outside) + 1))
    return places


def ratio(column):
    spread = column.std(ddof=1)
    mean = column.mean()
    if spread < 1e-9:
        return 0.0 if abs(mean) < 1e-9 else math.copysign(math.inf, mean)
    return round(float(mean / spread), 12)


@pytest.mark.parametrize(("rows", "columns", "slices"), [(400, 12, 8), (403, 5, 10), (97, 30, 6)])
def test_another_implementation_finds_the_same(rows, columns, slices):
    for seed in range(4):
        matrix = noise(seed, rows, columns) + np.linspace(0, 0.1 * seed, columns)
        # Where rows do not fill the slices evenly, the other makes the first ones longer.
        matrix = matrix[: rows - rows % slices]
        theirs = probability_of_backtest_overfitting(matrix, n_blocks=slices)
        verdict = hft.validation.pbo(matrix, slices=slices)
        assert verdict.figures[CHANCE] == pytest.approx(theirs.pbo, abs=1e-12)
        assert verdict.figures["experiments"] == theirs.n_partitions
        assert verdict.figures["chance of a loss outside"] == theirs.probability_of_loss
        slope = verdict.figures["slope of outside against inside"]
        assert slope == pytest.approx(theirs.degradation[0])
        means = probability_of_backtest_overfitting(matrix, n_blocks=slices, metric="mean")
        assert chance(matrix, slices=slices, statistic="pnl") == pytest.approx(means.pbo)


@pytest.mark.parametrize("seed", range(6))
def test_a_slow_twin_finds_the_same_with_twins_and_idle_trials_among_them(seed):
    values = noise(seed, 125, 7)
    values[:, 2] = values[:, 5]  # one twice
    values[:, 3] = 0.0  # one that never traded
    values[:60, 4] = 0.0  # one that began late
    values[:, 6] = 3 * values[:, 0]  # one three times as large
    firsts, copies = overfitting.different(values)
    assert copies.sum() == 7 and len(firsts) == 5
    ways = overfitting._ways(6, None, 0)
    found = overfitting.cscv(values[:, firsts], copies, ways)
    assert found.place == pytest.approx(twin(values, 6), abs=1e-12)


def test_the_ways_to_choose_are_all_of_them_each_beside_what_it_leaves():
    ways = overfitting._ways(8, None, 0)
    assert len({tuple(one) for one in ways.tolist()}) == len(ways) == math.comb(8, 4)
    some = overfitting._ways(30, 1_000, 3)
    assert (some.sum(axis=1) == 15).all() and (some[:500] + some[500:] == 1).all()


def test_planted_truths_over_a_hundred_seeds():
    """The best of 200 without an edge is refused; one with an edge among 199 passes."""
    luck, edge = [], []
    for seed in range(100):
        matrix = noise(seed, 1_000, 200)
        luck.append(chance(matrix, slices=10))
        matrix[:, 17] += 0.25
        edge.append(chance(matrix, slices=10))
    assert 0.45 <= np.mean(luck) <= 0.58, "one half: the best inside is anybody outside"
    assert np.mean(np.array(luck) > 0.2) >= 0.95, "at 0.2 hardly any passes by luck"
    assert np.mean(np.array(edge) <= 0.2) >= 0.95 and np.mean(edge) < 0.05


def test_the_verdict_says_what_was_found():
    lucky, good = noise(2), noise(1)
    good[:, 4] += 0.3
    refused, passed = hft.validation.pbo(lucky, slices=8), hft.validation.pbo(good, slices=8)
    assert refused.passed is False and "little more than luck" in refused.sentence
    assert passed.passed is True and "In 0 % of 70 experiments" in passed.sentence
    assert passed.tables[0].rows[0] == ("4", "100 %")
    assert "middle" in passed.picture
    ElementTree.fromstring(passed.picture)
    strict = hft.validation.pbo(lucky, slices=8, at_most=0.99)
    assert strict.passed is True, "the threshold is the reader's"


def test_neither_size_nor_order_of_trials_changes_it():
    matrix = noise(3)
    expected = chance(matrix, slices=8)
    sizes = 10.0 ** np.arange(-3, 9)
    assert chance(matrix * sizes, slices=8) == expected
    assert chance(matrix[:, ::-1], slices=8) == expected
    assert chance(matrix * 1e90, slices=8) == expected


def test_drawn_ways_come_near_to_all_of_them():
    matrix = noise(5, 640, 20)
    every = chance(matrix, slices=16)
    some = hft.validation.pbo(matrix, slices=16, samples=4_000, seed=2)
    assert some.figures["experiments"] == 4_000
    assert some.figures[CHANCE] == pytest.approx(every, abs=0.04)
    assert chance(matrix, slices=16, samples=4_000, seed=2) == some.figures[CHANCE]
    many = hft.validation.pbo(matrix, slices=32, samples=4_000)
    assert many.figures[CHANCE] == pytest.approx(every, abs=0.1)
    assert chance(matrix, slices=8, samples=4_000) == chance(matrix, slices=8), "all there are"


def test_too_many_slices_are_refused_before_anything_is_computed():
    with pytest.raises(InputError, match=r"2,704,156 ways.*samples="):
        hft.validation.pbo(noise(1), slices=24)
    with pytest.raises(InputError, match=r"15 slices have no half.*14 or 16"):
        hft.validation.pbo(noise(1), slices=15)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (noise(1, 79, 10), r"79 steps .* 16 slices: 80 steps, or slices=14 would do"),
        (noise(1, 12, 10), r"12 steps .*: 80 steps\."),
        (noise(1, 400, 1), "1 trial leaves nothing to choose"),
        (np.zeros((400, 5)), "All 5 trials brought the same"),
        (np.outer(noise(1, 400, 1), [1.0, 2.0, 5.0]), "All 3 trials brought the same"),
        (np.zeros((0, 0)), "0 trial"),
    ],
)
def test_what_cannot_be_told_is_not_and_says_what_would_do(matrix, said):
    verdict = hft.validation.pbo(matrix)
    assert verdict.passed is None
    assert re.search(said, verdict.sentence), verdict.sentence


def test_trials_that_always_win_or_never_trade_are_ranked_and_break_nothing():
    matrix = noise(2, 200, 5)
    matrix[:, 0] = 1.0  # the same gain in each step, without any spread
    matrix[:, 1] = 0.0
    verdict = hft.validation.pbo(matrix, slices=8)
    assert verdict.passed is True and verdict.tables[0].rows[0] == ("0", "100 %")
    matrix[:, 0] = -1.0
    assert "0" not in [row[0] for row in hft.validation.pbo(matrix, slices=8).tables[0].rows]
