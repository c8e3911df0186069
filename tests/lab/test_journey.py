"""An order's life: the steps are those of the result, and of the journal's own messages."""

from __future__ import annotations

import pytest

import hftlib as hft
from hftlib.core.errors import InputError


@pytest.fixture(scope="module")
def result():
    tape = hft.to_tape(hft.synthetic(symbols=1, seconds=60, seed=7))
    return hft.backtest(hft.library.QueueImbalance, tape)


def test_the_steps_are_in_order_and_each_fill_is_there(result):
    order = int(result.fills["order"].iloc[0])
    steps = hft.journey(result, order).told["steps"]
    times = [int(one["time_ns"]) for one in steps]
    assert times == sorted(times) and times[0] > 0
    kinds = [one["kind"] for one in steps]
    assert kinds[0] == "sent" and "accepted" in kinds
    row = result.orders.loc[order]
    assert times[0] == row["sent"].value
    mine = result.fills[result.fills["order"] == order]
    assert kinds.count("filled") == len(mine)
    assert {one.value for one in mine["time"]} <= {*times}


def test_a_journal_has_every_message_of_the_order(paper, tmp_path):
    import shutil

    folder = shutil.copytree(paper.journal, tmp_path / "day.journal")
    steps = hft.journey(folder, 1).told["steps"]
    kinds = [one["kind"] for one in steps]
    assert kinds[:2] == ["decided", "sent"] and "accepted" in kinds
    assert steps[1]["text"].startswith("enter")
    assert kinds.count("decided") == kinds.count("sent")
    with pytest.raises(InputError, match="Its orders are 1 to"):
        hft.journey(folder, 10**6)


@pytest.mark.parametrize(
    ("order", "said"), [(0, "no number"), ("x", "no number"), (10**6, "Its orders are 1 to")]
)
def test_an_order_that_is_none_is_a_sentence(result, order, said):
    with pytest.raises(InputError, match=said):
        hft.journey(result, order)


def test_what_has_no_orders_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no orders"):
        hft.journey(3, 1)
    with pytest.raises(InputError, match="no journal"):
        hft.journey(tmp_path / "none", 1)
