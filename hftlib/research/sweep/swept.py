"""A sweep as it is looked at: its trials as a frame, their P&L, the best, pictures.

    sweep                          in a notebook the sentence about the best, a picture, a table
    sweep.frame                    a row for each trial
    sweep.pnl                      a row for each step, a column for each trial that is done
    sweep.best(5), sweep.params(7)
    sweep.heatmap("edge_ticks", "clip"), sweep.parallel(), sweep.plateau()     plotly figures
    hft.backtest(sweep.strategy, sweep.tapes[0], params=sweep.params(7), **sweep.settings)

Frames are read from the sweep's folder when they are asked for. Worst case: `pnl` of trials that
are not all done is a copy of theirs, eight bytes for each step and trial.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import is_whole, shown
from hftlib.research.sweep.asking import Asked
from hftlib.research.sweep.folder import Folder
from hftlib.research.sweep.objective import FIGURES
from hftlib.research.sweep.plateau import Land, Standing
from hftlib.research.sweep.trying import DONE, FAILED, PRUNED

_BEST = 5


class Sweep:
    """The trials of one strategy over its tapes."""

    def __init__(self, what: Asked, folder: Folder) -> None:
        self._what, self._folder = what, folder
        self.strategy, self.tapes = what.course.strategy, what.tapes
        self.settings, self.method = dict(what.settings), what.method
        self.objective = what.course.objective.name
        self.space = what.space

    @property
    def folder(self) -> Any:
        """Where it lies; `hft.sweep(..., folder=this)` goes on there."""
        return self._folder.path

    @property
    def trials(self) -> int:
        """How many there were, whatever became of them."""
        return len(self._folder.states)

    @cached_property
    def frame(self) -> Any:
        """A row for each trial, by number."""
        import pandas as pd

        rows = sorted(self._folder.rows(), key=lambda row: row["number"])
        made = [
            {
                "number": row["number"],
                **row["params"],
                "objective": row["objective"],
                "state": row["state"],
                "why": row["why"],
                **{name: row["figures"].get(name) for name in FIGURES},
                "seconds": row["seconds"],
            }
            for row in rows
        ]
        frame = pd.DataFrame(made)
        numbers = ["objective", *FIGURES, "seconds"]
        frame[numbers] = frame[numbers].astype(float)
        return frame.drop_duplicates("number").reset_index(drop=True)

    @cached_property
    def pnl(self) -> Any:
        """Net P&L of each step of all tapes in their order: a column for each trial done."""
        import pandas as pd

        numbers = self.done
        rows = self._folder.pnl
        whole = len(numbers) and numbers[-1] == len(numbers) - 1
        chosen = rows[: len(numbers)] if whole else rows[numbers]
        return pd.DataFrame(chosen.T, index=self._index(), columns=numbers, copy=False)

    @property
    def done(self) -> list[int]:
        """The numbers of trials that ran to their end."""
        states = self._folder.states
        return sorted(number for number, state in states.items() if state == DONE)

    def best(self, k: int = _BEST) -> Any:
        """The best of them as rows of `frame`, the best one first."""
        if not is_whole(k) or k < 1:
            do = "Give a whole number from 1 on."
            raise InputError(f"{shown(k)} is no number of trials", where="sweep.best(k)", do=do)
        frame = self.frame
        known = frame[(frame["state"] == DONE) & frame["objective"].notna()]
        order = known["objective"].sort_values(ascending=False, kind="stable").index
        return known.loc[order].head(int(k)).reset_index(drop=True)

    def params(self, number: int) -> dict[str, Any]:
        """A trial's parameters: those that were varied."""
        for row in self._folder.rows():
            if row["number"] == number:
                return dict(row["params"])
        raise InputError(
            f"There is no trial {shown(number)}",
            where="sweep.params(number)",
            do="Look at the column `number` of sweep.frame.",
        )

    def heatmap(self, x: str | None = None, y: str | None = None) -> Any:
        """The objective over two parameters; where others vary as well, the best of those."""
        from hftlib.research.sweep.pictures import heatmap

        return heatmap(self, *self._two(x, y))

    def parallel(self) -> Any:
        """All parameters and the objective beside each other, a line for each trial."""
        from hftlib.research.sweep.pictures import parallel

        return parallel(self)

    def plateau(self) -> Any:
        """Each trial's objective beside that of its neighbours: a lonely peak stands apart."""
        from hftlib.research.sweep.pictures import plateau

        return plateau(self)

    @cached_property
    def land(self) -> Land:
        """The trials that are done, as points with heights."""
        frame = self.frame[self.frame["state"] == DONE]
        params = frame[self.space.names].to_dict("records")
        return Land(
            self.space, frame["number"].to_numpy(), params, frame["objective"].to_numpy(float)
        )

    @cached_property
    def standing(self) -> Standing:
        """Whether the best stands on a plateau, with the sentence."""
        return self.land.standing(self.objective)

    @property
    def summary(self) -> dict[str, Any]:
        """What the registry keeps: numbers as metrics, words as tags."""
        best = self.best(1)
        value = float(best["objective"][0]) if len(best) else None
        told = {"objective_best": value, "standing": self.standing.word}
        return {**told, "sentence": self.standing.sentence}

    def best_rows(self, k: int) -> list[dict[str, Any]]:
        """The best as plain rows."""
        rows: list[dict[str, Any]] = self.best(k).to_dict("records")
        return [{name: _plain(value) for name, value in row.items()} for row in rows]

    def as_json(self) -> dict[str, Any]:
        """What there is to tell, ready for `json.dumps`."""
        states = list(self._folder.states.values())
        return {
            "strategy": self.strategy.name,
            "objective": self.objective,
            "method": self.method,
            "trials": len(states),
            **{name: states.count(name) for name in (DONE, PRUNED, FAILED)},
            "standing": self.standing.word,
            "sentence": self.standing.sentence,
            "best": self.best_rows(_BEST),
            "folder": str(self.folder),
        }

    def __repr__(self) -> str:
        return f"<Sweep of {self._words}. {self.standing.sentence}>"

    def _repr_html_(self) -> str:
        from hftlib.research.sweep.pictures import page

        return page(self, self._words)

    @property
    def _words(self) -> str:
        states = list(self._folder.states.values())
        odd = [f"{states.count(n):,} {n}" for n in (PRUNED, FAILED) if states.count(n)]
        tapes = f"{len(self.tapes):,} tapes" if len(self.tapes) > 1 else self.tapes[0].path.name
        beside = f" ({', '.join(odd)})" if odd else ""
        return f"{self.strategy.name} on {tapes}: {len(states):,} trials{beside}"

    def _two(self, x: str | None, y: str | None) -> tuple[str, str | None]:
        names = self.space.names
        for name in (x, y):
            if name is not None and name not in names:
                what = f"The sweep varied no {shown(name)}"
                do = f"It varied {', '.join(names)}."
                raise InputError(what, where="sweep.heatmap(x, y)", do=do)
        x = x or next(name for name in names if name != y or len(names) == 1)
        y = y or next((name for name in names if name != x), None)
        if x == y:
            do = "Give two different parameters."
            raise InputError(f"{x} is on both axes", where="sweep.heatmap(x, y)", do=do)
        return x, y

    def _index(self) -> Any:
        """The end of each step, by the clock of the tapes."""
        import pandas as pd

        course = self._what.course
        ends = [
            ground.tape.begin + course.step_ns * np.arange(1, count + 1, dtype=np.int64)
            for ground, count in zip(course.grounds, course.counts, strict=True)
        ]
        zones = {tape.zone for tape in self.tapes}
        moments = np.concatenate(ends).view("datetime64[ns]")
        index = pd.DatetimeIndex(moments, tz="UTC", name="time")
        return index.tz_convert(zones.pop() if len(zones) == 1 else "UTC")


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
