"""How long lots are held, against a queue of single lots."""

from collections import deque

import numpy as np
import pytest
from planted_market import one_stock

from hftlib.core import orders as o
from hftlib.core.events import BUY
from hftlib.engine.log import EQUITY
from hftlib.research.result import Result
from hftlib.research.validation.holding import longest_held

END = 10_000


def result_of(fills):
    """A result of these (time, side, lots) alone."""
    made = np.zeros(len(fills), o.FILL)
    for row, (time, side, lots) in zip(made, fills, strict=True):
        row["time"], row["side"], row["quantity"] = time, side, lots
    none = np.zeros(0, o.ORDER), np.zeros(0, EQUITY)
    return Result(one_stock(), none[0], made, none[1], about={"begin": 0, "end": END})


def twin(fills):
    """Each lot alone, first in first out, long or short; what is open at the end, until then."""
    queue, longest = deque(), 0
    for time, side, lots in fills:
        for _ in range(lots):
            if queue and queue[0][0] != side:
                longest = max(longest, time - queue.popleft()[1])
            else:
                queue.append((side, time))
    return max([longest, *(END - time for _, time in queue)])


@pytest.mark.parametrize("seed", range(20))
def test_against_a_queue_of_lots(seed):
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 40))
    times = np.sort(chance.integers(0, END, count)).tolist()
    sides, lots = chance.integers(1, 3, count).tolist(), chance.integers(1, 9, count).tolist()
    if seed % 2:  # flat at the end, so that only round trips count
        held = sum(n if side == BUY else -n for side, n in zip(sides, lots, strict=True))
        if held:
            times.append(END - 1)
            sides.append(1 if held < 0 else 2)
            lots.append(abs(held))
    fills = list(zip(times, sides, lots, strict=True))
    assert longest_held(result_of(fills)) == twin(fills) > 0


def test_nothing_traded_is_held_for_no_time():
    assert longest_held(result_of([])) == 0


def test_a_turn_from_long_to_short_begins_anew():
    assert longest_held(result_of([(10, 1, 5), (40, 2, 10), (60, 1, 5)])) == 30
