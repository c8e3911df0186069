"""Gate 2: alone and beside a champion; MLflow says whether a share of its P&L is reached."""

import pytest
from gate_days import day, subject

from hftlib.promote.gates.champion import behind, judge

ASKED = {"fills_min": 1, "pnl_min": -1e6, "worst_day_min": -1e6, "champion_share_min": 1.0}


def test_alone_it_says_so():
    verdict = judge(subject(), None, [day()], **ASKED)
    assert verdict.passed and "no champion" in verdict.sentence
    for name, value, said in (
        ("fills_min", 10**6, "are the least"), ("pnl_min", 1e6, "are asked for"),
        ("worst_day_min", 1e6, "may be lost"),
    ):  # fmt: skip
        bad = judge(subject(), None, [day()], **{**ASKED, name: value})
        assert bad.passed is False and said in bad.sentence


def test_beside_itself_it_is_as_good_and_not_better():
    same = judge(subject(), subject(), [day()], **ASKED)
    assert same.passed, same.sentence
    assert same.figures["champion: P&L"] == same.figures["P&L"]
    idle = subject(edge_ticks=100)
    mine = same.figures["P&L"]
    better, worse = (subject(), idle) if mine > 0 else (idle, subject())
    assert judge(better, worse, [day()], **{**ASKED, "fills_min": 0}).passed
    lost = judge(worse, better, [day()], **{**ASKED, "fills_min": 0})
    assert lost.passed is False and "the champion asks for" in lost.sentence


@pytest.mark.parametrize(
    ("pnl", "baseline", "share", "is_behind"),
    [
        (100.0, 100.0, 1.0, False), (99.0, 100.0, 1.0, True), (90.0, 100.0, 0.9, False),
        (105.0, 100.0, 1.1, True), (111.0, 100.0, 1.1, False), (-5.0, -10.0, 1.1, False),
        (-11.0, -10.0, 0.5, True), (0.0, 0.0, 1.0, False),
    ],
)  # fmt: skip
def test_a_share_of_the_champions_pnl(pnl, baseline, share, is_behind):
    assert bool(behind(pnl, baseline, share)) is is_behind
