"""Whether the best trial stands among good ones, or alone: a lonely peak is luck until shown else.

Neighbours of a trial on a grid are those one step away in one parameter; elsewhere the nearest
ones, each parameter's range being of length one. What they keep is the mean of their leads over
the median trial, as a share of the best one's lead:

    half or more        a plateau
    less                a lonely peak
    no neighbours       nobody can tell

Worst case: the distances of one trial to all others; of a picture, of the `DRAWN_MAX` best to all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.research.sweep.space import Space

KEEPS = 0.5
NEAREST = 5
DRAWN_MAX = 500
Array = np.ndarray[Any, Any]
PLATEAU, LONELY, ALIKE, UNKNOWN = "plateau", "lonely peak", "alike", "cannot tell"


@dataclass(frozen=True)
class Standing:
    """How the best trial stands."""

    word: str
    sentence: str
    number: int = -1
    keeps: float = float("nan")  # what its neighbours keep of its lead
    neighbours: tuple[int, ...] = ()


class Land:
    """The trials that are done as points, with their objectives as heights."""

    def __init__(self, space: Space, numbers: Array, params: list[dict[str, Any]], heights: Array):
        known = np.isfinite(heights)
        self.space, self.numbers, self.heights = space, numbers[known], heights[known]
        kept = [one for one, there in zip(params, known.tolist(), strict=True) if there]
        self.places = np.array(
            [[one.place_of(row[one.name]) for one in space.dimensions] for row in kept]
        ).reshape(len(kept), len(space.dimensions))
        self._ranks = self._ranked(kept)

    def standing(self, objective: str) -> Standing:
        """Where the best one stands."""
        if not len(self.heights):
            return Standing(UNKNOWN, f"No trial has a {objective}.")
        best = int(np.argmax(self.heights))
        number, high = int(self.numbers[best]), float(self.heights[best])
        middle = float(np.median(self.heights))
        near = self.near(best)
        name = f"The best, trial {number} ({objective} {high:,.4g})"
        if not len(near):
            return Standing(UNKNOWN, f"{name}, has no neighbours: nobody can tell.", number)
        others = tuple(self.numbers[near].tolist())
        if high <= middle:
            return Standing(
                ALIKE, f"{name}, is no better than the median trial.", number, 1, others
            )
        keeps = float((self.heights[near].mean() - middle) / (high - middle))
        share = f"{max(0.0, keeps):.0%} of its lead over the median trial ({middle:,.4g})"
        beside = f"its {len(near)} neighbours keep" if len(near) > 1 else "its one neighbour keeps"
        edge = self._edge(best)
        if keeps >= KEEPS:
            told = f"{name}, stands on a plateau: {beside} {share}.{edge}"
            return Standing(PLATEAU, told, number, keeps, others)
        told = f"{name}, is a lonely peak: {beside} {share}. Do not trust it before new data.{edge}"
        return Standing(LONELY, told, number, keeps, others)

    def near(self, row: int) -> Array:
        """The rows that are neighbours of one."""
        if self._ranks is not None:
            apart = np.abs(self._ranks - self._ranks[row])
            return np.flatnonzero(apart.sum(axis=1) == 1)
        distance = np.sqrt(((self.places - self.places[row]) ** 2).sum(axis=1))
        distance[row] = np.inf
        count = min(len(distance) - 1, max(NEAREST, 2 * self.places.shape[1]))
        return np.argsort(distance, kind="stable")[:count]

    def around(self) -> tuple[Array, Array]:
        """Rows of the best trials, and the mean height of the neighbours of each."""
        rows = np.argsort(-self.heights, kind="stable")[:DRAWN_MAX]
        near = [self.near(int(row)) for row in rows]
        means = [float(self.heights[one].mean()) if len(one) else np.nan for one in near]
        return rows, np.array(means)

    def _ranked(self, params: list[dict[str, Any]]) -> Array | None:
        """Steps along each parameter, where the trials are a grid with most of its places taken."""
        size = self.space.grid_size
        if not params or len(params) < max(2, size // 2):
            return None
        columns = []
        for one in self.space.dimensions:
            steps = {value: n for n, value in enumerate(one.points)}
            if any(row[one.name] not in steps for row in params):
                return None
            columns.append([steps[row[one.name]] for row in params])
        return np.array(columns).T

    def _edge(self, row: int) -> str:
        """Where the best lies at an end of what was tried: the summit may lie beyond."""
        names = [
            one.name
            for column, one in enumerate(self.space.dimensions)
            if one.count > 2 and self.places[row, column] in (0.0, 1.0)
        ]
        return f" It lies at the edge of {', '.join(names)}: try further out." if names else ""
