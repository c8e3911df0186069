"""What this host has seen of each rollout: a log that is shorter, or another one, is refused.

    follow(record_place(), rollout)      beside the record of releases, in a file of its own
    {"maker": {"number": 5, "line": "..."}}

A chain of signed steps cannot be altered, but it can be cut off behind a step: then the release
that was rolled back would be champion again. Whoever has seen a step once wants it to be there, and
to be the same. It is noted as soon as it is seen, whatever becomes of the launch.

Worst case: a damaged file refuses every launch by a stage until a person has looked at it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hftlib.core.errors import StateError
from hftlib.core.release.record import alone, read_record, write_record
from hftlib.core.release.rollout import Rollout

ENDING = ".rollouts"
_KEYS = {"number": int, "line": str}


def follow(record: Path, rollout: Rollout) -> None:
    """Refuse a log that does not go on from what was seen here; note how far it goes."""
    place = record.with_name(f"{record.name}{ENDING}")
    with alone(place):
        known = read_record(place, _is_entry)
        if rollout.name in known:
            _require_longer(known[rollout.name], rollout, place)
        if rollout.steps:
            last = rollout.steps[-1]
            now = {"number": last.number, "line": last.line}
            if known.get(rollout.name) != now:
                write_record(place, {**known, rollout.name: now})


def _require_longer(known: Any, rollout: Rollout, place: Path) -> None:
    number = known["number"]
    if len(rollout.steps) < number:
        what = f"has {len(rollout.steps):,} steps, and {number:,} were seen here"
    elif rollout.steps[number - 1].line != known["line"]:
        what = f"has another step {number:,} than was seen here"
    else:
        return
    raise StateError(
        f"The rollout of {rollout.name} {what}",
        where=f"{rollout.path}, and what was seen: {place}",
        do="Fetch the whole log; if it was begun anew, docs/rollout.md says who looks at it.",
    )


def _is_entry(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and set(one) == set(_KEYS)
        and all(type(one[name]) is kind for name, kind in _KEYS.items())
        and one["number"] > 0
    )
