"""A policy of rollout: what it says, and each way in which it could say something else."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_rollout import WHOLE_POLICY as POLICY

from hftlib.core.errors import InputError
from hftlib.core.release.rollout_policy import (
    BYTES_MAX,
    Breach,
    RunAs,
    found_policy,
    policy_of,
    read_policy,
    run_as,
)

OURS = Path(__file__).parents[3] / "pipelines" / "rollout.toml"


def edited(stage, line):
    """The policy with one line of a section another one, or more."""
    name = line.partition(" =")[0].strip()
    head, mark, rest = POLICY.partition(f"[{stage}]\n")
    body, gap, tail = rest.partition("\n\n")
    kept = [one for one in body.splitlines() if one.partition(" =")[0] != name]
    return head + mark + "\n".join([*kept, line]) + gap + tail


def test_our_own_policy_is_one():
    policy = read_policy(OURS)
    assert policy.shadow.days_min == 2 and policy.canary.identical is True
    assert (policy.share, policy.scale, policy.mode) == (0.1, ("clip",), "paper")
    assert policy.breach.loss_money == 500 and policy.breach.silence_ms == 3_000
    assert policy.conditions("shadow") is policy.shadow
    assert policy.conditions("canary") is policy.canary
    assert [policy.mode_of(one) for one in ("shadow", "canary", "champion")] == [
        *("shadow", "canary", "paper")
    ]


def test_what_a_breach_does_not_say_is_not_looked_at():
    breach = policy_of(POLICY, "here").breach
    assert breach == Breach(loss_money=1_000_000)
    assert breach.silence_ms == 3_000 and breach.latency_p99_us is None


def test_only_a_latency_may_be_asked_for_without_a_bound():
    asked = policy_of(edited("shadow", "order_p99_us_max = inf"), "here").shadow
    assert asked.order_p99_us_max == float("inf")


def test_how_it_is_run_is_read_alone_and_as_the_whole_policy_says():
    policy = policy_of(POLICY, "here")
    assert run_as(POLICY, "canary", "here") == RunAs("canary", policy.share, policy.scale)
    assert run_as(POLICY, "champion", "here") == RunAs(policy.mode)
    assert run_as("", "shadow", "here") == RunAs("shadow")
    later = "[champion]\nmode = 'live'\nwhat_a_later_one_asks = 3\n"
    assert run_as(later, "champion", "here") == RunAs("live")
    for text, stage, why in (
        ("mode = 3", "champion", r"no table \[champion\]"),
        ("[canary]\nshare = 2", "canary", "share = 2 is no share"),
        ("[canary]\nshare = 0.1\nscale = ['a b']", "canary", "names no parameters"),
        ("[canary", "canary", "This is no TOML"),
    ):
        with pytest.raises(InputError, match=why):
            run_as(text, stage, "here")


def test_nothing_follows_a_champion():
    policy = policy_of(POLICY, "here")
    for stage in ("champion", "candidate", ""):
        with pytest.raises(InputError, match="no conditions of leaving the stage"):
            policy.conditions(stage)


BAD = [
    ("days_min = 0", "days_min = 0 is no count"),
    ("days_min = 1.5", "days_min = 1.5 is no count"),
    ("days_min = true", "days_min = True is no count"),
    ("minutes_min = -1", "minutes_min = -1 is below 0"),
    ('minutes_min = "9"', "minutes_min = '9' is no number"),
    ("orders_min = -1", "orders_min = -1 is no count"),
    ("fills_min = 1e3", r"fills_min = 1000.0 is no count"),
    ("decisions_share_min = 80", "decisions_share_min = 80 is no share"),
    ("fills_share_min = -0.1", "fills_share_min = -0.1 is no share"),
    ("pnl_min = nan", "pnl_min = nan is no number"),
    ("pnl_max = inf", "pnl_max = inf is no number"),
    ("pnl_max = -2_000_000", "no P&L is within"),
    ("pnl_min = 2_000_000", "no P&L is within"),
    ("worst_day_min = 2_000_000", "no days are within"),
    ("worst_day_min = []", r"worst_day_min = \[\] is no number"),
    ("refused_share_max = 1.1", "refused_share_max = 1.1 is no share"),
    ("rejected_share_max = false", "rejected_share_max = False is no share"),
    ("order_p99_us_max = -1", "order_p99_us_max = -1 is below 0"),
    ("identical = false", "shows nothing"),
    ("identical = 1", "shows nothing"),
    ("order_p99_max = 1", "no setting 'order_p99_max'.* Did you mean 'order_p99_us_max'"),
]


@pytest.mark.parametrize("stage", ["shadow", "canary"])
@pytest.mark.parametrize(("line", "why"), BAD)
def test_a_condition_that_is_none_is_refused_and_its_place_is_named(stage, line, why):
    with pytest.raises(InputError, match=why) as caught:
        policy_of(edited(stage, line), "this file")
    assert stage in caught.value.where and "this file" in caught.value.where


@pytest.mark.parametrize("stage", ["shadow", "canary"])
@pytest.mark.parametrize("name", [line.partition(" =")[0] for line, _ in BAD[:-1]])
def test_a_condition_that_is_not_said_has_no_value(stage, name):
    without = "\n".join(
        line for line in edited(stage, f"{name} = 1").splitlines() if line != f"{name} = 1"
    )
    with pytest.raises(InputError, match=f"does not say {name}"):
        policy_of(without, "this file")


@pytest.mark.parametrize(
    ("stage", "line", "why"),
    [
        ("canary", "share = 0", "share = 0 is no share"),
        ("canary", "share = 1.0", "share = 1.0 is no share"),
        ("canary", 'share = "0.1"', "share = '0.1' is no share"),
        ("canary", "scale = []", r"scale = \[\] names no parameters"),
        ("canary", 'scale = "clip"', "scale = 'clip' names no parameters"),
        ("canary", 'scale = ["clip", 3]', "names no parameters"),
        ("canary", 'scale = ["clip", "clip"]', "twice"),
        ("shadow", "share = 0.1", "no setting 'share'"),
        ("champion", 'mode = "canary"', "mode = 'canary' is no mode of a champion"),
        ("champion", "mode = 3", "mode = 3 is no mode"),
        ("champion", "days_min = 3", "no setting 'days_min'"),
        ("champion.breach", "loss_money = 0", "loss_money = 0 is no rule"),
        ("champion.breach", "silence_ms = -1", "silence_ms = -1 is no rule"),
        ("champion.breach", "stale_ms = inf", "stale_ms = inf is no rule"),
        ("champion.breach", "latency_p99_us = true", "latency_p99_us = True is no rule"),
        ("champion.breach", 'refused_per_second = "9"', "is no rule"),
        ("champion.breach", "rejected_per_second = []", "is no rule"),
        ("champion.breach", "loss_mony = 3", "no setting 'loss_mony'"),
    ],
)
def test_how_it_is_run_is_read_as_strictly(stage, line, why):
    with pytest.raises(InputError, match=why):
        policy_of(edited(stage, line), "this file")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"no table \[shadow\]"),
        ("[shadow", "This is no TOML"),
        ("shadow = 3", r"no table \[shadow\]"),
        (POLICY + "[candidate]\n", "no section 'candidate'"),
        (POLICY.partition("[canary]")[0], r"no table \[canary\]"),
        (POLICY.partition("[champion]")[0], r"no table \[champion\]"),
        (POLICY.partition("[champion.breach]")[0], r"no table \[champion.breach\]"),
        (POLICY.replace("loss_money = 1_000_000", ""), "no rule, so nothing would be"),
        (POLICY.replace('mode = "paper"', ""), "does not say mode"),
        (POLICY.replace("share = 0.1\n", "", 1), "does not say share"),
        ("#" * (BYTES_MAX + 1), "too large"),
    ],
)
def test_a_text_that_is_no_policy_is_refused(text, why):
    with pytest.raises(InputError, match=why):
        policy_of(text, "this file")


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff")
    for path, why in ((tmp_path, "cannot be read"), (tmp_path / "bytes", "no UTF-8"),
                      (tmp_path / "none", "No such file")):  # fmt: skip
        with pytest.raises(InputError, match=why):
            read_policy(path)


def test_the_policy_of_the_current_folder_is_taken_else_our_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert found_policy(None) == OURS
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "rollout.toml").write_text(POLICY)
    assert found_policy(None) == Path("pipelines/rollout.toml")
    assert found_policy(Path("mine.toml")) == Path("mine.toml")


def test_a_live_host_reads_it_without_a_research_package():
    code = (
        "import pathlib, sys; from hftlib.core.release.rollout_policy import read_policy"
        f"; read_policy(pathlib.Path({str(OURS)!r}))"
        "; bad = {'pandas', 'mlflow', 'papermill', 'plotly'}; print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
