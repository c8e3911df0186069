"""Where the difference between a session's P&L and its backtest's came from, to the last cent.

    table = causes_of(session, backtest, pairs, currency)

With M the last middle of the backtest, a fill is worth sign * (M - price) * quantity, less its fee,
and all fills together are the net P&L. So order by order the difference splits without a rest:

    only the session        orders that the backtest has no like of
    only the backtest       orders that the session never sent
    standing, filled more or less      a pair that stood: the queue, and who came to it
    taking, filled more or less        a pair that took: who was first
    price                   the quantity that both filled, at different prices
    fees                    of the pairs
    last middle             what is held at the end, valued by the session's own middle

Worst case: a few arrays as long as the orders.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import orders as o
from hftlib.research.parity.aligning import Pairs
from hftlib.research.result_groups import Group

Array = np.ndarray[Any, Any]
ONLY_SESSION, ONLY_BACKTEST = "only the session sent", "only the backtest sent"
STOOD, TOOK = "standing, filled more or less", "taking, filled more or less"
PRICE, FEES, MIDDLE = "price", "fees", "last middle"
CAUSES = (ONLY_SESSION, ONLY_BACKTEST, STOOD, TOOK, PRICE, FEES, MIDDLE)


def causes_of(
    session: Group, backtest: Group, pairs: Pairs, orders: Array, others: Array
) -> dict[str, float]:
    """Session less backtest by cause; `orders` and `others` are those that the pairs count."""
    last = {**_last_middles(session), **_last_middles(backtest)}
    mine, theirs = _worths(session, last), _worths(backtest, last)
    made = dict.fromkeys(CAUSES, 0.0)
    made[ONLY_SESSION] = _net(mine, orders["id"][pairs.only_session])
    made[ONLY_BACKTEST] = -_net(theirs, others["id"][pairs.only_backtest])
    taking = (orders["lasts"] != o.DAY) | (orders["kind"] == o.MARKET)
    for here, there in zip(pairs.session.tolist(), pairs.backtest.tolist(), strict=True):
        ours, other = mine.get(int(orders["id"][here])), theirs.get(int(others["id"][there]))
        if ours is None and other is None:
            continue
        more, price, fees = split(ours or _NOTHING, other or _NOTHING)
        made[TOOK if taking[here] else STOOD] += more
        made[PRICE] += price
        made[FEES] += fees
    made[MIDDLE] = _held_otherwise(session, last)
    return made


# Of one order: what its fills are worth at the last middle, how much they are, and their fees.
Worth = tuple[float, float, float]
_NOTHING: Worth = (0.0, 0.0, 0.0)


def split(ours: Worth, other: Worth) -> tuple[float, float, float]:
    """The difference of two orders by quantity, by price, by fees."""
    (worth, quantity, fees), (worth_there, quantity_there, fees_there) = ours, other
    both = min(quantity, quantity_there)
    each = worth / quantity if quantity else 0.0
    each_there = worth_there / quantity_there if quantity_there else 0.0
    price = both * (each - each_there)
    return worth - worth_there - price, price, fees_there - fees


def _worths(group: Group, last: dict[int, float]) -> dict[int, Worth]:
    """By the number of the order."""
    middles = np.array([last.get(row, np.nan) for row in group.instruments.tolist()], float)
    middles = np.where(np.isnan(middles), group.price, middles)
    worth = group.sign * (middles - group.price) * group.worth
    made: dict[int, list[float]] = {}
    rows = zip(
        group.fills["order"].tolist(),
        worth.tolist(),
        group.worth.tolist(),
        group.fees.tolist(),
        strict=True,
    )
    for number, value, quantity, fee in rows:
        one = made.setdefault(number, [0.0, 0.0, 0.0])
        one[0] += value
        one[1] += quantity
        one[2] += fee
    return {number: (one[0], one[1], one[2]) for number, one in made.items()}


def _net(worths: dict[int, Worth], numbers: Array) -> float:
    some = [worths[number] for number in numbers.tolist() if number in worths]
    return float(sum(worth - fees for worth, _, fees in some))


def _last_middles(group: Group) -> dict[int, float]:
    made = {}
    for row, series in zip(group.rows, group.series, strict=True):
        known = series.mid[~np.isnan(series.mid)]
        if len(known):
            made[row] = float(known[-1])
    return made


def _held_otherwise(session: Group, last: dict[int, float]) -> float:
    """What the session holds, at its own last middle less at the common one."""
    own, total = _last_middles(session), 0.0
    held = session.scales.quantities(session.lasts["position"], session.lasts["instrument"])
    rows = session.lasts["instrument"].tolist()
    for row, position, scale in zip(
        rows, held.tolist(), session.scales.multiplier[rows].tolist(), strict=True
    ):
        if position and row in own:
            total += position * scale * (own[row] - last.get(row, own[row]))
    return total
