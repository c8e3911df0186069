"""Signals on bars made a strategy: known when the bar is over, followed to the lot, checked."""

import numpy as np
import pandas as pd
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.bridge import follower


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(hft.synthetic(symbols=2, seconds=120, seed=7))


@pytest.fixture(scope="module")
def bars(tape):
    made = tape.only("AAA").bars("1s")
    return made[made["mid"].notna()]


def every_ten(bars, first):
    """True at each tenth bar."""
    return pd.Series(np.arange(len(bars)) % 10 == first, index=bars.index, name="AAA")


def test_a_signal_counts_from_the_end_of_its_bar_and_is_followed_to_the_lot(tape, bars):
    into, out = every_ten(bars, 2), every_ten(bars, 7)
    made = hft.signals_to_strategy(into, out, tape.only("AAA"), every="1s", quantity=30)
    result = hft.backtest(made, tape.only("AAA"), params={"slip_ticks": 100})
    fills = result.fills
    known = {stamp + pd.Timedelta("1s") for stamp in bars.index[into | out]}
    asked = set(result.orders["sent"].dt.tz_convert("UTC"))
    # Before the open and while trading is halted nothing can be asked for.
    assert asked <= known and len(asked) > 18 and len(fills) > 18
    assert set(fills["position"]) <= {*range(31)} and 30 in set(fills["position"])
    assert made.signals == (into | out).sum()


@pytest.mark.parametrize("way", [follower.TAKE, follower.JOIN, follower.OVER_TIME])
def test_every_way_comes_to_its_target(tape, bars, way):
    wanted = pd.Series(0, index=bars.index, name="AAA")
    wanted.iloc[len(bars) // 2 : -30] = -50
    made = hft.signals_to_strategy(targets=wanted, tape=tape.only("AAA"), every="1s")
    params = {"way": way, "seconds": 5.0, "patience": "20s"}
    result = hft.backtest(made, tape.only("AAA"), params=params)
    fills = result.fills
    assert fills["position"].min() == -50 and fills["position"].iloc[-1] == 0
    assert (fills["role"] == "maker").any() == (way == follower.JOIN)
    assert len(result.parents) == (2 if way == follower.OVER_TIME else 0)


def test_several_instruments_follow_their_own_columns(tape):
    frame = tape.bars("1s")["mid"].unstack("symbol").dropna()
    targets = pd.DataFrame({"BBB": 20, "AAA": 0}, index=frame.index).astype(int)
    targets.loc[frame.index[60] :, "AAA"] = 10
    made = hft.signals_to_strategy(targets=targets, tape=tape, every="1s")
    last = hft.backtest(made, tape).positions
    held = dict(zip(last.index, last["position"], strict=True))
    assert held == {"AAA": 10, "BBB": 20}


def test_shorts_and_a_bar_that_says_both(bars):
    none = pd.Series(False, index=bars.index)
    up, down = none.copy(), none.copy()
    up.iloc[[3, 9]], down.iloc[[6, 9]] = True, True
    made = hft.signals_to_strategy(up, none, short_entries=down, every="1s", quantity=5)
    place = np.zeros(1, made().state_dtype)
    made().lay(place)
    count = int(place["count"][0])
    assert place["targets"][0][:count].tolist() == [5, -5]  # at the ninth nothing is told
    ends = (bars.index[[3, 6]] + pd.Timedelta("1s")).as_unit("ns").asi8.tolist()
    assert place["times"][0][:count].tolist() == ends


def test_other_signals_are_another_strategy_and_settings_keep_them(bars):
    one = hft.signals_to_strategy(every_ten(bars, 1), every_ten(bars, 5))
    other = hft.signals_to_strategy(every_ten(bars, 1), every_ten(bars, 6))
    assert one().digest != other().digest and one().digest == one().digest
    changed = one().with_params(way=1)
    place = np.zeros(1, changed.state_dtype)
    changed.lay(place)
    assert place["count"][0] == one.signals and changed.digest != one().digest


def spoiled(bars, how):
    good = every_ten(bars, 1)
    return {
        "numbers": lambda: {"entries": good.to_numpy()},
        "no zone": lambda: {"entries": good.tz_localize(None)},
        "backwards": lambda: {"entries": good[::-1]},
        "nothing": dict,
        "other bars": lambda: {"entries": good, "exits": good.iloc[:-1]},
        "gaps": lambda: {"entries": good.astype(object).where(good.index > good.index[3])},
        "no quantity": lambda: {"entries": good, "quantity": 0},
        "both": lambda: {"entries": good, "targets": good * 1},
        "uneven": lambda: {"entries": good.drop(good.index[4]), "every": None},
        "no width": lambda: {"entries": good, "every": "0s"},
        "half lots": lambda: {"targets": good * 0.5},
        "two columns": lambda: {"entries": pd.DataFrame({"AAA": good, "BBB": good})},
        "stranger": lambda: {"entries": pd.DataFrame({"AAA": good, "QQQ": good}), "on": True},
    }[how]()


@pytest.mark.parametrize(
    "how",
    ["numbers", "no zone", "backwards", "nothing", "other bars", "gaps", "no quantity", "both",
     "uneven", "no width", "half lots", "two columns", "stranger"],
)  # fmt: skip
def test_what_is_no_signal_is_said(tape, bars, how):
    given = {"every": "1s", **spoiled(bars, how)}
    where = {"tape": tape} if given.pop("on", False) else {}
    with pytest.raises(InputError) as said:
        hft.signals_to_strategy(**given, **where)
    assert said.value.do
