"""Every trial counts, once: whatever became of it, and however often its sweep went on."""

import json
from pathlib import Path

import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.tracking import registry
from tests.research.sweep_desk import VENUE, counted_here, tapes


@hft.strategy
class Counted:
    """Quotes beside the middle."""

    edge: int = hft.param(2, low=1, high=20)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if self.edge == 13:
            ctx.stop(1)
        if b.has_both:
            ctx.quote(i, bid=b.mid - self.edge * b.tick, ask=b.mid + self.edge * b.tick, quantity=1)


@pytest.fixture(scope="module", autouse=True)
def own_registry():
    with pytest.MonkeyPatch.context() as patched:
        counted_here(patched)
        yield


def swept(folder=None, experiment=None, **changed):
    given = {"method": "random", "trials": 5, "workers": 1, "venue": VENUE, "step": "30s"}
    space = {"edge": (1, 20)}
    return hft.sweep(
        Counted, tapes()[0], space, folder=folder, experiment=experiment, **given | changed
    )


def runs_of(name):
    with registry() as client:
        every = [one.experiment_id for one in client.search_experiments()]
        return client.search_runs(every, f"tags.hft_strategy = '{name}'")


def test_trials_are_counted_over_sweeps_and_a_sweep_that_goes_on_counts_once(tmp_path):
    assert hft.trials_of("Counted") == 0
    swept(tmp_path / "a")
    assert hft.trials_of("Counted") == 5
    swept(tmp_path / "a", trials=9)
    swept(tmp_path / "a", trials=9)
    assert hft.trials_of("Counted") == hft.trials_of(Counted) == 9
    swept(trials=4, seed=1, experiment="other")
    assert hft.trials_of("Counted") == 13
    assert [hft.trials_of("Counted", one) for one in ("sweeps", "other")] == [9, 4]
    assert len(runs_of("Counted")) == 2
    with registry() as client:  # what was seen was seen
        client.delete_run(runs_of("Counted")[0].info.run_id)
    assert hft.trials_of("Counted") == 13


def test_a_run_has_the_summary_and_the_best_and_failed_ones_count():
    space = {"edge": [1, 2, 13]}
    found = hft.sweep(Counted, tapes()[0], space, venue=VENUE, experiment="summary")
    (run,) = [one for one in runs_of("Counted") if one.data.metrics["trials"] == 3]
    assert run.info.status == "FINISHED"
    assert {name: run.data.metrics[name] for name in ("done", "pruned", "failed")} == {
        "done": 2,
        "pruned": 0,
        "failed": 1,
    }
    assert run.data.metrics["objective_best"] == found.best(1)["objective"][0]
    assert run.data.tags["hft_sentence"] == found.standing.sentence
    with registry() as client:
        place = client.download_artifacts(run.info.run_id, "best.json")
    best = json.loads(Path(place).read_text())["best"]
    assert [row["number"] for row in best] == found.best()["number"].tolist()


def test_who_asks_is_told_what_there_is(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="names no strategy"):
        hft.trials_of("no name")
    with pytest.raises(InputError, match="names no strategy"):
        hft.trials_of(3)
    with pytest.raises(InputError, match="no experiment 'elsewhere'"):
        hft.trials_of("Counted", "elsewhere")
    monkeypatch.setenv("HFT_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    assert hft.trials_of("Counted") == 0 and not list(tmp_path.iterdir())
