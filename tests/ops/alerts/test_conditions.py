"""Each kind of rule at its edge, on a status as a runner gives it."""

from __future__ import annotations

import copy

import pytest
from floor_trial import trade

from hftlib.core.orders import REASONS
from hftlib.ops.alerts.conditions import ALONE, KINDS
from hftlib.ops.alerts.rules import DEFAULT, Rule, read_rules
from hftlib.ops.alerts.sight import Look, Past
from hftlib.ops.metrics.stages import stage_of
from hftlib.ops.status import status


@pytest.fixture(scope="module")
def seen():
    """A status of a real runner: its words and shapes are not ours to invent."""
    import tempfile
    from pathlib import Path

    from floor_desk import Floor
    from floor_trial import begun, listened_to

    with Floor() as floor, tempfile.TemporaryDirectory() as folder:
        trial = begun(listened_to(floor), Path(folder) / "day.journal")
        trade(floor, 10)
        found = status(trial.runner)
        stages = {name: stage_of(one.memory[0]) for name, one in trial.runner.latencies.items()}
        trial.runner.stop()
    found["is_running"], found["why"] = True, ""
    found["page"] = {"age_ns": 0, "is_torn": False, "is_left": False}
    return found, stages


def troubles(rule, *statuses, stages=({},), beat=None, every_s=1.0, **more):
    """What it finds at the last of looks a second apart."""
    past, found = Past(0.0), []
    for n, one in enumerate(statuses):
        shown = stages[min(n, len(stages) - 1)]
        look = Look("maker", n * every_s, past, one, shown, beat, **more)
        found = list(KINDS[rule.kind].of(rule, look))
    return found


def changed(found, **parts):
    made = copy.deepcopy(found)
    for name, value in parts.items():
        made[name] = value
    return made


def rule(name, **more):
    return read_rules(None).rules[name].model_copy(update=more)


def test_a_runner_in_which_all_is_well_has_no_trouble(seen):
    found, stages = seen
    quiet = changed(found, clock=found["clock"] | {"is_synchronised": True, "sync_error_us": 1.0})
    for name, one in read_rules(None).rules.items():
        if one.kind != "disk":
            assert not troubles(one, quiet, quiet, stages=(stages,)), name


STATE = ("trading_state", "scopes")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("halted", {"scopes": [{"scope": "firm", "state": "halted", "why": "x"}]}),
        ("reducing", {"scopes": [{"scope": "firm", "state": "reducing", "why": "x"}]}),
        ("reducing", {"scopes": [{"scope": "firm", "state": "flattening", "why": "x"}]}),
        (
            "breaker",
            {
                "scopes": [
                    {"scope": "firm", "state": "halted", "why": "the loss is above its limit"}
                ]
            },
        ),
        ("strategy-stopped", {"strategies": [{"name": "S", "stopped": "it failed"}]}),
        ("runner-stopped", {"is_running": False, "why": "the journal is full"}),
        ("runner-gone", {"page": {"age_ns": 0, "is_left": True}}),
        ("heartbeat", {"page": {"age_ns": 1_000_001_000, "is_left": False}}),
    ],
)
def test_a_state_is_a_trouble(seen, name, parts):
    (found,) = troubles(rule(name), changed(seen[0], **parts))
    assert found.said


def test_what_is_just_allowed_is_none(seen):
    found, _ = seen
    assert not troubles(rule("heartbeat"), changed(found, page={"age_ns": 10**9, "is_left": False}))
    handed = changed(found, is_running=False, why="", is_handed_over=True)
    assert not troubles(rule("runner-stopped"), handed)
    assert not troubles(rule("breaker"), changed(found, scopes=[
        {"scope": "firm", "state": "halted", "why": "a person said so"}]))  # fmt: skip


@pytest.mark.parametrize("what", ["feed", "link"])
def test_a_feed_and_a_link_that_were_ready_once_must_stay_so(seen, what):
    found, _ = seen
    name = {"feed": "stale-data", "link": "link-down"}[what]
    down = copy.deepcopy(found)
    down[f"{what}s"][0]["state"] = "SILENT"
    assert len(troubles(rule(name), found, down)) == 1
    assert not troubles(rule(name), down, down), "it begins, and may take a while"
    assert len(troubles(rule(name), down, down, every_s=10.1)) == 1
    assert not troubles(rule(name), found, changed(down, is_running=False))


def test_the_clock(seen):
    found, _ = seen
    stepped = changed(found, clock=found["clock"] | {"steps": 1, "step_us_max": -2_000.0})
    (one,) = troubles(rule("clock-step"), found, stepped)
    assert "-2.0 ms" in one.said
    assert not troubles(rule("clock-step"), stepped, stepped), "it was so before we looked"
    assert not troubles(rule("clock-step"), found, *[stepped] * 70), "it is a minute ago"
    for error_us, count in ((10_000.0, 0), (10_000.1, 1), (None, 0)):
        clock = changed(found, clock=found["clock"] | {"sync_error_us": error_us})
        assert len(troubles(rule("clock-error"), clock)) == count
    for told, count in ((False, 1), (True, 0), (None, 0)):
        clock = changed(found, clock=found["clock"] | {"is_synchronised": told})
        assert len(troubles(rule("clock-sync"), clock)) == count


