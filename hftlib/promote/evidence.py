"""The evidence of a promotion in MLflow: one run, and one nested in it for each gate.

    with evidence_of(name, tags, params) as evidence:
        evidence.gate(judged, resumed=False)
        evidence.end(passed, artifacts)

Figures of verdicts are metrics, executed notebooks and their pages artifacts. A run that was left
open by a promotion that was killed is closed as killed when the same is promoted again. Worst case:
the import of MLflow, some seconds, and a tenth of a second a gate.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.promote.judging import Judged
from hftlib.research.tracking import experiment_of, registry
from hftlib.research.validation.verdict import Verdict

EXPERIMENT = "promotions"
PARENT = "mlflow.parentRunId"
RUN_NAME = "mlflow.runName"
_ODD = re.compile(r"[^\w\-. /]")
_STATUS = {True: "FINISHED", False: "FAILED", None: "FAILED"}


class Evidence:
    """One run in the registry, being written."""

    def __init__(self, client: Any, experiment: str, run: str) -> None:
        self.run = run
        self._client, self._experiment, self._is_over = client, experiment, False

    def gate(self, judged: Judged, is_kept: bool) -> None:
        """A nested run with the figures, the notebook and the page of one gate."""
        verdict = judged.verdict
        tags = {
            PARENT: self.run,
            RUN_NAME: judged.gate,
            "gate": judged.gate,
            "verdict": verdict.word,
            "sentence": verdict.sentence[:5_000],
            "kept from before": "yes" if is_kept else "no",
        }
        nested = self._client.create_run(self._experiment, tags=tags).info.run_id
        self._metrics(nested, metrics_of(verdict) | {"seconds": judged.seconds})
        for path in (judged.notebook, judged.page):
            if path.is_file():
                self._client.log_artifact(nested, str(path))
        self._client.set_terminated(nested, _STATUS[verdict.passed])

    def end(self, passed: bool, figures: Mapping[str, float], files: Sequence[Path]) -> None:
        self._metrics(self.run, figures)
        for path in files:
            self._client.log_artifact(self.run, str(path))
        self._client.set_tag(self.run, "passed", "yes" if passed else "no")
        self._client.set_terminated(self.run, _STATUS[passed])
        self._is_over = True

    def stop(self) -> None:
        """What was not ended was interrupted."""
        if not self._is_over:
            self._client.set_terminated(self.run, "KILLED")

    def _metrics(self, run: str, figures: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1_000)
        made = [Metric(name, value, now, 0) for name, value in figures.items()]
        self._client.log_batch(run, metrics=made)


@contextmanager
def evidence_of(
    name: str, tags: Mapping[str, str], parameters: Mapping[str, Any]
) -> Iterator[Evidence]:
    """The run of this promotion; ended as killed where nobody has ended it."""
    with registry() as client:
        from mlflow.entities import Param

        experiment = experiment_of(client, EXPERIMENT)
        _close_left_open(client, experiment, name)
        told = {RUN_NAME: name, "candidate": name, **tags}
        run = client.create_run(experiment, tags=told).info.run_id
        client.log_batch(run, params=[Param(key, str(value)) for key, value in parameters.items()])
        made = Evidence(client, experiment, run)
        try:
            yield made
        finally:
            made.stop()


def _close_left_open(client: Any, experiment: str, name: str) -> None:
    asked = f"attributes.status = 'RUNNING' and tags.candidate = '{name}'"
    for run in client.search_runs([experiment], filter_string=asked):
        client.set_terminated(run.info.run_id, "KILLED")


def metrics_of(verdict: Verdict) -> dict[str, float]:
    """Figures that are numbers, by names that MLflow takes."""
    made = {"passed": {True: 1.0, False: 0.0, None: -1.0}[verdict.passed]}
    for name, value in verdict.figures.items():
        if isinstance(value, int | float) and math.isfinite(value):
            made[_ODD.sub("_", name.replace("&", "n"))[:250]] = float(value)
    return made
