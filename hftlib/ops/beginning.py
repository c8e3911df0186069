"""How a runner's day begins: a new one from what was given, or one that its journal describes.

    prepared = new(given, journal, say)     or resumed(given, journal, say)
    live, about, after = prepared(told, hours)     once the exchanges say where they listen

What is wrong with what was given is said by `new` and `resumed`, before anybody waits for anything;
what hangs on the exchanges by `prepared`. Worst case: a day that is gone on with is replayed first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.ops.modes import LIVE, MODES, PAPER, Mode, asked
from hftlib.terminal import patience

Told = Mapping[str, Mapping[str, Any]]  # what each exchange says of itself, by venue
Prepared = Callable[[Told, Mapping[str, Any]], tuple[Any, dict[str, Any], int]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says of the strategies, the accounts by venue, and the mode."""

    strategies: list[str]
    params: list[str]
    limits: Path | None
    symbols: str
    users: Mapping[str, str]
    mode: str = ""
    latency_us: float | None = None
    latency_at: Mapping[str, float] = field(default_factory=dict)  # of venues that have another
    share: float | None = None
    scale: tuple[str, ...] = ()
    yes: bool = False
    fees: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)  # parameters of a release


def new(given: Given, _journal: Path, _say: Say) -> Prepared:
    """A new day: its memory, what describes it, and no frame before it."""
    from hftlib.ops.launching import described_at, laid
    from hftlib.strategy.files import given_parameters, strategy_named

    if not given.strategies:
        raise InputError(
            "No strategy is named", where="hft live", do="Name one, or go on with a day: --resume."
        )
    settings = given.latency_us, given.share, given.scale, given.latency_at
    mode = Mode(given.mode or PAPER, *settings)
    params = given_parameters(given.params, "hft live") | dict(given.values)
    for one in given.strategies:
        strategy_named(one)
    if mode.name == LIVE:  # whatever the exchange is
        mode.require_consent({}, given.limits, given.yes, asked())

    def prepared(told: Told, hours: Mapping[str, Any]) -> tuple[Any, dict[str, Any], int]:
        about = described_at(
            given.strategies,
            told,
            given.users,
            symbols=[one for one in given.symbols.split(",") if one],
            params=params,
            limits=given.limits,
            mode=mode,
            hours=hours,
            **_fees(given.fees, list(told)),
        )
        if mode.name != LIVE:
            mode.require_consent(_all(told), given.limits, given.yes, asked())
        return laid(about), about, 0

    return prepared


def _fees(given: Mapping[str, Mapping[str, str]], venues: list[str]) -> dict[str, Any]:
    """The same everywhere, or each venue's own."""
    own = [given.get(venue, {}) for venue in venues]
    if all(one == own[0] for one in own):
        return {"fees": own[0]}
    return {"fees_at": dict(zip(venues, own, strict=True))}


def _all(told: Told) -> dict[str, bool]:
    """What may be said of all exchanges: simulators they are where each of them is one."""
    return {"simulator": all(one.get("simulator") is True for one in told.values())}


def resumed(given: Given, journal: Path, say: Say) -> Prepared:
    """A day that goes on: all that describes it stands in its journal."""
    from hftlib.engine.live.replaying import about, taken_up
    from hftlib.ops.launching import laid
    from hftlib.ops.resuming import require_same_day

    if given.strategies or given.params or given.limits or given.symbols or given.fees:
        raise InputError(
            "Strategies, parameters, limits, fees and symbols are those of the journal",
            where="hft live --resume",
            do="Leave them out, or begin another journal.",
        )
    said = about(journal)
    mode = _mode_of(said, given, journal)

    def prepared(told: Told, _hours: Mapping[str, Any]) -> tuple[Any, dict[str, Any], int]:
        for venue, one in told.items():
            mode.require_exchange(one, venue if len(told) > 1 else "")
        require_same_day(said, told, str(journal))
        mode.require_consent(_all(told), journal, given.yes, asked())  # its limits stand in there
        with patience() as advance:
            live, after = taken_up(journal, laid, advance, say)
        return live, said, after

    return prepared


def _mode_of(said: dict[str, Any], given: Given, journal: Path) -> Mode:
    """The mode that the journal was begun in; refused where another is given."""
    name = str(said.get("mode", ""))
    if name not in MODES:
        raise InputError(
            f"A day of the mode {name or 'that is not told'} has no runner to go on",
            where=str(journal),
            do="Begin another journal.",
        )
    settings = (given.latency_us, given.share, given.scale, dict(given.latency_at))
    if given.mode not in ("", name) or settings != (None, None, (), {}):
        raise InputError(
            f"This day was begun in the mode {name}, and keeps it with its settings",
            where="hft live --resume --mode",
            do="Leave out --mode, --latency-us, --share and --scale, or begin another journal.",
        )
    return Mode(name, share=said["canary"]["share"] if name == "canary" else None)


def recovery_of(runner: Any, told: Told, users: Mapping[str, str], words: Mapping[str, str]) -> Any:
    """What says when it may trade again: each venue's drop copy is heard, of a shadow none.

    Users and passwords are by venue; where the user is empty nobody hears it.
    """
    from hftlib.ops.drop_copy import DropCopy
    from hftlib.ops.resuming import Recovery

    copies = {}
    for venue, one in told.items():
        where = one.get("drop_copy")
        if users[venue] and where and runner.live.shadow is None:
            copies[venue] = DropCopy((str(where[0]), int(where[1])), users[venue], words[venue])
    return Recovery(runner, copies)


def telling(recovery: Any, say: Say) -> Callable[[], None]:
    """A turn of it, each new word of it printed."""
    said = [""]

    def turn() -> None:
        recovery.turn()
        if recovery.told != said[0]:
            said[0] = recovery.told
            say(said[0])

    return turn


def say_recovery(json_out: bool, words: str) -> None:
    """A word of it, for people or for machines."""
    print(json.dumps({"recovery": words}) if json_out else f"recovery: {words}", flush=True)
