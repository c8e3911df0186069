"""May a release leave its stage? Each condition is met by real days, and fails if narrower."""

import json
import shutil
from dataclasses import replace

import pytest
from release_desk import POLICY
from rollout_days import DIGEST, some_days

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release.rollout_policy import policy_of
from hftlib.promote.rollout.day_figures import Seen, measured_days
from hftlib.promote.rollout.days import days_of, read_day
from hftlib.promote.rollout.measuring import conditions_held, judged

POLICY_OF = policy_of(POLICY, "a test")


@pytest.fixture(scope="module")
def days():
    return some_days()


@pytest.fixture(scope="module")
def verdict(days):
    return judged(POLICY_OF, "shadow", [days.second, days.shadow], DIGEST)


@pytest.fixture(scope="module")
def seen(days):
    return measured_days(days_of(POLICY_OF, "shadow", [days.shadow, days.second], DIGEST))


def test_days_that_show_it_all_let_a_release_go_on(verdict):
    assert verdict.passed is True, verdict
    assert verdict.sentence == "All 13 conditions of leaving shadow hold over 2 days."
    figures = verdict.figures
    assert figures["days_min"] == 2 and figures["orders_min"] > 40 and figures["fills_min"] > 10
    assert figures["decisions_share_min"] > 0.9 and figures["fills_share_min"] > 0.5
    assert 0 < figures["order_p99_us_max"] < 1_000_000 and figures["identical"] == 2
    assert 0 < figures["minutes_min"] < 2


def test_a_verdict_is_a_table_for_people_and_figures_for_machines(verdict, days):
    text, page = str(verdict), verdict._repr_html_()
    for words in ("condition", "measured", "wanted", "ok?", "every day", " us", " %", " USD"):
        assert words in text and words in page
    assert days.shadow.name in text and "<svg" in page
    told = json.loads(json.dumps(verdict.as_json(), allow_nan=False))
    assert told["passed"] is True and told["figures"]["orders_min"] == verdict.figures["orders_min"]


def test_a_canary_and_the_share_that_it_had(days):
    verdict = judged(POLICY_OF, "canary", [days.canary], DIGEST)
    assert verdict.passed is True, verdict
    half = policy_of(POLICY.replace("share = 0.1\n", "share = 0.5\n"), "a test")
    with pytest.raises(InputError, match=r"was a canary of 0.1, and the policy says 0.5"):
        judged(half, "canary", [days.canary], DIGEST)


def narrower(seen, **asked):
    """The keys of what does not hold, and each one's answer."""
    held = conditions_held(replace(POLICY_OF.shadow, **asked), seen)
    return {one.key: one.ok for one in held if one.ok is not True}


def test_each_condition_fails_alone_where_it_is_narrower(seen):
    assert not narrower(seen)
    pnl = sum(one.pnl for one in seen)
    assert narrower(seen, pnl_min=pnl + 1) == {"pnl": False}
    assert narrower(seen, pnl_max=pnl - 1) == {"pnl": False}, "too good is not as promised either"
    worst = min(one.pnl for one in seen)
    assert narrower(seen, worst_day_min=worst + 1) == {"worst_day_min": False}
    assert narrower(seen, order_p99_us_max=0) == {"order_p99_us_max": False}


@pytest.mark.parametrize("key", ["days_min", "minutes_min", "orders_min", "fills_min"])
def test_too_little_is_no_failure_but_tells_nothing_yet(seen, key):
    assert narrower(seen, **{key: 10**6}) == {key: None}


@pytest.mark.parametrize(
    ("changed", "asked", "key"),
    [
        ({"decisions": 0.5}, {"decisions_share_min": 0.9}, "decisions_share_min"),
        ({"filled": 0.5}, {"fills_share_min": 0.9}, "fills_share_min"),
        ({"refused": 5}, {"refused_share_max": 0.01}, "refused_share_max"),
        ({"rejected": 5}, {"rejected_share_max": 0.01}, "rejected_share_max"),
        ({"identical": False}, {}, "identical"),
    ],
)
def test_a_day_that_did_otherwise_fails_alone(seen, changed, asked, key):
    assert narrower([replace(seen[0], **changed), seen[1]], **asked) == {key: False}


