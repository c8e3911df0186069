"""Optuna's choice: the same whoever was first, and given up exactly where its median rule says."""

import json

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import StateError
from hftlib.research.sweep.guided import STARTUP, Guide
from hftlib.research.sweep.space import space_of
from tests.research.sweep_desk import VENUE, Chancy, counted_here, same, tapes

SPACE = {"edge": (1, 12), "lean": (0.0, 3.0), "careful": None, "clip": [1, 10, 100]}


@pytest.fixture(scope="module", autouse=True)
def own_registry():
    with pytest.MonkeyPatch.context() as patched:
        counted_here(patched)
        yield


def swept(folder=None, **changed):
    given = {"method": "optuna", "trials": 40, "seed": 2, "objective": "pnl_net", "step": "10s"}
    return hft.sweep(Chancy, tapes()[0], SPACE, venue=VENUE, folder=folder, **given | changed)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    return swept(tmp_path_factory.mktemp("study") / "sweep")


def test_it_is_the_same_whoever_was_first(pruned):
    assert same(pruned, swept(workers=1))
    assert not same(pruned, swept(seed=3))


def test_it_finds_better_ones_than_chance_begins_with(pruned):
    later = swept(prune=False).frame["objective"]
    assert later[20:].mean() > later[:10].mean()


def test_a_trial_is_given_up_where_the_median_rule_says(pruned):
    """Optuna's own pruner, asked anew about each part of each trial."""
    import optuna

    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(pruned.folder / "study.log"))
    )
    study = optuna.load_study(study_name="sweep", storage=storage)
    rule = optuna.pruners.MedianPruner(n_startup_trials=STARTUP)
    rows = [json.loads(line) for line in (pruned.folder / "trials.jsonl").open()]
    judged = 0
    for row in sorted(rows, key=lambda one: one["number"]):
        known = [one for one in study.trials if one.number < row["number"] // 8 * 8]
        again = optuna.create_study(direction="maximize", pruner=rule)
        again.add_trials(known)
        trial = again.ask()
        told = []
        for part, reached in enumerate(row["parts"]):
            trial.report(reached, part)
            told.append(trial.should_prune())
        assert told[:-1] == [False] * (len(told) - 1) and told[-1] == (row["state"] == "pruned")
        judged += told[-1]
    assert judged > 2 and len(rows) == 40


def test_what_is_given_up_has_no_pnl_and_what_is_not_is_the_whole_run(pruned):
    frame, whole = pruned.frame, swept(prune=False, trials=8)
    given_up = frame[frame["state"] == "pruned"]
    assert given_up["objective"].isna().all() and given_up["why"].str.contains("below").all()
    assert list(pruned.pnl) == frame.loc[frame["state"] == "done", "number"].tolist()
    columns = ["number", "edge", "lean", "objective", "pnl_net", "fills"]
    assert frame.loc[:7, columns].equals(whole.frame[columns])  # the first are never given up
    best = pruned.best(1).iloc[0]
    alone = hft.backtest(Chancy, tapes()[0], params=pruned.params(best["number"]), venue=VENUE)
    assert alone.stats["pnl_net"] == best["objective"]


def test_of_several_tapes_the_first_ones_are_the_parts_of_the_way(tmp_path):
    found = hft.sweep(
        Chancy, list(tapes()), SPACE, venue=VENUE, method="optuna", trials=32, seed=2,
        objective="pnl_net", step="10s", folder=tmp_path / "sweep",
    )  # fmt: skip
    rows = {
        row["number"]: row for row in map(json.loads, (tmp_path / "sweep" / "trials.jsonl").open())
    }
    assert {len(row["parts"]) for row in rows.values()} == {1}
    pruned = found.frame[found.frame["state"] == "pruned"]["number"]
    assert len(pruned) > 2
    one = int(pruned.iloc[0])
    first = hft.backtest(Chancy, tapes()[0], params=found.params(one), **found.settings)
    assert rows[one]["parts"] == [first.stats["pnl_net"]]


def test_trials_that_nothing_can_be_said_of_are_no_end(tmp_path):
    found = hft.sweep(
        Chancy, tapes()[0], {"edge": (11, 20)}, venue=VENUE, method="optuna", trials=16, seed=1,
        step="30s", workers=1,
    )  # fmt: skip
    states = set(found.frame["state"])
    assert "failed" in states and found.trials == 16


def test_a_trial_that_was_asked_for_in_part_is_asked_for_whole(tmp_path):
    space = space_of(SPACE, Chancy())
    guide = Guide(tmp_path / "study.log", space, 4)
    number, params = guide.ask()
    text = (tmp_path / "study.log").read_bytes().splitlines(keepends=True)
    torn = tmp_path / "torn.log"
    torn.write_bytes(b"".join(text[:-2]) + text[-2][:10])  # two parameters are not there
    again = Guide(torn, space, 4)
    assert again.open() == [number] and set(again.params(number)) == set(params)
    again.tell({"number": number, "objective": 1.0, "state": "done", "parts": []})
    assert again.open() == [] and again.asked == 1


def test_a_journal_that_is_none_is_said(tmp_path):
    (tmp_path / "study.log").write_text("no journal\n{}\n")
    with pytest.raises(StateError, match=r"journal of the sweep cannot be read"):
        Guide(tmp_path / "study.log", space_of(SPACE, Chancy()), 0)


def test_bars_are_medians_and_none_before_there_are_some(tmp_path):
    guide = Guide(tmp_path / "study.log", space_of(SPACE, Chancy()), 0)
    for value in range(STARTUP):
        assert guide.bars(2) == [-np.inf, -np.inf]
        number, _ = guide.ask()
        row = {"number": number, "objective": 1.0, "state": "done", "parts": [value, None]}
        guide.tell(row)
    assert guide.bars(2) == [2.0, -np.inf]
