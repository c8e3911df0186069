"""From what a user names to a runner's memory, and back from a journal's first frame.

    about = described(["maker.py:Maker"], exchange, mode="paper", limits=Path("limits.toml"), ...)
    live = laid(about)          the same live and in a replay (`engine/live/making.py`)

`about` is all that a decision can hang on, as plain values: the strategy's own text, its
parameters, the limits' text, the instruments, feeds and links. It is the first frame of the
journal. Passwords and where sockets lead to are no part of it.

Worst case: the text of a strategy that imports a file beside it is not enough to run it again.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hftlib import __version__
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.units import shown
from hftlib.engine.live.laying import FeedPlan, LinkPlan
from hftlib.engine.live.making import laid as laid
from hftlib.ops.modes import Mode
from hftlib.risk.limits_file import text_of
from hftlib.strategy.files import strategy_named

LOOK_S = 0.2
_NEEDED = ("order_entry", "line_a", "line_b", "recovery", "midnight_ns", "session", "ticks")


def exchange_of(path: Path, patience_s: float = 0.0) -> dict[str, Any]:
    """What `hft exchange --json` printed in its first line; one that compiles prints it later."""
    do = "Give the file into which `hft exchange --json` prints, once it runs."
    until = time.monotonic() + patience_s
    try:
        while not (line := _first_line(path)).endswith("\n") and time.monotonic() < until:
            time.sleep(LOOK_S)
        told = json.loads(line or "{}")
    except (OSError, ValueError) as error:
        raise InputError(f"This says of no exchange: {error}", where=str(path), do=do) from None
    missing = [name for name in _NEEDED if not isinstance(told, dict) or name not in told]
    if missing:
        raise InputError(f"This says no {missing[0]} of an exchange", where=str(path), do=do)
    return dict(told)


def copy_place(path: Path) -> tuple[str, int]:
    """Where its drop copy is to be heard."""
    told = exchange_of(path).get("drop_copy")
    if not told:
        do = "Give it a port for drop copies, or watch without one."
        raise InputError("This exchange has no drop copy", where=str(path), do=do)
    return str(told[0]), int(told[1])


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline()


def described(
    strategies: Sequence[str],
    exchange: Mapping[str, Any],
    *,
    user: str,
    venue: str = "HFTX",
    symbols: Sequence[str] = (),
    params: Mapping[str, Any] | None = None,
    limits: Path | None = None,
    mode: Mode | str = "paper",
    fees: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What a runner is made of: the first frame of its journal."""
    chosen = mode if isinstance(mode, Mode) else Mode(mode)
    chosen.require_exchange(exchange)
    listed = exchange["ticks"]
    wanted = list(symbols) or list(listed)
    unknown = [one for one in wanted if one not in listed]
    if unknown:
        raise InputError(
            f"The exchange does not list {shown(unknown[0])}",
            where="hft live --symbols",
            do=f"It has {', '.join(list(listed)[:20])}.",
        )
    table = Instruments()
    for symbol in wanted:
        table.add(symbol, venue=venue, tick=int(listed[symbol]))
    midnight = int(exchange["midnight_ns"])
    about = {
        "what": "runner",
        "mode": chosen.name,
        **({"hours": dict(exchange["hours"])} if "hours" in exchange else {}),  # of a calendar
        "hftlib": __version__,
        "strategies": [_strategy(one, params or {}) for one in strategies],
        "fees": dict(fees or {}),
        "limits": "" if limits is None else text_of(limits),
        "instruments": base64.b64encode(table.table.tobytes()).decode(),
        "feeds": [asdict(FeedPlan(venue, midnight, session=exchange["session"]))],
        "links": [asdict(LinkPlan(venue, user, midnight))],
    }
    return about | chosen.changes(about)


def _strategy(named: str, params: Mapping[str, Any]) -> dict[str, Any]:
    found = strategy_named(named)
    place = named.rpartition(":")[0] or named
    text = Path(place).read_text(encoding="utf-8") if place.endswith(".py") else ""
    return {"named": named, "class": found.__name__, "params": dict(params), "text": text}
