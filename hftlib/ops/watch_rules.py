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
from dataclasses import dataclass, fields
from pathlib import Path

from hftlib.core.errors import InputError
from hftlib.core.units import shown

BYTES_MAX = 1 << 16


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
