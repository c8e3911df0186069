"""How a day begins: what fills cost is given, journaled, counted in P&L, and replayed."""

from __future__ import annotations

import pytest
from floor_trial import begun, trade

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.beginning import Given, resumed
from hftlib.ops.exchanges import fees_of
from hftlib.ops.launching import laid
from hftlib.ops.status import status

FEES = {"maker_per_unit": "-0.0020", "taker_per_unit": "0.0030"}


def test_what_fills_cost_is_in_the_profit_the_journal_and_its_result(floor, tmp_path):
    trial = begun(floor, tmp_path / "day.journal", fees=FEES)
    seat = trial.runner.live.session.seats[0]
    trade(floor, 100, until=lambda: int(seat["positions"]["fills"][0]) > 5)
    trial.runner.stop()
    row = status(trial.runner)["positions"][0]
    result = hft.journal_result(trial.folder)
    fills = result.fills
    wanted = {"maker": -0.0020, "taker": 0.0030}
    assert len(fills) > 5
    for _, one in fills.iterrows():
        assert one.fee == pytest.approx(wanted[one.role] * one.quantity)
    paid = fills.quantity.where(fills.side == "sell", -fills.quantity) * fills.price
    middle = (row["bid"] + row["ask"]) / 2 if row["quantity"] else 0.0
    assert row["profit"] == pytest.approx(paid.sum() + row["quantity"] * middle - fills.fee.sum())
    assert result.about["fees"] == "maker_per_unit -0.0020, taker_per_unit 0.0030"
    assert not any("free" in one for one in result.about["not told"])
    assert about(trial.folder)["fees"] == FEES
    assert "fees: maker_per_unit -0.0020" in status(trial.runner)["mode_says"]
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference


def test_a_fee_that_is_none_is_refused_before_anybody_waits(tmp_path):
    assert fees_of(["taker = 1.5bp", "maker=-0.2bp"]) == {"taker": "1.5bp", "maker": "-0.2bp"}
    for text, words in (("taker", "no fee"), ("takr=1bp", "takr"), ("taker=much", "much")):
        with pytest.raises(InputError, match=words):
            fees_of([text])
    with pytest.raises(InputError, match="are those of the journal"):
        resumed(
            Given([], [], None, "", {"HFTX": "frm1a"}, fees={"HFTX": {"taker": "1bp"}}),
            tmp_path,
            print,
        )
