"""Gate 7: a strategy that does not know its limits fails; so does one without any."""

from dataclasses import replace

from gate_days import day, subject

import hftlib as hft
from hftlib.promote.gates.conformance import judge

ASKED = {"refused_share_max": 0.2, "events_max": 800}
WIDE = '[instrument."*"]\nposition_lots = 2_000\norder_quantity_lots = 500\n'


def test_within_wide_limits_it_passes_and_each_limit_refused():
    verdict = judge(subject(WIDE), [day()], **ASKED)
    assert verdict.passed, verdict.sentence
    assert verdict.figures["limits"] == verdict.figures["limits that refused"] == 3
    assert verdict.figures["orders"] > 0 and "position_lots" in str(verdict)


def test_one_that_asks_for_more_than_it_may_fails():
    verdict = judge(subject('[instrument."*"]\norder_quantity_lots = 50\n'), [day()], **ASKED)
    assert verdict.passed is False and "of what it asked for was refused" in verdict.sentence


def test_one_that_a_breaker_stops_fails():
    verdict = judge(subject("[firm]\ndrawdown_money = 1\n"), [day()], **ASKED)
    assert verdict.passed is False and "it was" in verdict.sentence


def test_one_that_sent_nothing_is_not_known():
    idle = replace(subject(WIDE), kind=hft.library.CrossVenueArbitrage)
    verdict = judge(idle, [day()], **ASKED)
    assert verdict.passed is None and "sent no orders" in verdict.sentence
