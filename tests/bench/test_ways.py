"""The ways of the books that are measured beside each other end with the same books."""

from __future__ import annotations

from hftlib.bench.ways import costs
from hftlib.feed.synthetic.market import synthetic


def test_every_way_is_measured_and_all_agree(tmp_path):
    path = tmp_path / "small.itch50"
    synthetic(symbols=2, seconds=30, seed=3).write_itch(path)
    found = costs(path, runs=1)
    assert list(found) == ["as they are", "without looking ahead", "all orders in one hash"]
    assert all(cost > 0 for cost in found.values())
