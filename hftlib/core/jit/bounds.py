"""The address of one item among many, checked when checks are asked for.

Plain memory is reached by address, and an address has no length to check. `nth` is told how many
items there are: with `NUMBA_BOUNDSCHECK=1`, as fuzzing runs, and uncompiled, an index outside
raises IndexError; otherwise the count costs nothing, and a wrong index is a wild address, as in C.
"""

from __future__ import annotations

from typing import Any

from hftlib.core.jit.lowering import lowers
from hftlib.core.jit.settings import BOUNDS_CHECKED

_OUTSIDE = "an index is outside of its items"


def nth(address: int, index: int, count: int, item_bytes: int) -> int:
    """Where item `index` of `count` lies, the first of which is at `address`."""
    if not 0 <= index < count:
        raise IndexError(f"{_OUTSIDE}: {index} of {count}")
    return int(address) + int(index) * int(item_bytes)


@lowers(nth, "int64(int64, int64, int64, int64)")
def _(context: Any, builder: Any, address: Any, index: Any, count: Any, item_bytes: Any) -> Any:
    if BOUNDS_CHECKED:
        from numba.core import cgutils

        # Compared without a sign, a negative index is a huge one.
        outside = builder.icmp_unsigned(">=", index, count)
        with cgutils.if_unlikely(builder, outside):
            context.call_conv.return_user_exc(builder, IndexError, (_OUTSIDE,))
    return builder.add(address, builder.mul(index, item_bytes))
