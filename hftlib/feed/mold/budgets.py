"""How many replies an asker gets in a second, and all askers together.

A request is twenty bytes and its reply seventy times that, and an asker's address can be forged.
Worst case: ASKERS_MAX askers are remembered, and the oldest is forgotten for a new one.
"""

from __future__ import annotations

from collections import OrderedDict

SECOND_NS = 1_000_000_000
ASKERS_MAX = 1024


class Budgets:
    """Replies left this second, for each asker and for all; the oldest asker is forgotten."""

    def __init__(self, each: int, in_all: int) -> None:
        self._each, self._in_all = each, in_all
        self._askers: OrderedDict[str, list[int]] = OrderedDict()
        self._all = [0, 0]

    def allow(self, asker: str, now: int) -> bool:
        if asker not in self._askers and len(self._askers) == ASKERS_MAX:
            self._askers.popitem(last=False)
        own = self._askers.setdefault(asker, [now, 0])
        for budget in (own, self._all):
            if not 0 <= now - budget[0] < SECOND_NS:
                budget[:] = now, 0
        if own[1] >= self._each or self._all[1] >= self._in_all:
            return False
        own[1] += 1
        self._all[1] += 1
        return True
