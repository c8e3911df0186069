"""From what a user names to a runner's memory, and back from a journal's first frame.

    about = described(["maker.py:Maker"], exchange, user="frm1a", mode="paper", ...)
    about = described_at(["maker.py:Maker"], {"XNAS": exchange, ...}, {"XNAS": "frm1a", ...}, ...)
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
UNNAMED = "HFTX"  # the venue of an exchange that nobody gave a name
_SYMBOLS = "hft live --symbols"
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
    strategies: Sequence[str], exchange: Mapping[str, Any], *, user: str, **more: Any
) -> dict[str, Any]:
    """The same with one exchange, which has no name."""
    hours = exchange.get("hours")  # of a calendar
    return described_at(strategies, {UNNAMED: exchange}, {UNNAMED: user}, hours=hours, **more)


def described_at(
    strategies: Sequence[str],
    exchanges: Mapping[str, Mapping[str, Any]],
    users: Mapping[str, str],
    *,
    symbols: Sequence[str] = (),
    params: Mapping[str, Any] | None = None,
    limits: Path | None = None,
    mode: Mode | str = "paper",
    fees: Mapping[str, str] | None = None,
    fees_at: Mapping[str, Mapping[str, str]] | None = None,
    hours: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a runner is made of: the first frame of its journal. Exchanges and users by venue.

    `fees` hold at each venue, but where `fees_at` has other ones.
    """
    chosen = mode if isinstance(mode, Mode) else Mode(mode)
    for venue, told in exchanges.items():
        chosen.require_exchange(told, venue if len(exchanges) > 1 else "")
    midnights = {venue: int(told["midnight_ns"]) for venue, told in exchanges.items()}
    own = {venue: dict(one) for venue, one in (fees_at or {}).items() if one != (fees or {})}
    about = {
        "what": "runner",
        "mode": chosen.name,
        **({"hours": dict(hours)} if hours else {}),
        "hftlib": __version__,
        "strategies": [_strategy(one, params or {}) for one in strategies],
        "fees": dict(fees or {}),
        **({"fees_at": own} if own else {}),
        "limits": "" if limits is None else text_of(limits),
        "instruments": base64.b64encode(_table(exchanges, symbols).table.tobytes()).decode(),
        "feeds": [
            asdict(FeedPlan(venue, midnights[venue], session=told["session"]))
            for venue, told in exchanges.items()
        ],
        "links": [asdict(LinkPlan(venue, users[venue], midnights[venue])) for venue in exchanges],
    }
    return about | chosen.changes(about)


def _table(exchanges: Mapping[str, Mapping[str, Any]], symbols: Sequence[str]) -> Instruments:
    """What it trades: exchange by exchange, as they were given; `AAA` at each that lists it."""
    table, found = Instruments(), set[str]()
    for venue, told in exchanges.items():
        listed, count = told["ticks"], len(table)
        for symbol in symbols or listed:
            name, _, place = symbol.partition("@")
            if name in listed and place in ("", venue):
                table.add(name, venue=venue, tick=int(listed[name]))
                found.add(symbol)
        if len(table) == count and len(exchanges) > 1:
            do = "Name a symbol of it, or leave that exchange out."
            raise InputError(f"{venue} lists none of the symbols", where=_SYMBOLS, do=do)
    for symbol in symbols:
        if symbol not in found:
            raise _not_listed(symbol, exchanges)
    return table


def _not_listed(symbol: str, exchanges: Mapping[str, Mapping[str, Any]]) -> InputError:
    name, at, place = symbol.partition("@")
    if at and place not in exchanges:
        do = f"Use {', '.join(exchanges)}, as named by --exchange."
        return InputError(f"There is no venue {shown(place)} here", where=_SYMBOLS, do=do)
    which = [place] if at else list(exchanges)
    has = [f"{one} has {', '.join(list(exchanges[one]['ticks'])[:20])}" for one in which]
    who = f"{place} does not list" if at else "No exchange lists"
    if len(exchanges) == 1:
        who = "The exchange does not list"
    return InputError(f"{who} {shown(name)}", where=_SYMBOLS, do=f"{'; '.join(has)}.")


def _strategy(named: str, params: Mapping[str, Any]) -> dict[str, Any]:
    found = strategy_named(named)
    place = named.rpartition(":")[0] or named
    text = Path(place).read_text(encoding="utf-8") if place.endswith(".py") else ""
    return {"named": named, "class": found.__name__, "params": dict(params), "text": text}
