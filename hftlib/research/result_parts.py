"""What a result is made of, looked at before it is kept: its arrays, and the counts of a run.

Worst case: none; arrays are looked at, not copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import is_whole, shown
from hftlib.research.result_files import RECORDS

Array = np.ndarray[Any, Any]
_OF_INSTRUMENTS = ("orders", "fills", "equity", "parents")


def flat(counts: Mapping[str, Any]) -> dict[str, int]:
    """Counts within counts by both names; what is no count is left out."""
    made: dict[str, int] = {}
    for name, value in counts.items():
        if isinstance(value, Mapping):
            made |= {f"{name}: {inner}": one for inner, one in flat(value).items()}
        elif is_whole(value):
            made[name] = int(value)
    return made


def warnings(counts: Mapping[str, Any], instruments: int) -> list[str]:
    """What a reader of the page should know first."""
    wrong = counts.get("wrong instruments", 0)
    if not wrong:
        return []
    times = "once" if wrong == 1 else f"{wrong:,} times"
    return [
        f"The strategy asked {times} for an instrument that there is not: they are counted"
        f" from 0 to {instruments - 1}. It was answered with an empty book and no position."
    ]


def checked(name: str, array: Array, instruments: int) -> Array:
    """A view that nobody can write through, of records whose instruments are in the table."""
    dtype = RECORDS[name]
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else array
        raise InputError(
            f"The {name} of a result are not {shown(found)}",
            where=f"Result({name}=...)",
            do=f"Pass a flat array of the {name} record.",
        )
    if name in _OF_INSTRUMENTS and len(array) and int(array["instrument"].max()) >= instruments:
        raise InputError(
            f"The {name} name instrument {int(array['instrument'].max())}, and there are"
            f" {instruments:,}, counted from 0",
            where=f"Result({name}=...)",
            do="Pass the instruments of the tape that was run.",
        )
    kept = array.view()
    kept.flags.writeable = False
    return kept
