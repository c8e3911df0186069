"""Where the time goes, and when: latencies as a heat-map.

    hft.latency_map("day.journal")        there and back of each order, by time and by length
    hft.latency_map(result)               the same of a result
    hft.latency_map()                     a runner, live: the slow 1 % of each stage, look by look

Rows of a day are powers of two; a cell says how many orders of that stretch of time took so long.
Of a live runner a cell is the 99th percentile of what a stage did between two looks: the page's
histograms count from the start of the day, and one less the other is what happened meanwhile.

Worst case: COLUMNS stretches of a day, LOOKS_MAX looks of a runner, the oldest forgotten.
"""

from __future__ import annotations

import html
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.control.asking import the_only_one
from hftlib.core.errors import InputError
from hftlib.core.histogram import Histogram
from hftlib.core.times import duration_text
from hftlib.core.units import shown
from hftlib.lab.live import Live
from hftlib.lab.piece import PieceWidget
from hftlib.ops.page_reading import PageReader, page_path
from hftlib.research import clocks
from hftlib.research.journal_result import is_journal, journal_result
from hftlib.research.result import Result
from hftlib.research.sheets import Sheet

COLUMNS, LOOKS_MAX = 60, 90
LEGS = {"there and back": "accepted", "to the venue": "venue_accepted"}
Array = np.ndarray[Any, Any]


def latency_map(source: Any = None, *, leg: str = "there and back") -> LatencyMap | Live:
    """The heat-map of a result, a journal, or, by its socket or none, of a runner that runs."""
    if leg not in LEGS:
        do = f"Give one of {', '.join(map(repr, LEGS))}."
        raise InputError(f"{shown(leg)} is no leg", where="hft.latency_map(leg=...)", do=do)
    if isinstance(source, Result):
        return LatencyMap(source, leg)
    if isinstance(source, str | Path) and is_journal(source):
        return LatencyMap(journal_result(source), leg)
    if source is not None and not isinstance(source, str | Path):
        do = "Give a result, a journal's folder, a runner's socket, or nothing."
        what = f"{shown(source)} has no latencies"
        raise InputError(what, where="hft.latency_map(source)", do=do)
    return _live(Path(source) if source else None)


class LatencyMap:
    """How long orders took, by time: `counts[row, column]`, `edges_ns` of rows, `times`."""

    def __init__(self, result: Result, leg: str) -> None:
        orders = result.records["orders"]
        sent, heard = orders["sent"], orders[LEGS[leg]]
        known = (sent > 0) & (heard > 0) & (heard >= sent)
        self.leg, self.zone, self.known, self.all = leg, result.zone, int(known.sum()), len(orders)
        self.took = (heard - sent)[known]
        self.counts, self.first, self.times = _counted(sent[known], self.took)

    def percentile(self, percent: float) -> int:
        """Of all of them, ns; 0 without any."""
        return int(np.percentile(self.took, percent)) if len(self.took) else 0

    def __repr__(self) -> str:
        parts = [f"{name} {duration_text(self.percentile(p))}" for name, p in _SHOWN]
        return f"<latency {self.leg} of {self.known:,} orders: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        title = f"{self!r}".strip("<>")
        if not self.known:
            return f"<p>{html.escape(title)}</p>"
        most, rows = int(self.counts.max()), []
        for row in range(len(self.counts) - 1, -1, -1):
            low = 1 << (self.first + row)
            cells = "".join(
                _cell(int(n), most, self.times[i], self.zone)
                for i, n in enumerate(self.counts[row])
            )
            rows.append(f"<tr><th style='{_HEAD}'>{duration_text(low)}</th>{cells}</tr>")
        ends = [clocks.clock_text(int(self.times[n]), self.zone)[:19] for n in (0, -1)]
        return (
            f"<div style='font:13px system-ui,sans-serif'><b>{html.escape(title)}</b>"
            f"<table style='border-collapse:collapse;table-layout:fixed'>{''.join(rows)}</table>"
            f"<div style='opacity:.8'>{ends[0]} to {ends[1]} {self.zone}; a cell's colour is its"
            f" number of orders, {most:,} at most; a row begins at the time before it</div></div>"
        )


_SHOWN = (("half within", 50), ("99 % within", 99), ("all within", 100))
_HEAD = "padding:0 8px;text-align:right;font-weight:400;white-space:nowrap;border:none"


def _cell(count: int, most: int, time: int, zone: str) -> str:
    share = np.log1p(count) / np.log1p(most)
    colour = f"rgba(214,110,40,{0.15 + 0.85 * share:.2f})" if count else "rgba(128,128,128,.10)"
    said = f"{count:,} from {clocks.clock_text(int(time), zone)[11:19]}"
    style = f"width:9px;min-width:9px;height:14px;padding:0;border:none;background:{colour}"
    return f"<td style='{style}' title='{said}'></td>"


def _counted(sent: Array, took: Array) -> tuple[Array, int, Array]:
    """Orders by power of two and stretch of time; the first power; where stretches begin."""
    if not len(sent):
        return np.zeros((0, 0), np.int64), 0, np.zeros(0, np.int64)
    begin, end = int(sent.min()), int(sent.max()) + 1
    times = begin + (np.arange(COLUMNS) * (end - begin)) // COLUMNS
    column = np.searchsorted(times, sent, side="right") - 1
    power = np.log2(np.maximum(took, 1)).astype(np.int64)
    first = int(power.min())
    counts = np.zeros((int(power.max()) - first + 1, COLUMNS), np.int64)
    np.add.at(counts, (power - first, column), 1)
    return counts, first, times


def _live(socket: Path | None) -> Live:
    widget, looks = PieceWidget(("heat",)), deque[list[int | None]](maxlen=LOOKS_MAX)
    before: dict[str, Array] = {}

    def look() -> dict[str, Any]:
        place = the_only_one("runner", "hft live") if socket is None else socket
        with PageReader(page_path(place)) as reader:
            found = reader.histograms()
        looks.append([_slow(before.get(name), rows) for name, rows in found.items()])
        before.update(found)
        cells = [list(row) for row in zip(*looks, strict=True)]
        return {"heat": {"title": "99 % within, look by look", "rows": [*found], "cells": cells}}

    return Live(widget, look, lambda made: heat_page(made["heat"]), "latency map")


def _slow(before: Array | None, now: Array) -> int | None:
    """The 99th percentile of what came since then; nothing where nothing came."""
    if before is None:
        return None
    made = now.copy()
    made["counts"] = np.maximum(now["counts"] - before["counts"], 0)
    made["sum"] = np.maximum(now["sum"] - before["sum"], 0)
    found = Histogram(made)
    return int(found.percentile(99)) if found.count else None


def heat_page(told: dict[str, Any]) -> str:
    """The last looks as a table that stays."""
    rows = []
    for name, cells in zip(told["rows"], told["cells"], strict=True):
        last = next((one for one in reversed(cells) if one is not None), None)
        rows.append((name, duration_text(last) if last is not None else "nothing yet"))
    return Sheet(told["title"], ("stage", "last look"), rows).html()
