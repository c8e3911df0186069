"""What a collar compares with: the reference now, and as it was when the present window began.

    reference   the middle, the last trade or a fixed price, as the rules say; twice the price
    anchor      the reference that the present collar window began with

An instrument has one window: its own `collar_window_ms`, else the longest that any scope sets,
since from further back a price has moved further. The first news after a window begins the next.

Worst case: nothing is known of the price yet: there is no reference, and no collar.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.risk.controls import COLLAR_WINDOW, MS
from hftlib.risk.memory import LAST, MID, instrument_row, rule_of, scope_of


@jit.inlined
def reference_of(rule: Any) -> int:
    """What collars compare with, twice the price; 0: nothing is known yet."""
    if rule.reference == MID:
        return rule.middle if rule.middle != 0 else rule.mark
    return 2 * rule.last if rule.reference == LAST else rule.fixed


@jit.compiled()
def anchored(base: int, instrument: int, now: int) -> None:
    """A new window begins with the reference as it is now, if the last one is over."""
    rule = rule_of(base, instrument)
    window = scope_of(base, instrument_row(base, instrument)).windows[COLLAR_WINDOW] * MS
    if rule.anchor == 0 or now - rule.anchored >= window:
        rule.anchor, rule.anchored = reference_of(rule), now
