"""What a runner did, as a Result: by its journal, through the engine that it ran.

    result = hft.journal_result("day.journal")       then all that a backtest's result can do
    result.tca()                                     execution quality, with the feed as its tape

Orders, fills, refusals and equity are what the engine keeps as it takes the journal in again, held
to every byte that went out; the market around them is the journal's own feed. So figures are made
by the code that makes a backtest's, of facts of the same kind. `about` says where they differ:

    our orders on the tape    middles are of the published book, with our quotes in it
    one clock                 whether our times and the venue's can be told from each other
    not told                  sentences: what a journal does not have, and why a figure is missing

Of a shadow all is by our clock, as its venue's model was (`engine/live/shadow.py`): orders never
reached the tape, and where they stood in the queue is what the model says.

Worst case: three passes over the journal in plain Python, some 100 microseconds a frame in all, and
a temporary tape of its feed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError, StateError
from hftlib.engine.live.making import distance_text, fees_text
from hftlib.engine.live.recording import Recording
from hftlib.engine.live.replaying import about as about_runner
from hftlib.engine.log import HORIZONS_NS
from hftlib.research.journal_feed import OURS, JournalFeed, clock_of, sealed
from hftlib.research.journal_market import Clocks, around, clocks_of, queues
from hftlib.research.result import Result
from hftlib.research.result_making import result_of, why_stopped
from hftlib.research.setting_up import horizons_of
from hftlib.research.tape import Tape, to_tape
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
_FEES = "fees: the runner was given none, so every fill counts as free"
_OURS = "the market without us: middles and volumes are the venue's, our orders and fills in them"
_CLOCKS = (
    "times to a fill, races lost, the market's VWAP and volume meanwhile: {}, so what we did and"
    " what the venue did are not told by one clock"
)
_QUEUES = "{} that stood: their place in the queue, for the feed does not show their orders"
_SHADOW = (
    "what a venue would have done: nothing was sent, and fills are those of its model, {}"
    " away one way, by our clock"
)
_MARKS = "{}: the middle later on, for the feed ends before"


def is_journal(folder: Path | str) -> bool:
    """Whether this looks like a journal's folder, of whoever wrote it."""
    return any(Path(folder).glob("*.segment"))


def journal_result(folder: Path | str, *, horizons: Any = HORIZONS_NS) -> Result:
    """The result of a runner's day; refused where the journal is another's, or does not replay."""
    began, after = time.perf_counter(), horizons_of(horizons)
    place = Path(folder)
    if not place.is_dir():
        raise InputError(
            f"There is no journal {str(place)!r}",
            where="hft.journal_result(folder)",
            do="Give the folder that `hft live --journal FOLDER` wrote.",
        )
    described = about_of(place)
    run, count = Recording(place, described), sealed(place)
    with patience() as advance:
        run.go(lambda done: advance(min(1.0, done / count), "replaying the journal"))
    tape = to_tape(JournalFeed(place, described))
    clocks = _look_back(run, tape, after)
    is_ours = clock_of(described) == OURS
    links, feeds = described["links"], described["feeds"]
    fees = fees_text(described)
    about = {
        "tape": f"the feed in {place.name}",
        "tape_digest": tape.digest,
        "journal": place.name,
        "mode": described["mode"],
        "accounts": ", ".join(f"{one['user']} at {one['venue']}" for one in links),
        "session": ", ".join(str(one["session"]) for one in feeds),
        "limits": described["limits"] or "hft.Limits()",
        "scopes": run.session.risk.names,
        "begin": run.begin,
        "end": run.end,
        "events": len(tape),
        "frames": run.frames,
        "seconds": time.perf_counter() - began,
        "clocks": str(clocks),
        "our orders on the tape": not is_ours,
        "one clock": is_ours or clocks.is_one,
        "fees": fees,
        "not told": _not_told(run, clocks, len(after), described),
        "zone": tape.zone,
    }
    return result_of(run, tape, after, run.why or why_stopped(run), about)


def about_of(place: Path) -> Mapping[str, Any]:
    """What the runner whose journal it is was; refused where it is another's."""
    try:
        return about_runner(place)
    except ValueError as error:  # its first frame is whole, and says something else
        raise StateError(
            f"The journal does not say what its runner was: {error}",
            where=str(place),
            do="`hft journal show` tells what its first frame holds.",
        ) from None


def _look_back(run: Recording, tape: Tape, horizons: Sequence[int]) -> Clocks:
    """The market around all fills, written into the run."""
    clocks, fills = clocks_of(tape), run.fills
    if len(fills) and len(tape):
        before, markouts = around(tape, fills, horizons)
        places = {}
        if run.live.shadow is None:  # a model has said so itself
            places = dict(zip(("entered", "ahead"), queues(tape, fills), strict=True))
        run.look_back(markouts, twice_mid=before, **places)
    return clocks


def _not_told(run: Recording, clocks: Clocks, horizons: int, about: Mapping[str, Any]) -> list[str]:
    """What a reader would look for in vain, as sentences."""
    told, fills = [] if fees_text(about) else [_FEES], run.fills
    is_shadow = run.live.shadow is not None
    told.append(_SHADOW.format(distance_text(about)) if is_shadow else _OURS)
    if not is_shadow and not clocks.is_one:
        told.append(_CLOCKS.format(clocks))
    silent = int(((fills["taker"] == 0) & (fills["entered"] == 0) & (fills["quantity"] > 0)).sum())
    if silent:
        told.append(_QUEUES.format(_counted(silent, "fill")))
    missing = len(fills) * horizons - len(run.markouts)
    if missing:
        told.append(_MARKS.format(_counted(missing, "markout")))
    return told


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
