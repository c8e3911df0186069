"""The heat-map counts every order once, and says what the percentiles are."""

from __future__ import annotations

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError


def test_every_order_that_was_answered_is_counted_once():
    tape = hft.to_tape(hft.synthetic(symbols=1, seconds=60, seed=7))
    venue = hft.Venue(order_latency="250us")
    result = hft.backtest(hft.library.QueueImbalance, tape, venue=venue)
    made = hft.latency_map(result)
    answered = result.orders["accepted"].notna()
    assert made.counts.sum() == answered.sum() > 10
    took = (result.orders["accepted"] - result.orders["sent"])[answered]
    assert made.percentile(50) == np.percentile(took.array.asi8, 50) == 500_000
    assert made.first == 18  # 2**18 ns is the power of two below 500 us
    assert "262" in made._repr_html_()
    assert hft.latency_map(result, leg="to the venue").percentile(50) == 250_000


@pytest.mark.parametrize(
    ("source", "settings", "said"),
    [(3, {}, "has no latencies"), (None, {"leg": "there"}, "no leg")],
)
def test_what_has_none_is_a_sentence(source, settings, said):
    with pytest.raises(InputError, match=said):
        hft.latency_map(source, **settings)
