"""How long the pieces are that a bootstrap draws, so that what moves together stays together.

    block_length(values)       steps; by the rule of Politis and White, as `arch` computes it
    coarser(values, 1_000)     steps of time added up until there are at most so many

The stationary bootstrap draws pieces of random length; this is their mean. A series that hardly
moves gives no length at all, and then steps are drawn one by one. Worst case: `arch` takes some
seconds to load, once, and only here and in what draws.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research.validation.given import whole

Array = np.ndarray[Any, Any]
BLOCK_SHARE = 3  # a piece is at most a third of what there is


def block_length(values: Array, block: Any = None) -> int:
    """As given, or chosen for this series."""
    most = max(1, len(values) // BLOCK_SHARE)
    if block is not None:
        if not isinstance(block, int | np.integer) or not 1 <= block <= most:
            do = f"Give a whole number from 1 to {most:,}, or leave it out to have one chosen."
            raise InputError(f"block={shown(block)} is no length", where="block", do=do)
        return whole(block, "block", 1, most)
    scale = float(np.abs(values).max(initial=0.0))
    if scale == 0.0 or float(np.ptp(values / scale)) == 0.0:
        return 1
    from arch.bootstrap import optimal_block_length

    with np.errstate(all="ignore"):
        found = float(optimal_block_length(values / scale)["stationary"].iloc[0])
    return min(most, max(1, round(found))) if math.isfinite(found) else 1


def coarser(values: Array, rows_most: int) -> tuple[Array, int]:
    """Longer steps of time, each the sum of so many; the first ones that fill none are left out."""
    each = max(1, -(-len(values) // rows_most))
    rows = len(values) // each
    kept = values[len(values) - rows * each :]
    return kept.reshape(rows, each, *values.shape[1:]).sum(axis=1), each
