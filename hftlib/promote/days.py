"""The days that gates judge on: made once from seeds and kept, or tapes that a user has.

    days, unseen = days_of(plan.days)          paths of tapes

A made day is one of `hft.synthetic`: the same seed is the same day on any machine. They follow each
other from Monday, 5 January 2026 on, the unseen ones last, and lie beside other tapes, in
`data/tapes/promotion`. Their names have what they are made by, so a generator that has changed
makes them anew. Worst case: the first promotion of an installation makes all of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import hftlib
from hftlib.core.errors import InputError
from hftlib.terminal import patience

FIRST = "2026-01-05"
FOLDER = "promotion"


def days_of(days: Mapping[str, Any]) -> tuple[list[Path], list[Path]]:
    """The tapes to choose on, and those that nobody has looked at."""
    from hftlib.research.store import found

    if "tapes" in days:
        named = [[found(one).resolve() for one in days[key]] for key in ("tapes", "unseen_tapes")]
        for path in (*named[0], *named[1]):
            if not path.is_file():
                do = "Import one: hft data import FILE; `hft data list` shows those there."
                raise InputError(f"There is no tape {path.name!r}", where=str(path), do=do)
        return named[0], named[1]
    seeds = [*days["seeds"], *days["unseen_seeds"]]
    with patience() as advance:
        made = []
        for number, seed in enumerate(seeds):
            advance(number / len(seeds), "making the days of the gates")
            made.append(_kept(days, number, seed))
    count = len(days["seeds"])
    return made[:count], made[count:]


def _kept(days: Mapping[str, Any], number: int, seed: int) -> Path:
    """One made day; made now where it is not there."""
    from hftlib.feed.synthetic.market import synthetic
    from hftlib.research.store import folder
    from hftlib.research.tape import to_tape

    date = str(np.busday_offset(np.datetime64(FIRST), number))
    wish = {name: days[name] for name in ("symbols", "seconds", "rate")} | {"seed": seed}
    told = json.dumps([wish, date, sources_digest("feed")])
    name = f"{date}-seed{seed}-{hashlib.sha256(told.encode()).hexdigest()[:8]}.tape"
    path = (folder() / FOLDER / name).resolve()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        to_tape(synthetic(**wish, date=date), path)
    return path


def sources_digest(room: str = "") -> str:
    """SHA-256 over the sources of hftlib, or of one of its rooms."""
    root = Path(hftlib.__file__).parent
    made = hashlib.sha256()
    for path in sorted((root / room).rglob("*.py")):
        made.update(str(path.relative_to(root)).encode() + b"\0")
        made.update(hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()
