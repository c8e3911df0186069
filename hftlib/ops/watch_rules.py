"""What a watchdog does not allow: its own limits, in its own file, apart from the runner's.

    silence_ms = 1_000            # no answer for so long: the process is ended
    heartbeat_ms = 500            # its hot thread takes no frame for so long: likewise
    grace_ms = 500                # told to halt, it has so long to take its orders back
    stale_ms = 2_000              # a feed is not live for so long
    loss_money = 10_000           # all strategies together have lost so much
    gross_money = 1_000_000       # all positions at the middle of the book, by size
    position = 5_000              # of one instrument of one strategy, by size
    commands_per_second = 500
    refused_per_second = 50       # orders that its own risk refused
    rejected_per_second = 20      # and those that the venue did
    clock_step_ms = 10            # the host's clock was set by so much, while the runner ran
    standby_ms = 1_000            # the standby is so far behind, or orders do not wait for it
    mismatch_ms = 2_000           # what the venue's drop copy says is not what the runner says

What is left out is not looked at, but silence, heartbeat and grace, which have these values then.
Worst case: a file with a name that is none is refused: a limit that is misspelt is no limit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown

BYTES_MAX = 1 << 16

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of a watchdog; None: not looked at."""

    silence_ms: float = 1_000
    heartbeat_ms: float = 500
    grace_ms: float = 500
    stale_ms: float | None = None
    loss_money: float | None = None
    gross_money: float | None = None
    position: float | None = None
    commands_per_second: float | None = None
    refused_per_second: float | None = None
    rejected_per_second: float | None = None
    clock_step_ms: float | None = None
    standby_ms: float | None = None
    mismatch_ms: float | None = None


def read_rules(path: Path) -> Rules:
    """The rules of a file, or a sentence on what is wrong with it."""
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        given = tomllib.loads(text.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        do = "Name a TOML file with lines such as loss_money = 10_000."
        raise InputError(f"These are no rules: {error}", where=str(path), do=do) from None
    if len(text) > BYTES_MAX:
        do = f"Rules have at most {BYTES_MAX:,} bytes."
        raise InputError("This file is too large", where=str(path), do=do)
    known = [one.name for one in fields(Rules)]
    for name, value in given.items():
        if name not in known:
            do = f"There is {', '.join(known)}."
            raise InputError(f"There is no rule {shown(name)}", where=str(path), do=do)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
            do = "Give a number above 0."
            raise InputError(f"{name} cannot be {shown(value)}", where=str(path), do=do)
    return Rules(**given)


def broken(rules: Rules, found: Told, before: Told) -> Iterator[str]:
    """Each rule that does not hold, in words."""
    rows = found["positions"]
    profit = sum(one["profit"] or 0.0 for one in rows)
    if rules.loss_money is not None and -profit > rules.loss_money:
        yield f"it has lost {-profit:,.2f}, the rule is {rules.loss_money:,.2f}"
    gross = sum(abs(one["quantity"]) * _middle(one) for one in rows)
    if rules.gross_money is not None and gross > rules.gross_money:
        yield f"it holds {gross:,.2f}, the rule is {rules.gross_money:,.2f}"
    several = len({one.get("venue") for one in rows}) > 1
    for one in rows:
        if rules.position is not None and abs(one["quantity"]) > rules.position:
            at = f" at {one['venue']}" if several else ""
            held = f"{one['quantity']:,g} {one['symbol']}{at}"
            yield f"it holds {held}, the rule is {rules.position:,g}"
    step = found["clock"]["step_us_max"] / 1e3
    if rules.clock_step_ms is not None and abs(step) > rules.clock_step_ms:
        yield f"its host's clock was set by {step:+,.1f} ms, the rule is {rules.clock_step_ms:,g}"
    yield from _behind(rules.standby_ms, found.get("standby"))
    seconds = (found["time_ns"] - before["time_ns"]) / 1e9 if before else 0.0
    for name in ("commands", "refused", "rejected"):
        most = getattr(rules, f"{name}_per_second")
        if most is None or seconds <= 0:
            continue
        count = found["counts"][name] - before["counts"][name]
        if count > most * max(seconds, 1.0):
            yield f"{count:,} {name} in {seconds:.2f} s, the rule is {most:,g} a second"


def _behind(most: float | None, standby: Told | None) -> Iterator[str]:
    """A standby that has not what it should, where one follows."""
    if most is None or not standby:
        return
    late = standby["lag_ns"] / 1e6
    if late > most:
        yield f"its standby is {late:,.0f} ms behind, the rule is {most:,g}"
    if standby["durability"] != "replicated":
        yield f"its orders do not wait for its standby: durability {standby['durability']}"


def _middle(one: Told) -> float:
    """What a unit of it is worth; of a book with one side, that side."""
    sides = [side for side in (one["bid"], one["ask"]) if side is not None]
    return float(one.get("multiplier", 1.0)) * sum(sides) / len(sides) if sides else 0.0
