"""Wrong passwords and codes wait longer and longer, and nobody is told which of the two was wrong.

    tries = Tries()
    tries.wait_s("ann", "10.0.0.7", now)       0.0: may be tried
    tries.failed("ann", "10.0.0.7", now)
    tries.right("ann", "10.0.0.7")

Counted are a name from an address, an address with any name, and a name from anywhere. The third is
slow to bite and short: who only knows an operator's name cannot keep them off their desk.

    name and address      free 3     then 5, 10, 20 ... s, 15 minutes at most
    address               free 50    likewise
    name                  free 30    likewise, 30 s at most

Worst case: 10,000 of each are kept, the oldest is forgotten. A restart forgets all of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

KEPT_MAX = 10_000
FIRST_S, FORGET_S = 5.0, 3_600.0
_PAIR, _ADDRESS, _NAME = (3, 900.0), (50, 900.0), (30, 30.0)


@dataclass
class _Count:
    failures: int = 0
    last_s: float = 0.0


class Tries:
    """Of one desk."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str, str], _Count] = OrderedDict()
        self._alone = threading.Lock()

    def wait_s(self, name: str, address: str, now_s: float) -> float:
        """How long until it may be tried again."""
        with self._alone:
            return max(self._left(key, bound, now_s) for key, bound in _keys(name, address))

    def failed(self, name: str, address: str, now_s: float) -> None:
        with self._alone:
            for key, _ in _keys(name, address):
                one = self._counts.pop(key, None) or _Count()
                if now_s - one.last_s > FORGET_S:
                    one.failures = 0
                one.failures, one.last_s = one.failures + 1, now_s
                self._counts[key] = one
            while len(self._counts) > 3 * KEPT_MAX:
                self._counts.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """Forgets what was wrong from there; of the name elsewhere nothing."""
        with self._alone:
            self._counts.pop(("pair", name, address), None)

    def _left(self, key: tuple[str, str, str], bound: tuple[int, float], now_s: float) -> float:
        one, (free, most_s) = self._counts.get(key), bound
        if one is None or one.failures < free:
            return 0.0
        wait = min(most_s, FIRST_S * 2.0 ** min(20, one.failures - free))
        return max(0.0, one.last_s + wait - now_s)


def _keys(name: str, address: str) -> list[tuple[tuple[str, str, str], tuple[int, float]]]:
    return [
        (("pair", name, address), _PAIR),
        (("address", "", address), _ADDRESS),
        (("name", name, ""), _NAME),
    ]