def limited(found, share):
    row = {"scope": "firm", "name": "daily_loss_money", "unit": "money", "limit": 1000.0}
    return changed(found, limits=[row | {"used": share * 1000, "share": share}])


def test_limits_are_near_and_then_reached(seen):
    found, _ = seen
    for share, near, reached in ((0.799, 0, 0), (0.8, 1, 0), (0.999, 1, 0), (1.0, 0, 1)):
        told = limited(found, share)
        assert len(troubles(rule("limit-near"), told)) == near, share
        assert len(troubles(rule("limit-reached"), told)) == reached, share
    assert len(troubles(rule("loss-near"), limited(found, 0.8))) == 1
    other = rule("limit-near", limits=("gross_exposure_money",))
    assert not troubles(other, limited(found, 0.9))


def refused(found, count, reason="it would meet an order of our own"):
    return changed(found, refusals=[{"strategy": "S", "reason": reason, "count": count}])


def test_refusals_are_those_since_we_look(seen):
    found, _ = seen
    assert not troubles(rule("self-match"), refused(found, 3), refused(found, 3))
    (one,) = troubles(rule("self-match"), refused(found, 3), refused(found, 5))
    assert one.value == 2 and "S" in one.key
    assert len(troubles(rule("self-match"), found, refused(found, 1))) == 1, "the first of its kind"
    assert not troubles(rule("self-match"), found, *[refused(found, 1)] * 12), "a while ago"
    assert not troubles(rule("fat-finger"), found, refused(found, 1))


def test_rates_at_their_edge_and_not_while_halted(seen):
    found, _ = seen
    for name, count, each in (("rejects", "rejected", 5), ("refusals", "refused", 20)):
        for more, expected in ((0, 0), (1, 1)):
            later = copy.deepcopy(found)
            later["counts"][count] += 4 * each + more
            assert len(troubles(rule(name), found, found, found, found, later)) == expected, name
    later["scopes"][0]["state"] = "halted"
    assert not troubles(rule("refusals"), found, later)


def test_the_latency_objective_burns(seen):
    found, stages = seen
    begin = {"decide": stages["decide"]}

    def after(late):
        bounds = stages["decide"].buckets
        buckets = [
            (bound, count + (10_000 if bound == "+Inf" or float(bound) > 200e-6 else 10_000 - late))
            for bound, count in bounds
        ]
        return {"decide": type(stages["decide"])(buckets, 0.0, 0)}

    for late, count in ((140, 0), (141, 1)):
        told = troubles(rule("latency"), found, found, stages=(begin, after(late)))
        assert len(told) == count, late
    few = rule("latency", least=10_001)
    assert not troubles(few, found, found, stages=(begin, after(5_000)))


def test_standby_loss_disk_and_what_a_watchdog_says(seen, tmp_path):
    found, _ = seen
    ships = {"lag_ns": 10**9, "durability": "replicated", "state": "ships"}
    assert not troubles(rule("standby"), changed(found, standby=ships))
    late = ships | {"lag_ns": 10**9 + 10**6, "durability": "power"}
    assert {one.key for one in troubles(rule("standby"), changed(found, standby=late))} == {
        "lag", "durability"}  # fmt: skip
    loss = Rule(kind="loss", more_than_money=10)
    for profit, count in ((-10.0, 0), (-10.01, 1)):
        row = found["positions"][0] | {"profit": profit}
        assert len(troubles(loss, changed(found, positions=[row]))) == count
    here = changed(found, journal=str(tmp_path))
    assert len(troubles(Rule(kind="disk", less_than_share=1.0), here)) == 1
    assert not troubles(Rule(kind="disk", less_than_bytes=1), here)
    beat = {"is_left": False, "age_s": 2.0, "parted": {}, "said": []}
    assert not troubles(rule("watchdog-gone"), found, beat=beat)
    assert troubles(rule("watchdog-gone"), found, beat=beat | {"age_s": 2.01})
    assert troubles(rule("watchdog-gone"), found, beat=beat | {"is_left": True})
    parted = beat | {"parted": {"AAA@HFTX": "the venue says 5 AAA, the runner 4"}}
    (one,) = troubles(rule("drop-copy"), found, beat=parted)
    assert "the venue says 5" in one.said
    assert troubles(rule("runner-absent"), None, is_named=True)
    assert not troubles(rule("runner-absent"), None, is_named=True, was_there=True)


def test_the_default_rules_name_what_there_is():
    rules = read_rules(None).rules
    assert {one.kind for one in rules.values()} == set(KINDS) - {"loss"}, "a loss needs a figure"
    assert set(ALONE) <= set(KINDS)
    for one in rules.values():
        assert set(one.reasons) <= set(REASONS), one
    assert DEFAULT.exists()
