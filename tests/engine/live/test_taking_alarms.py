"""Alarms of the tick path: a limit on old data is looked after from the day's begin on."""

import pytest

import hftlib as hft
from hftlib.core.journal import kinds
from hftlib.engine.live.taking import due
from hftlib.ops.launching import described, laid
from hftlib.strategy.library import QueueImbalance

BEGIN, SECOND = 1_795_339_759_904_188_426, 10**9
EXCHANGE = {
    "ticks": {"AAA": 100},
    "midnight_ns": BEGIN - BEGIN % (86_400 * SECOND),
    "session": "X",
    "simulator": True,
}


@pytest.mark.parametrize("limit", ["stale_ms", "clock_skew_ms"])
def test_nobody_looks_around_before_the_day_began(tmp_path, limit):
    limits = tmp_path / "limits.toml"
    limits.write_text(f'[instrument."*"]\n{limit} = 1000\n')
    live = laid(described(["QueueImbalance"], EXCHANGE, user="frm1a", limits=limits))
    assert live.take(kinds.TIMER, 0, BEGIN, b"") == 0
    assert due(live.address) > BEGIN, "nothing is due from before it began"
    for n in range(1, 11):
        live.take(kinds.TIMER, 0, BEGIN + n * SECOND // 10, b"")
    assert 1 <= live.header["alarms"] <= 12 and live.header["put_off"] == 0
    assert BEGIN + SECOND <= due(live.address) <= BEGIN + 2 * SECOND


def test_a_backtest_with_such_a_limit_ends_and_is_what_it_is_without():
    tape = hft.to_tape(hft.synthetic(symbols=1, seconds=20, seed=7))
    for limits in ({"stale_ms": 10**6}, {"clock_skew_ms": 10**9}):
        with_it = hft.backtest(QueueImbalance, tape, limits=hft.Limits(**limits))
        without = hft.backtest(QueueImbalance, tape, limits=hft.Limits())
        assert with_it.stats["fills"] == without.stats["fills"] > 0
        assert with_it.stats["pnl_net"] == without.stats["pnl_net"]
