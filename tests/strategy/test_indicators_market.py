"""Indicators over the synthetic market: what they told is what their formulas say."""

import numpy as np
import pytest
import slow_indicators as slow
from indicator_probes import ROWS, Watcher

import hftlib as hft
from hftlib.book.capacity import Capacity
from hftlib.research.setting_up import settings_of
from hftlib.research.staging import prepared

ROOM = Capacity(instruments=2, orders=1 << 14, levels=1 << 13, pages=1 << 11)


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(hft.synthetic(symbols=2, seconds=40, seed=9))


def watched(tape, compiled):
    settings = settings_of(hft.Venue(feed_latency="20us"), tape)
    run = prepared(Watcher(), tape, settings, hft.Limits(), ROOM, None, ())
    run.session.connect(compiled)
    assert run.go(lambda _share, _what: None, 1 << 20) == ""
    # Bytes: a copied record would have any bytes between its fields.
    return run.session.arena["state"].tobytes()


def test_over_a_market_they_are_their_formulas(tape):
    state = np.frombuffer(watched(tape, compiled=True), Watcher().state_dtype)[0]
    count = int(state["count"])
    seen, told = state["seen"].reshape(ROWS, 8)[:count], state["told"].reshape(ROWS, 8)[:count]
    ema, window = slow.SlowEMA(10**9), slow.SlowRolling(50)
    flow, micro = slow.SlowOrderFlow(5 * 10**8), slow.SlowMicroprice()
    moves = slow.SlowVolatility(10**10, 10**8, False)
    trades, rate = slow.SlowVWAP(40, 5 * 10**9), slow.SlowHawkes(1.0, 2.0, 10**9)
    kinds = [0, 0]
    for row, answers in zip(seen.tolist(), told.tolist(), strict=True):
        now, *quotes = row[:5]
        kinds[row[5]] += 1
        if row[5]:
            wanted = [trades.update(now, *quotes[:2]), rate.update(now, 1.0)]
        else:
            has_both = -slow.FAR not in (quotes[0], quotes[2])
            mid = (quotes[0] + quotes[2]) / 2 if has_both else float("nan")
            window.update(mid)
            wanted = [ema.update(now, mid), window.variance(), flow.update(now, *quotes)]
            wanted += [moves.update(now, mid), micro.update(*quotes, row[6])]
        found = answers[: len(wanted)]
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-6, nan_ok=True)
    assert kinds[0] > 400 and kinds[1] > 20, "a market in which nothing happens proves nothing"


def test_uncompiled_over_a_market_they_are_the_same_bit_for_bit(tape):
    assert watched(tape, compiled=True) == watched(tape, compiled=False)
