"""A runner's memory from what describes it: the first frame of its journal.

    live = laid(about)                 the same live, in a replay, and for who looks at a day later
    table = instruments_of(about)      in the order in which the session counts them

`about` is plain values, as `ops/launching.py` writes them. Worst case: the text of a strategy that
imports a file beside it is not enough to run it again.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core.errors import InputError
from hftlib.core.fees import Fees
from hftlib.core.instruments import INSTRUMENT, Instruments
from hftlib.engine.live.laying import FeedPlan, LinkPlan, Live
from hftlib.engine.live.shadow_laying import ShadowPlan
from hftlib.engine.session import Session
from hftlib.risk.limits import Limits
from hftlib.risk.limits_file import limits_of
from hftlib.strategy.files import strategy_named


def laid(about: Mapping[str, Any]) -> Live:
    """The memory of the runner that this describes, ready for its first frame."""
    instruments = instruments_of(about)
    session = Session(
        instruments,
        strategies_of(about),
        limits=limits_of(about["limits"], Path("the limits")) if about["limits"] else Limits(),
        fees=[Fees(**fees_at(about, one.venue)) for one in instruments],
        capacity=Capacity(instruments=max(64, len(instruments))),
    )
    session.connect()
    feeds = [FeedPlan(**one) for one in about["feeds"]]
    links = [LinkPlan(**one) for one in about["links"]]
    shadows = [plan_at(about, one.venue) for one in links] if about.get("shadow") else []
    return Live(session, feeds, links, shadows)


def plan_at(about: Mapping[str, Any], venue: str) -> ShadowPlan:
    """Of a shadow: how far away its model of a venue is."""
    return ShadowPlan(**about.get("shadow_at", {}).get(venue, about["shadow"]))


def distance_text(about: Mapping[str, Any]) -> str:
    """Of a shadow: the same of all venues, in words."""
    found = {one["venue"]: plan_at(about, one["venue"]).order_ns / 1_000 for one in about["links"]}
    if len(set(found.values())) == 1:
        return f"{next(iter(found.values())):,g} us"
    return ", ".join(f"{us:,g} us ({venue})" for venue, us in found.items())


def strategies_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """What runs, by name, with its parameters."""
    made: dict[str, Any] = {}
    for one in about["strategies"]:
        strategy = _class_of(one)(**one["params"])
        if strategy.name in made:
            raise InputError(
                f"Two strategies are called {strategy.name}",
                where="hft live",
                do="Give one of them another name in its file.",
            )
        made[strategy.name] = strategy
    return made


def fees_at(about: Mapping[str, Any], venue: str) -> Mapping[str, str]:
    """What fills cost at a venue, as texts."""
    found: Mapping[str, str] = about.get("fees_at", {}).get(venue, about.get("fees", {}))
    return found


def fees_text(about: Mapping[str, Any]) -> str:
    """The same of all venues, in words; empty where nothing was given."""
    if not about.get("fees_at"):
        return _fees_text(about.get("fees", {}))
    told = [(one["venue"], _fees_text(fees_at(about, one["venue"]))) for one in about["feeds"]]
    return "; ".join(f"{venue}: {text or 'none'}" for venue, text in told)


def _fees_text(fees: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fees.items())


def instruments_of(about: Mapping[str, Any]) -> Instruments:
    """The table of what it trades."""
    return Instruments(np.frombuffer(base64.b64decode(about["instruments"]), INSTRUMENT).copy())


def _class_of(one: Mapping[str, Any]) -> Any:
    """The class as its text says, wherever the file is now."""
    if not one["text"]:
        return strategy_named(one["named"])
    with tempfile.TemporaryDirectory(prefix="hft-strategy-") as folder:
        file = Path(folder) / "strategy.py"
        file.write_text(one["text"], encoding="utf-8")
        found = strategy_named(f"{file}:{one['class']}")
        found().entry()  # compiled while its text is there to be told of
        return found
