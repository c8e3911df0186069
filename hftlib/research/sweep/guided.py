"""Trials that Optuna chooses: its journal in the sweep's folder, its TPE sampler, its median rule.

Trials are asked for `BATCH` at a time, run beside each other, and told in their order: what is
chosen then hangs on the seed and on what came out before, not on which thread was first. Each
trial has a sampler with a seed of its own, so a sweep that goes on chooses as if it had never
stopped. A trial is given up when the best it had so far is below the median of finished trials
at the same part of the way, as Optuna's `MedianPruner` has it.

Worst case: the journal is read as a whole at the start, and the sampler takes some milliseconds a
trial for each hundred trials before it.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, StateError
from hftlib.research.sweep.folder import cut_torn_line
from hftlib.research.sweep.space import Dimension, Space
from hftlib.research.sweep.trying import DONE, PRUNED

BATCH = 8
STARTUP = 5  # finished trials before any is given up
_NAME = "sweep"


class Guide:
    """A study: which parameters next, and what became of them."""

    def __init__(self, path: Path, space: Space, seed: int) -> None:
        optuna = _optuna()
        cut_torn_line(path)
        lock = _own_lock(optuna, path)
        backend = optuna.storages.journal.JournalFileBackend(str(path), lock_obj=lock)
        self._optuna, self._space, self._seed = optuna, space, seed
        try:
            storage = optuna.storages.JournalStorage(backend)
            self.study = optuna.create_study(
                study_name=_NAME, storage=storage, direction="maximize", load_if_exists=True
            )
        except (ValueError, KeyError) as error:
            raise StateError(
                f"Optuna's journal of the sweep cannot be read: {error}",
                where=str(path),
                do="Name another folder; this one's trials.jsonl still has its trials.",
            ) from None
        self._wanted = {one.name: _distribution(optuna, one) for one in space.dimensions}

    @property
    def asked(self) -> int:
        """How many trials were ever asked for."""
        return len(self._trials())

    def open(self) -> list[int]:
        """Trials that were asked for, and of which nothing was told."""
        running = self._optuna.trial.TrialState.RUNNING
        return [one.number for one in self._trials() if one.state == running]

    def params(self, number: int) -> dict[str, Any]:
        """A trial's parameters; what it was not asked for before a kill, it is asked now."""
        frozen = self._trials()[number]
        self._take_sampler(number)
        if set(frozen.params) != set(self._wanted):
            trial = self._optuna.trial.Trial(self.study, frozen._trial_id)
            for name, wanted in self._wanted.items():
                trial._suggest(name, wanted)
            frozen = self._trials()[number]
        return self._plain(frozen.params)

    def ask(self) -> tuple[int, dict[str, Any]]:
        """The next trial."""
        self._take_sampler(self.asked)
        trial = self.study.ask(self._wanted)
        return trial.number, self._plain(trial.params)

    def tell(self, row: Mapping[str, Any]) -> None:
        """What became of a trial."""
        states = self._optuna.trial.TrialState
        number, value = row["number"], row["objective"]
        frozen = self._trials()[number]
        if frozen.state.is_finished():
            return
        trial = self._optuna.trial.Trial(self.study, frozen._trial_id)
        for part, reached in enumerate(row["parts"]):
            if reached is not None and part not in frozen.intermediate_values:
                trial.report(reached, part)
        if row["state"] == PRUNED:
            self.study.tell(number, state=states.PRUNED)
        elif row["state"] == DONE and value is not None and math.isfinite(value):
            self.study.tell(number, value)
        else:
            self.study.tell(number, state=states.FAIL)

    def bars(self, parts: int) -> list[float]:
        """What a trial's best so far has to reach after each part of the way."""
        complete = self._optuna.trial.TrialState.COMPLETE
        done = [one for one in self._trials() if one.state == complete]
        made = []
        for part in range(parts):
            reached = [one.intermediate_values.get(part, math.nan) for one in done]
            known = [value for value in reached if not math.isnan(value)]
            # A bar that nobody can miss, so that what is reached is reported from the start.
            made.append(float(np.median(known)) if known and len(done) >= STARTUP else -math.inf)
        return made

    def _trials(self) -> list[Any]:
        made: list[Any] = self.study.get_trials(deepcopy=False)
        return made

    def _take_sampler(self, number: int) -> None:
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.study.sampler = self._optuna.samplers.TPESampler(seed=seed)

    def _plain(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: params[name] for name in self._space.names}


def _distribution(optuna: Any, one: Dimension) -> Any:
    """As Optuna has it; numbers in even steps keep their order, other choices are mere names."""
    made = optuna.distributions
    if one.kind == "whole":
        return made.IntDistribution(one.low, one.high)
    if one.kind == "number":
        return made.FloatDistribution(one.low, one.high)
    steps = np.unique(np.diff(one.choices)) if type(one.choices[0]) is int else np.zeros(0)
    if len(steps) == 1:
        return made.IntDistribution(one.choices[0], one.choices[-1], step=int(steps[0]))
    return made.CategoricalDistribution(one.choices)


def _own_lock(optuna: Any, path: Path) -> Any:
    """The folder is locked already: a lock of the journal's own would outlive a kill."""
    public: Any = optuna.storages.journal.JournalFileOpenLock

    class Held(public):
        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            return None

    return Held(str(path))


def _optuna() -> Any:
    """Optuna, which tells of each trial unless it is told not to: a sweep has a bar for that."""
    try:
        optuna: Any = importlib.import_module("optuna")
        importlib.import_module("optuna.storages.journal")
    except ImportError as error:
        raise HostError(
            f"Optuna cannot be imported: {error}",
            where='hft.sweep(method="optuna")',
            do="Install the research extra: pip install 'hftlib[research]'.",
        ) from None
    if optuna.logging.get_verbosity() == optuna.logging.INFO:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
