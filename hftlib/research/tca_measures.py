"""What each order and each fill cost, in whole numbers: the arithmetic of execution quality.

Of an order for Q lots, of which F were filled for a value V (sum of price times quantity):

    arrival A    middle as we saw it when the order was sent
    entry M      middle at the venue when it accepted the order (from the tape; A where unknown)
    end E        middle when the order was over, or at the end of the run

    delay       side x F x (M - A)          execution = delay + trading = side x (V - F x A)
    trading     side x (V - F x M)
    opportunity side x (Q - F) x (E - A)
    shortfall   execution + opportunity + fees           (Perold 1988; a cost is positive)

Of a fill of q lots at p, with the middle m just before it, m_H a horizon later and the last known
middle X of its instrument:

    spread + adverse + inventory = side x q x [(m - p) + (m_H - m) + (X - m_H)] = side x q x (X - p)

and the sum of the right side over all fills is cash + position x X: the P&L before fees, exactly.
A gain is positive here. Where m is not known, all of the fill is `unattributed`; where m_H is not,
for the run ended before it, X stands for it.

Middles are kept as bid plus ask, so amounts here are twice money units. Worst case: amounts of
2**62 and beyond are refused with a sentence, for they could wrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import orders
from hftlib.core.errors import InputError
from hftlib.core.events import BUY
from hftlib.research.result_money import UNKNOWN_BELOW
from hftlib.research.result_rows import Rows
from hftlib.research.tca_market import Market

Array = np.ndarray[Any, Any]
UNKNOWN = UNKNOWN_BELOW * 2
_LARGE = float(1 << 62)


@dataclass(frozen=True)
class OrderCosts:
    """A row for each order that left us; costs in twice money units."""

    records: Rows
    sign: Array
    arrival: Array  # twice the middle; UNKNOWN
    end: Array
    ended: Array  # ns
    first_fill: Array  # ns, the venue's; 0 none
    last_fill: Array
    whole: Array  # filled to the last lot
    execution: Array
    delay: Array
    opportunity: Array
    known: Array  # whether arrival and end are
    vwap: Array  # float, price units; NaN
    volume: Array  # lots printed from sending to the end
    one_clock: bool = True  # whether a time of ours and one of the venue's have a difference

    @property
    def trading(self) -> Array:
        return self.execution - self.delay

    @property
    def shortfall(self) -> Array:
        return self.execution + self.opportunity + 2 * self.records["fees"]


@dataclass(frozen=True)
class FillCosts:
    """A row for each fill; in twice money units, and in our favour where it says gain."""

    records: Array
    sign: Array
    arrival: Array  # cost against the middle at arrival
    mid: Array  # cost against the middle just before
    arrival_known: Array
    mid_known: Array
    markouts: Array  # fills x horizons: the gain by then, against the price
    markouts_known: Array
    spread: Array
    adverse: Array
    inventory: Array
    unattributed: Array
    gross: Array
    valued: Array  # whether the end is known, so that there is an attribution
    one_clock: bool = True

    @property
    def asked(self) -> Array:
        """When we had asked to cancel or replace the order; 0: we had not."""
        return np.abs(self.records["asked"])

    @property
    def lost(self) -> Array:
        """Fills that the venue made after we had asked: races lost on the way."""
        asked = self.asked
        return (asked > 0) & (self.records["time"] >= asked) & self.one_clock


def ends_of(found: Rows, fills: Array, run_end: int) -> tuple[Array, Array, Array, Array]:
    """First and last fill at the venue, whether filled whole, and when each order was over."""
    first = np.zeros(len(found), np.int64)
    last = first.copy()
    place = _places(found["id"], fills["order"])
    mine = place >= 0
    np.maximum.at(last, place[mine], fills["time"][mine])
    first[:] = np.iinfo(np.int64).max
    np.minimum.at(first, place[mine], fills["time"][mine])
    first[last == 0] = 0
    whole = (found["filled"] >= found["quantity"]) & (found["filled"] > 0)
    ended = np.where(found["done"] > 0, found["done"], max(run_end, 0))
    return first, last, whole, np.where(whole & (last > 0), last, ended)


def order_costs(
    found: Rows,
    fills: Array,
    run_end: int,
    ends: Array,
    entries: Array,
    market: Market | None,
    *,
    one_clock: bool = True,
) -> OrderCosts:
    """Costs of orders, given twice the middle at the end of each and at its entry."""
    first, last, whole, ended = ends_of(found, fills, run_end)
    sign = np.where(found["side"] == BUY, 1, -1)
    arrival, filled = found["twice_mid"], found["filled"]
    left = np.maximum(found["quantity"] - filled, 0)
    has_arrival = arrival > UNKNOWN_BELOW
    known = has_arrival & ((left == 0) | (ends > UNKNOWN_BELOW))
    a = np.where(has_arrival, arrival, 0)
    e = np.where(known & (left > 0), ends, a)
    m = np.where(entries > UNKNOWN_BELOW, entries, a)
    paid = 2 * found["value"] - times(a, filled)
    vwap, volume = np.full(len(found), np.nan), np.zeros(len(found), np.int64)
    if market is not None:
        for row, mine in by_row(found["instrument"]).items():
            vwap[mine], volume[mine] = market.vwap(row, found["sent"][mine], ended[mine])
    return OrderCosts(
        records=found,
        sign=sign,
        arrival=np.where(has_arrival, arrival, UNKNOWN),
        end=np.where(ends > UNKNOWN_BELOW, ends, UNKNOWN),
        ended=ended,
        first_fill=first,
        last_fill=last,
        whole=whole,
        execution=np.where(has_arrival, sign * paid, 0),
        delay=np.where(has_arrival, sign * times(m - a, filled), 0),
        opportunity=np.where(known, sign * times(e - a, left), 0),
        known=known,
        vwap=vwap,
        volume=volume,
        one_clock=one_clock,
    )


def fill_costs(
    fills: Array,
    marks: Array,
    horizon: int,
    last_mids: dict[int, int],
    *,
    one_clock: bool = True,
) -> FillCosts:
    """Costs of fills, given twice the middle at each horizon and the last of each instrument."""
    sign = np.where(fills["side"] == BUY, 1, -1)
    quantity, paid = sign * fills["quantity"], 2 * fills["price"]
    mid, arrival = fills["twice_mid"], fills["sent_mid"]
    mid_known, arrival_known = mid > UNKNOWN_BELOW, arrival > UNKNOWN_BELOW
    rows = fills["instrument"]
    held = np.zeros(int(rows.max()) + 1 if len(rows) else 1, np.int64)
    np.add.at(held, rows, quantity)
    # With nothing left any end gives the same sum, so 0 does where it is not known.
    last = np.array([last_mids.get(row, 0) for row in range(len(held))], np.int64)[rows]
    has_last = np.array([row in last_mids for row in range(len(held))])
    valued = (has_last | (held == 0))[rows]
    after = marks[:, horizon]
    after = np.where(after > UNKNOWN_BELOW, after, last)
    gross = times(last - paid, quantity)
    before = np.where(mid_known, mid, 0)
    spread = _where(mid_known, before - paid, quantity)
    return FillCosts(
        records=fills,
        sign=sign,
        arrival=_where(arrival_known, paid - np.where(arrival_known, arrival, 0), quantity),
        mid=-spread,
        arrival_known=arrival_known,
        mid_known=mid_known,
        markouts=np.stack(
            [_where(known, one - paid, quantity) for one, known in _columns(marks)], axis=1
        ),
        markouts_known=marks > UNKNOWN_BELOW,
        spread=spread,
        adverse=_where(mid_known, after - before, quantity),
        inventory=_where(mid_known, last - after, quantity),
        unattributed=np.where(mid_known, 0, gross),
        gross=gross,
        valued=valued,
        one_clock=one_clock,
    )


def sampled_middles(equity: Array, rows: Array, moments: Array) -> Array:
    """Twice the last known middle of the samples at or before each moment; UNKNOWN without one."""
    made = np.full(len(rows), UNKNOWN, np.int64)
    known = np.flatnonzero(equity["twice_mid"] > UNKNOWN_BELOW)
    samples = by_row(equity["instrument"][known])
    for row, mine in by_row(rows).items():
        theirs = known[samples.get(row, known[:0])]
        at = np.searchsorted(equity["time"][theirs], moments[mine], side="right") - 1
        if len(theirs):
            middles = equity["twice_mid"][theirs]
            made[mine] = np.where(at >= 0, middles[np.maximum(at, 0)], UNKNOWN)
    return made


def by_row(rows: Array) -> dict[int, Array]:
    """The places of each instrument, in order."""
    order = np.argsort(rows, kind="stable")
    found, firsts = np.unique(rows[order], return_index=True)
    pieces = np.split(order, firsts[1:]) if len(found) else []
    return dict(zip(found.tolist(), pieces, strict=True))


def unbroken(fills: Array) -> Array:
    """The places of fills that count: a broken trade and the row that breaks it are both left out.

    The log tells of a break by a fill of a quantity below zero, with the trade's order and number.
    """
    counts = fills["quantity"] > 0
    for place in np.flatnonzero(fills["quantity"] < 0).tolist():
        one = fills[place]
        same = (fills["match"][:place] == one["match"]) & (fills["order"][:place] == one["order"])
        same &= counts[:place] & (fills["quantity"][:place] == -one["quantity"])
        same &= fills["instrument"][:place] == one["instrument"]
        counts[np.flatnonzero(same)[:1]] = False
    return np.flatnonzero(counts)


def left_us(found: Array) -> Rows:
    """The orders that left us: those a limit of ours refused did not."""
    refused = (found["reason"] > 0) & (found["reason"] <= orders.OURS)
    return Rows(found, np.flatnonzero((found["state"] != orders.FREE) & ~refused))


def times(differences: Array, quantities: Array) -> Array:
    """Their products, none of which may be too large to be exact."""
    size = np.abs(differences.astype(np.float64)) * np.abs(quantities.astype(np.float64))
    if len(size) and float(size.max()) >= _LARGE:
        raise InputError(
            f"A price times a quantity of {float(size.max()):.3g} units cannot be counted exactly",
            where="the execution costs of a result",
            do="State larger units of price or quantity when the data are imported.",
        )
    return differences * quantities


def _where(known: Array, differences: Array, quantities: Array) -> Array:
    """The products where both are known, 0 elsewhere."""
    return times(np.where(known, differences, 0), quantities)


def _columns(marks: Array) -> list[tuple[Array, Array]]:
    """Each horizon's middles, 0 where they are not known, and where they are."""
    known = marks > UNKNOWN_BELOW
    return [(np.where(known[:, n], marks[:, n], 0), known[:, n]) for n in range(marks.shape[1])]


def _places(ids: Array, wanted: Array) -> Array:
    """Where each wanted number stands among the orders; -1 nowhere."""
    if not len(ids):
        return np.full(len(wanted), -1)
    order = np.argsort(ids, kind="stable")
    at = np.minimum(np.searchsorted(ids[order], wanted), len(ids) - 1)
    return np.where(ids[order][at] == wanted, order[at], -1)
