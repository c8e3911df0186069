"""Everything a run decided and what came of it, in order of time, ready to be laid beside another.

    commands   each NEW, CANCEL and REPLACE as it left
    orders     when we heard that one was accepted, and of its end
    fills      as they reached us

Commands are read from the rings they travel in, every few steps of the engine.
Worst case: more commands within those steps than a ring holds; a sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import orders as o
from hftlib.core.errors import InputError
from hftlib.core.events import BUY
from hftlib.core.instruments import Instruments
from hftlib.engine.driving import Backtest

Array = np.ndarray[Any, Any]
STEPS = 128  # of the engine, between two looks at the rings
_COMMANDS = ("", "new", "cancel", "replace")
_KINDS = ("", "limit", "market", "stop", "stop limit")
_ACCEPTED = ("id", "venue_accepted", "venue_number", "instrument", "side", "accepted")
_ENDED = (
    "id", "price", "quantity", "filled", "value", "fees", "reason", "replaces", "instrument",
    "side", "done",
)  # fmt: skip
# The middle before a fill is written in when the market goes on: it belongs to the figures.
_FILLED = tuple(name for name in o.FILL.names or () if name != "twice_mid")


class Watching:
    """Takes the commands of a run out of their rings; `watched` of `ran`."""

    def __init__(self) -> None:
        self._run: Backtest | None = None

    def __call__(self, run: Backtest) -> None:
        if run is not self._run:  # the books got more room, and all began anew
            self._run, self._seen = run, [0] * len(run.commands)
            self._parts: list[Array] = []
        for n, ring in enumerate(run.commands):
            seen, tail = self._seen[n], int(run.lanes[n]["commands"]["tail"])
            if tail - seen > len(ring):
                raise InputError(
                    f"More than {len(ring):,} commands leave within {STEPS} events",
                    where="hft.check_lookahead(strategy, tape)",
                    do="Bound them: limits=hft.Limits(messages=1_000).",
                )
            if tail != seen:
                self._parts.append(ring[np.arange(seen, tail) & (len(ring) - 1)]["command"])
                self._seen[n] = tail

    def commands(self) -> Array:
        """All commands in order of time."""
        made = np.concatenate([np.zeros(0, o.COMMAND), *self._parts])
        return made[np.argsort(made["time"], kind="stable")]


@dataclass(frozen=True)
class Difference:
    """The first thing of its kind that is not as it was."""

    time: int
    row: int
    what: str
    before: str
    after: str


class Decisions:
    """What one run decided, up to any time."""

    def __init__(self, run: Backtest, watching: Watching, ended: str) -> None:
        orders = run.orders
        self.ended, self.last = ended, int(run.session.arena["session"]["time"][0])
        self._streams = {
            "command": ("time", watching.commands()),
            "acceptance": ("accepted", _part(orders[orders["accepted"] > 0], _ACCEPTED)),
            "end of an order": ("done", _part(orders[orders["done"] > 0], _ENDED)),
            "fill": ("received", _part(run.fills, _FILLED)),
        }

    def count(self, time: int) -> int:
        """How many decisions and answers came before a time."""
        return sum(int((rows[clock] < time).sum()) for clock, rows in self._streams.values())

    def differences(
        self, other: Decisions, time: int, instruments: Instruments
    ) -> Iterator[Difference]:
        """For each kind, the first that came before this time and is another in the other run."""
        for what, (clock, rows) in self._streams.items():
            ours = _before(rows, clock, time)
            theirs = _before(other._streams[what][1], clock, time)
            least = min(len(ours), len(theirs))
            apart = np.flatnonzero(ours[:least] != theirs[:least])
            if len(apart) == 0 and len(ours) == len(theirs):
                continue
            n = int(apart[0]) if len(apart) else least
            pair = [rows[n] if n < len(rows) else None for rows in (ours, theirs)]
            known = [one for one in pair if one is not None]
            first = min(known, key=lambda one: int(one[clock]))
            texts = [_told(what, one, pair[1 - k], instruments) for k, one in enumerate(pair)]
            yield Difference(int(first[clock]), int(first["instrument"]), what, *texts)
        if self.ended != other.ended:
            over = [one for one in (self, other) if one.ended and one.last < time]
            if over:
                texts = [one.ended or "it went on" for one in (self, other)]
                yield Difference(over[0].last, -1, "early end", *texts)


def _part(rows: Array, names: tuple[str, ...]) -> Array:
    made = np.zeros(len(rows), [(name, rows.dtype[name]) for name in names])
    for name in names:
        made[name] = rows[name]
    return made


def _before(rows: Array, clock: str, time: int) -> Array:
    chosen = rows[rows[clock] < time]
    return chosen[np.argsort(chosen[clock], kind="stable")]


def _told(what: str, row: Any, other: Any, instruments: Instruments) -> str:
    """One row for people, and the fields in which it differs where the words do not show it."""
    if row is None:
        return "nothing"
    one = instruments[int(row["instrument"])]
    names = row.dtype.names
    number = row["order"] if "order" in names else row["id"]
    side = "buy" if row["side"] == BUY else "sell"
    told = f"order {number}, {side}"
    if what == "command":
        told = f"{_COMMANDS[row['what']]} {told}"
        told += f" {_KINDS[row['kind']]}" if row["what"] == o.NEW else ""
    if "quantity" in names and (what != "command" or row["what"] != o.CANCEL):
        told += f" {row['quantity']} at {row['price'] * one.price_size:,.10g}"
    if what == "end of an order":
        told += f", {row['filled']} filled"
        told += f", {o.REASONS[row['reason']]}" if row["reason"] else ""
    if other is not None:
        apart = [name for name in names if row[name] != other[name]]
        told += f" ({', '.join(f'{name} {row[name]}' for name in apart)})"
    return told
