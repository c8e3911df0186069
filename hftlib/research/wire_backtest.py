"""`hft.wire_backtest`: a backtest in which every message and every order passes as wire bytes.

    result = hft.wire_backtest(QueueImbalance, tape, folder="day.journal",
                               feed_latency="50us", order_latency="100us",
                               limits=hft.Limits(position_lots=1_000))

The tape is played by our own exchange, whose matching engine has the tape's orders and ours in the
same queues. It says what happens as ITCH in MoldUDP64; the runner's `take`, the one that runs live,
answers with OUCH in SoupBinTCP. Both are in this process, in lockstep on the tape's time, with
latencies in between (`wire_steps.py`): no socket, no clock, the same bytes each time.

The folder holds the runner's journal: `hft replay`, `hft tca`, `hft.journal_result` read it as any
runner's. The strategy is laid out from its text in there, so what ran is what a replay runs.

Worst case: the run is quick and the result is not, for a journal is read three times in plain
Python, some 100 microseconds a frame; `hft replay` alone is compiled.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hftlib import __version__
from hftlib.core import jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.times import Duration, duration_ns
from hftlib.core.units import shown
from hftlib.engine.log import HORIZONS_NS
from hftlib.feed.source import Source
from hftlib.research.journal_result import journal_result
from hftlib.research.lineup import lineup
from hftlib.research.result import Result
from hftlib.research.setting_up import horizons_of, limits_of, tape_of
from hftlib.research.strategy_text import strategy_text
from hftlib.research.tape import Tape
from hftlib.research.wire_driver import run_on_wire
from hftlib.research.wire_exchange import opened
from hftlib.risk.limits import Limits
from hftlib.risk.limits_text import limits_text
from hftlib.terminal import patience

LATENCY_NS_MAX = 60 * 1_000_000_000
_WHERE = "hft.wire_backtest(strategy, tape, folder=...)"


def wire_backtest(
    strategy: Any,
    tape: Tape | Source | Path | str,
    *,
    folder: Path | str,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    feed_latency: Duration = 0,
    order_latency: Duration = 0,
    limits: Limits | Path | str | None = None,
    horizons: Sequence[Duration] = HORIZONS_NS,
) -> Result:
    """Run the strategy, or several, against the tape's exchange; the result of the journal.

    `feed_latency` is one way from the exchange, `order_latency` one way to it and back.
    """
    horizons_of(horizons)
    place = Path(folder)
    require_new(place)
    with patience() as advance:  # on first use: minutes, and nobody should wait in the dark
        jit.warm(lambda done, total, name: advance(done / total, f"compiling {name}"))
    recorded = tape_of(tape)
    if not recorded.orderly:
        warnings.warn(
            f"Times of {recorded.path.name} go back in places; there, the highest so far counts.",
            stacklevel=2,
        )
    about = described(strategy, recorded, params, limits) | {
        "feed_latency_ns": _latency(feed_latency, "feed_latency"),
        "order_latency_ns": _latency(order_latency, "order_latency"),
    }
    with opened(recorded) as exchange:
        counts = run_on_wire(about, exchange, recorded, place)
    result = journal_result(place, horizons=horizons)
    result.about["exchange"] = counts
    return result


def described(strategy: Any, tape: Tape, params: Any, limits: Any) -> dict[str, Any]:
    """What the runner is made of, all but the exchange's part: the journal's first frame."""
    strategies, held = lineup(strategy, params), limits_of(limits)
    for name, one in strategies.items():
        if name != one.name:
            raise InputError(
                f"A runner calls {one.name} by the name of its class, not {name}",
                where=_WHERE,
                do="Give the class, or a list of classes.",
            )
    held.require_symbols(tape.symbols)
    held.require_strategies(list(strategies))
    return {
        "what": "runner",
        "mode": "wire",
        "hftlib": __version__,
        "strategies": [told_of(one) for one in strategies.values()],
        "limits": "" if limits is None else limits_text(held),
        "tape": tape.path.name,
        "tape_digest": tape.digest,
        "tape_events": len(tape),
    }


def require_new(folder: Path) -> None:
    """Refuse before the run what could not be written."""
    if folder.exists():
        raise StateError(
            "There is something already",
            where=str(folder),
            do="A journal is never written twice: name another folder, or remove this one.",
        )
    if not folder.absolute().parent.is_dir():
        raise InputError(
            f"There is no folder {str(folder.parent)!r}",
            where=_WHERE,
            do="Make it first, or name another.",
        )


def told_of(strategy: Any) -> dict[str, Any]:
    """A strategy as a journal keeps it: one of ours by its name, any other by its text."""
    kind = type(strategy)
    is_ours = kind.__module__.startswith("hftlib.")
    return {
        "named": f"{kind.__module__}:{kind.__name__}",
        "class": kind.__name__,
        "params": dict(strategy.parameters),
        "text": "" if is_ours else strategy_text(kind),
    }


def _latency(given: Any, name: str) -> int:
    ns = duration_ns(given, field=name)
    if not 0 <= ns <= LATENCY_NS_MAX:
        raise InputError(
            f"{shown(given)} is no latency of a wire",
            where=f"hft.wire_backtest({name}=...)",
            do="Give 0 to a minute, one way, such as '50us'.",
        )
    return ns
