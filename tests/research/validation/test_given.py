"""What a statistic is given: the right way up, all of it numbers, or a sentence says what to do."""

import numpy as np
import pandas as pd
import pytest
from sampled_day import day

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation import given

TIMES = pd.date_range("2026-01-05 09:30", periods=60, freq="1min", tz="America/New_York")


def noise(rows=60, columns=4, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, columns))


class Swept:
    """What a sweep is to a statistic: something with P&L by steps of time and trials."""

    def __init__(self, pnl):
        self.pnl = pnl


def test_a_frame_an_array_lists_and_a_sweep_are_the_same_matrix():
    values = noise()
    frame = pd.DataFrame(values, index=TIMES, columns=["a", "b", "c", "pnl"])
    for one in (frame, values, values.tolist(), Swept(frame), Swept(values)):
        made = given.matrix_of(one)
        assert np.array_equal(made.values, values) and (made.rows, made.columns) == (60, 4)
    assert given.matrix_of(Swept(frame)).names == ("a", "b", "c", "pnl")
    assert given.matrix_of(values).names == ("0", "1", "2", "3")
    assert given.matrix_of(frame).values is not frame.values


def test_a_matrix_on_its_side_is_refused_and_a_wide_one_with_times_is_not():
    with pytest.raises(InputError, match=r"4 rows and 60 columns .*matrix\.T"):
        given.matrix_of(noise().T)
    frame = pd.DataFrame(noise(60, 80), index=TIMES)
    assert given.matrix_of(frame).columns == 80, "its rows say that they are times"
    with pytest.raises(InputError, match=r"columns are times.*matrix\.T"):
        given.matrix_of(frame.T)
    dates = pd.DataFrame(noise(60, 80), index=[one.date() for one in TIMES])
    assert given.matrix_of(dates).rows == 60
    with pytest.raises(InputError, match=r"60 rows and 80 columns"):
        given.matrix_of(pd.DataFrame(noise(60, 80)))


def gap():
    frame = pd.DataFrame(noise(), columns=["a", "b", "c", "d"])
    frame.iloc[5, 2] = np.nan
    return frame


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (gap(), r"1 of 4 trials .*'c'.*put 0"),
        (np.full((60, 2), np.inf), r"2 of 2 trials hold what is no number \('0, 1'\)"),
        (np.zeros(60), "two dimensions, not 1"),
        (np.zeros((4, 3, 2)), "two dimensions, not 3"),
        (noise() + 1j, "no number"),
        ([["a", "b"], ["c", "d"]], "no number"),
        ([[1.0, 2.0], [3.0]], "no number"),
        (pd.DataFrame({"a": TIMES, "b": TIMES}), "no number"),
        ("matrix.csv", "no number"),
        (None, "no number|dimensions"),
        (pd.DataFrame(noise(), index=TIMES[::-1]), r"do not rise.*sort_index"),
    ],
)
def test_what_is_no_matrix_is_refused_in_a_sentence(what, said):
    with pytest.raises(InputError, match=said):
        given.matrix_of(what)


def test_a_result_is_one_trial_and_more_than_one_series():
    result = day([100] * 40)
    with pytest.raises(InputError, match="one trial"):
        hft.validation.pbo(result)
    with pytest.raises(InputError, match=r"result\.pnl\('1m'\)"):
        hft.validation.sharpe(result)


def test_a_sweep_is_more_than_one_series():
    with pytest.raises(InputError, match=r"sweep\.pnl\[trial\]"):
        hft.validation.bootstrap(Swept(noise()))


def test_a_series_is_anything_of_one_dimension():
    values = noise(60, 1).ravel()
    series = pd.Series(values, index=TIMES)
    for one in (series, values, values.tolist(), series.to_frame("pnl"), values[:, None]):
        assert np.array_equal(given.series_of(one).values, values)
    assert given.series_of(series).index is series.index
    for what, said in (
        (noise(), r"shape \(60, 4\).*one column"),
        ([1.0, np.nan, np.inf], "2 of 3 steps are no numbers"),
        (["a"], "no number"),
        (series[::-1], "do not rise"),
        (3.0, r"shape \(\)"),
    ):
        with pytest.raises(InputError, match=said):
            given.series_of(what)


