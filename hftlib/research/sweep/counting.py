"""How many trials a strategy has had: what the statistics of overfitting have to know.

    hft.trials_of("Maker")                     of all sweeps in the registry
    hft.trials_of("Maker", "opening")          of one experiment

A sweep is one run of the registry, whatever it tried: its number of trials is a metric, its best
trials are a table. A sweep that goes on in its folder goes on in its run, and no trial counts
twice. Runs that somebody deleted count: what was seen was seen.

Worst case: a sweep that is killed and never goes on counts as far as it was told, which is every
half a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown
from hftlib.research.sweep.folder import Folder
from hftlib.research.tracking import experiment_of, registry, registry_file, registry_uri

EXPERIMENT = "sweeps"
KIND = "sweep"
_PAGE = 1_000
_NOTE = "registry.json"


def trials_of(strategy: Any, experiment: str | None = None) -> int:
    """How many trials of a strategy, by its name, the registry has counted."""
    name = strategy if isinstance(strategy, str) else getattr(strategy, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        do = 'Give its name: hft.trials_of("Maker").'
        raise InputError(f"{shown(strategy)} names no strategy", where="hft.trials_of", do=do)
    file = registry_file()
    if file is not None and not file.exists():
        return 0
    with registry() as client:
        from mlflow.entities import ViewType

        wanted = f"tags.hft_kind = '{KIND}' and tags.hft_strategy = '{name}'"
        every = client.search_experiments(view_type=ViewType.ALL)
        named = [one for one in every if experiment in (None, one.name)]
        total, token = 0, None
        while named:
            runs = client.search_runs(
                [one.experiment_id for one in named],
                wanted,
                run_view_type=ViewType.ALL,
                max_results=_PAGE,
                page_token=token,
            )
            total += sum(int(run.data.metrics.get("trials", 0)) for run in runs)
            token = runs.token
            if not token:
                break
    if experiment is not None and not named:
        raise InputError(
            f"The registry has no experiment {shown(experiment)}",
            where=registry_uri(),
            do=f"It has {', '.join(sorted(one.name for one in every))}.",
        )
    return total


class Counter:
    """One sweep's run in the registry."""

    def __init__(self, folder: Folder, tags: Mapping[str, str], experiment: str | None) -> None:
        self._folder, self._tags = folder, dict(tags)
        self._experiment = experiment or EXPERIMENT

    def count(self) -> None:
        """Say how many trials there are by now."""
        states = list(self._folder.states.values())
        if not states:
            return
        figures = {"trials": len(states)}
        figures |= {name: states.count(name) for name in ("done", "pruned", "failed")}
        with registry() as client:
            run = self._run(client)
            for name, value in figures.items():
                client.log_metric(run, name, value)

    def close(self, summary: Mapping[str, Any], best: list[dict[str, Any]]) -> None:
        """The end: what was found."""
        self.count()
        with registry() as client:
            run = self._run(client)
            for name, value in summary.items():
                if isinstance(value, str):
                    client.set_tag(run, f"hft_{name}", value[:5_000])
                elif value is not None:
                    client.log_metric(run, name, float(value))
            client.log_dict(run, {"best": best}, "best.json")
            client.set_terminated(run)

    def _run(self, client: Any) -> str:
        """The run of this folder; another store than before has one of its own."""
        noted = self._folder.noted(_NOTE)
        if isinstance(noted, dict) and noted.get("uri") == registry_uri():
            return str(noted["run"])
        experiment = experiment_of(client, self._experiment)
        tags = {"hft_kind": KIND, **{f"hft_{name}": one for name, one in self._tags.items()}}
        name = f"sweep of {self._tags.get('strategy', 'a strategy')}"
        run = str(client.create_run(experiment, tags=tags, run_name=name).info.run_id)
        self._folder.note(_NOTE, {"uri": registry_uri(), "run": run})
        return run


def told(error: HostError) -> str:
    """What is said where trials could not be counted."""
    return f"{error} These trials are not counted; the same sweep with its folder counts them."
