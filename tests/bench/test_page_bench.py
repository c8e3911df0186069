"""What a page costs is measured on the page that a runner has, with books and orders in it."""

from __future__ import annotations

import json

import pytest

from hftlib.bench import page_wire
from hftlib.bench.page import INSTRUMENTS, Paged, measured
from hftlib.core import jit

COUNT = 400  # a tenth of a second: two looks of twenty a second


def test_a_larger_page_costs_no_more_than_its_share_of_it():
    small, large = measured(2), measured(400)
    assert large["bytes"] > small["bytes"] > 300_000
    assert all(small[name] > 0 for name in ("ns", "cold_ns", "bare_ns", "bare_cold_ns"))
    assert large["instruments"] == 400 and len(INSTRUMENTS) == 3


@pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")
def test_each_way_has_its_rounds_and_its_looks():
    told: list[float] = []
    ways = page_wire.felt(1, lambda share, _what: told.append(share), COUNT)
    assert told == sorted(told)
    assert [(one.mode[:4], one.name, one.looks) for one in ways] == [
        (mode, name, round((rate or 0) * 0.1))
        for mode in ("busy", "asle")
        for name, rate, _ in page_wire.WAYS
    ]
    made = Paged([measured(2)], ways, 1)
    for one, said in zip(ways, made.as_json()["wire"], strict=True):
        assert len(one.ours) == len(one.bare) == 1
        assert said["ns"]["p50"] == one.ours[0]["p50"] > 0
        assert said["ratio"]["p50"] == one.ours[0]["p50"] / one.bare[0]["p50"]
    assert ways[0].ratio("p99") == 1.0 and json.dumps(made.as_json())
    assert len(made.table().renderables) == 2