def test_two_that_stand_beside_each_other_must_be_of_the_same_times():
    one, other = (
        given.series_of(pd.Series(np.zeros(60), index=at)) for at in (TIMES, TIMES.shift(1))
    )
    given.same_steps(one, given.series_of(np.zeros(60)), "all", "Both")
    with pytest.raises(InputError, match="not of the same times"):
        given.same_steps(one, other, "all", "Both")
    with pytest.raises(InputError, match="60 and 59 steps"):
        given.same_steps(one, given.series_of(np.zeros(59)), "all", "Both")


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 20, np.nan, np.inf, "0.9", None, True])
def test_a_share_is_between_none_and_all(value):
    with pytest.raises(InputError, match=r"at_most=.*above 0 and below 1"):
        given.share(value, "at_most")


@pytest.mark.parametrize("value", [0, 65, 2.0, "16", None, True, -4])
def test_a_count_is_whole_and_within_bounds(value):
    with pytest.raises(InputError, match=r"slices=.*from 2 to 64"):
        given.whole(value, "slices", 2, 64)


def test_a_share_in_words_is_neither_all_nor_nothing_unless_it_is():
    said = [given.percent(one) for one in (0.0, 0.00012, 0.25, 0.4567, 0.9999, 1.0)]
    assert said == ["0 %", "0.012 %", "25 %", "45.7 %", "99.99 %", "100 %"]


PNL = noise(60, 1).ravel()
MATRIX = noise()


@pytest.mark.parametrize(
    ("name", "first", "bad"),
    [
        ("pbo", MATRIX, {"at_most": 20}),
        ("pbo", MATRIX, {"statistic": "median"}),
        ("pbo", MATRIX, {"slices": 15}),
        ("pbo", MATRIX, {"slices": 2}),
        ("pbo", MATRIX, {"samples": 10}),
        ("pbo", MATRIX, {"seed": -1}),
        ("sharpe", PNL, {"against": "0"}),
        ("sharpe", PNL, {"at_least": 95}),
        ("sharpe", PNL, {"steps_a_year": 0}),
        ("deflated_sharpe", PNL, {}),
        ("deflated_sharpe", PNL, {"trials": 0}),
        ("deflated_sharpe", PNL, {"trials": 1.5}),
        ("deflated_sharpe", PNL, {"trials": 5, "variance": -1.0}),
        ("deflated_sharpe", PNL, {"trials": 3, "all": MATRIX}),
        ("deflated_sharpe", PNL, {"all": MATRIX[:50]}),
        ("deflated_sharpe", PNL, {"trials": 5, "at_least": 1.0}),
        ("deflated_sharpe", PNL, {"trials": 5, "steps_a_year": -2}),
        ("independent_trials", MATRIX, {"alike": 1.5}),
        ("reality_check", MATRIX, {"at_most": 5}),
        ("reality_check", MATRIX, {"draws": 1}),
        ("reality_check", MATRIX, {"against": PNL[:9]}),
        ("reality_check", MATRIX, {"block": 0}),
        ("spa", MATRIX, {"block": "long"}),
        ("spa", MATRIX, {"seed": 2**40}),
        ("confidence_set", MATRIX, {"certainty": 90}),
        ("confidence_set", MATRIX, {"draws": 10**6}),
        ("bootstrap", PNL, {"statistic": "median"}),
        ("bootstrap", PNL, {"confidence": 95}),
        ("bootstrap", PNL, {"at_least": "0"}),
        ("bootstrap", PNL, {"at_most": np.nan}),
        ("bootstrap", PNL, {"draws": 0}),
        ("bootstrap", PNL, {"block": 1_000}),
        ("bootstrap", PNL, {"seed": "x"}),
        ("regimes", PNL, {"by": "moon"}),
        ("regimes", PNL, {"by": 3}),
        ("regimes", PNL, {"by": ["a"] * 59}),
        ("regimes", PNL, {"by": range(60), "window": 1}),
        ("regimes", PNL, {"by": "volatility"}),
        ("regimes", PNL, {"by": "volatility", "market": PNL[:9]}),
        ("regimes", PNL, {"by": "time"}),
        ("regimes", PNL, {"by": ["a"] * 60, "at_most": 80}),
        ("regimes", PNL, {"by": ["a"] * 60, "certainty": 2}),
        ("stability", MATRIX, {}),
        ("stability", pd.DataFrame(MATRIX, columns=list("abcd")), {}),
        ("stability", pd.DataFrame(MATRIX, columns=list("abcd")), {"objective": "d"}),
    ],
)
def test_no_bad_argument_ends_in_a_traceback(name, first, bad):
    with pytest.raises(InputError) as refused:
        getattr(hft.validation, name)(first, **bad)
    assert len(str(refused.value)) < 500 and "Where:" in str(refused.value)


def test_an_unknown_question_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"no 'pbp'; it has .*pbo, "):
        _ = hft.validation.pbp
    assert {"pbo", "sharpe", "spa"} <= set(dir(hft.validation))
