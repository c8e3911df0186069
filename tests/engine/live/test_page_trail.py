"""Fills on the runner's page: whatever the log does meanwhile, the ring has the newest ones."""

from __future__ import annotations

import numpy as np
import pytest

from hftlib.engine.live.hot_memory import COPYING
from hftlib.engine.live.page_memory import COUNTS, TRAIL, TRAIL_FILLS, TRAILED
from hftlib.engine.live.page_trail import FILLS_EACH, trail
from hftlib.engine.live.taking import LOG_SPARE
from hftlib.ops.launching import described, laid

EXCHANGE = {"ticks": {"AAA": 100}, "midnight_ns": 0, "session": "X", "simulator": True}


class Trailed:
    """A session that nobody runs: rows go into its log, and it is emptied as by a frame."""

    def __init__(self) -> None:
        self.live = laid(described(["QueueImbalance"], EXCHANGE, user="frm1a"))
        seat = self.live.session.seats[0]
        self.log, self.head = seat["fills"], seat["execution"]
        self.trails, self.trailed = np.zeros(1, TRAIL), np.zeros(1, TRAILED)
        self.counts, self.copying = np.zeros(1, COUNTS), np.zeros(1, COPYING)
        for name in ("trails", "trailed", "counts"):
            self.copying[name] = getattr(self, name).ctypes.data
        self.copying["strategies"] = self.copying["scopes"] = 1
        self.made, self.emptied = 0, 0

    def fill(self, count: int) -> None:
        for _ in range(count):
            self.made += 1
            row = self.log[int(self.head["fills"][0])]
            row["number"], row["received"] = self.made, 1_000 + 3 * self.made
            self.head["fills"] += 1
        if len(self.log) - int(self.head["fills"][0]) < LOG_SPARE:
            self.head["fills"], self.emptied = 0, self.emptied + 1

    def look(self) -> None:
        trail(self.copying.ctypes.data, self.live.address)

    def shown(self) -> list[int]:
        count = int(self.trails["count"][0])
        newest = range(max(0, count - TRAIL_FILLS), count)
        return [int(self.trails["fills"][0][n % TRAIL_FILLS]["number"]) for n in newest]


def test_every_fill_is_shown_once_in_order_over_many_emptied_logs():
    one, random = Trailed(), np.random.default_rng(5)
    while one.emptied < 2:
        one.fill(int(random.integers(0, FILLS_EACH // 2)))
        one.look()
        one.look()  # what was left when the log was emptied, and then what is new
        first = max(0, one.made - TRAIL_FILLS) + 1
        assert one.shown() == list(range(first, one.made + 1))
    assert int(one.trails["count"][0]) == one.made


def test_of_a_burst_the_newest_are_shown_after_some_calls():
    one = Trailed()
    one.fill(1_000)
    for done in range(1, TRAIL_FILLS // FILLS_EACH + 1):
        one.look()
        assert int(one.trails["count"][0]) == done * FILLS_EACH
    assert one.shown() == list(range(1_000 - TRAIL_FILLS + 1, 1_001))


@pytest.mark.parametrize("spoilt", [-1, 2**62, 7])
def test_what_somebody_writes_into_the_page_leads_nowhere(spoilt):
    one = Trailed()
    one.fill(5)
    one.look()
    one.trails["count"] = spoilt
    one.fill(1)
    one.look()
    assert one.shown() == [1, 2, 3, 4, 5, 6]
