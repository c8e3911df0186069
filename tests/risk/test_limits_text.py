"""Limits as a text and back: the same limits, whatever was limited."""

from pathlib import Path

import pytest

import hftlib as hft
from hftlib.risk.limits_file import limits_of
from hftlib.risk.limits_text import limits_text

EVERYTHING = {
    "position_lots": 1_000,
    "order_value_money": 12_345.6789,
    "instrument": {"AAPL": {"position_lots": 500}, "BRK B": {"open_orders": 2}},
    "strategy": {"daily_loss_money": 5_000},
    "portfolio": {
        "equities": {"strategies": ["Maker", "Taker"], "gross_exposure_money": 2_000_000}
    },
    "firm": {"messages": 1_000, "messages_ms": 500},
    "rules": {"restricted": ["MSFT"], "self_match": "cancel_newest", "bands_percent": {"AAPL": 5}},
    "launch": {"instruments": ["AAPL"], "position_lots": 10},
    "currency": "USD",
    "rates": {"EUR": 1.0825},
}
NAMES = ("instrument", "strategy", "portfolio", "members", "firm", "rules", "launch", "rates")


def known(given):
    """Without names of limits that this version does not have."""
    from hftlib.risk.limits import SETTINGS

    firm = {name: value for name, value in given["firm"].items() if name in SETTINGS}
    return given | {"firm": firm}


@pytest.mark.parametrize("name", ["", *EVERYTHING])
def test_what_is_read_is_what_was_written(name):
    given = known(EVERYTHING)
    limits = hft.Limits(**({name: given[name]} if name else given))
    read = limits_of(limits_text(limits), Path("a journal"))
    assert {one: getattr(read, one) for one in NAMES} == {
        one: getattr(limits, one) for one in NAMES
    }
    assert read.currency == limits.currency


def test_money_keeps_its_last_digit():
    for value in (0.0001, 99_999_999.9999, 123_456_789, 0.07):
        limits = hft.Limits(order_value_money=value)
        read = limits_of(limits_text(limits), Path("a journal"))
        assert read.instrument == limits.instrument
