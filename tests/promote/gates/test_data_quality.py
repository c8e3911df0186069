"""Gate 1: a day that is unsound, short or not unseen is named."""

from gate_days import day

from hftlib.promote.gates.data_quality import judge

ASKED = {"wrong_max": 0, "events_min": 100, "share_clean_min": 0.5}
NEXT = "2026-01-06"


def test_sound_days_pass():
    verdict = judge([day()], [day(11, date=NEXT)], **ASKED)
    assert verdict.passed and verdict.figures["wrong events"] == 0
    assert verdict.figures["events"] == len(day()) + len(day(11, date=NEXT))
    assert "<svg" in verdict.picture


def test_an_unseen_day_that_was_seen_fails():
    assert "one of the days chosen on" in judge([day()], [day()], **ASKED).sentence
    early = judge([day(11, date=NEXT)], [day()], **ASKED)
    assert early.passed is False and "before those days are over" in early.sentence


def test_a_short_day_and_an_unsound_one_fail():
    short = judge([day()], [day(11, date=NEXT)], **{**ASKED, "events_min": 10**6})
    assert short.passed is False and "fewer than 1,000,000" in short.sentence
    odd = judge([day()], [day(11, date=NEXT)], **{**ASKED, "share_clean_min": 1.1})
    assert odd.passed is False and "is without a finding" in odd.sentence
