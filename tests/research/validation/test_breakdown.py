"""Where P&L comes from: regimes that carry all of it, or lose, are found; luck is forgiven."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sampled_day import day

import hftlib as hft
from hftlib.core.errors import InputError

TIMES = pd.date_range("2026-01-05 09:30", periods=1_200, freq="1min", tz="America/New_York")


def pnl(seed=1, edge=0.15):
    return pd.Series(np.random.default_rng(seed).normal(size=1_200) + edge, index=TIMES)


def walk(seed=2, scale=0.001):
    moves = np.random.default_rng(seed).normal(size=1_200) * scale
    return pd.Series(100 * np.exp(np.cumsum(moves)), index=TIMES)


def test_an_edge_everywhere_passes_by_every_kind():
    passed = [
        bool(hft.validation.regimes(pnl(seed), by, market=walk(seed + 50)))
        for seed in range(25)
        for by in ("volatility", "trend")
    ]
    assert np.mean(passed) >= 0.95
    for by in ("time", "weekday", ["a", "b", "c"] * 400):
        verdict = hft.validation.regimes(pnl(), by)
        assert verdict.passed is True
        ElementTree.fromstring(verdict.picture)


def test_a_regime_that_loses_is_named():
    values = pnl()
    values[TIMES.hour == 12] -= 1.5
    verdict = hft.validation.regimes(values, "time")
    assert verdict.passed is False and "loses in 1 of them: 12:00" in verdict.sentence
    assert verdict.figures["worst"] == "12:00"


def test_luck_makes_no_regime_lose():
    """Twenty hours are looked at, and still hardly any noise loses beyond luck."""
    losing = [
        hft.validation.regimes(pnl(seed, 0.0), "time").figures["regimes with a loss beyond luck"]
        > 0
        for seed in range(100)
    ]
    assert np.mean(losing) <= 0.1


def test_one_bet_is_called_one():
    labels = ["quiet", "auction", "quiet"] * 400
    values = pnl(edge=0.5) * 0.1
    values[np.array(labels) == "auction"] += 1.0
    verdict = hft.validation.regimes(values, labels)
    assert verdict.passed is False and "one, auction: it is one bet" in verdict.sentence
    assert hft.validation.regimes(values, labels, at_most=0.999).passed is True
    mostly = ["open"] * 1_100 + ["close"] * 100
    assert hft.validation.regimes(pnl(), mostly).passed is True, "it is most of the time as well"
    assert hft.validation.regimes(-pnl(), ["a", "b"] * 600).passed is False


def test_rows_add_up_to_the_whole():
    values = pnl()
    labels = pd.Series(["a", "b", None, np.nan, pd.NaT, pd.NA] * 200, index=TIMES)
    verdict = hft.validation.regimes(values, labels)
    rows = {row[0]: row for row in verdict.tables[0].rows}
    assert set(rows) == {"a", "b"} and verdict.figures["steps without a regime"] == 800
    for name, row in rows.items():
        mine = values[(labels == name).fillna(False).to_numpy(bool)]
        assert row[1] == len(mine) and row[3] == pytest.approx(mine.sum())
        assert row[5] == pytest.approx(mine.mean() / mine.sem())
    assert verdict.figures["P&L"] == pytest.approx(sum(row[3] for row in rows.values()))


def test_a_result_knows_its_own_market():
    drawn = np.random.default_rng(1)
    calm = np.repeat([0, 1] * 4, 60)
    prices = 10_000 + np.cumsum(drawn.normal(size=480) * np.where(calm, 20, 2)).astype(int)
    result = day(prices, cash=np.where(calm, -30, 50) + drawn.integers(-9, 10, 480))
    verdict = hft.validation.regimes(result, window=10)
    rows = {row[0]: row for row in verdict.tables[0].rows}
    assert list(rows) == ["calm", "middle", "stormy"]
    assert rows["calm"][3] > 0 > rows["stormy"][3] and verdict.passed is False
    assert "stormy" in verdict.sentence
    hours = hft.validation.regimes(result, "time", step="30s")
    assert hours.figures["steps of time"] == 960
    assert [row[0] for row in hours.tables[0].rows][:2] == ["09:00", "10:00"]


def test_regimes_stand_in_their_own_order():
    kinds = {
        "volatility": ["calm", "middle", "stormy"],
        "trend": ["falling", "sideways", "rising"],
        "weekday": ["Monday", "Tuesday"],
    }
    for by, names in kinds.items():
        rows = hft.validation.regimes(pnl(), by, market=walk()).tables[0].rows
        assert [row[0] for row in rows] == names


@pytest.mark.parametrize(
    ("values", "by", "said"),
    [
        (np.ones(20), ["a", "b"] * 10, "0 regimes .* 20 steps are too few"),
        (np.ones(90), ["a"] * 90, "1 regimes"),
        (np.ones(90), [None] * 90, "0 regimes"),
        ([], [], "0 regimes"),
    ],
)
def test_what_cannot_be_told(values, by, said):
    verdict = hft.validation.regimes(values, by)
    assert verdict.passed is None and re.search(said, verdict.sentence)


def test_a_market_that_stands_still_has_no_regimes_and_idle_hours_break_nothing():
    for by in ("volatility", "trend"):
        verdict = hft.validation.regimes(pnl(), by, market=np.full(1_200, 5.0))
        assert verdict.passed is None
    values = pnl()
    values[TIMES.hour == 12] = 0.0
    assert hft.validation.regimes(values, "time").passed is True
    flat = hft.validation.regimes(values * 0, ["a", "b"] * 600)
    assert flat.passed is False and "In all it brings 0" in flat.sentence


def test_too_many_regimes_and_markets_of_other_times_are_refused():
    with pytest.raises(InputError, match="1,200 regimes are more than 200"):
        hft.validation.regimes(pnl(), range(1_200))
    with pytest.raises(InputError, match="not of the same times"):
        hft.validation.regimes(pnl(), "trend", market=walk().shift(1, freq="1min"))
    with pytest.raises(InputError, match=r"volatility of which market.*market="):
        hft.validation.regimes(pnl())
