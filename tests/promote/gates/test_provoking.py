"""Every control, at every level, refuses what is provoked; what nothing provokes says so."""

import pytest
from gate_days import day

import hftlib as hft
from hftlib.promote.gates.provoking import _limits, provocations, provoked
from hftlib.risk.controls import CONTROLS

VENUE = hft.Venue(order_latency="250us", feed_latency="50us")
VALUE = 50


def asked(level, control):
    return next(one for one in provocations(_limits(level, {control: VALUE})) if
                one.control == control)  # fmt: skip


@pytest.mark.parametrize("control", [one.name for one in CONTROLS])
def test_a_limit_of_the_firm_refuses(control):
    one = asked("firm", control)
    told = provoked(one, day()[:1_500], VENUE)
    assert told.is_refused and told.reason, told
    assert one.value <= VALUE or control == "fill_rate_percent"


@pytest.mark.parametrize("level", ["instrument", "strategy", "portfolio"])
@pytest.mark.parametrize("control", ["position_lots", "messages", "drawdown_money"])
def test_so_do_those_of_other_levels(level, control):
    assert provoked(asked(level, control), day()[:1_500], VENUE).is_refused


def test_what_a_limit_does_not_forbid_is_not_counted():
    """The same provocation within the limit: nobody refuses it for that reason."""
    one = asked("firm", "order_quantity_lots")
    calm = type(one)(one.control, one.level, one.value, one.written, {"quantity": VALUE})
    assert provoked(calm, day()[:1_500], VENUE).times == 0


def test_portfolio_risk_of_one_instrument_is_not_provoked():
    told = provoked(asked("instrument", "value_at_risk_money"), day()[:100], VENUE)
    assert not told.is_refused and "nothing here provokes it" in told.reason
