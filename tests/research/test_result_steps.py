"""P&L by steps: adds up to the whole, stands on the tape's own grid, against a slow twin."""

import math

import pytest
from result_ledger import ABOUT, T0, Ledger, S, market, random_ledger, round_trip

from hftlib.core.errors import InputError

SPAN = {**ABOUT, "begin": T0, "end": T0 + 10 * S}


LONG = {**ABOUT, "begin": T0, "end": T0 + 200 * S}


def twin(result, step_s: int, symbols: tuple[str, ...]) -> list[float]:
    """Walks all samples for each step; a worth that nobody can tell is the last that one could."""
    rows = result.equity.reset_index()
    rows = rows[rows["symbol"].isin(symbols)]
    made, before = [], 0.0
    for step in range(1, math.ceil(200 / step_s) + 1):
        now, mids, worth = 0.0, dict.fromkeys(symbols, math.nan), dict.fromkeys(symbols, 0.0)
        seen = rows[rows["time"].map(lambda at: at.value) <= T0 + step * step_s * S]
        for moment in seen["time"].unique():
            for _, row in seen[seen["time"] == moment].iterrows():
                name = row["symbol"]
                mids[name] = mids[name] if math.isnan(row["mid"]) else row["mid"]
                held = 0.0 if row["position"] == 0 else row["position"] * mids[name]
                worth[name] = row["cash"] + held - row["fees"]
            total = sum(worth.values())
            now = now if math.isnan(total) else total
        made.append(now - before)
        before = now
    return made


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step", [13, 200])
def test_steps_agree_with_a_walk_over_the_samples(seed, step):
    result = random_ledger(seed).result(about=LONG)
    with pytest.raises(InputError, match="EUR, USD do not add up"):
        result.pnl("13s")
    steps = result.pnl(f"{step}s", currency="USD")
    assert steps.tolist() == pytest.approx(twin(result, step, ("S0", "S1")), abs=1e-6)
    assert any(steps)


def test_they_stand_on_the_tapes_own_grid_and_add_up_to_the_whole():
    result = round_trip().result(about=SPAN)
    steps = result.pnl("1s")
    assert str(steps.index[0]) == "2019-12-30 09:30:01-05:00" and len(steps) == 10
    assert steps.sum() == pytest.approx(result.stats["pnl_net"])
    idle = Ledger(market()).result(about=SPAN).pnl("1s")
    assert idle.index.equals(steps.index) and (idle == 0).all()


def test_a_middle_that_nobody_knows_makes_no_profit():
    ledger = Ledger(market())
    ledger.sample(0, 20_000)
    bid = ledger.order(1, 100, 10_000, 1)
    ledger.fill(bid, 100, 10_000, S)
    ledger.sample(2 * S, 20_000)
    steps = ledger.result(about=SPAN).pnl("1s")
    assert (steps == 0).all()


@pytest.mark.parametrize("step", ["0s", "-1s", "1ns", "soon", 0])
def test_a_step_that_is_none_is_refused(step):
    end = T0 + 86_400 * S
    with pytest.raises(InputError):
        round_trip().result(about={**SPAN, "end": end}).pnl(step)


def test_several_currencies_are_not_added():
    ledger = round_trip()
    with pytest.raises(InputError, match="EUR"):
        ledger.result(about=SPAN).pnl("1s", currency="EUR")