def test_what_was_not_told_cannot_be_told(seen):
    first, second = seen
    dumb = replace(first, day=replace(first.day, latency={}))
    assert narrower([dumb, second]) == {"order_p99_us_max": None}
    assert not narrower([dumb, second], order_p99_us_max=float("inf")), "it is not asked for"
    assert narrower([replace(first, currency="EUR"), second]) == {
        "pnl": None,
        "worst_day_min": None,
    }
    early = replace(first, day=replace(first.day, why="the journal takes no more"))
    assert narrower([early, second]) == {"ended": False}
    few = [replace(first, orders=3), replace(second, orders=3)]
    assert narrower(few, orders_min=0) == {"decisions_share_min": None, "fills_share_min": None}


def test_a_share_of_all_days_is_by_their_orders(seen):
    some = [replace(seen[0], orders=90, decisions=1.0), replace(seen[1], orders=10, decisions=0.0)]
    held = {one.key: one.value for one in conditions_held(POLICY_OF.shadow, some)}
    assert held["decisions_share_min"] == pytest.approx(0.9)


def test_a_day_that_was_cut_off_cannot_be_told(days):
    verdict = judged(POLICY_OF, "shadow", [days.shadow, days.cut], DIGEST)
    assert verdict.passed is None
    assert "cut.journal is no whole day: its journal is cut off" in verdict.sentence
    assert verdict.figures["days_min"] == 1


def test_a_failure_is_one_also_where_something_else_cannot_be_told(days):
    far = policy_of(POLICY.replace("pnl_max = 1_000_000", "pnl_max = -999_999", 1), "a test")
    verdict = judged(far, "shadow", [days.shadow, days.cut], DIGEST)
    assert verdict.passed is False and "P&L after fees, all days" in verdict.sentence


def test_a_day_that_does_not_replay_is_a_failure(days, tmp_path, seen):
    differs = Seen(seen[0].day, False, wrong="shadow.journal does not replay: frame 9 is another")
    assert narrower([differs, seen[1]])["identical"] is False


def test_days_of_others_are_refused(days, tmp_path):
    def refused(*journals, stage="shadow", digest=DIGEST, kind=InputError):
        with pytest.raises(kind) as caught:
            judged(POLICY_OF, stage, list(journals), digest)
        return str(caught.value)

    assert "of another release, leaner-7 with the digest cdcd" in refused(days.other)
    assert "is of the mode 'paper', and the stage shadow is shadow" in refused(days.paper)
    assert "is of the mode 'shadow', and the stage canary is canary" in refused(
        days.shadow, stage="canary"
    )
    assert "is named twice" in refused(days.shadow, days.shadow)
    copy = tmp_path / "copy.journal"
    shutil.copytree(days.shadow, copy)
    assert "are of the same time" in refused(days.shadow, copy)
    assert "0 journals are named" in refused()
    assert "There is no journal" in refused(tmp_path / "none")
    assert "no conditions of leaving the stage 'champion'" in refused(days.paper, stage="champion")
    assert "is no digest of a release" in refused(days.shadow, digest="ab")
    with pytest.raises(InputError, match="is no list of journals"):
        judged(POLICY_OF, "shadow", str(days.shadow), DIGEST)


def test_a_damaged_journal_shows_nothing(days, tmp_path):
    copy = tmp_path / "damaged.journal"
    shutil.copytree(days.shadow, copy)
    segment = next(copy.glob("*.segment"))
    data = bytearray(segment.read_bytes())
    data[40_000] ^= 1
    segment.write_bytes(data)
    with pytest.raises(HftError) as caught:
        judged(POLICY_OF, "shadow", [copy], DIGEST)
    assert isinstance(caught.value, StateError) and "amaged" in str(caught.value)


def test_a_journal_of_no_runner_is_refused(tmp_path):
    from hftlib.core.journal import Journal

    Journal.create(tmp_path / "notes", {"what": "an exchange"}).close()
    with pytest.raises(InputError, match="no journal of a runner"):
        read_day(tmp_path / "notes")
    (tmp_path / "empty").mkdir()
    with pytest.raises(HftError):
        read_day(tmp_path / "empty")


def test_a_day_of_no_release_is_refused(days, tmp_path):
    day = read_day(days.shadow)
    assert day.cut == "" and day.why == "" and day.latency["count"] > 20
    from hftlib.promote.rollout.days import _require

    bare = replace(day, about={**day.about, "release": None})
    with pytest.raises(InputError, match="is of no release"):
        _require(POLICY_OF, "shadow", bare, DIGEST)
