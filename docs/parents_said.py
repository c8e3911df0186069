"""The tables of parent orders in `docs/strategies.md`: what each algorithm does and takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from hftlib.core import parents
from hftlib.strategy.context import CONTEXT

_SLICED = "TWAP, VWAP_CURVE, IS"
_USED_BY = {
    "finish": "all with a duration",
    "slices": _SLICED,
    "jitter": _SLICED,
    "seed": _SLICED,
    "patience": f"{_SLICED}, POV; with `finish` all",
    "rate": "POV",
    "urgency": "IS",
    "display": "ICEBERG",
    "shown_by_venue": "ICEBERG",
    "peg": "PEG",
    "offset": "PEG",
}
_SAID = {
    "finish": "it must finish: it takes all that is left, beyond its end if need be",
    "shown_by_venue": "an iceberg of the venue's own, one order that shows `display`",
}


def algorithms() -> str:
    """A row for each algorithm there is."""
    rows = [f"| `hft.{name}` | {said} |" for name, said in parents.ALGORITHMS if name]
    return "| Algorithm | What it does |\n|---|---|\n" + "\n".join(rows) + "\n"


def settings(notes: Mapping[str, str], defaults: Mapping[str, str]) -> str:
    """What `ctx.parent` takes beyond instrument, side, quantity and algorithm, as DRAFT says it."""
    said = {**notes, **_SAID}
    rows = []
    for one in inspect.signature(CONTEXT.functions["parent"]).parameters.values():
        if one.default is not one.empty and one.name != "algo":
            default = defaults.get(one.name, one.default)
            users = _USED_BY.get(one.name, "all")
            rows.append(f"| `{one.name}` | `{default}` | {said[one.name]} | {users} |")
    head = "| Setting | Unless said | Meaning | Of |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


# What of a parent's fields their drawing leaves to their names, or says less plainly.
PARENTS_SAID = {
    ("parent", "id"): "its number, counted up from 1",
    ("parent", "algo"): "its algorithm",
    ("parent", "quantity"): "all it asks for",
    ("parent", "begin"): "when it begins",
    ("parent", "end"): "when it ends; far in the future where it has no duration",
    ("parent", "state"): "1 running, 2 paused, 3 ending, 4 halted, 5 done",
    ("parent", "slices"): "parts of its time",
    ("parent", "display"): "how much shows at a time",
    ("parent", "peg"): "what it stands at",
    ("parent", "flags"): "1: it must finish; 2: the venue shows a part",
    ("parent", "urgency"): "how front-loaded",
    ("parent", "patience"): "how long behind until it takes",
    ("parent", "gap"): "between two moves of its children",
    ("parent", "clip"): "the smallest child",
    ("parent", "filled"): "of all its children",
    ("parent", "limit"): "no child goes beyond it",
}
